"""A baseline held against a run: what is fixed goes, what improved falls, nothing rises unasked."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.baseline import Accepted, Figures, Ratchet
from orpolicy.nouns import dataclass
from orpolicy.reporters._words import subject
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orpolicy.policy.model import PolicySet
    from orpolicy.report import Report

NO_NAME = "(no name)"


class Change(StrEnum):
    """What becomes of an entry or a finding; the words are for people."""

    ADDED = "added"
    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    FIXED = "fixed, dropped"
    LOCKED = "dropped, the policy is locked"
    MISNAMED = "dropped, it is another policy's finding"
    WORSE = "worse than accepted"
    NEW = "not accepted"
    REFUSED = "not accepted, the policy is locked"
    NOT_JUDGED = "kept, the policy was not judged"
    SAME = "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one fingerprint.

    Attributes:
        entry: whom it is about: the finding with its exact figures, or else the entry as it was.
        before: the entry as it was, or None.
        after: what stands in the new baseline, or None.
    """

    change: Change
    entry: Accepted
    before: Accepted | None
    after: Accepted | None


@dataclass(frozen=True, slots=True)
class Update:
    """A new baseline, and how it came from the one before.

    Attributes:
        ratchet: the new one.
        steps: one for each entry and each open finding, by fingerprint; two for one that an entry misnames.
    """

    ratchet: Ratchet
    steps: tuple[Step, ...]

    def of(self, *changes: Change) -> tuple[Step, ...]:
        """The steps of some kinds."""
        return tuple(step for step in self.steps if step.change in changes)


def update(
    ratchet: Ratchet,
    report: Report,
    locked: Collection[str] = (),
    *,
    accept_new: bool = False,
    accept_worse: bool = False,
) -> Update:
    """Hold a baseline against a run; entries of policies that were not judged stay as they are.

    Args:
        ratchet: the baseline.
        report: the run; whether it applied the baseline makes no difference.
        locked: ids of policies that cannot be baselined.
        accept_new: take in open findings that have no entry.
        accept_worse: raise entries to what was found.
    """
    judged = judged_policies(report)
    found = {entry.fingerprint: entry for entry in _entries(report)}
    steps = []
    for entry in ratchet.entries:
        now = found.get(entry.fingerprint)
        if now is not None and now.policy != entry.policy:
            steps.append(Step(Change.MISNAMED, entry, entry, None))
        elif entry.policy in locked:
            steps.append(Step(Change.LOCKED, entry, entry, None))
        elif entry.policy not in judged:
            steps.append(Step(Change.NOT_JUDGED, entry, entry, entry))
        elif now is None:
            steps.append(Step(Change.FIXED, entry, entry, None))
        else:
            steps.append(_held(entry, now, accept_worse=accept_worse))
    known = {step.entry.fingerprint for step in steps if step.change is not Change.MISNAMED}
    open_now = {finding.fingerprint for finding in report.findings if finding.status is Status.OPEN}
    steps += [_new(found[name], locked, accept_new=accept_new) for name in sorted(open_now - known)]
    return Update(
        Ratchet.of(step.after for step in steps if step.after is not None),
        tuple(sorted(steps, key=lambda step: step.entry.fingerprint)),
    )


def anew(before: Ratchet, report: Report, locked: Collection[str] = ()) -> Update:
    """The baseline of all open findings, as if there were none yet.

    What was accepted before stays for policies that the run did not judge, and for them alone.
    """
    judged = judged_policies(report)
    kept = Ratchet.of(entry for entry in before.entries if entry.policy not in judged)
    return update(kept, report, locked, accept_new=True)


def judged_policies(report: Report) -> frozenset[str]:
    """The ids of the policies that the run could judge."""
    return frozenset(policy.id for policy in report.policies if policy.verdict is not Verdict.INCONCLUSIVE)


def locked_policies(policies: PolicySet) -> frozenset[str]:
    """The ids of the policies that cannot be baselined."""
    return frozenset(policy.id for policy in policies.policies if policy.locked)


def with_notices(report: Report, ratchet: Ratchet, locked: Collection[str]) -> Report:
    """The report, saying of the baseline that was applied which entries are of no use any more."""
    steps = update(ratchet, report, locked)
    fixed, dropped = (len(steps.of(change)) for change in (Change.FIXED, Change.LOCKED))
    texts = []
    if fixed:
        texts.append(
            f"baseline: {fixed} of {len(ratchet.entries)} accepted findings are fixed; "
            "`orpolicy baseline update` drops them"
        )
    if dropped:
        texts.append(
            f"baseline: {dropped} of {len(ratchet.entries)} accepted findings do not count, "
            "as their policies are locked"
        )
    return replace(report, notices=(*report.notices, *texts))


def _entries(report: Report) -> Iterator[Accepted]:
    """Every finding of the run as an entry with exact figures."""
    month = _monthly_factors(report)
    for finding in report.findings:
        figures = Figures.of(finding, finding.spend_usd * month[finding.policy])
        words = " ".join(subject(finding.subject).split()) or NO_NAME
        yield Accepted(finding.fingerprint, finding.policy, figures, words)


def _monthly_factors(report: Report) -> Mapping[str, float]:
    """Policy id -> what makes its window's dollars a month's."""
    return {policy.id: policy.window.monthly_factor for policy in report.policies if policy.window}


def _held(entry: Accepted, found: Accepted, *, accept_worse: bool) -> Step:
    """What becomes of an entry whose finding is still there."""
    now, accepted = found.figures, entry.figures
    if not now.like(accepted):
        after = now.rounded() if accept_worse else accepted
        change = Change.LOOSENED if accept_worse else Change.WORSE
        return Step(change, found, entry, replace(entry, figures=after, words=found.words))
    after = accepted.better_of(now.rounded())
    worse_value, worse_usd = now.worse_value(accepted), now.worse_usd(accepted)
    if accept_worse and worse_value:
        after = replace(after, value=now.rounded().value)
    if accept_worse and worse_usd:
        after = replace(after, usd_per_month=now.rounded().usd_per_month)
    if worse_value or worse_usd:
        change = Change.LOOSENED if accept_worse else Change.WORSE
    else:
        change = Change.SAME if after == accepted else Change.TIGHTENED
    return Step(change, found, entry, replace(entry, figures=after, words=found.words))


def _new(found: Accepted, locked: Collection[str], *, accept_new: bool) -> Step:
    """What becomes of an open finding that nobody has accepted."""
    if found.policy in locked:
        return Step(Change.REFUSED, found, None, None)
    if not accept_new:
        return Step(Change.NEW, found, None, None)
    return Step(Change.ADDED, found, None, replace(found, figures=found.figures.rounded()))
