"""The baseline: findings that are accepted as they are, each up to figures that may fall and never rise."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.finding import Finding

VALUE_TOLERANCE = 1e-8
"""Of a measured value, relative; it covers that values are kept to 9 significant digits, and no more."""

USD_TOLERANCE = 0.01
"""Of dollars a month; it covers that they are kept to the cent."""


class Side(StrEnum):
    """Where a measure may lie; the word is the sign that its bound is written with."""

    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Figures:
    """How bad a finding is.

    Attributes:
        measure: the measure's name.
        side: ``AT_LEAST`` where lower values are worse, as below a threshold.
        value: of the measure.
        usd_per_month: what the subject spends, as a month's.
    """

    measure: str
    side: Side
    value: float
    usd_per_month: float

    @classmethod
    def of(cls, finding: Finding, usd_per_month: float) -> Figures:
        """A finding's figures; a value that equals its threshold counts as above it."""
        measure = finding.measure
        side = Side.AT_LEAST if measure.value < measure.threshold else Side.AT_MOST
        return cls(measure.name, side, measure.value, usd_per_month)

    def rounded(self) -> Figures:
        """As the file keeps them: 9 significant digits, and cents."""
        value, usd = float(f"{self.value:.9g}"), round(self.usd_per_month, 2)
        return replace(self, value=value + 0.0, usd_per_month=usd + 0.0)  # + 0.0: no negative zero

    def like(self, other: Figures) -> bool:
        """Whether the two measure the same, on the same side of a threshold."""
        return (self.measure, self.side) == (other.measure, other.side)

    def worse_value(self, accepted: Figures) -> bool:
        """Whether the value is worse than an accepted one by more than rounding."""
        excess = self.value - accepted.value
        worse_by = excess if self.side is Side.AT_MOST else -excess
        return worse_by > VALUE_TOLERANCE * abs(accepted.value)

    def worse_usd(self, accepted: Figures) -> bool:
        """Whether more is spent than was accepted, by more than rounding."""
        return self.usd_per_month - accepted.usd_per_month > USD_TOLERANCE

    def better_of(self, other: Figures) -> Figures:
        """The stricter of both values, and the lesser spend."""
        stricter = min if self.side is Side.AT_MOST else max
        return replace(
            self,
            value=stricter(self.value, other.value),
            usd_per_month=min(self.usd_per_month, other.usd_per_month),
        )


@dataclass(frozen=True, slots=True)
class Accepted:
    """One finding that is accepted.

    Attributes:
        fingerprint: the finding's.
        policy: its policy's id.
        figures: the worst that is accepted.
        words: whom it is about, for people; one line, safe to show.
    """

    fingerprint: str
    policy: str
    figures: Figures
    words: str


@dataclass(frozen=True)
class Ratchet:
    """Everything that is accepted.

    Attributes:
        entries: by fingerprint, each once.
    """

    entries: tuple[Accepted, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Accepted]) -> Ratchet:
        """The ratchet of these entries, whatever their order."""
        return cls(tuple(sorted(entries, key=lambda entry: entry.fingerprint)))

    @cached_property
    def by_fingerprint(self) -> dict[str, Accepted]:
        """Fingerprint -> entry."""
        return {entry.fingerprint: entry for entry in self.entries}

    def holds(self, finding: Finding, usd_per_month: float) -> bool:
        """Whether a finding is accepted and no worse than it was; its policy must not be locked.

        An entry that names another policy, made by hand, holds nothing: reviews go by that name.
        """
        entry = self.by_fingerprint.get(finding.fingerprint)
        if entry is None or entry.policy != finding.policy:
            return False
        now = Figures.of(finding, usd_per_month)
        return now.like(entry.figures) and not _worse(now, entry.figures)

    def objection(self, finding: Finding, usd_per_month: float, *, locked: bool) -> str:
        """Why an accepted finding is open again, or ""; one that nobody accepted needs no reason."""
        entry = self.by_fingerprint.get(finding.fingerprint)
        if entry is None:
            return ""
        if locked:
            return "the baseline does not hold: the policy is locked"
        if entry.policy != finding.policy:
            return f"the baseline does not hold: its line names the policy {entry.policy}"
        now, accepted = Figures.of(finding, usd_per_month), entry.figures
        if not now.like(accepted):
            return f"the baseline does not hold: it accepts {bound(accepted)}, which is no longer measured"
        return _by_how_much(now, accepted)


def _worse(now: Figures, accepted: Figures) -> bool:
    return now.worse_value(accepted) or now.worse_usd(accepted)


def _by_how_much(now: Figures, accepted: Figures) -> str:
    parts = []
    if now.worse_value(accepted):
        change = now.value - accepted.value
        parts.append(f"{now.measure} {now.value:.6g} against {accepted.value:.6g} accepted ({change:+.6g})")
    if now.worse_usd(accepted):
        change = now.usd_per_month - accepted.usd_per_month
        parts.append(
            f"{now.usd_per_month:,.2f} USD a month against {accepted.usd_per_month:,.2f} accepted "
            f"({change:+,.2f})"
        )
    return f"worse than the baseline: {'; '.join(parts)}" if parts else ""


def bound(figures: Figures) -> str:
    """What is accepted of the measure, as it is written: ``cache_hit_rate>=0.12``."""
    return f"{figures.measure}{figures.side}{figures.value:.9g}"
