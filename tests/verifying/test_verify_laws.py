"""What holds of a verification whatever the figures are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import memory, row, run

from orpolicy.errors import SourceError
from orpolicy.finding import Measure
from orpolicy.period import Window
from orpolicy.totals import Totals
from orpolicy.verifying.chart import chart
from orpolicy.verifying.model import Days, Standing
from orpolicy.verifying.realised import Neighbour, realised
from orpolicy.verifying.standing import breaches, standing
from orpolicy.verifying.windows import later_window

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
WEEK = Window(datetime(2026, 6, 8, tzinfo=UTC), datetime(2026, 6, 15, tzinfo=UTC))
FOUND = run(
    "policies:\n  - {id: rate, rule: usd-per-mtok, by: [model], fail_above: 10}\n",
    memory([row(model="acme/dear", total_usage=100.0, tokens_total=5_000_000)]),
).findings[0]

figures = st.floats(-1e9, 1e9, allow_nan=False)
volumes = st.integers(1, 10**12)


def totals(usd: float, tokens: int) -> Totals:
    return Totals({"total_usage": usd, "tokens_total": tokens, "request_count": 1})


@settings(max_examples=100, deadline=None)
@given(volume=volumes, moved=volumes, later=st.sampled_from([MAY, WEEK]))
def test_an_unchanged_unit_price_realises_nothing_whatever_the_volume(
    volume: int, moved: int, later: Window
) -> None:
    price = 100.0 / 5_000_000
    neighbour = Neighbour(totals(0.0, 0), totals(price * moved, moved))
    found = realised(FOUND, None, totals(price * volume, volume), [neighbour], (MAY, later))
    assert found is not None
    assert found.usd_per_month == pytest.approx(
        0.0, abs=1e-9 * price * (volume + moved) * later.monthly_factor
    )


@settings(max_examples=100, deadline=None)
@given(volume=st.integers(0, 10**12), usd=st.floats(0, 1e9), gain=st.integers(0, 10**12))
def test_no_more_is_moved_than_left_or_arrived(volume: int, usd: float, gain: int) -> None:
    found = realised(
        FOUND, None, totals(usd, volume), [Neighbour(totals(0.0, 0), totals(1.0, gain))], (MAY, MAY)
    )
    assert found is not None
    left = max(5_000_000 - volume, 0)
    assert found.moved == pytest.approx(min(left, gain))
    assert found.stopped_usd_per_month == pytest.approx((left - found.moved) * 2e-5, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(value=figures, threshold=figures, one=figures, other=figures, reaching=st.booleans())
def test_the_standing_is_monotone_in_the_measure(
    value: float, threshold: float, one: float, other: float, *, reaching: bool
) -> None:
    measure = Measure("m", value, threshold, "")
    better, worse = sorted((one, other), reverse=value < threshold)
    order = list(Standing)
    first, second = (
        standing(measure, each, breaches=breaches(measure, each, reaching=reaching))
        for each in (better, worse)
    )
    assert order.index(first) <= order.index(second)


@settings(max_examples=50, deadline=None)
@given(value=figures, threshold=figures)
def test_a_measure_that_stays_is_unchanged(value: float, threshold: float) -> None:
    measure = Measure("m", value, threshold, "")
    assert standing(measure, value, breaches=True) is Standing.UNCHANGED


@settings(max_examples=150, deadline=None)
@given(
    start=st.integers(0, 3_000).map(lambda day: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=day)),
    days=st.integers(1, 60),
    wait=st.integers(0, 200),
    to_date=st.booleans(),
)
def test_the_later_window_is_over_and_apart_and_as_long(
    start: datetime, days: int, wait: int, *, to_date: bool
) -> None:
    window = Window(start, start + timedelta(days=days), to_date)
    now = window.end + timedelta(days=wait, hours=5)
    try:
        found = later_window(window, now)
    except SourceError as error:
        ready = error.detail.split("from ")[-1].split(" ")[0]
        assert later_window(window, datetime.fromisoformat(ready).replace(tzinfo=UTC)).start >= window.end
        return
    assert window.end <= found.start < found.end <= now
    assert found.days == days or to_date or window.is_calendar_month


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.none() | st.floats(-1e6, 1e12, allow_nan=False), min_size=1, max_size=400),
    columns=st.integers(10, 120),
    ascii_only=st.booleans(),
    place=st.integers(-5, 420),
    known=st.booleans(),
)
def test_a_chart_has_a_sign_for_every_day_and_keeps_its_width(
    values: list[float | None], columns: int, place: int, *, ascii_only: bool, known: bool
) -> None:
    first = date(2026, 1, 1)
    step = first + timedelta(days=place)
    days = Days("spend_usd", "USD", first, tuple(values), None if known else step)
    drawn = chart(days, step if known else None, columns, ascii_only=ascii_only)
    if drawn is None:
        assert not any(value is not None for value in values)
        return
    per = -(-len(values) // columns)
    assert len(drawn.bars) == -(-len(values) // per) <= columns
    assert drawn.bars.isascii() or not ascii_only
    if drawn.mark:
        assert drawn.mark[max(place, 0) // per] == "^"
