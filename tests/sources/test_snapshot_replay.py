"""What a snapshot answers beyond what was asked: all that follows, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import hash_of, memory, row

from orpolicy.account import ApiKey, Directory
from orpolicy.errors import Reason, SourceError
from orpolicy.period import Window, interval_window
from orpolicy.query.model import Answer, Filter, Granularity, Operator, Query
from orpolicy.sources._snapshot_json import encode
from orpolicy.sources._snapshot_model import Asked, Recording
from orpolicy.sources._snapshot_read import decode
from orpolicy.sources.snapshot import Snapshot
from orpolicy.table import Table

if TYPE_CHECKING:
    from orpolicy.sources.base import Source

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MAY = interval_window("2026-05-01", "2026-06-01")
WEEK = interval_window("2026-05-04", "2026-05-11")
SPRING = interval_window("2026-03-01", "2026-06-01")
METRICS = ("request_count", "tokens_total", "total_usage")
GRID = Query(METRICS, ("api_key_id", "model"), MAY)
DAY, MONTH = Granularity.DAY, Granularity.MONTH
SHAPES = [(), ("model",), ("api_key_id",), ("api_key_id", "model"), ("model", "variant")]
KEYS = tuple(sorted(ApiKey(name, hash_of(number)) for number, name in enumerate("abc", 1)))


def snapshot(source: Source, *queries: Query, **changes: Any) -> Snapshot:
    """What is known once these questions were asked of a source, read back from bytes."""
    asked = [
        Asked.of(query, outcome) for query, outcome in zip(queries, source.answers(queries), strict=True)
    ]
    base = Recording(source.now, source.info(), source.meta(), source.directory(), None, tuple(asked))
    return Snapshot(decode(encode(replace(base, **changes)), "x"))


def total(query: Query) -> Query:
    """The control total of a question."""
    return replace(query, dimensions=())


def of_keys(query: Query) -> tuple[Query, ...]:
    """The listed keys of a question's window by their hashes, with the control total."""
    every = Filter("api_key_id", Operator.IN, tuple(key.key_hash for key in KEYS))
    asked = replace(query, dimensions=("api_key_id", "model"), filters=(every,), granularity=None)
    return total(asked), asked


def rows(answer: Answer) -> dict[str, list[Any]]:
    return {
        name: list(column) for name, column in {**answer.table.dimensions, **answer.table.metrics}.items()
    }


def assert_same(found: Answer, wanted: Answer) -> None:
    """Equal, whether columns are lists or tuples."""
    assert rows(found) == rows(wanted)
    assert replace(found, table=wanted.table) == wanted


def assert_unknown(source: Source, query: Query) -> None:
    with pytest.raises(
        SourceError, match="not in this snapshot: record again with `orpolicy snapshot`"
    ) as caught:
        source.answer(query)
    assert caught.value.reason is Reason.NOT_ANSWERABLE


