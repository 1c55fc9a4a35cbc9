"""Answers that lie, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from world import memory, row, run

from orpolicy.errors import Reason, SourceError
from orpolicy.query.model import Answer, Query
from orpolicy.sources.memory import Memory
from orpolicy.table import Table

if TYPE_CHECKING:
    from orpolicy.report import Report

Change = Callable[[Query, Answer], Answer]

BY_MODEL = """
policies:
  - id: dear
    rule: usd-per-mtok
    fail_above: 20
"""


class Lying(Memory):
    """A source whose answers are changed before they arrive."""

    change: Change

    def answer(self, query: Query) -> Answer:
        return self.change(query, super().answer(query))


def lying(change: Change, rows: list[dict[str, Any]]) -> Lying:
    honest = memory(rows)
    source = Lying(honest._records, now=honest.now)  # noqa: SLF001 - the records of the honest twin
    source.change = change
    return source


ROWS = [
    row(model="a/cheap", total_usage=60.0, tokens_total=60_000_000),
    row(model="a/dear", total_usage=30.0, tokens_total=1_000_000),
    row(model="a/small", total_usage=10.0, tokens_total=10_000_000),
]


def verdict(report: Report) -> tuple[str, str | None]:
    return report.policies[0].verdict.value, report.inconclusive[
        0
    ].reason.value if report.inconclusive else None


def grouped(change: Change) -> Change:
    """The change, on grouped answers only."""
    return lambda query, answer: change(query, answer) if query.dimensions else answer


def keep(rows: list[int]) -> Change:
    return grouped(lambda _, answer: replace(answer, table=answer.table.keep(rows)))


def truncated(rows: list[int]) -> Change:
    return grouped(lambda _, answer: replace(answer, table=answer.table.keep(rows), truncated=True))


def test_an_honest_source_fails_the_dear_model() -> None:
    report = run(BY_MODEL, memory(ROWS))
    assert verdict(report) == ("fail", None)
    assert [finding.subject for finding in report.findings] == [{"model": "a/dear"}]
    assert {query.complete_because for query in report.queries} == {
        "not truncated, rows add up to the control total"
    }


def test_rows_dropped_in_silence_are_noticed() -> None:
    report = run(BY_MODEL, lying(keep([0, 2]), ROWS))
    assert verdict(report) == ("inconclusive", "control-mismatch")
    assert "70.00 USD" in report.inconclusive[0].detail
    assert "100.00 USD" in report.inconclusive[0].detail


def test_no_rows_at_all_are_noticed() -> None:
    assert verdict(run(BY_MODEL, lying(keep([]), ROWS))) == ("inconclusive", "control-mismatch")


def test_rows_sent_twice_are_noticed() -> None:
    assert verdict(run(BY_MODEL, lying(keep([0, 1, 2, 2]), ROWS))) == ("inconclusive", "control-mismatch")


@pytest.mark.parametrize(("lost_usd", "expected"), [(0.5, "fail"), (0.51, "inconclusive")])
def test_the_control_total_allows_half_a_percent(lost_usd: float, expected: str) -> None:
    rows = [*ROWS, row(model="a/tiny", total_usage=lost_usd)]
    total = 100 + lost_usd
    assert (lost_usd <= 0.005 * total) == (expected == "fail")
    assert verdict(run(BY_MODEL, lying(keep([0, 1, 2]), rows)))[0] == expected


def test_and_a_cent_of_small_accounts() -> None:
    rows = [row(model="a/one", total_usage=0.05), row(model="a/two", total_usage=0.009)]
    assert verdict(run(BY_MODEL, lying(keep([0]), rows)))[0] == "pass"


def test_truncation_is_inconclusive() -> None:
    assert verdict(run(BY_MODEL, lying(truncated([0, 1]), ROWS))) == ("inconclusive", "truncated")


WITH_FLOOR = BY_MODEL + "    floor: {spend: 31}\n"


def test_unless_the_rows_that_are_missing_are_below_the_floor() -> None:
    report = run(WITH_FLOOR, lying(truncated([0, 1]), ROWS))
    assert verdict(report) == ("pass", None)
    (note,) = report.policies[0].notes
    assert "at most 30.00 USD each, 10.00 USD together" in note
    assert any("at most 30.00 USD each" in query.complete_because for query in report.queries)


def test_a_last_row_at_the_floor_is_not_below_it() -> None:
    text = BY_MODEL + "    floor: {spend: 30}\n"
    assert verdict(run(text, lying(truncated([0, 1]), ROWS))) == ("inconclusive", "truncated")


def test_rows_out_of_order_prove_nothing() -> None:
    assert verdict(run(WITH_FLOOR, lying(truncated([1, 0]), ROWS))) == ("inconclusive", "truncated")


def test_rows_above_the_control_total_prove_nothing() -> None:
    assert verdict(run(WITH_FLOOR, lying(truncated([0, 0, 1]), ROWS))) == ("inconclusive", "control-mismatch")


def test_an_empty_truncated_answer_proves_nothing() -> None:
    assert verdict(run(WITH_FLOOR, lying(truncated([]), ROWS))) == ("inconclusive", "truncated")


KEYED = [item | {"api_key_id": key} for key, item in zip("kkl", ROWS, strict=True)]
TWO = """
policies:
  - {id: by-model, rule: usd-per-mtok, fail_above: 20, floor: {spend: 31}}
  - {id: by-both, rule: cost-per-request, fail_above: 1, floor: {spend: 31}}
