"""Which questions narrow an answer that was cut off, and that a lie in any of them is noticed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from test_narrow import GROWTH, Capped, account, capped, crowd, essence, listed, weekly
from world import catalog, hash_of, memory, model, row, run

from orpolicy.account import ApiKey
from orpolicy.sources.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.query.model import Answer, Query

DATED = catalog(model("x/d", 1, 2, canonical_slug="x/d-20260101"), model("x/m0", 1, 2))


def whole(text: str, rows: Sequence[dict[str, Any]], keys: int) -> list[Any]:
    return essence(run(text, memory(rows, keys=listed(keys))))


def filtered(source: Capped) -> list[Query]:
    return [query for query in source.asked if query.filters]


def fields(source: Capped) -> set[str]:
    return {item.field for query in source.asked for item in query.filters}


FOUR = [
    row(api_key_id=f"k{number}", api_key_hash=hash_of(number), model="x/m1", total_usage=usd)
    for number, usd in enumerate((50.0, 30.0, 15.0, 5.0))
]


@pytest.mark.parametrize(("share", "verdict"), [(0.16, "fail"), (0.15, "inconclusive")])
def test_a_floor_that_is_a_share_of_all_traffic(share: float, verdict: str) -> None:
    source = capped(3, FOUR, listed(4))
    report = run(
        f"policies: [{{id: p, rule: spend-limit, floor: {{share: {share}}}, fail_above: 40}}]", source
    )
    assert report.policies[0].verdict == verdict
    if verdict == "inconclusive":
        assert report.inconclusive[0].detail == "not even the members of api_key_id could be listed"


def test_a_share_of_a_history_is_no_floor() -> None:
    """A key of 4.5 % of the last week is far less of nine weeks; it matters all the same."""
    rows, text = weekly(30), GROWTH.replace("{spend: 100}", "{share: 0.04}")
    expected = whole(text, rows, 30)
    assert len(expected[1]) == 2
    assert essence(run(text, capped(150, rows, listed(30)))) == expected


def test_rows_below_the_floor_matter_where_they_are_parts_of_a_subject() -> None:
    text = """
policies:
  - {id: p, rule: spend-limit, where: {model: "x/m1*"}, floor: {spend: 20}, fail_above: 150}
"""
    rows = account(60, 30)
    source = capped(200, rows, listed(60))
    assert essence(run(text, source)) == whole(text, rows, 60)
    by_key = [query for query in filtered(source) if query.dimensions == ("api_key_id",)]
    assert {item.field for query in by_key for item in query.filters} == {"model"}
    assert len(by_key) == 1, "the selector became a filter; keys need no lists"


def test_variants_of_one_subject_are_parts_of_it_too() -> None:
    rows = [
        row(api_key_id=f"k{key}", api_key_hash=hash_of(key), model=name, variant=variant, total_usage=usd)
        for key in range(9)
        for name in ("x/m0", "x/m1")
        for variant, usd in (("standard", 8.0 + key), ("batch", 7.0))
    ]
    text = """
policies:
  - {id: p, rule: spend-limit, by: [api_key_id, model], where: {model: ["x/*", "x/m0:batch"]},
     floor: {spend: 12}, fail_above: 15.5}
"""
    expected = whole(text, rows, 9)
    assert len(expected[1]) == 16
    assert essence(run(text, capped(10, rows, listed(9)))) == expected


def test_a_run_stops_asking_at_its_budget() -> None:
    text = "policies: [{id: p, rule: cost-per-request, floor: {spend: 0.01}, fail_above: 1000}]"
    source = capped(141, account(120, 140), listed(120))
    (item,) = run(text, source).inconclusive
    assert (item.reason, item.detail) == ("truncated", "more than 100 queries would be needed")
    assert 60 < len(source.asked) <= 100


def test_all_members_are_not_asked_for_in_one_list() -> None:
    rows = account(60, 30)
    text = "policies: [{id: p, rule: cost-per-request, floor: {spend: 5}, fail_above: 0.09}]"
    source = capped(300, rows, listed(60))
    assert essence(run(text, source)) == whole(text, rows, 60)
    lists = [len(item.values) for query in filtered(source) for item in query.filters]
    assert max(lists) == 8, "a quarter of the 31 models"


def test_a_few_members_are_asked_for_in_one_list() -> None:
    rows = account(50, 10)
    text = """
policies:
  - {id: p, rule: cost-per-request, where: {model: [x/m1, x/m2]}, floor: {spend: 9}, fail_above: 0.07}
