"""Screening by columns changes nothing but the time it takes."""

from __future__ import annotations

import math
from itertools import compress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import NOW, catalog, memory, model, row, run, table

from orpolicy.plugins import RULES
from orpolicy.policy.model import Floor, Thresholds
from orpolicy.rules.base import Rule
from orpolicy.screening import Screened, chosen, floored, suspects, values
from orpolicy.sources.memory import Memory

if TYPE_CHECKING:
    from orpolicy.report import Report

POLICIES = """
policies:
  - {id: blended, rule: blended-multiple, by: [model], floor: {spend: 3}, warn_above: 1, fail_above: 2}
  - {id: rate, rule: usd-per-mtok, by: [api_key_id, model], floor: {requests: 2}, fail_above: 2.5}
  - {id: rate-again, rule: usd-per-mtok, by: [model, api_key_id], warn_above: 0.5}
  - {id: cached, rule: cache-hit-rate, floor: {share: 0.1}, fail_below: 0.2, warn_below: 0.5,
     prompt_heavy: {prompt_per_completion_above: 2}}
  - {id: thinking, rule: reasoning-share, by: [api_key_id], fail_above: 0.5}
  - {id: prompts, rule: prompt-ratio, fail_above: 3}
  - {id: limit, rule: spend-limit, warn_above: 4, fail_above: 8}
  - {id: request, rule: cost-per-request, fail_above: 1.5, where: {model: "b*"}, allow_empty: true}
  - {id: ban, rule: model-ban, models: ["*/x"], where: {api_key_id: {not: k1}}, allow_empty: true}
  - {id: free-ban, rule: model-ban, models: ["a/*"], fail_above: 0.5}
  - {id: whole, rule: spend-limit, by: [], fail_above: 20}
  - {id: web, rule: metric, expression: usage_web / total_usage, by: [model], warn_above: 0.1}
"""

counts = st.integers(0, 12)
records = st.lists(
    st.fixed_dictionaries(
        {
            "api_key_id": st.sampled_from(["k1", "k2", "k3", None]),
            "model": st.sampled_from(["a/x", "a/y", "b/x", None]),
            "total_usage": st.sampled_from([0.0, 0.5, 1.0, 2.5, 8.0]),
            "request_count": counts,
            "tokens_total": counts.map(lambda count: count * 250_000),
            "tokens_prompt": counts,
            "tokens_completion": counts,
            "reasoning_tokens": counts | st.none(),
            "cached_tokens": counts,
            "usage_web": st.sampled_from([0.0, 0.5, None]),
        }
    ),
    min_size=1,
    max_size=14,
)


def judged(rows: list[dict[str, Any]]) -> Report:
    return run(POLICIES, memory([row(**one) for one in rows]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(records)
def test_every_policy_says_the_same_with_and_without(rows: list[dict[str, Any]]) -> None:
    quick = judged(rows)
    with pytest.MonkeyPatch.context() as patch:
        for name in RULES:
            patch.setattr(RULES[name], "ratio", Rule.ratio)
        slow = judged(rows)
    assert quick == slow


def test_the_kinds_that_are_most_used_are_screened() -> None:
    screened = {name for name in RULES if RULES[name].ratio is not Rule.ratio}
    assert {"usd-per-mtok", "cost-per-request", "cache-hit-rate", "model-ban", "spend-limit"} <= screened


def test_a_value_in_the_last_bits_above_the_threshold_breaches() -> None:
    text = "policies:\n  - {id: a, rule: usd-per-mtok, by: [model], fail_above: 0.3}\n"
    for spend, findings in ((0.3, 0), (0.30000000000000004, 1), (0.29999999999999993, 0)):
        source = memory([row(model="m", total_usage=spend, tokens_total=1_000_000)])
        assert len(run(text, source).findings) == findings


def test_rows_selected_for_one_account_are_not_those_of_another() -> None:
    records = table([row(model="lab/x-20260101", total_usage=5.0)])
    text = "policies:\n  - {id: a, rule: spend-limit, by: [model], fail_above: 1, where: {model: lab/new}}\n"
    known = catalog(model("lab/new", 1, 1, canonical_slug="lab/x-20260101"))
    old = catalog(model("lab/old", 1, 1, canonical_slug="lab/x-20260101"))
    verdicts = [
        run(text, Memory(records, now=NOW, catalogue=catalogue)).verdict for catalogue in (known, old, known)
    ]
    assert verdicts == ["fail", "inconclusive", "fail"]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        (Thresholds(fail_above=15), [2]),
        (Thresholds(fail_above=20), [2]),
        (Thresholds(fail_above=20.1), []),
        (Thresholds(warn_above=4, fail_above=30), [1, 2]),
        (Thresholds(fail_below=3), [0]),
        (Thresholds(fail_below=1), [0]),
        (Thresholds(fail_below=0.9), []),
        (Thresholds(warn_below=6, fail_below=0.1), [0, 1]),
        (Thresholds(fail_below=2, warn_above=18), [0, 2]),
        (Thresholds(fail_below=-1, warn_above=30), []),
    ],
)
def test_what_crosses_a_threshold_is_suspected(thresholds: Thresholds, expected: list[int]) -> None:
    three = chosen(table([{"total_usage": usd} for usd in (1.0, 5.0, 20.0)]), range(3))
    assert suspects(Screened(three, [0.1, 0.5, 2.0], {}), 10.0, thresholds) == expected


def test_what_a_table_does_not_have_is_nothing() -> None:
    two = table([{"total_usage": 1.0, "request_count": None}, {"total_usage": 2.0, "request_count": 3}])
    assert list(values(two, "request_count", range(2))) == [0, 3]
    assert list(values(two, "usage_web", range(2))) == [0, 0]


amounts = st.lists(
    st.sampled_from([0.1, 0.2, 0.7, 1e-9, 3.0, 1e9, 12.34, 2**53 + 2.0]) | st.floats(0, 1e12),
    min_size=1,
    max_size=20,
)


@given(
    amounts,
    st.lists(st.tuples(st.sampled_from([0.0, 0.2, 3.0, 50.0]), st.integers(0, 3)), max_size=4),
    st.data(),
)
def test_what_a_floor_leaves_out_is_rounded_once(
    spend: list[float], floors: list[tuple[float, int]], data: st.DataObject
) -> None:
    requests = data.draw(st.lists(st.integers(0, 4), min_size=len(spend), max_size=len(spend)))
    some = table(
        [{"total_usage": usd, "request_count": count} for usd, count in zip(spend, requests, strict=True)]
    )
    for least_usd, least in floors:
        above = [usd >= least_usd and count >= least for usd, count in zip(spend, requests, strict=True)]
        found = floored(some, Floor(spend_usd=least_usd, requests=least), 0.0)
        assert list(found.big.rows) == [row for row, is_above in enumerate(above) if is_above]
        assert found.big.spend_usd == math.fsum(compress(spend, above))
        assert (found.small, found.small_usd) == (
            above.count(False),
            math.fsum(usd for usd, is_above in zip(spend, above, strict=True) if not is_above),
        )
        assert list(found.big.values("request_count")) == list(compress(requests, above))
