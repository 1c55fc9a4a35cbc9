"""What records in memory answer beyond the conformance suite: identities, warnings, laws."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.account import ApiKey, Directory
from orpolicy.catalog.model import Catalog
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.period import Window, interval_window
from orpolicy.plugins import SOURCES
from orpolicy.query.model import Filter, Granularity, Operator, Query
from orpolicy.sources.base import Setting
from orpolicy.sources.memory import Memory
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from orpolicy.query.model import Answer

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MAY = interval_window("2026-05-01", "2026-06-01")
A, B, C = ("a" * 64, "b" * 64, "c" * 64)
DIRECTORY = Directory(
    (ApiKey("twin", A, "w-1", "Here"), ApiKey("twin", B, "w-2", "There"), ApiKey("solo", C, "w-1", "Here")),
    {"Here": ("w-1",), "There": ("w-2",)},
)
COLUMNS: dict[str, list[str | None]] = {
    DATE: ["2026-05-01", "2026-05-02", "2026-05-03", "2026-05-04"],
    "api_key_id": ["twin", "twin", "solo", None],
    "workspace": ["Here", "There", "Here", None],
}
HASHES: dict[str, list[str | None]] = {
    "api_key_hash": [A, B, C, None],
    "workspace_id": ["w-1", "w-2", "w-1", None],
}
SPEND = {"total_usage": [1.0, 2.0, 4.0, 8.0]}


def ask(source: Memory, field: str, operator: Operator, *values: str) -> Answer:
    return source.answer(Query(("total_usage",), (), MAY, (Filter(field, operator, values),)))


def spend(source: Memory, field: str, operator: Operator, *values: str) -> float | None:
    return source.answer(Query(("total_usage",), (), MAY, (Filter(field, operator, values),))).table.total(
        "total_usage"
    )


def test_two_keys_of_one_name_show_one_name_and_filter_apart() -> None:
    source = Memory(Table(COLUMNS | HASHES, SPEND), now=NOW, directory=DIRECTORY)
    table = source.answer(Query(("total_usage",), ("api_key_id",), MAY)).table
    assert table.dimensions == {"api_key_id": [None, "solo", "twin"]}
    assert table.metrics == {"total_usage": [8.0, 4.0, 3.0]}
    assert spend(source, "api_key_id", Operator.IN, A) == 1.0
    assert spend(source, "api_key_id", Operator.IN, B, C) == 6.0
    assert spend(source, "api_key_id", Operator.NOT_IN, A) == 2.0 + 4.0 + 8.0
    assert spend(source, "workspace", Operator.IN, "w-1") == 5.0


@pytest.mark.parametrize("columns", [COLUMNS | HASHES, COLUMNS], ids=["hashes", "names"])
def test_an_unresolved_hash_matches_nothing_and_is_warned_of(columns: dict[str, list[str | None]]) -> None:
    source = Memory(Table(columns, SPEND), now=NOW, directory=DIRECTORY)
    answer = ask(source, "api_key_id", Operator.IN, "d" * 64)
    assert len(answer.table) == 0
    (warning,) = answer.warnings
    assert "d" * 64 in warning
    answer = ask(source, "api_key_id", Operator.IN, C, "d" * 64)
    assert answer.table.total("total_usage") == 4.0
    assert len(answer.warnings) == 1
    assert not ask(source, "api_key_id", Operator.IN, C).warnings
    assert len(ask(source, "workspace", Operator.IN, "w-9").warnings) == 1
    assert len(ask(source, "api_key_id", Operator.IN, "solo").warnings) == 1


def test_a_hash_is_its_name_where_records_have_no_hash() -> None:
    source = Memory(Table(COLUMNS, SPEND), now=NOW, directory=DIRECTORY)
    assert spend(source, "api_key_id", Operator.IN, C) == 4.0
    assert spend(source, "api_key_id", Operator.NOT_IN, C) == 1.0 + 2.0 + 8.0
    assert spend(source, "workspace", Operator.IN, "w-2") == 2.0


def test_a_hash_of_a_name_that_is_not_unique_is_refused() -> None:
    source = Memory(Table(COLUMNS, SPEND), now=NOW, directory=DIRECTORY)
    with pytest.raises(SourceError, match="twin") as caught:
        ask(source, "api_key_id", Operator.IN, A)
    assert caught.value.reason is Reason.AMBIGUOUS_KEY


def test_filters_take_names_where_no_key_is_listed() -> None:
    source = Memory(Table(COLUMNS, SPEND), now=NOW)
    assert spend(source, "api_key_id", Operator.IN, "twin") == 3.0
    assert spend(source, "workspace", Operator.NOT_IN, "Here") == 2.0 + 8.0
    assert not ask(source, "api_key_id", Operator.IN, "nobody").warnings


def test_a_record_without_the_member_is_in_no_list() -> None:
    source = Memory(Table(COLUMNS, SPEND), now=NOW)
    assert spend(source, "api_key_id", Operator.NOT_IN, "nobody") == 15.0
    assert spend(source, "api_key_id", Operator.IN, "twin", "solo") == 7.0


def test_identities_are_never_shown() -> None:
    source = Memory(Table(COLUMNS | HASHES, SPEND), now=NOW, directory=DIRECTORY)
    assert source.meta().dimensions == {"api_key_id", "workspace"}
    assert source.meta().metrics == {"total_usage": False}
    with pytest.raises(SourceError, match="api_key_hash"):
        source.answer(Query(("total_usage",), ("api_key_hash",), MAY))


def test_a_window_inside_a_day_holds_the_days_that_begin_in_it() -> None:
    source = Memory(Table(COLUMNS, SPEND), now=NOW)
    window = Window(datetime(2026, 5, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 5, 3, 0, 0, 1, tzinfo=UTC))
    table = source.answer(Query(("total_usage",), (), window, granularity=Granularity.DAY)).table
    assert table.dimensions == {DATE: ["2026-05-03", "2026-05-02"]}


def test_spend_that_nobody_knows_comes_last() -> None:
    records = Table(
        {DATE: ["2026-05-01"] * 4, "model": ["b", "a", None, "c"]},
        {"total_usage": [None, 1.0, 1.0, 0.0], "usage_web": [None, 0.5, None, None]},
    )
    table = Memory(records, now=NOW).answer(Query(("total_usage", "usage_web"), ("model",), MAY)).table
    assert table.dimensions == {"model": [None, "a", "c", "b"]}
    assert table.metrics == {"total_usage": [1.0, 1.0, 0.0, None], "usage_web": [None, 0.5, None, None]}


def test_it_tells_what_it_was_given() -> None:
    catalogue = Catalog(())
    source = Memory(
        Table(COLUMNS, SPEND), now=NOW, directory=DIRECTORY, catalogue=catalogue, kind="test", host="here"
    )
    assert source.now == NOW
    assert source.directory() is DIRECTORY
    assert source.catalogue() is catalogue
    assert (source.info().kind, source.info().host, source.info().requests) == ("test", "here", 0)
    plain = Memory(Table(COLUMNS, SPEND), now=NOW)
    assert plain.info().kind == "memory"
    assert plain.directory() == Directory()
    assert plain.catalogue() is None
    plain.close()


def test_it_cannot_be_opened_by_name() -> None:
    with pytest.raises(UsageError, match="memory"):
        SOURCES["memory"].open(Setting("memory", {}))


DAY = st.integers(0, 60).map(lambda offset: (date(2026, 4, 15) + timedelta(days=offset)).isoformat())
MEMBER = st.none() | st.sampled_from(["a", "b", "", "c d"])
USD = st.floats(0, 1e6)
RECORDS = st.lists(st.tuples(DAY, MEMBER, MEMBER, USD, st.integers(0, 10**12)), max_size=40)


@given(RECORDS)
def test_parts_add_up_to_the_whole(records: list[tuple[str, str | None, str | None, float, int]]) -> None:
    days, models, keys, dollars, counts = zip(*records, strict=True) if records else ((), (), (), (), ())
    source = Memory(
        Table(
            {DATE: days, "model": models, "api_key_id": keys},
            {"total_usage": dollars, "request_count": counts},
        ),
        now=NOW,
    )
    metrics = ("request_count", "total_usage")
    inside = [record for record in records if "2026-05-01" <= record[0] < "2026-06-01"]
    for dimensions in ((), ("model",), ("api_key_id", "model")):
        for granularity in (None, *Granularity):
            table = source.answer(Query(metrics, dimensions, MAY, granularity=granularity)).table
            assert sum(value or 0 for value in table.metrics["request_count"]) == sum(r[4] for r in inside)
            assert math.isclose(
                math.fsum(value or 0 for value in table.metrics["total_usage"]),
                math.fsum(r[3] for r in inside),
                rel_tol=1e-12,
            )
            keys_of_rows = [table.row_key(row) for row in range(len(table))]
            assert len(set(keys_of_rows)) == len(keys_of_rows)


@given(RECORDS, st.sampled_from(["a", "b", "", "x"]))
def test_in_and_not_in_share_out_everything(
    records: list[tuple[str, str | None, str | None, float, int]], member: str
) -> None:
    days, models, _, _, counts = zip(*records, strict=True) if records else ((), (), (), (), ())
    source = Memory(
        Table({DATE: days, "model": models}, {"total_usage": counts, "request_count": counts}), now=NOW
    )
    parts = [
        source.answer(
            Query(("request_count", "total_usage"), (), MAY, (Filter("model", operator, (member,)),))
        ).table.total("request_count")
        for operator in Operator
    ]
    whole = sum(r[4] for r in records if "2026-05-01" <= r[0] < "2026-06-01")
    assert sum(part or 0 for part in parts) == whole
