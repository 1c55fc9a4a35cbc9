"""A window in two: nothing lost, nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.period import Window, parse_window
from orpolicy.query.halve import halves
from orpolicy.query.model import Filter, Granularity, Operator, Query

NOW = datetime(2026, 6, 10, tzinfo=UTC)


def query(window: str | Window, granularity: Granularity | None = None) -> Query:
    span = parse_window(window, NOW) if isinstance(window, str) else window
    return Query(
        ("total_usage",), ("model",), span, (Filter("model", Operator.IN, ("a/b",)),), granularity, 77
    )


def cut(window: str | Window, granularity: Granularity | None = None) -> str:
    first, second = halves(query(window, granularity))
    assert first.window.end == second.window.start
    return f"{first.window.end:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("window", "granularity", "expected"),
    [
        ("2026-05-01..2026-06-01", None, "2026-05-16 00:00:00"),
        ("2026-05-01..2026-05-03", None, "2026-05-02 00:00:00"),
        ("2026-05-01T06:00..2026-05-03T07:00", None, "2026-05-02 06:00:00"),
        ("2026-04-06..2026-06-08", Granularity.DAY, "2026-05-07 00:00:00"),
        ("2025-09-01..2026-06-01", Granularity.MONTH, "2026-01-01 00:00:00"),
        ("2026-04-01..2026-06-01", Granularity.MONTH, "2026-05-01 00:00:00"),
        ("2026-05-20..2026-06-10", Granularity.MONTH, "2026-06-01 00:00:00"),
        ("2026-05-01..2026-06-01", Granularity.MONTH, "2026-05-16 00:00:00"),
        ("2026-05-02..2026-05-20", Granularity.MONTH, "2026-05-11 00:00:00"),
        ("2026-04-20T06:30:15..2026-05-20", Granularity.MONTH, "2026-05-01 00:00:00"),
        ("2026-04-28T06:30:15..2026-05-20", Granularity.MONTH, "2026-05-01 00:00:00"),
    ],
)
def test_where_it_is_cut(window: str, granularity: Granularity | None, expected: str) -> None:
    assert cut(window, granularity) == expected


@pytest.mark.parametrize("granularity", [None, *Granularity])
@pytest.mark.parametrize("window", ["2026-05-01..2026-05-02", "2026-05-01..2026-05-02T23:00"])
def test_less_than_two_days_stay_whole(window: str, granularity: Granularity | None) -> None:
    assert halves(query(window, granularity)) == ()


def test_a_running_month_stays_open_at_its_end() -> None:
    first, second = halves(query(parse_window("this-month", datetime(2026, 6, 10, 5, tzinfo=UTC))))
    assert not first.window.to_date
    assert second.window.to_date


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - hypothesis wants it naive
    st.integers(2 * 86_400, 400 * 86_400),
    st.sampled_from([None, *Granularity]),
)
def test_the_law(start: datetime, seconds: int, granularity: Granularity | None) -> None:
    begins = start.replace(microsecond=0, tzinfo=UTC)
    whole = query(Window(begins, begins + timedelta(seconds=seconds)), granularity)
    first, second = halves(whole)
    assert (first.window.start, second.window.end) == (whole.window.start, whole.window.end)
    assert first.window.end == second.window.start
    for part in (first, second):
        assert 0 < part.window.days < whole.window.days
        assert part.body() | {"time_range": None} == whole.body() | {"time_range": None}
