"""Judging at the limits: single requests, floors of one, figures next to a threshold, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world import memory, row, run

from orpolicy.screening import Subjects, chosen
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.report import PolicyResult, Report


def judged(policy: str, rows: Sequence[dict[str, Any]]) -> Report:
    return run(f"policies: [{{id: p, {policy}}}]", memory(rows))


def proof(policy: str, rows: Sequence[dict[str, Any]]) -> PolicyResult:
    return judged(policy, rows).policies[0]


def one(model: str, usd: float, requests: int | None = 1, **more: Any) -> dict[str, Any]:
    return row(api_key_id="k", model=model, total_usage=usd, request_count=requests, **more)


def test_a_single_request_has_a_cost() -> None:
    rows = [one("a", 2.0), one("b", 2.0, 4), one("c", 9.0, 0)]
    report = judged("rule: cost-per-request, by: [model], fail_above: 1", rows)
    assert [(item.subject["model"], item.measure.value) for item in report.findings] == [("a", 2.0)]
    assert report.policies[0].rows_judged == 2
    assert report.policies[0].notes == ("1 not judged: nothing to divide by",)


@pytest.mark.parametrize(("floor", "judged_rows"), [(0, 3), (1, 2), (2, 1)])
def test_a_floor_of_requests(floor: int, judged_rows: int) -> None:
    rows = [one("a", 2.0, 0), one("b", 4.0, 1), one("c", 8.0, 2)]
    found = proof(f"rule: spend-limit, by: [model], floor: {{requests: {floor}}}, fail_above: 100", rows)
    assert found.rows_judged == judged_rows
    assert found.spend_under_floor_usd == [0.0, 2.0, 6.0][floor]
    assert found.rows_under_floor == floor


@pytest.mark.parametrize(("floor", "under"), [(1.99, 0.0), (2, 0.0), (2.01, 2.0)])
def test_a_row_at_the_floor_is_not_under_it(floor: float, under: float) -> None:
    rows = [one("a", 2.0), one("b", 4.0)]
    found = proof(f"rule: spend-limit, by: [model], floor: {{spend: {floor}}}, fail_above: 100", rows)
    assert found.spend_under_floor_usd == under
    assert found.judged_spend_usd == 6 - under


NEAR = 1_000_000_000_000


@pytest.mark.parametrize(("cached", "fails"), [(300_000_000_000, False), (299_999_999_999, True)])
def test_a_rate_next_to_its_threshold(cached: int, *, fails: bool) -> None:
    rows = [
        one("a", 9.0, tokens_prompt=NEAR, tokens_completion=1, tokens_total=NEAR + 1, cached_tokens=cached)
    ]
    found = proof(
        "rule: cache-hit-rate, fail_below: 0.3, prompt_heavy: {prompt_per_completion_above: 1}", rows
    )
    assert found.findings == int(fails)


@pytest.mark.parametrize("usd", [9.0, 10.0])
def test_a_limit_by_the_month_is_held_against_a_shorter_window(usd: float) -> None:
    rows = [one("a", usd)]
    scaled = usd * 30.4375 / 10
    window = "{start: 2026-05-10, end: 2026-05-20}"
    policy = f"rule: spend-limit, by: [model], window: {window}, fail_above: {scaled}"
    assert proof(policy, rows).findings == 0
    assert proof(policy.replace(str(scaled), str(scaled * 0.999_999)), rows).findings == 1


def test_why_rows_that_cannot_be_true_are_not_judged() -> None:
    rows = [one("a", 9.0, cached_tokens=900_001), one("b", 9.0, cached_tokens=950_000), one("c", 9.0)]
    (item,) = judged("rule: cache-hit-rate, fail_below: 0.3", rows).inconclusive
    assert item.reason == "malformed-answer"
    assert item.detail == (
        "2 rows have a part larger than its whole: cached_tokens above tokens_prompt, or reasoning_tokens "
        "above tokens_completion"
    )


def test_why_nothing_was_judged() -> None:
    (item,) = judged("rule: cost-per-request, by: [model], fail_above: 1", [one("a", 9.0, 0)]).inconclusive
    assert item.detail == "the measure applies to none of the 1 subjects above the floor"
    rows = [one("a", 9.0, date=f"2026-0{month}-15") for month in (3, 4, 5)]
    (item,) = judged("rule: spend-growth", rows).inconclusive
    assert item.detail == "no subject has four complete periods of history yet"


def test_the_members_of_some_subjects() -> None:
    table = Table({"model": ["a", "b", "a", "c"]}, {"total_usage": [1.0, 2.0, 3.0, 4.0]})
    assert chosen(table, [0, 2]) == Subjects(table, [0, 2], 4.0)
    assert chosen(table, [0, 2]).members("model") == {"a"}
    assert chosen(table, range(4)).members("model") == {"a", "b", "c"}


@pytest.mark.parametrize(
    "policy",
    [
        "rule: spend-limit, fail_above: 1, window: {start: 2026-01-01, end: 2026-02-01}",
        "rule: spend-growth, window: {start: 2026-01-01, end: 2026-02-01}",
    ],
)
def test_a_window_without_usage_is_named(policy: str) -> None:
    (item,) = judged(policy, [one("a", 9.0)]).inconclusive
    assert (item.reason, item.detail) == (
        "empty-window",
        "there was no usage at all in 2026-01-01T00:00:00Z..2026-02-01T00:00:00Z",
    )


def test_a_selector_without_a_match_is_named() -> None:
    (item,) = judged("rule: spend-limit, fail_above: 1, where: {model: z}", [one("a", 9.0)]).inconclusive
    assert (item.reason, item.detail) == (
        "nothing-matched",
        "`where` matches nothing that was used in the window",
    )


@pytest.mark.parametrize(("usd", "requests"), [(0.0, 1), (0.5, 0), (0.5, None)])
def test_the_smallest_usage_is_usage(usd: float, requests: int | None) -> None:
    found = proof("rule: prompt-ratio, by: [model], fail_above: 100", [one("a", usd, requests)])
    assert (found.verdict, found.rows_judged) == ("pass", 1)


def test_a_count_that_is_null_is_no_request() -> None:
    rows = [one("a", 2.0, None), one("b", 4.0, 1), one("c", 8.0, 2)]
    found = proof("rule: spend-limit, by: [model], floor: {requests: 1}, fail_above: 100", rows)
    assert (found.rows_judged, found.spend_under_floor_usd) == (2, 2.0)
    found = proof("rule: spend-limit, by: [model], floor: {requests: 2}, fail_above: 100", rows)
    assert (found.rows_judged, found.spend_under_floor_usd) == (1, 6.0)