"""


def test_a_truncated_grid_is_no_roll_up_and_the_model_is_asked_for_itself() -> None:
    def cut(query: Query, answer: Answer) -> Answer:
        return (
            replace(answer, table=answer.table.keep([0, 1]), truncated=True)
            if len(query.dimensions) == 2
            else answer
        )

    report = run(TWO, lying(cut, KEYED))
    assert {policy.id: policy.verdict.value for policy in report.policies} == {
        "by-model": "pass",
        "by-both": "pass",
    }
    assert [query.request["dimensions"] for query in report.queries] == [
        [],
        ["api_key_id", "model"],
        ["model"],
    ]


def test_warnings_make_it_inconclusive_and_are_quoted() -> None:
    warn = grouped(lambda _, answer: replace(answer, warnings=("could not resolve 'abc'",)))
    report = run(BY_MODEL, lying(warn, ROWS))
    assert verdict(report) == ("inconclusive", "unresolved-filter")
    assert "could not resolve 'abc'" in report.inconclusive[0].detail


def test_a_failed_control_total_leaves_nothing_to_hold_rows_against() -> None:
    def fail(query: Query, answer: Answer) -> Answer:
        if not query.dimensions:
            raise SourceError(Reason.API_ERROR, "500 Internal Server Error")
        return answer

    report = run(BY_MODEL, lying(fail, ROWS))
    assert verdict(report) == ("inconclusive", "api-error")
    assert report.baseline is None
    assert [query.error for query in report.queries] == ["api-error: 500 Internal Server Error", ""]


def test_two_rows_without_dimensions_are_malformed() -> None:
    def twice(query: Query, answer: Answer) -> Answer:
        return answer if query.dimensions else replace(answer, table=answer.table.keep([0, 0]))

    assert verdict(run(BY_MODEL, lying(twice, ROWS))) == ("inconclusive", "malformed-answer")


def test_a_row_without_spend_is_malformed() -> None:
    def forget(_: Query, answer: Answer) -> Answer:
        metrics = dict(answer.table.metrics) | {"total_usage": [None] * len(answer.table)}
        return replace(answer, table=Table(answer.table.dimensions, metrics))

    assert verdict(run(BY_MODEL, lying(forget, ROWS))) == ("inconclusive", "malformed-answer")


QUARTER = """
policies:
  - id: files
    rule: surcharge-share
    by: [model]
    components: [web, file]
    window: {start: 2026-03-01, end: 2026-06-01}
    fail_above: 0.1
"""


def test_metrics_of_31_days_are_joined_from_their_sub_windows() -> None:
    rows = [
        row(date=day, model=name, total_usage=10.0, usage_web=0.5, usage_file=dollars)
        for day, name, dollars in [
            ("2026-03-01", "a/x", 1.5), ("2026-04-15", "a/x", 1.5), ("2026-05-31", "a/x", 1.5),
            ("2026-04-15", "a/y", None),
        ]
    ]  # fmt: skip
    report = run(QUARTER, memory(rows))
    assert verdict(report) == ("fail", None)
    (finding,) = report.findings
    assert finding.subject == {"model": "a/x"}
    assert finding.measure.value == 4.5 / 30
    assert finding.spend_usd == 30.0
    assert len(report.queries) == 1 + 4 + 4


def test_a_truncated_part_of_a_joined_answer_is_inconclusive() -> None:
    def cut(query: Query, answer: Answer) -> Answer:
        return (
            replace(answer, truncated=True) if "usage_file" in query.metrics and query.dimensions else answer
        )

    rows = [row(date="2026-04-15", model="a/x", total_usage=10.0, usage_web=0.5, usage_file=1.5)]
    assert verdict(run(QUARTER, lying(cut, rows))) == ("inconclusive", "truncated")
