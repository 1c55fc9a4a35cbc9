"""What caching can reach at most, asked of the account for the models of a finding."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from loopback.client import opened
from world import NOW, catalog, model, policies, row, run, table

from orpolicy.errors import Reason, SourceError
from orpolicy.lint import lint
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

    from orpolicy.finding import Finding
    from orpolicy.query.model import Answer, Query

POLICY = "policies: [{id: cached, rule: cache-hit-rate, by: [api_key_id, model], fail_below: 0.5}]"
PRICES = catalog(model("acme/long", 10, 50, pricing={"input_cache_read": "0.000001"}))


def spend(loopback: LoopbackServer, possible: int) -> None:
    """Two keys on one model, 1 Mtok of prompts each, of which so many could be cached together."""
    account = loopback.account
    account.add_model(
        "acme/long-20260101", id="acme/long",
        pricing={"prompt": "0.00001", "completion": "0.00005", "input_cache_read": "0.000001"},
    )  # fmt: skip
    for name in ("a", "b"):
        account.spend_daily(
            date(2026, 5, 10), 1, key=account.add_key(name), model="acme/long-20260101", requests=100,
            prompt=1_000_000, completion=10_000, usd=10.5, possible_cached_tokens=possible // 2,
        )  # fmt: skip


def findings(loopback: LoopbackServer, window: str = "2026-05-01..2026-06-01") -> tuple[Finding, ...]:
    with opened(loopback.environ) as source:
        return lint(policies(POLICY), source, Choice(window=window)).findings


def test_the_target_is_capped_by_what_the_model_allows(loopback: LoopbackServer) -> None:
    # 0.5 of 1 Mtok x 9 $/Mtok would be 4.50 USD; 500,000 of 2,000,000 can be cached: 0.25 x 9 = 2.25.
    spend(loopback, 500_000)
    found = findings(loopback)
    assert [finding.savings.expected for finding in found] == pytest.approx([2.25, 2.25])
    assert [finding.savings.high for finding in found] == pytest.approx([2.25, 2.25])
    assert "a lower rate than 0.5 possible on acme/long-20260101" in found[0].recommendation.risk


def test_more_than_the_target_caps_nothing(loopback: LoopbackServer) -> None:
    spend(loopback, 1_900_000)
    found = findings(loopback)
    assert [finding.savings.expected for finding in found] == pytest.approx([4.5, 4.5])
    assert "possible" not in found[0].recommendation.risk


def test_it_is_asked_once_by_model_alone_and_only_where_it_reaches(loopback: LoopbackServer) -> None:
    spend(loopback, 500_000)

    def asked() -> list[list[str]]:
        bodies = [request.body for request in loopback.requests if request.path == "/analytics/query"]
        return [body["dimensions"] for body in bodies if body and "possible_cached_tokens" in body["metrics"]]

    findings(loopback, "2026-04-01..2026-06-01")
    assert asked() == []
    findings(loopback)
    assert asked() == [["model"]]


def test_an_account_that_does_not_list_it_is_not_asked(loopback: LoopbackServer) -> None:
    spend(loopback, 500_000)
    loopback.account.hidden = frozenset({"possible_cached_tokens"})
    assert [finding.savings.expected for finding in findings(loopback)] == pytest.approx([4.5, 4.5])


class Refusing(Memory):
    """Has no answer to what caching could reach."""

    def answer(self, query: Query) -> Answer:
        if "possible_cached_tokens" in query.metrics:
            raise SourceError(Reason.API_ERROR, "no")
        return super().answer(query)


@pytest.mark.parametrize(("source", "expected"), [(Memory, 0.9), (Refusing, 4.5)])
def test_an_answer_that_fails_caps_nothing(source: type[Memory], expected: float) -> None:
    counts = {"tokens_prompt": 1_000_000, "tokens_completion": 10_000, "possible_cached_tokens": 100_000}
    records = [
        row(api_key_id="a", model="acme/long", total_usage=10.5, tokens_total=1_010_000, **counts),
        row(api_key_id="a", model="acme/images", total_usage=1.0, tokens_total=0),
    ]
    report = run(POLICY, source(table(records), now=NOW, catalogue=PRICES))
    assert [finding.savings.expected for finding in report.findings] == pytest.approx([expected])
