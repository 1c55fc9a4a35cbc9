"""A study of past weeks: who would have been told what, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.errors import Reason
    from orpolicy.finding import Subject
    from orpolicy.location import Location
    from orpolicy.period import Window


class Mark(StrEnum):
    """How a policy, or one of its subjects, stood at the end of a week."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"
    NOT_JUDGED = "not-judged"

    @property
    def is_fired(self) -> bool:
        """Whether somebody would have been told."""
        return self in {Mark.WARN, Mark.FAIL}


@dataclass(frozen=True, slots=True)
class Dollars:
    """USD of the studied weeks; each week takes seven days' part of what its findings say of a month.

    Attributes:
        spend: by breaching subjects.
        low: expected savings where known, likewise ``expected`` and ``high``.
        net: of ``expected``, what no other finding of the same week claims.
        exposure: spend above thresholds where it is no saving.
        unknown: how many findings have no savings figure.
    """

    spend: float = 0.0
    low: float = 0.0
    expected: float = 0.0
    high: float = 0.0
    net: float = 0.0
    exposure: float = 0.0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a policy at the end of one week.

    Attributes:
        window: what it judged then, or None where that could not be said.
        reason: why it was not judged, or None.
        detail: the same in a sentence, or "".
    """

    mark: Mark
    window: Window | None
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SubjectLine:
    """A subject that fired in some week.

    Attributes:
        fingerprint: as in reports.
        marks: a week each.
        values: what was measured, a week each; None where nothing was.
        threshold: the one that it crossed when it last fired.
        spend_usd: its part of the policy's ``Dollars.spend``.
    """

    fingerprint: str
    subject: Subject
    marks: tuple[Mark, ...]
    values: tuple[float | None, ...]
    threshold: float
    spend_usd: float

    @property
    def fired(self) -> int:
        """In how many weeks."""
        return sum(mark.is_fired for mark in self.marks)

    @property
    def flaps(self) -> int:
        """How often it fired again after a judged week in which it did not."""
        judged = [mark.is_fired for mark in self.marks if mark is not Mark.NOT_JUDGED]
        starts = sum(now and not before for before, now in zip([False, *judged], judged, strict=False))
        return max(starts - 1, 0)


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One policy over the weeks.

    Attributes:
        measure: the name of what it measures; its ``unit`` is for people.
        weeks: a verdict each.
        subjects: that fired, those that spend most first.
        noise: what that means for whoever would be told, in one sentence.
    """

    id: str
    rule: str
    location: Location
    owner: str
    title: str
    measure: str
    unit: str
    weeks: tuple[Verdict, ...]
    subjects: tuple[SubjectLine, ...]
    dollars: Dollars
    noise: str = ""

    @property
    def judged(self) -> int:
        """In how many weeks it was judged."""
        return sum(week.mark is not Mark.NOT_JUDGED for week in self.weeks)

    @property
    def fired(self) -> int:
        """In how many weeks it fired."""
        return sum(week.mark.is_fired for week in self.weeks)

    @property
    def flaps(self) -> int:
        """Of all its subjects."""
        return sum(subject.flaps for subject in self.subjects)

    @property
    def windows(self) -> int:
        """How many different windows were judged; weeks of one month share last-month."""
        return len({week.window for week in self.weeks if week.mark is not Mark.NOT_JUDGED})

    def edge(self, *, last: bool) -> int | None:
        """The number of the first or last week in which it fired, or None."""
        numbers = [number for number, week in enumerate(self.weeks) if week.mark.is_fired]
        return (numbers[-1] if last else numbers[0]) if numbers else None


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that a backtest found out.

    Attributes:
        now: the clock of the study.
        source: the kind of source.
        weeks: Monday to Sunday UTC, oldest first.
        policies: in file order.
        net: over all policies, no dollar twice.
        queries_asked: analytics queries, whatever the number of weeks.
        notices: what the reader should know.
    """

    now: datetime
    source: str
    weeks: tuple[Window, ...]
    policies: tuple[PolicyLine, ...]
    net: Dollars
    queries_asked: int
    notices: tuple[str, ...] = ()

    @property
    def is_judged(self) -> bool:
        """Whether any policy was judged in any week."""
        return any(policy.judged for policy in self.policies)