"""
    source = capped(110, rows, listed(50))
    assert essence(run(text, source)) == whole(text, rows, 50)
    assert next(item.values for query in filtered(source) for item in query.filters) == ("x/m1", "x/m2")


class Lying(Capped):
    """A source that changes some answers."""

    change: Callable[[Query, Answer], Answer]

    def answer(self, query: Query) -> Answer:
        return self.change(query, super().answer(query))


def lying(source: Capped, change: Callable[[Query, Answer], Answer]) -> Lying:
    made = Lying(
        source._records,  # noqa: SLF001 - the records of the honest twin
        now=source.now,
        directory=source.directory(),
        catalogue=source.catalogue(),
    )
    made.cap, made.asked, made.change = source.cap, source.asked, change
    return made


def without(start: int, answer: Answer) -> Answer:
    return replace(answer, table=answer.table.keep(range(start, len(answer.table))))


PAIRS = "policies: [{id: p, rule: cost-per-request, floor: {spend: 0.1}, fail_above: 0.09}]"


def test_rows_lost_from_a_list_are_noticed_without_a_control_total_of_its_own() -> None:
    honest = capped(700, account(60, 30), listed(60))
    source = lying(honest, lambda query, answer: without(9, answer) if query.filters else answer)
    (item,) = run(PAIRS, source).inconclusive
    assert item.reason == "control-mismatch"
    assert "rows asked in parts add up to" in item.detail
    assert "where an earlier answer said" in item.detail
    assert all(query.dimensions for query in filtered(source))


def test_rows_that_came_twice_in_a_list_are_noticed_even_if_it_is_cut_off() -> None:
    def twice(query: Query, answer: Answer) -> Answer:
        if not query.filters:
            return answer
        rows = [row for row in range(len(answer.table)) for _ in range(4)]
        return replace(answer, table=answer.table.keep(rows), truncated=True)

    source = lying(capped(300, account(60, 30), listed(60)), twice)
    assert run(PAIRS, source).inconclusive[0].reason == "control-mismatch"


@pytest.mark.parametrize("keys", [30, 900])
def test_keys_lost_from_the_list_of_a_histories_keys_are_noticed(keys: int) -> None:
    rows = weekly(keys) if keys == 30 else crowd(keys)

    def forget(query: Query, answer: Answer) -> Answer:
        return without(9, answer) if query.window.days == 7 and query.dimensions else answer

    source = lying(capped(900, rows, listed(keys)), forget)
    (item,) = run(GROWTH, source).inconclusive
    assert item.reason == "control-mismatch"
    judged = [query for query in source.asked if query.window.days == 7]
    assert all(query.dimensions for query in judged), "its days say what it must add up to"


def test_traffic_without_a_key_cannot_be_listed() -> None:
    rows = [*weekly(30), *({**item, "api_key_id": None, "api_key_hash": None} for item in weekly(1))]
    (item,) = run(GROWTH, capped(150, rows, listed(30))).inconclusive
    assert (item.reason, item.detail) == ("truncated", "traffic without api_key_id has no filter")


def test_a_selector_meets_models_by_every_name_they_have() -> None:
    rows = [
        row(api_key_id=f"k{key}", api_key_hash=hash_of(key), model=name, total_usage=usd)
        for key in range(9)
        for name, usd in (("x/d-20260101", 30.0), ("x/m0", 60.0 + key))
    ]
    text = "policies: [{id: p, rule: model-ban, models: [x/d]}]"
    source = Capped(
        memory(rows)._records,  # noqa: SLF001 - the records of the unlimited twin
        now=memory(rows).now,
        directory=memory(rows, keys=listed(9)).directory(),
        catalogue=DATED,
    )
    source.cap, source.asked = 9, []
    report = run(text, source)
    assert len(report.findings) == 9


def daily(keys: int, models: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Nine weeks of every key on every model, every day; the first key triples in the last week."""
    first = date(2026, 4, 6)
    return [
        row(
            date=(first + timedelta(days=day)).isoformat(),
            api_key_id=f"k{key}",
            api_key_hash=hash_of(key),
            model=f"x/m{number}",
            total_usage=(90.0 if day >= 56 and key == 0 else 30.0) + key,
            **more,
        )
        for day in range(63)
        for key in range(keys)
        for number in range(models)
    ]


BY_USER = GROWTH.replace("rule:", "by: [user], rule:")


def people(count: int) -> list[dict[str, Any]]:
    return [item | {"user": f"u{number}"} for number in range(count) for item in daily(1)]


@pytest.mark.parametrize(("count", "shortest"), [(1, 63), (2, 16), (3, 15)])
def test_members_that_cannot_be_filtered_are_asked_in_halves_of_the_time(count: int, shortest: int) -> None:
    source = capped(63, people(count))
    expected = essence(run(BY_USER, memory(people(count))))
    assert len(expected[1]) == count
    assert essence(run(BY_USER, source)) == expected
    assert min(query.window.days for query in source.asked if query.dimensions == ("user",)) == shortest
    assert not filtered(source)


def test_a_day_that_is_cut_off_cannot_be_halved() -> None:
    crowded = [people(1)[30] | {"user": f"v{number}"} for number in range(69)]
    (item,) = run(BY_USER, capped(69, [*people(1), *crowded])).inconclusive
    assert (item.reason, item.detail) == ("truncated", "rows are missing, and no narrower question is left")
    source = capped(70, [*people(1), *crowded])
    assert essence(run(BY_USER, source)) == essence(run(BY_USER, memory([*people(1), *crowded])))
    assert min(query.window.days for query in source.asked) == 1


