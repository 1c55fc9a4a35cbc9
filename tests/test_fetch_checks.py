"""The desk on its own: what is asked again, which answer serves a need, what each query's record says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world import NOW, memory, row

from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import Desk
from orpolicy.period import Window, parse_window
from orpolicy.query.model import Answer, Context, Need, Query
from orpolicy.sources.memory import Memory
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

MAY = parse_window("2026-05-01..2026-06-01", NOW)
QUARTER = parse_window("2026-03-01..2026-06-01", NOW)
CORE = ("request_count", "total_usage")
KEY, MODEL, PROVIDER = "api_key_id", "model", "provider"
ROWS = [
    row(api_key_id="k", model="a", provider="p", total_usage=60.0, usage_web=1.0, usage_file=2.0),
    row(api_key_id="k", model="b", provider="p", total_usage=30.0, usage_web=None, usage_file=4.0),
    row(api_key_id="l", model="c", provider="q", total_usage=9.5, usage_web=3.0, usage_file=None),
    row(api_key_id="l", model="d", provider="q", total_usage=0.5, usage_web=None, usage_file=None),
]

Change = Callable[[Query, Answer], Answer]


class Changed(Memory):
    """A source whose answers are changed before they arrive, and which remembers the questions."""

    change: Change
    asked: list[Query]

    def answer(self, query: Query) -> Answer:
        self.asked.append(query)
        return self.change(query, super().answer(query))


def source(change: Change = lambda _, answer: answer, rows: Sequence[dict[str, Any]] = ROWS) -> Changed:
    honest = memory(rows)
    made = Changed(honest._records, now=honest.now)  # noqa: SLF001 - the records of the honest twin
    made.change, made.asked = change, []
    return made


def need(*dimensions: str, metrics: Sequence[str] = (), window: Window = MAY, checked: bool = True) -> Need:
    return Need("p", Context(window), dimensions, frozenset(metrics), checked=checked)


def refusal(desk: Desk, wanted: Need) -> SourceError:
    with pytest.raises(SourceError) as caught:
        desk.evidence(wanted)
    return caught.value


def cut(rows: int, *dimensions: str) -> Change:
    """Only the first rows of the answers by these dimensions."""

    def change(query: Query, answer: Answer) -> Answer:
        if query.dimensions != dimensions:
            return answer
        return replace(answer, table=answer.table.keep(range(rows)), truncated=True)

    return change


def test_records_say_what_was_asked_and_what_came() -> None:
    computed_at = datetime(2026, 6, 2, tzinfo=UTC)

    def stamped(query: Query, answer: Answer) -> Answer:
        if query.dimensions == (KEY,):
            raise SourceError(Reason.API_ERROR, "HTTP 500: no message")
        return replace(
            answer, cached_at=computed_at, from_cache=True, elapsed_ms=7, truncated=bool(query.dimensions)
        )

    desk = Desk(source(stamped), CORE)
    desk.ask([need(MODEL)])
    desk.ask([need(KEY, window=QUARTER, checked=False)])
    total, models, keys = desk.records()
    assert [one.id for one in (total, models, keys)] == ["q1", "q2", "q3"]
    assert [one.policies for one in (total, models, keys)] == [("p",)] * 3
    assert [one.rows for one in (total, models, keys)] == [1, 4, 0]
    assert [one.truncated for one in (total, models, keys)] == [False, True, False]
    assert [one.complete_because for one in (total, models, keys)] == [
        "not truncated",
        "not truncated",
        "not answered",
    ]
    assert [one.cached_at for one in (total, models, keys)] == [computed_at, computed_at, None]
    assert [one.from_cache for one in (total, models, keys)] == [True, True, False]
    assert [one.elapsed_ms for one in (total, models, keys)] == [7, 7, 0]
    assert [one.error for one in (total, models, keys)] == ["", "", "api-error: HTTP 500: no message"]
    assert keys.request["dimensions"] == [KEY]
    assert desk.queries_asked == 3


def test_records_say_why_an_answer_is_no_proof() -> None:
    def spoilt(query: Query, answer: Answer) -> Answer:
        if query.dimensions == (KEY,):
            raise SourceError(Reason.API_ERROR, "HTTP 500: no message")
        if query.dimensions == (MODEL,):
            return replace(answer, warnings=("k is nobody", "nor is l"))
        if query.dimensions == (PROVIDER,):
            return replace(answer, table=answer.table.keep([0]))
        return answer

    desk = Desk(source(spoilt), CORE)
    desk.ask([need(KEY), need(MODEL), need(PROVIDER)])
    assert refusal(desk, need(KEY)).reason is Reason.API_ERROR
    assert refusal(desk, need(MODEL)).detail == "k is nobody; nor is l"
    assert refusal(desk, need(PROVIDER)).detail == (
        "the rows by provider add up to 90.00 USD, the control total says 100.00 USD"
    )
    said = {str(one.request["dimensions"]): one.complete_because for one in desk.records()}
    assert said == {
        "[]": "not truncated",
        "['api_key_id']": "not complete: api-error",
        "['model']": "not complete: the source warns",
        "['provider']": "not complete: rows do not add up to the control total",
    }


def test_two_dimensions_are_named() -> None:
    desk = Desk(source(lambda query, answer: last_two(answer) if query.dimensions else answer), CORE)
    desk.ask([need(KEY, MODEL)])
    assert refusal(desk, need(KEY, MODEL)).detail == (
        "the rows by api_key_id, model add up to 10.00 USD, the control total says 100.00 USD"
    )
    assert desk.evidence(need(KEY, MODEL, checked=False)).missing_usd == 0


def last_two(answer: Answer) -> Answer:
    return replace(answer, table=answer.table.keep([2, 3]))


def test_what_was_never_asked_is_no_evidence() -> None:
    desk = Desk(source(), CORE)
    error = refusal(desk, need(KEY, MODEL))
    assert (error.reason, error.detail) == (Reason.NOT_ANSWERABLE, "nothing was asked for api_key_id, model")
    assert not desk.has_all(need(KEY, MODEL))


def test_one_call_asks_for_all_that_is_lacking() -> None:
    desk = Desk(source(cut(2, KEY, MODEL)), CORE)
    desk.ask([need(KEY, MODEL), need(MODEL)])
    assert len(desk.evidence(need(MODEL)).table) == 4
    assert desk.evidence(need(KEY, MODEL)).missing_below_usd == 30
    assert desk.queries_asked == 3


def test_the_same_need_is_asked_once() -> None:
    desk = Desk(source(), CORE)
    for _ in range(3):
        desk.ask([need(KEY, MODEL), need(MODEL), need(KEY, metrics=CORE)])
    assert desk.queries_asked == 2
    assert desk.has_all(need(MODEL, metrics=CORE))
    assert len(desk.evidence(need(MODEL, metrics=CORE)).table) == 4


def test_more_metrics_are_asked_again_and_take_the_place_of_the_first_answer() -> None:
    desk = Desk(source(), CORE)
    desk.ask([need(MODEL)])
    assert "usage_web" not in desk.evidence(need(MODEL)).table.metrics
    desk.ask([need(MODEL, metrics=["usage_web"])])
    assert desk.evidence(need(MODEL, metrics=["usage_web"])).table.total("usage_web") == 4
    assert desk.evidence(need(MODEL)).table.total("usage_web") == 4
    assert desk.evidence(need(MODEL)).queries == ("q4",)
    desk.ask([need(MODEL, metrics=["usage_web"]), need(MODEL)])
    assert desk.queries_asked == 4


def test_a_complete_answer_serves_before_one_that_was_cut_off() -> None:
    desk = Desk(source(cut(2, KEY, MODEL)), CORE)
    desk.ask([need(KEY, MODEL)])
    desk.ask([need(MODEL, PROVIDER)])
    assert desk.has_all(need(MODEL))
    assert not desk.has_all(need(KEY, MODEL))
    assert len(desk.evidence(need(MODEL)).table) == 4
    assert len(desk.evidence(need(PROVIDER)).table) == 2


def test_the_answer_with_fewer_dimensions_serves_first() -> None:
    desk = Desk(source(), CORE)
    desk.ask([need(KEY, MODEL)])
    desk.ask([need(KEY, metrics=["usage_web"])])
    assert desk.evidence(need(KEY)).queries == ("q4",)


def test_nothing_is_rolled_up_from_what_was_cut_off() -> None:
    desk = Desk(source(cut(2, KEY, MODEL)), CORE)
    desk.ask([need(KEY, MODEL)])
    error = refusal(desk, need(MODEL))
    assert (error.reason, error.detail) == (
        Reason.TRUNCATED,
        "rows are missing from the answer that it would be rolled up from",
    )


def test_the_tail_is_told_to_the_cent() -> None:
    desk = Desk(source(cut(3, MODEL)), CORE)
    desk.ask([need(MODEL)])
    evidence = desk.evidence(need(MODEL))
    assert (evidence.missing_below_usd, evidence.missing_usd) == (9.5, 0.5)
    assert desk.records()[1].complete_because == "truncated; missing rows spend at most 9.50 USD each"
    whole = Desk(source(), CORE)
    whole.ask([need(MODEL)])
    assert (whole.evidence(need(MODEL)).missing_below_usd, whole.evidence(need(MODEL)).missing_usd) == (
        None,
        0.0,
    )


def test_a_tail_out_of_order_and_one_above_the_control_total() -> None:
    def change(rows: list[int]) -> Change:
        return lambda query, answer: (
            replace(answer, table=answer.table.keep(rows), truncated=True) if query.dimensions else answer
        )

    desk = Desk(source(change([1, 0])), CORE)
    desk.ask([need(MODEL)])
    assert (
        refusal(desk, need(MODEL)).detail == "rows are missing, and those that came are not ordered by spend"
    )
    desk = Desk(source(change([0, 0])), CORE)
    desk.ask([need(MODEL)])
    error = refusal(desk, need(MODEL))
    assert (error.reason, error.detail) == (
        Reason.CONTROL_MISMATCH,
        "the rows spend 20.00 USD more than the control total allows",
    )


def heavy(then: Change) -> Change:
    """Grouped queries over more than twenty days are too much; the others are changed."""

    def change(query: Query, answer: Answer) -> Answer:
        if query.dimensions and query.window.days > 20:
            raise SourceError(Reason.DEADLINE, "HTTP 408: no message", is_too_heavy=True)
        return then(query, answer)

    return change


TWICE = [item | {"date": day} for item in ROWS for day in ("2026-05-02", "2026-05-30")]


def test_halves_are_added_up() -> None:
    desk = Desk(source(heavy(lambda _, answer: answer), TWICE), CORE)
    desk.ask([need(MODEL)])
    evidence = desk.evidence(need(MODEL))
    assert evidence.queries == ("q3", "q4")
    spend = zip(evidence.table.dimensions[MODEL], evidence.table.metrics["total_usage"], strict=True)
    assert dict(spend) == {"a": 120, "b": 60, "c": 19, "d": 1}
    assert [one.error for one in desk.records()] == ["", "deadline: HTTP 408: no message", "", ""]


def test_a_half_that_is_cut_off_proves_nothing_by_its_tail() -> None:
    desk = Desk(source(heavy(cut(3, MODEL)), TWICE), CORE)
    desk.ask([need(MODEL)])
    error = refusal(desk, need(MODEL))
    assert (error.reason, error.detail) == (
        Reason.TRUNCATED,
        "rows are missing from an answer in several parts",
    )


def test_a_half_that_is_lost_is_noticed() -> None:
    def lose(query: Query, answer: Answer) -> Answer:
        late = query.dimensions and query.window.start > MAY.start
        return replace(answer, table=answer.table.keep([0])) if late else answer

    desk = Desk(source(heavy(lose), TWICE), CORE)
    desk.ask([need(MODEL)])
    assert refusal(desk, need(MODEL)).reason is Reason.CONTROL_MISMATCH


def test_an_empty_window_is_empty_and_whole() -> None:
    desk = Desk(source(rows=[item | {"date": "2026-01-01"} for item in ROWS]), CORE)
    desk.ask([need(MODEL)])
    evidence = desk.evidence(need(MODEL))
    assert (len(evidence.table), evidence.missing_below_usd, evidence.missing_usd) == (0, None, 0.0)


def test_two_rows_without_dimensions_and_a_row_without_spend_are_named() -> None:
    def twice(query: Query, answer: Answer) -> Answer:
        return answer if query.dimensions else replace(answer, table=answer.table.keep([0, 0]))

    desk = Desk(source(twice), CORE)
    desk.ask([need(MODEL)])
    assert refusal(desk, need(MODEL)).detail == "more than one row in answer to a question without dimensions"

    def forget(_: Query, answer: Answer) -> Answer:
        metrics = {**answer.table.metrics, "total_usage": [None] * len(answer.table)}
        return replace(answer, table=Table(answer.table.dimensions, metrics))

    desk = Desk(source(forget), CORE)
    desk.ask([need(MODEL)])
    assert refusal(desk, need(MODEL)).detail == "a row without total_usage"


@pytest.mark.parametrize(
    ("seconds", "to_date", "refused"), [(-1, False, True), (0, False, False), (-1, True, False)]
)
def test_answers_that_are_older_than_their_window(seconds: int, refused: bool, *, to_date: bool) -> None:
    computed_at = MAY.end + timedelta(seconds=seconds)
    desk = Desk(source(lambda _, answer: replace(answer, cached_at=computed_at)), CORE)
    wanted = need(MODEL, window=replace(MAY, to_date=to_date))
    desk.ask([wanted])
    if not refused:
        assert len(desk.evidence(wanted).table) == 4
        return
    error = refusal(desk, wanted)
    assert (error.reason, error.detail) == (
        Reason.STALE_ANSWER,
        "computed at 2026-05-31T23:59:59Z, before the window's end at 2026-06-01T00:00:00Z",
    )


def test_spend_is_taken_from_the_first_group_of_metrics() -> None:
    """Files reach 31 days back, so that they travel apart; their answers repeat the spend."""

    def double(query: Query, answer: Answer) -> Answer:
        if "usage_file" not in query.metrics:
            return answer
        spend = [2 * (usd or 0.0) for usd in answer.table.metrics["total_usage"]]
        return replace(
            answer, table=Table(answer.table.dimensions, {**answer.table.metrics, "total_usage": spend})
        )

    desk = Desk(source(double), CORE)
    wanted = need(MODEL, metrics=["usage_file", "usage_web"], window=QUARTER)
    desk.ask([wanted])
    table = desk.evidence(wanted).table
    assert (table.total("total_usage"), table.total("usage_file"), table.total("usage_web")) == (100, 6, 4)


def test_every_member_that_an_answer_names_is_known() -> None:
    def change(query: Query, answer: Answer) -> Answer:
        if query.dimensions == (PROVIDER,):
            raise SourceError(Reason.API_ERROR, "HTTP 500: no message")
        return answer

    desk = Desk(source(change, [*ROWS, row(model=None, provider="p", api_key_id="m", total_usage=1.0)]), CORE)
    desk.ask([need(KEY), need(MODEL), need(PROVIDER)])
    assert desk.members() == {KEY: frozenset("klm"), MODEL: frozenset("abcd")}


def test_members_that_stand_in_two_rows_of_a_group() -> None:
    def repeat(query: Query, answer: Answer) -> Answer:
        rows = [0, 0, 1, 2, 2, 2, 3, 4, 4] if query.dimensions == (KEY, MODEL) else range(len(answer.table))
        return replace(answer, table=answer.table.keep(list(rows)))

    nobody = row(model="e", provider="p", api_key_id=None, total_usage=0.1)
    desk = Desk(source(repeat, [*ROWS, nobody]), CORE)
    assert desk.doubled(need(KEY, MODEL), KEY) == frozenset()
    desk.ask([need(KEY, MODEL, checked=False)])
    desk.ask([need(MODEL, PROVIDER, checked=False)])
    assert desk.doubled(need(KEY, MODEL), KEY) == {"k", "l"}
    assert desk.doubled(need(KEY, MODEL), MODEL) == {"a", "c", "e"}
    assert desk.doubled(need(MODEL, PROVIDER), MODEL) == frozenset()
    assert desk.doubled(need(KEY), KEY) == frozenset(), "a roll-up would hide it"
