"""What looking at a report's findings again comes to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from datetime import date, datetime

    from orpolicy.errors import Reason
    from orpolicy.finding import Finding
    from orpolicy.period import Window


class Standing(StrEnum):
    """How a finding stands in the later window, from the best to the worst."""

    FIXED = "fixed"
    GONE = "gone"
    PARTLY = "partly"
    UNCHANGED = "unchanged"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"


class Volume(StrEnum):
    """What dollars are divided by before they are compared."""

    TOKENS = "tokens"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Realised:
    """What a change of the unit price has been worth: the volume of today at the price of the report.

    Attributes:
        unit: what the volume is counted in.
        usd_per_unit: of the report's window.
        volume: the subject's, in the later window.
        moved: what left the subject and is found on other models of the same traffic, likewise.
        spend_usd: what the subject costs in the later window.
        moved_usd: what ``moved`` costs there.
        usd_per_month: ``usd_per_unit * (volume + moved) - spend_usd - moved_usd``, as a month's; negative
            where the unit has become dearer; None where nothing is left to price.
        stopped_usd_per_month: what the volume cost that has left and is found nowhere; no saving of a fix.
        volume_ratio: ``volume + moved`` to the report's volume, both as a month's; None where that was 0.
        formula: with its numbers filled in.
    """

    unit: Volume
    usd_per_unit: float
    volume: float
    moved: float
    spend_usd: float
    moved_usd: float
    usd_per_month: float | None
    stopped_usd_per_month: float
    volume_ratio: float
    formula: str


@dataclass(frozen=True, slots=True)
class Days:
    """A figure day by day, from before the report to the end of the later window.

    Attributes:
        name: of the figure: ``spend_usd``, or the measure's.
        unit: as in ``Measure.unit``.
        first: the first day.
        values: one a day; None where there is nothing to measure.
        guess: the first day after the greatest step, if there is a clear one; a guess, not a deploy.
    """

    name: str
    unit: str
    first: date
    values: tuple[float | None, ...]
    guess: date | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One finding looked at again.

    Attributes:
        finding: as the report has it.
        window: the report's.
        later: the window that was looked at; None where there is none yet.
        value: the measure there, on the scale of the report's; None where there is none.
        spend_usd: of the subject in the later window; so are ``tokens`` and ``requests``.
        reason: why it is inconclusive, or None.
        detail: what a reader should know about the standing, or "".
    """

    finding: Finding
    window: Window | None
    later: Window | None
    standing: Standing
    value: float | None = None
    spend_usd: float = 0.0
    tokens: int = 0
    requests: int = 0
    realised: Realised | None = None
    days: Days | None = None
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Estimates held against what was realised, USD a month; findings overlap, so sums are not additive.

    Attributes:
        findings: how many have both figures.
        realised: their sum.
        expected: the sum of the estimates, each at the volume of the later window.
        within: how many were realised within low to high.
    """

    findings: int
    realised: float
    expected: float
    within: int

    @property
    def ratio(self) -> float | None:
        """``realised / expected``; None without anything expected."""
        return self.realised / self.expected if self.expected > 0 else None


@dataclass(frozen=True, slots=True)
class Verification:
    """A report's findings looked at again.

    Attributes:
        now: the run's clock.
        source: what answered: its kind, and its host.
        report_at: the clock of the report.
        deployed: when the fix went live, if somebody said so.
        checked: in the report's order.
        overall: the calibration over all findings that have both figures.
        acted_on: likewise over those that are fixed, gone or partly fixed.
        queries_asked: how many analytics queries it took.
        notices: what a reader should know about the whole.
    """

    now: datetime
    source: tuple[str, str]
    report_at: datetime
    deployed: date | None
    checked: tuple[Checked, ...]
    overall: Calibration
    acted_on: Calibration
    queries_asked: int
    notices: tuple[str, ...] = ()