def test_what_cannot_be_filtered_without_a_history_is_cut_off_for_good() -> None:
    rows = [row(user=f"u{number}", model="x/m0", total_usage=5.0) for number in range(9)]
    text = "policies: [{id: p, rule: spend-limit, by: [user], fail_above: 9}]"
    (item,) = run(text, capped(4, rows)).inconclusive
    assert item.detail == "rows are missing, and no narrower question is left"


def test_histories_of_pairs_are_narrowed_by_both() -> None:
    rows, text = daily(6, 2), GROWTH.replace("rule:", "by: [api_key_id, model], rule:")
    source = capped(70, rows, listed(6))
    expected = whole(text, rows, 6)
    assert len(expected[1]) == 2
    assert essence(run(text, source)) == expected
    assert fields(source) == {"api_key_id", "model"}


def test_a_history_in_which_nothing_reaches_the_floor_passes() -> None:
    rows, text = weekly(30), GROWTH.replace("{spend: 100}", "{spend: 100000}")
    source = capped(150, rows, listed(30))
    assert essence(run(text, source)) == whole(text, rows, 30)
    assert not filtered(source)


@pytest.mark.parametrize(("keys", "shared", "by_period"), [(632, 0, False), (633, 0, True), (633, 1, False)])
def test_periods_are_asked_where_lists_take_more_questions(
    keys: int, shared: int, *, by_period: bool
) -> None:
    """158 keys of 63 days fit an answer: four lists with four totals, or eight more weeks."""
    rows, directory = crowd(keys), listed(keys)
    for number in range(shared):
        twin = directory[10 + number]
        directory.append(ApiKey(twin.name, hash_of(5_000 + number)))
        rows.append(rows[10 + number] | {"api_key_hash": hash_of(5_000 + number)})
    source = capped(900 if by_period else 2_000, rows, directory)
    report = run(GROWTH, source)
    assert essence(report) == essence(run(GROWTH, memory(rows, keys=directory)))
    weeks = {
        query.window for query in source.asked if query.window.days == 7 and "api_key_id" in query.dimensions
    }
    assert (len(weeks) == 9) == by_period


def test_a_history_that_is_filtered_is_not_asked_by_period() -> None:
    rows = [*crowd(700), *(item | {"model": "x/other"} for item in crowd(5))]
    text = GROWTH.replace("rule:", "where: {model: x/m1}, rule:")
    source = capped(2_000, rows, listed(700))
    assert essence(run(text, source)) == whole(text, rows, 700)
    assert all(
        query.filters
        for query in source.asked
        if query.window.days > 7 and query.dimensions == ("api_key_id",)
    )


def test_the_reference_is_a_memory() -> None:
    assert issubclass(Lying, Memory)


def test_months_are_narrowed_as_weeks_are() -> None:
    rows = [
        row(
            date=f"2026-0{month}-15",
            api_key_id=f"k{key}",
            api_key_hash=hash_of(key),
            model="x/m1",
            total_usage=900.0 if (month, key) == (5, 7) else 30.0 + key,
        )
        for month in range(1, 6)
        for key in range(60)
    ]
    text = (
        "policies: [{id: p, rule: spend-growth, window: last-month, baseline_periods: 4, floor: {spend: 40}}]"
    )
    expected = whole(text, rows, 60)
    assert len(expected[1]) == 1
    source = capped(70, rows, listed(60))
    assert essence(run(text, source)) == expected
    months = {query.window for query in source.asked if query.window.is_calendar_month and query.dimensions}
    assert len(months) == 5, "four lists and their totals would be more than four months"


def test_a_deleted_key_is_in_no_list_but_in_every_period() -> None:
    rows = weekly(30)
    expected = whole(GROWTH, rows, 30)
    source = capped(150, rows, listed(29))
    assert [item[0] for item in expected[1]] == ["growth", "growth"]
    report = run(GROWTH, source)
    assert [policy[:2] for policy in essence(report)[0]] == [policy[:2] for policy in expected[0]]
    assert [item.measure.value for item in report.findings] == pytest.approx([3, 3])
    assert not [query for query in filtered(source) if query.granularity]


def test_without_a_history_a_deleted_key_is_missed() -> None:
    rows = [item | {"user": user} for item in account(30, 1) for user in ("u", "v")]
    text = "policies: [{id: p, rule: spend-limit, by: [api_key_id, user], fail_above: 50}]"
    (item,) = run(text, capped(40, rows, listed(29))).inconclusive
    assert item.reason == "unresolved-filter"
    assert "'k29' has usage but is not listed" in item.detail


def test_a_list_has_room_for_every_key_of_a_name() -> None:
    """A thousand names make two lists of 500, but some names are those of two keys."""
    directory = listed(1_000)
    directory += [ApiKey(f"k{number}", hash_of(5_000 + number)) for number in range(6)]
    rows = [
        row(
            api_key_id=key.name, api_key_hash=key.key_hash, user=user, model="x/m1", total_usage=20.0 + number
        )
        for number, key in enumerate(directory)
        for user in ("u", "v")
    ]
    text = "policies: [{id: p, rule: spend-limit, by: [api_key_id, user], fail_above: 1018}]"
    expected = essence(run(text, memory(rows, keys=directory)))
    assert len(expected[1]) == 14
    source = capped(1_500, rows, directory)
    assert essence(run(text, source)) == expected
