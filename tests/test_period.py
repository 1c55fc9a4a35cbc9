from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.period import Window, interval_window, parse_day, parse_moment, parse_window, stamp

NOW = datetime(2026, 6, 10, 15, 30, 12, tzinfo=UTC)


def window(start: str, end: str) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(start + "T00:00Z"), datetime.fromisoformat(end + "T00:00Z")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("last-month", "2026-05-01", "2026-06-01"),
        ("last-week", "2026-06-01", "2026-06-08"),
        ("last-1d", "2026-06-09", "2026-06-10"),
        ("last-30d", "2026-05-11", "2026-06-10"),
        ("2026-05-01..2026-05-08", "2026-05-01", "2026-05-08"),
        ("2026-05-01/2026-05-08", "2026-05-01", "2026-05-08"),
        ("2026-05-01T00:00:00Z..2026-05-08T00:00:00Z", "2026-05-01", "2026-05-08"),
        ("2026-05-01 to 2026-05-08", "2026-05-01", "2026-05-08"),
        ("2026-05-01,2026-05-08", "2026-05-01", "2026-05-08"),
    ],
)
def test_windows_as_text(text: str, start: str, end: str) -> None:
    found = parse_window(text, NOW)
    assert (found.start, found.end) == window(start, end)
    assert not found.to_date


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2025-12-01", "2026-01-01"),
        (datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC), "2024-02-01", "2024-03-01"),
    ],
)
def test_last_month_over_year_and_leap_february(now: datetime, start: str, end: str) -> None:
    found = parse_window("last-month", now)
    assert (found.start, found.end) == window(start, end)
    assert found.is_calendar_month
    assert found.monthly_factor == 1


def test_this_month_runs_to_now() -> None:
    found = parse_window("this-month", NOW)
    assert (found.start, found.end) == (datetime(2026, 6, 1, tzinfo=UTC), NOW)
    assert found.to_date


def test_this_month_has_nothing_at_its_first_instant() -> None:
    with pytest.raises(ValueError, match="only just begun"):
        parse_window("this-month", datetime(2026, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("day", range(7))
def test_last_week_is_monday_to_sunday_on_every_weekday(day: int) -> None:
    now = datetime(2026, 6, 8, 12, tzinfo=UTC) + timedelta(days=day)
    found = parse_window("last-week", now)
    assert found.is_calendar_week
    assert (found.start, found.end) == window("2026-06-01", "2026-06-08")


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "last-0d", "last--3d", "last-1000d", "last-3", "LAST-MONTH", "2026-05-01",
        "2026-05-08..2026-05-01", "2026-05-01..2026-05-01", "2026-13-01..2026-14-01",
        "2026-02-30..2026-03-01",
        "2026-05-01T00:00:00+02:00..2026-05-08", "26-05-01..26-05-02",
    ],
)  # fmt: skip
def test_no_window(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_window(text, NOW)


@pytest.mark.parametrize(
    "text", ["2026-05-01", "2026-05-01T00:00Z", "2026-05-01 00:00:00", "2026-05-01T00:00:00.25Z"]
)
def test_moments_are_utc_and_whole_seconds(text: str) -> None:
    assert stamp(parse_moment(text)) == "2026-05-01T00:00:00Z"


@pytest.mark.parametrize(
    "text", ["2026-05-01T00:00:00+01:00", "20260501", "now", "2026-5-1", "2026-05-01T25:00Z"]
)
def test_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text)


def test_days() -> None:
    assert parse_day("2027-01-31") == date(2027, 1, 31)
    for text in ("2027-02-30", "20270131", "31-01-2027", "2027-01-31T00:00"):
        with pytest.raises(ValueError, match=r"."):
            parse_day(text)


def test_previous_months_and_weeks_touch_and_exclude_the_window() -> None:
    march = interval_window("2026-03-01", "2026-04-01")
    months = march.previous(4)
    assert [stamp(month.start)[:7] for month in months] == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months[-1].end == march.start
    week = interval_window("2026-06-01", "2026-06-08")
    weeks = week.previous(2)
    assert [(one.start, one.end) for one in weeks] == [
        window("2026-05-18", "2026-05-25"),
        window("2026-05-25", "2026-06-01"),
    ]


def test_february_of_28_days_from_monday_is_a_month_not_a_week() -> None:
    february = interval_window("2027-02-01", "2027-03-01")
    assert february.is_calendar_month
    assert not february.is_calendar_week
    assert stamp(february.previous(1)[0].start) == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-06-02", "2026-06-09"), ("2026-05-01", "2026-05-31"), ("2026-05-01", "2026-07-01")],
)
def test_other_windows_have_no_previous_periods(start: str, end: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        interval_window(start, end).previous(1)


def test_other_windows_are_scaled_by_the_mean_month() -> None:
    assert interval_window("2026-05-01", "2026-05-05").monthly_factor == 365.25 / 12 / 4


@given(days=st.integers(1, 800), most=st.integers(1, 400))
def test_chunks_are_the_window(days: int, most: int) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    whole = Window(start, start + timedelta(days=days))
    chunks = whole.chunks(most)
    assert chunks[0].start == whole.start
    assert chunks[-1].end == whole.end
    assert all(one.end == other.start for one, other in pairwise(chunks))
    assert all(0 < chunk.days <= most for chunk in chunks)
    assert len(chunks) == -(-days // most)