SPENT = [
    row(date=f"2026-{month:02d}-{day:02d}", api_key_id=key, model=model, total_usage=2.0 ** (day - place))
    for month in (3, 4, 5)
    for day in (1, 4, 10, 11, 30)
    for place, (key, model) in enumerate([("a", "m"), ("a", "n"), ("b", "m"), ("c", None), (None, "n")])
]
SOURCE = memory(SPENT, keys=KEYS)


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        (GRID, replace(GRID, metrics=("total_usage",))),
        (GRID, replace(GRID, dimensions=("model",))),
        (GRID, replace(GRID, dimensions=("api_key_id",), limit=2)),
        (GRID, replace(GRID, dimensions=(), filters=(Filter("model", Operator.IN, ("m",)),))),
        (GRID, replace(GRID, dimensions=("model",), filters=(Filter("model", Operator.NOT_IN, ("m",)),))),
        (GRID, replace(GRID, filters=(Filter("api_key_id", Operator.IN, (hash_of(1), hash_of(3))),))),
        (replace(GRID, granularity=DAY), GRID),
        (replace(GRID, granularity=DAY), replace(GRID, window=WEEK, dimensions=("model",))),
        (replace(GRID, granularity=DAY, window=SPRING), replace(GRID, granularity=MONTH, window=SPRING)),
        (replace(GRID, granularity=DAY, window=SPRING), replace(GRID, granularity=DAY, dimensions=())),
        (replace(GRID, granularity=MONTH, window=SPRING), GRID),
        (replace(GRID, granularity=MONTH, window=SPRING), replace(GRID, granularity=MONTH)),
    ],
)  # fmt: skip
def test_what_follows_is_what_the_source_says(recorded: Query, asked: Query) -> None:
    source = snapshot(SOURCE, total(recorded), recorded, *of_keys(recorded))
    answer, wanted = source.answer(asked), SOURCE.answer(asked)
    assert rows(answer) == rows(wanted)
    assert len(answer.table) > 0
    assert (answer.query, answer.truncated, answer.warnings) == (asked, wanted.truncated, ())


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        (GRID, replace(GRID, metrics=(*METRICS, "usage_web"))),
        (GRID, replace(GRID, dimensions=("variant",))),
        (GRID, replace(GRID, filters=(Filter("variant", Operator.IN, ("batch",)),))),
        (GRID, replace(GRID, granularity=DAY)),
        (GRID, replace(GRID, window=WEEK)),
        (GRID, replace(GRID, window=SPRING)),
        (replace(GRID, granularity=DAY), replace(GRID, window=SPRING)),
        (
            replace(GRID, granularity=DAY),
            replace(GRID, window=Window(MAY.start + timedelta(hours=1), MAY.end)),
        ),
        (
            replace(GRID, granularity=DAY),
            replace(GRID, window=Window(MAY.start, MAY.end - timedelta(hours=1))),
        ),
        (replace(GRID, granularity=MONTH, window=SPRING), replace(GRID, window=WEEK)),
        (replace(GRID, granularity=MONTH, window=SPRING), replace(GRID, granularity=DAY)),
        (replace(GRID, filters=(Filter("model", Operator.IN, ("m",)),)), GRID),
        (replace(GRID, limit=3), replace(GRID, dimensions=("model",))),
        (replace(GRID, limit=3), GRID),
    ],
)
def test_what_does_not_follow_is_not_answered(recorded: Query, asked: Query) -> None:
    assert_unknown(snapshot(SOURCE, total(replace(recorded, limit=10_000)), recorded), asked)


def test_the_very_question_is_answered_as_it_was_cut_off_or_not() -> None:
    cut = replace(GRID, limit=3)
    source = snapshot(SOURCE, cut, replace(cut, metrics=("request_count", "total_usage")))
    assert_same(source.answer(cut), SOURCE.answer(cut))
    assert source.answer(cut).truncated
    fewer = source.answer(replace(cut, metrics=("total_usage",)))
    assert fewer.truncated
    assert list(fewer.table.metrics) == ["total_usage"]


def test_rows_that_do_not_add_up_are_the_basis_of_nothing() -> None:
    """By days the answer agrees as a whole, and not in the week that is asked for."""
    daily = replace(GRID, granularity=DAY)
    rollup = replace(GRID, dimensions=("model",))
    lost = memory([item for item in SPENT if item["date"] != "2026-05-30"], keys=KEYS)
    assert_unknown(snapshot(SOURCE, GRID), rollup)
    whole, part = SOURCE.answer(total(GRID)), lost.answer(GRID)
    mixed = snapshot(SOURCE, answers=tuple(Asked.of(found.query, found) for found in (whole, part)))
    assert_unknown(mixed, rollup)
    assert_same(mixed.answer(GRID), part)
    other = memory(
        [*SPENT[:-1], row(date="2026-05-05", api_key_id="a", model="m", total_usage=5e8)], keys=KEYS
    )
    days, moved = SOURCE.answer(total(daily)), other.answer(daily)
    mixed = snapshot(SOURCE, answers=tuple(Asked.of(found.query, found) for found in (days, moved)))
    assert_unknown(mixed, replace(rollup, window=WEEK))
    assert len(mixed.answer(replace(rollup, window=interval_window("2026-05-10", "2026-05-11"))).table) == 3


@pytest.mark.parametrize("change", [{"warnings": ("odd",)}, {"truncated": True}])
def test_a_doubtful_answer_is_the_basis_of_nothing(change: dict[str, Any]) -> None:
    whole, grid = SOURCE.answer(total(GRID)), replace(SOURCE.answer(GRID), **change)
    source = snapshot(SOURCE, answers=tuple(Asked.of(one.query, one) for one in (whole, grid)))
    assert_unknown(source, replace(GRID, dimensions=("model",)))
    assert_same(source.answer(GRID), grid)


