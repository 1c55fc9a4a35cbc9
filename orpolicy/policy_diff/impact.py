"""What a change of policies does to the findings of one account, in dollars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.lint import lint
from orpolicy.verdict import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orpolicy.baseline import Ratchet
    from orpolicy.finding import Finding
    from orpolicy.policy.model import PolicySet
    from orpolicy.report import Report
    from orpolicy.sources.base import Source
    from orpolicy.staging import Choice

Identity = tuple[object, ...]


class Why(StrEnum):
    """Why a finding counts on one side alone."""

    NO_POLICY = "no policy"
    NOT_JUDGED = "could not be judged"
    NO_BREACH = "no breach"
    WAIVED = "waived"
    BASELINED = "accepted by the baseline"
    MILDER = "milder"
    """It counts on both sides, and less on the newer."""


_SET_ASIDE = {Status.WAIVED: Why.WAIVED, Status.BASELINED: Why.BASELINED}


@dataclass(frozen=True, slots=True)
class Shift:
    """A finding that the change hides, softens or shows.

    Attributes:
        finding: as it counts: by the older policies where it is hidden or softened, else by the newer.
        why: what became of it on the other side.
    """

    finding: Finding
    why: Why


@dataclass(frozen=True, slots=True)
class Dollars:
    """What some findings come to; a dollar under several findings counts in each.

    Attributes:
        spend_usd: in the policies' windows.
        saves_usd_per_month: expected, where known.
        unknown: how many findings have no figure for that.
    """

    spend_usd: float
    saves_usd_per_month: float
    unknown: int

    @classmethod
    def of(cls, shifts: Iterable[Shift]) -> Dollars:
        """The sums over some findings."""
        findings = [shift.finding for shift in shifts]
        expected = [item.savings.expected for item in findings]
        known = [usd for usd in expected if usd is not None]
        spend_usd = math.fsum(item.spend_usd for item in findings)
        return cls(spend_usd, math.fsum(known), len(expected) - len(known))


@dataclass(frozen=True, slots=True)
class Impact:
    """The findings that a change moves, each part dearest first.

    Attributes:
        hidden: open by the older policies, and not by the newer.
        softened: open by both, but only as a warning now, or of a lower severity.
        shown: open by the newer policies, and not by the older.
        net_before_usd_per_month: what the older policies would save, no dollar twice.
        net_after_usd_per_month: likewise the newer.
        not_judged: ids of policies that either side could not judge.
    """

    hidden: tuple[Shift, ...]
    softened: tuple[Shift, ...]
    shown: tuple[Shift, ...]
    net_before_usd_per_month: float
    net_after_usd_per_month: float
    not_judged: tuple[str, ...]

    @property
    def weakens(self) -> bool:
        """Whether a finding is lost or counts less; one that could not be judged is neither."""
        is_lost = any(shift.why is not Why.NOT_JUDGED for shift in self.hidden)
        return is_lost or bool(self.softened)


def measure(  # noqa: PLR0913 - two sides, what both are judged by, and what each accepts
    old: PolicySet,
    new: PolicySet,
    renamed: Mapping[str, str],
    source: Source,
    choice: Choice,
    *,
    ratchets: tuple[Ratchet | None, Ratchet | None] = (None, None),
    redact: bool = False,
) -> Impact:
    """Judge an account by both sets, and hold the findings against each other.

    Args:
        old: the older policies; a set without any finds nothing.
        new: the newer ones, likewise.
        renamed: older policy id -> newer one.
        source: where the figures of both runs come from.
        choice: the window, for both.
        ratchets: the findings that each side accepts.
        redact: whether pseudonyms stand for names.

    Raises:
        UsageError: for a window that makes no sense.
        PolicyError: for metrics and dimensions that neither orpolicy nor the account knows.
    """
    before, after = (
        lint(side, source, choice, ratchet=ratchet, redact=redact) if side.policies else None
        for side, ratchet in zip((old, new), ratchets, strict=True)
    )
    was = _Side.of(before, renamed, renamed)
    now = _Side.of(after, {name: name for name in renamed.values()}, {})
    opened, open_now = was.open(), now.open()
    kept = [(finding, open_now[name]) for name, finding in opened.items() if name in open_now]
    return Impact(
        hidden=_ranked(Shift(item, now.why(name)) for name, item in opened.items() if name not in open_now),
        softened=_ranked(Shift(item, Why.MILDER) for item, other in kept if _is_milder(item, other)),
        shown=_ranked(Shift(item, was.why(name)) for name, item in open_now.items() if name not in opened),
        net_before_usd_per_month=before.savings.net_expected if before else 0.0,
        net_after_usd_per_month=after.savings.net_expected if after else 0.0,
        not_judged=tuple(sorted(was.not_judged | now.not_judged)),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One run, with its findings by what identifies them on both sides.

    Attributes:
        findings: by policy and subject.
        policies: ids of the policies that ran, as the newer side has them.
        not_judged: those of them that could not be judged.
    """

    findings: Mapping[Identity, Finding]
    policies: frozenset[str]
    not_judged: frozenset[str]

    @classmethod
    def of(cls, report: Report | None, by_name: Mapping[str, str], ids: Mapping[str, str]) -> _Side:
        """A run's side.

        Args:
            report: of the run; None where there was no policy to run.
            by_name: policies whose findings are known by their subjects' names, as their fingerprints
                changed with the id, and the id that stands for both sides.
            ids: older policy id -> newer one.
        """
        if report is None:
            return cls({}, frozenset(), frozenset())
        return cls(
            {_identity(item, by_name): item for item in report.findings},
            frozenset(ids.get(item.id, item.id) for item in report.policies),
            frozenset(ids.get(item.policy, item.policy) for item in report.inconclusive),
        )

    def open(self) -> dict[Identity, Finding]:
        """The findings that count."""
        return {name: item for name, item in self.findings.items() if item.status is Status.OPEN}

    def why(self, name: Identity) -> Why:
        """Why a finding does not count on this side."""
        policy = name[0]
        if policy not in self.policies:
            return Why.NO_POLICY
        if policy in self.not_judged:
            return Why.NOT_JUDGED
        found = self.findings.get(name)
        return Why.NO_BREACH if found is None else _SET_ASIDE[found.status]


def _identity(finding: Finding, by_name: Mapping[str, str]) -> Identity:
    if finding.policy in by_name:
        return (by_name[finding.policy], *sorted(finding.subject.items()))
    return (finding.policy, finding.fingerprint)


def _is_milder(old: Finding, new: Finding) -> bool:
    severities = tuple(Severity)
    is_lower = severities.index(new.severity) > severities.index(old.severity)
    return new.verdict.rank < old.verdict.rank or is_lower


def _ranked(shifts: Iterable[Shift]) -> tuple[Shift, ...]:
    return tuple(sorted(shifts, key=lambda shift: (-shift.finding.spend_usd, shift.finding.fingerprint)))
