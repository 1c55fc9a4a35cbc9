"""Queries that are too much for the server (408) are asked in halves, and the verdicts stay."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from loopback.account import LoopbackAccount
from loopback.client import TurnedClock, impatient, opened
from loopback.server import LoopbackServer
from loopback.wire import Json, Refusal
from world import policies

from orpolicy.lint import lint
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from loopback.handler import LoggedRequest

    from orpolicy.report import Report

PACK = """
policies:
  - {id: blended, rule: blended-multiple, fail_above: 2}
  - {id: pairs, rule: cost-per-request, fail_above: 1}
  - {id: files, rule: surcharge-share, by: [model], components: [file], fail_above: 0.1}
  - {id: weekly, rule: spend-growth, window: last-week, fail_above: 2}
  - {id: monthly, rule: spend-growth, window: last-month, fail_above: 2}
  - {id: limit, rule: spend-limit, window: this-month, fail_above: 100}
"""


class Weak(LoopbackServer):
    """A server that gives up on grouped queries over more than so many days, and remembers them."""

    def __init__(self, account: LoopbackAccount, days: float) -> None:
        super().__init__(account)
        self.days = days
        self.given_up: list[str] = []

    def answer(self, request: LoggedRequest) -> tuple[int, Json]:
        body = request.body or {}
        if request.path == "/analytics/query" and _days(body) > self.days:
            self.given_up.append(str(body))
            refusal = Refusal(408, "Query timed out. Try a shorter time range.")
            return refusal.status, refusal.body()
        return super().answer(request)


def _days(body: Json) -> float:
    start, end = (datetime.fromisoformat(body["time_range"][name]) for name in ("start", "end"))
    return (end - start).total_seconds() / 86_400 if body["dimensions"] else 0.0


def account() -> LoopbackAccount:
    made = LoopbackAccount()
    for number in range(6):
        key = made.add_key(f"k{number}")
        for slug, usd in (("a/cheap-20260101", 2.0), ("a/dear-20260101", 5.0 * number)):
            usage: dict[str, Any] = {"prompt": 90_000, "completion": 10_000, "usage_file": usd * number / 40}
            made.spend_daily(
                date(2025, 8, 1), 305, model=slug, usd=usd, requests=7 - number, key=key, **usage
            )
            later = usd * (4 if number == 3 else 1)
            made.spend_daily(date(2026, 6, 1), 9, model=slug, usd=later, requests=7, key=key, **usage)
    return made


def judged(server: LoopbackServer) -> Report:
    patience = impatient(question_seconds=9_999, run_seconds=9_999)  # of a clock that waits for the pace
    with server, opened(server.environ, clock=TurnedClock(), patience=patience, use_cache=False) as source:
        return lint(policies(PACK), source, Choice())


def essence(report: Report) -> list[Any]:
    found = sorted(
        (item.policy, item.fingerprint, item.verdict, round(item.measure.value, 9), round(item.spend_usd, 6))
        for item in report.findings
    )
    return [[(policy.id, policy.verdict, policy.rows_judged) for policy in report.policies], found]


@pytest.fixture(scope="module")
def strong() -> Report:
    return judged(LoopbackServer(account()))


@pytest.mark.parametrize("days", [160, 40, 16])
def test_the_verdicts_of_a_weak_server_are_those_of_a_strong_one(strong: Report, days: int) -> None:
    assert {policy.verdict.value for policy in strong.policies} >= {"pass", "fail"}
    weak = Weak(account(), days)
    report = judged(weak)
    assert weak.given_up
    assert essence(report) == essence(strong)
    assert all(weak.given_up.count(body) == 2 for body in weak.given_up), "asked twice, then in halves"
    halved = [query for query in report.queries if query.error]
    assert len(halved) == len(set(weak.given_up))
    assert {query.complete_because for query in halved} == {
        "too heavy for the source; asked again in two halves"
    }


def test_what_stays_too_heavy_is_inconclusive_within_a_bounded_number_of_queries() -> None:
    weak = Weak(account(), 0.5)
    report = judged(weak)
    assert {policy.verdict.value for policy in report.policies} == {"inconclusive"}
    assert {item.reason.value for item in report.inconclusive} == {"deadline"}
    assert all("Try a shorter time range" in item.detail for item in report.inconclusive)
    assert len(report.queries) <= 105