def test_a_name_that_stands_twice_tells_no_keys_apart() -> None:
    table = Table(
        {"api_key_id": ["a", "a", "b"], "model": ["m", "m", "m"]},
        {"request_count": [1, 1, 1], "tokens_total": [1, 1, 1], "total_usage": [3.0, 2.0, 1.0]},
    )
    whole = Answer(total(GRID), table.rollup(()))
    source = snapshot(SOURCE, answers=(Asked.of(GRID, Answer(GRID, table)), Asked.of(whole.query, whole)))
    assert_unknown(source, replace(GRID, dimensions=("api_key_id",)))
    assert rows(source.answer(replace(GRID, dimensions=("model",))))["total_usage"] == [6.0]


def test_namesakes_are_not_filtered_by_name() -> None:
    twins = Directory((ApiKey("a", hash_of(1)), ApiKey("a", hash_of(2)), ApiKey("b", hash_of(3))))
    source = snapshot(SOURCE, total(GRID), GRID, *of_keys(GRID), directory=twins)
    assert_unknown(source, replace(GRID, filters=(Filter("api_key_id", Operator.IN, (hash_of(1),)),)))
    assert (
        len(source.answer(replace(GRID, filters=(Filter("api_key_id", Operator.IN, (hash_of(3),)),))).table)
        == 1
    )


TWICE = [
    row(api_key_id="a", api_key_hash=key_hash, model=model, variant="x", total_usage=usd)
    for key_hash, model, usd in [(hash_of(1), "m", 4.0), (hash_of(9), "n", 32.0)]
]
"""A key and a deleted one that had its name, on models of their own; and a key that nobody doubts."""
LEFT = memory([*TWICE, row(api_key_id="b", api_key_hash=hash_of(2), model="m", total_usage=2.0)], keys=KEYS)
BY_KEY = replace(GRID, dimensions=("api_key_id",))


def of(query: Query, *numbers: int) -> Query:
    return replace(query, filters=(Filter("api_key_id", Operator.IN, tuple(map(hash_of, numbers))),))


def test_a_deleted_key_is_not_counted_in() -> None:
    """By name there are 36 dollars, of which the listed key spent 4."""
    source = snapshot(LEFT, total(GRID), GRID, *of_keys(GRID))
    assert rows(source.answer(of(BY_KEY, 1)))["total_usage"] == [4.0]
    assert rows(source.answer(of(BY_KEY, 2)))["total_usage"] == [2.0]
    assert_unknown(source, BY_KEY)
    assert rows(source.answer(replace(GRID, dimensions=("model",))))["total_usage"] == [32.0, 6.0]
    assert_unknown(snapshot(LEFT, total(GRID), GRID), of(BY_KEY, 1))


def test_a_part_of_the_window_is_only_known_of_keys_that_stand_alone() -> None:
    daily = replace(GRID, granularity=DAY)
    source = snapshot(LEFT, total(daily), daily, *of_keys(GRID))
    day = interval_window("2026-05-15", "2026-05-16")
    assert rows(source.answer(replace(of(BY_KEY, 2, 3), window=day)))["total_usage"] == [2.0]
    assert_unknown(source, replace(of(BY_KEY, 1), window=day))
    assert_unknown(source, replace(BY_KEY, window=day))


@pytest.mark.parametrize("change", [{"warnings": ("odd",)}, {"truncated": True}])
def test_doubtful_answers_by_hash_vouch_for_nobody(change: dict[str, Any]) -> None:
    control, hashed = of_keys(GRID)
    doubtful = replace(SOURCE.answer(hashed), **change)
    answers = [*map(SOURCE.answer, (total(GRID), GRID, control)), doubtful]
    source = snapshot(SOURCE, answers=tuple(Asked.of(one.query, one) for one in answers))
    assert_unknown(source, BY_KEY)
    assert_unknown(snapshot(SOURCE, *of_keys(GRID)), BY_KEY)


def test_a_question_asked_again_is_answered_in_turn() -> None:
    first = SOURCE.answer(GRID)
    second, error = replace(first, elapsed_ms=7, from_cache=True), SourceError(Reason.API_ERROR, "gone")
    answers = tuple(Asked.of(GRID, one) for one in (first, second, error))
    source = snapshot(SOURCE, answers=answers)
    for _ in range(2):
        assert_same(source.answer(GRID), first)
        assert_same(source.answer(GRID), second)
        with pytest.raises(SourceError, match="gone"):
            source.answer(GRID)


