from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.grouping import total
from orpolicy.table import Table, concatenate
from orpolicy.totals import Totals

members = st.sampled_from(["a", "b", "c", None])
rows = st.lists(
    st.tuples(
        members,
        members,
        st.none() | st.integers(0, 10**12),
        st.none() | st.floats(-1e6, 1e6, allow_nan=False),
    ),
    max_size=30,
)


def make(items: list[tuple[Any, ...]]) -> Table:
    columns = list(zip(*items, strict=True)) if items else [()] * 4
    return Table({"x": columns[0], "y": columns[1]}, {"n": columns[2], "usd": columns[3]})


@given(rows)
def test_rollup_equals_a_plain_fold(items: list[tuple[Any, ...]]) -> None:
    expected: dict[Any, list[list[Any]]] = defaultdict(lambda: [[], []])
    for x, _, count, usd in items:
        expected[x][0].append(count)
        expected[x][1].append(usd)
    rolled = make(items).rollup(["x"])
    found = dict(
        zip(rolled.dimensions["x"], zip(rolled.metrics["n"], rolled.metrics["usd"], strict=True), strict=True)
    )
    assert set(found) == set(expected)
    for member, (counts, dollars) in expected.items():
        there = [count for count in counts if count is not None]
        money = [usd for usd in dollars if usd is not None]
        assert found[member][0] == (sum(there) if there else None)
        assert found[member][1] == (math.fsum(money) if money else None)


@given(rows)
def test_rollup_in_two_steps_is_the_same(items: list[tuple[Any, ...]]) -> None:
    whole = make(items)
    at_once, by_way = whole.rollup([]), whole.rollup(["y"]).rollup([])
    assert len(at_once) == len(by_way) == (1 if items else 0)
    if items:
        assert at_once.metrics["n"] == by_way.metrics["n"]
        first, second = at_once.metrics["usd"][0], by_way.metrics["usd"][0]
        assert first == second or math.isclose(first or 0, second or 0, rel_tol=1e-12, abs_tol=1e-6)


def test_totals_keep_integers_exact_and_know_nothing_from_zero() -> None:
    assert total([2**53, 1, None]) == 2**53 + 1
    assert total([0.1] * 10) == 1.0
    assert total([None, None]) is None
    assert total([]) is None
    assert make([]).total("n") is None


def test_matching_asks_once_per_distinct_member() -> None:
    asked = []

    def test(member: str | None) -> bool:
        asked.append(member)
        return member == "a"

    kept = make([("a", "b", 1, 1.0)] * 50 + [("b", "b", 2, 2.0)] * 50).matching({"x": test})
    assert len(kept) == 50
    assert sorted(filter(None, asked)) == ["a", "b"]


def test_matching_joins_conditions() -> None:
    table = make([("a", "b", 1, 1.0), ("a", "c", 2, 2.0), (None, "c", 3, 3.0)])
    kept = table.matching({"x": lambda member: member == "a", "y": lambda member: member == "c"})
    assert kept.metrics["n"] == [2]
    assert table.matching({}) is table
    assert table.matching({"x": lambda _: True}) is table


def test_columns_must_be_of_one_length() -> None:
    with pytest.raises(ValueError, match="lengths"):
        Table({"x": ["a"]}, {"n": [1, 2]})


def test_concatenate_fills_absent_metrics_with_none() -> None:
    first = Table({"x": ["a"]}, {"n": [1]})
    second = Table({"x": ["b"]}, {"usd": [2.0]})
    joined = concatenate([first, second], ["x"])
    assert joined.dimensions == {"x": ["a", "b"]}
    assert joined.metrics == {"n": [1, None], "usd": [None, 2.0]}


def test_tagged_adds_and_replaces() -> None:
    table = Table({"x": ["a", "b"]}, {"n": [1, 2]})
    assert table.tagged("y", "z").row_key(1) == ("b", "z")
    assert table.tagged("x", None).row_key(0) == (None,)


def test_an_unknown_metric_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        make([]).total("absent")


def test_some_columns_of_a_table_are_its_rows() -> None:
    whole = Table(
        {"api_key_id": ["a", "b"], "model": ["m", None]}, {"total_usage": [1.5, 2.0], "n": [1, None]}
    )
    some = whole.only(["model"], ["n"])
    assert some == Table({"model": ["m", None]}, {"n": [1, None]})
    assert (some.is_whole("n"), some.total("n")) == (False, 1)
    with pytest.raises(KeyError):
        whole.only(["app"], ["n"])


def test_the_figures_of_a_row_are_those_of_its_columns() -> None:
    rows = Table({"model": ["m", "n"]}, {"total_usage": [1.5, 2.0], "request_count": [3, None]})
    totals = Totals.of_row(rows, 1)
    assert dict(totals.values) == {"total_usage": 2.0, "request_count": None}
    assert (len(totals.values), totals.spend_usd, totals.requests, totals.tokens) == (2, 2.0, 0, 0)
    assert totals == Totals({"request_count": None, "total_usage": 2.0})
    assert repr(totals) == "Totals(values={'total_usage': 2.0, 'request_count': None})"


def smallest(table: Table) -> float:
    return min(number for number in table.metrics["n"] if number is not None)


numbers = st.integers(-3, 9) | st.sampled_from([0.5, 7.25])


@given(st.lists(st.tuples(st.sampled_from("ab"), numbers), min_size=1, max_size=8), st.data())
def test_no_value_is_below_the_least(rows: list[tuple[str, float]], data: st.DataObject) -> None:
    whole = Table({"x": [name for name, _ in rows]}, {"n": [number for _, number in rows]})
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, unique=True))
    some, sums = whole.keep(chosen), whole.rollup(("x",))
    assert whole.least("n") == min(number for _, number in rows)
    assert some.least("n") <= smallest(some)
    assert some.only(["x"], ["n"]).least("n") == some.least("n")
    assert sums.least("n") <= smallest(sums)
    if whole.least("n") < 0:
        assert some.least("n") == smallest(some)


def test_a_row_without_a_value_has_no_least() -> None:
    assert Table({}, {"n": [1, None]}).least("n") == -math.inf
    assert Table({}, {"n": []}).least("n") == 0
    with pytest.raises(KeyError):
        Table({}, {"n": [1]}).least("absent")
