"""Waivers at their edges: the last second, the last cent, several at once, parts of a finding."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import memory, row, run

from orpolicy.report import Report, WaiverState
from orpolicy.verdict import Status

LIMIT = "policies:\n  - {id: cap, rule: spend-limit, by: [%s], fail_above: 1}\n"
BY_KEY, BY_MODEL = LIMIT % "api_key_id", LIMIT % "model"
ROWS = [
    row(api_key_id="a", model="x/one", total_usage=60.0),
    row(api_key_id="b", model="x/one", total_usage=40.0),
]


def waivers(*fields: str) -> str:
    lines = [f"  - {{policy: cap, reason: ok, owner: me, until: 2026-12-31, {each}}}\n" for each in fields]
    return "waivers:\n" + "".join(lines)


def states(report: Report) -> list[WaiverState]:
    return [waiver.state for waiver in report.waivers]


def open_now(report: Report) -> set[str | None]:
    return {item.subject["api_key_id"] for item in report.findings if item.status is Status.OPEN}


@pytest.mark.parametrize(
    ("moment", "state", "status"),
    [
        ("2026-06-14T23:59:59.999999", WaiverState.EXPIRING, Status.WAIVED),
        ("2026-06-15T00:00:00", WaiverState.EXPIRED, Status.OPEN),
        ("2026-06-01T00:00:00", WaiverState.EXPIRING, Status.WAIVED),
        ("2026-05-30T23:59:59", WaiverState.ACTIVE, Status.WAIVED),
    ],
)
def test_the_day_is_inclusive_to_its_last_moment_in_utc(
    moment: str, state: WaiverState, status: Status
) -> None:
    text = BY_KEY + waivers("").replace("2026-12-31, ", "2026-06-14")
    rows = [row(date="2026-04-15", api_key_id="a", model="x/one", total_usage=60.0), *ROWS]
    source = memory(rows, now=datetime.fromisoformat(moment).replace(tzinfo=UTC))
    report = run(text, source)
    assert (states(report), {item.status for item in report.findings}) == ([state], {status})


@pytest.mark.parametrize("window", ["last-month", "last-3d", "last-7d", "last-14d", "last-week"])
@settings(max_examples=20)
@given(cents=st.integers(200, 10_000_000))
def test_what_equals_the_bound_is_not_above_it(window: str, cents: int) -> None:
    days = {"last-month": 31, "last-3d": 3, "last-7d": 7, "last-14d": 14, "last-week": 7}[window]
    day = "2026-05-15" if window == "last-month" else "2026-06-07"
    rows = [row(date=day, api_key_id="a", model="x/one", total_usage=cents / 100)]
    # spend of the window as a month's, worked out in another order: cents * 30.4375 is exact
    month = cents / 100 if window == "last-month" else cents * 30.4375 / (100 * days)
    text = BY_KEY.replace("fail_above", f"window: {window}, fail_above")
    for most, state in ((month, WaiverState.ACTIVE), (month * 0.999999, WaiverState.EXCEEDED)):
        report = run(text + waivers(f"max_spend: {most!r}"), memory(rows))
        assert states(report) == [state]


def test_of_several_that_cover_a_finding_one_that_holds_is_enough() -> None:
    both = waivers("max_spend: 50", "where: {api_key_id: a}, max_spend: 60")
    report = run(BY_KEY + both, memory(ROWS))
    assert states(report) == [WaiverState.EXCEEDED, WaiverState.ACTIVE]
    assert open_now(report) == set()
    assert [(waiver.findings, waiver.spend_usd) for waiver in report.waivers] == [(2, 100.0), (1, 60.0)]


def test_a_waiver_that_one_finding_exceeds_holds_for_the_others() -> None:
    report = run(BY_KEY + waivers("max_spend: 50"), memory(ROWS))
    assert states(report) == [WaiverState.EXCEEDED]
    assert (open_now(report), report.verdict) == ({"a"}, "fail")


def test_an_expired_one_does_not_take_another_with_it() -> None:
    text = BY_KEY + waivers("", "where: {api_key_id: a}").replace("2026-12-31", "2026-06-09", 1)
    report = run(text, memory(ROWS))
    assert states(report) == [WaiverState.EXPIRED, WaiverState.ACTIVE]
    assert open_now(report) == {"b"}


def test_a_part_of_a_finding_cannot_be_waived() -> None:
    report = run(BY_MODEL + waivers("where: {api_key_id: a}"), memory(ROWS))
    assert states(report) == [WaiverState.UNUSED]
    assert ([item.status for item in report.findings], report.verdict) == ([Status.OPEN], "fail")


def test_a_locked_policy_refuses_whatever_the_waiver_says() -> None:
    locked = BY_KEY.replace("fail_above", "locked: true, fail_above")
    report = run(locked + waivers("", "where: {api_key_id: a}", "max_spend: 1"), memory(ROWS))
    assert states(report) == [WaiverState.REFUSED] * 3
    assert open_now(report) == {"a", "b"}


def test_dollars_are_summed_exactly() -> None:
    spent = [0.1 * number for number in range(20, 60)]
    rows = [row(api_key_id=f"k{at}", model="x/one", total_usage=usd) for at, usd in enumerate(spent)]
    report = run(BY_KEY + waivers(""), memory(rows))
    assert report.waivers[0].spend_usd == math.fsum(spent)