def test_how_old_an_answer_is_stays_known() -> None:
    moment = datetime(2026, 6, 1, 0, 5, tzinfo=UTC)
    answers = tuple(
        Asked.of(found.query, replace(found, cached_at=moment, from_cache=True))
        for found in map(SOURCE.answer, (total(GRID), GRID))
    )
    found = snapshot(SOURCE, answers=answers).answer(replace(GRID, dimensions=("model",)))
    assert (found.cached_at, found.from_cache, found.elapsed_ms) == (moment, True, 0)


def test_a_running_window_may_begin_at_noon() -> None:
    noon = Window(MAY.start + timedelta(hours=12), MAY.end, to_date=True)
    table = Table({"api_key_id": ["a"], "model": ["m"]}, {name: [1.0] for name in METRICS})
    grid = replace(GRID, window=noon)
    answers = (
        Asked.of(grid, Answer(grid, table)),
        Asked.of(total(grid), Answer(total(grid), table.rollup(()))),
    )
    found = snapshot(SOURCE, answers=answers).answer(replace(grid, dimensions=("model",)))
    assert rows(found)["total_usage"] == [1.0]
    assert found.query.window == noon


def test_what_was_not_recorded_of_the_account() -> None:
    source = snapshot(SOURCE, directory=None)
    with pytest.raises(SourceError, match="keys are not in this snapshot"):
        source.directory()
    assert source.catalogue() is None
    assert_unknown(source, replace(GRID, filters=(Filter("model", Operator.IN, ("m",)),), granularity=DAY))


@settings(max_examples=60)
@given(st.data())
def test_no_answer_differs_from_the_sources(data: st.DataObject) -> None:
    """Dollars are sums of distinct powers of two: no order of summation rounds them, no two rows tie."""
    days = data.draw(
        st.lists(st.sampled_from(["2026-04-30", "2026-05-01", "2026-05-04", "2026-05-31"]), max_size=8)
    )
    live = memory(
        [
            row(date="2026-05-02", api_key_id="a", model="m", variant="x", total_usage=2.0**-1),
            *(
                row(
                    date=day,
                    api_key_id=data.draw(st.sampled_from(["a", "b", None])),
                    model=data.draw(st.sampled_from(["m", "n", "o", None])),
                    variant=data.draw(st.sampled_from(["x", "y"])),
                    total_usage=2.0**number,
                )
                for number, day in enumerate(days)
            ),
        ],
        keys=KEYS,
    )
    query = st.builds(
        Query,
        metrics=st.sampled_from([METRICS, ("total_usage",)]),
        dimensions=st.sampled_from(SHAPES),
        window=st.sampled_from([MAY, WEEK, interval_window("2026-04-01", "2026-06-01")]),
        filters=st.sampled_from([
            (), (), (Filter("model", Operator.IN, ("m", "o")),), (Filter("model", Operator.NOT_IN, ("m",)),),
            (Filter("api_key_id", Operator.IN, (hash_of(2),)),), (Filter("variant", Operator.IN, ("x",)),),
        ]),
        granularity=st.sampled_from([None, None, DAY, MONTH]),
        limit=st.sampled_from([1, 3, 10_000, 10_000]),
    )  # fmt: skip
    recorded = data.draw(st.lists(query, min_size=1, max_size=4))
    windows = [replace(GRID, window=asked.window) for asked in recorded if data.draw(st.booleans())]
    hashed = [one for asked in windows for one in of_keys(asked)]
    source = snapshot(live, *(one for asked in recorded for one in (total(asked), asked)), *hashed)
    for asked in [data.draw(query) for _ in range(5)]:
        try:
            found = source.answer(asked)
        except SourceError:
            continue
        wanted = live.answer(asked)
        assert rows(found) == rows(wanted)
        assert found.truncated == wanted.truncated


def test_a_doubtful_control_total_is_none_and_another_one_counts() -> None:
    whole, grid = SOURCE.answer(total(GRID)), SOURCE.answer(GRID)
    doubtful = Asked.of(whole.query, replace(whole, warnings=("odd",)))
    daily = SOURCE.answer(replace(total(GRID), granularity=DAY))
    rollup = replace(GRID, dimensions=("model",))
    assert_unknown(snapshot(SOURCE, answers=(doubtful, Asked.of(GRID, grid))), rollup)
    found = snapshot(SOURCE, answers=(doubtful, Asked.of(GRID, grid), Asked.of(daily.query, daily))).answer(
        rollup
    )
    assert rows(found) == rows(SOURCE.answer(rollup))
