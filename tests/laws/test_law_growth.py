"""Growth is about whole weeks: how usage lies inside of them, and what comes after them, says nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from law_world import KEYS, LAW, MODELS, in_memory, judge, lines, verdicts
from world import row

from orpolicy.table import DATE

if TYPE_CHECKING:
    from orpolicy.report import Report

GROWTH = {
    "by-key": "rule: spend-growth, window: last-week",
    "by-model": "rule: spend-growth, window: last-week, by: [model], fail_above: 1.5, baseline_periods: 4",
}
FIRST_MONDAY = date(2026, 4, 6)
WEEKS = 9
"""Eight weeks, and the last one before 10 June."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Usage of one day: week, weekday, key, model and whole dollars."""

    week: int
    weekday: int
    key: int
    model: int
    usd: int

    def record(self, factor: float = 1.0) -> dict[str, Any]:
        key, day = KEYS[self.key], FIRST_MONDAY + timedelta(weeks=self.week, days=self.weekday)
        return row(
            **{DATE: day.isoformat()},
            api_key_id=key.name,
            api_key_hash=key.key_hash,
            model=MODELS[self.model],
            total_usage=self.usd * factor,
            usage_web=0.0,
            request_count=1 + self.usd,
        )


single = st.builds(
    Spent,
    st.integers(0, WEEKS - 1),
    st.integers(0, 6),
    st.integers(0, 1),
    st.integers(0, 1),
    st.integers(1, 400),
)
steady = [Spent(week, 0, key, 0, 100) for week in range(WEEKS - 1) for key in (0, 1)]
histories = st.lists(single, max_size=12).map(lambda found: [*steady, *found])


def report_of(history: list[Spent], factor: float = 1.0) -> Report:
    return judge(in_memory([spent.record(factor) for spent in history]), GROWTH)


@LAW
@given(histories, st.integers(0, 6))
def test_weekdays_do_not_matter(history: list[Spent], weekday: int) -> None:
    moved = [replace(spent, weekday=weekday) for spent in history]
    assert lines(report_of(moved)) == lines(report_of(history))
    assert verdicts(report_of(moved)) == verdicts(report_of(history))


@LAW
@given(histories, st.integers(1, 1000))
def test_the_running_week_does_not_matter(history: list[Spent], usd: int) -> None:
    later = Spent(WEEKS, 1, 0, 0, usd)
    assert lines(report_of([*history, later])) == lines(report_of(history))
    assert verdicts(report_of([*history, later])) == verdicts(report_of(history))


@LAW
@given(histories, st.integers(1, 1000))
def test_more_in_the_last_week_never_mends_a_key(history: list[Spent], usd: int) -> None:
    """The other key's increase may hide behind 2 % of all spend, but not the one that grows itself."""
    before, after = report_of(history), report_of([*history, Spent(WEEKS - 1, 0, 0, 0, usd)])
    broken = [
        {finding.policy for finding in report.findings if finding.subject.get("api_key_id") == KEYS[0].name}
        for report in (before, after)
    ]
    assert broken[0] <= broken[1]


@LAW
@given(histories)
def test_a_growing_key_is_found(history: list[Spent]) -> None:
    """Ten times the largest week is growth by any measure."""
    largest = sum(spent.usd for spent in history if spent.key == 0)
    report = report_of([*history, Spent(WEEKS - 1, 0, 0, 0, 10 * largest)])
    assert KEYS[0].name in {finding.subject.get("api_key_id") for finding in report.findings}
    assert verdicts(report)["by-key"] == "fail"
