"""Columns that are worked out late are the columns that they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.columns import LazyColumn, picked, plain
from orpolicy.table import Table

numbers = st.lists(st.none() | st.integers(-3, 3), max_size=8)


@given(numbers)
def test_a_late_column_is_its_values(values: list[int | None]) -> None:
    column = LazyColumn(len(values), lambda: values)
    assert column == values
    assert list(column) == values
    assert column[1:] == values[1:]
    assert [column[-index - 1] for index in range(len(values))] == values[::-1]
    assert (2 in column) is (2 in values)
    assert repr(column) == repr(values)
    assert column != [*values, 0]
    assert (column == 7) is False


@given(numbers.filter(bool), st.data())
def test_picked_rows_are_the_rows(values: list[int | None], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(values) - 1)))
    expected = [values[row] for row in rows]
    one_by_one, at_once = picked(values, rows), picked(values, rows)
    assert [one_by_one[index] for index in range(len(rows))] == expected
    assert list(plain(at_once)) == expected
    assert [at_once[index] for index in range(len(rows))] == expected
    assert list(plain(picked(at_once, range(len(rows))))) == expected


def test_it_is_worked_out_once_and_only_when_looked_at() -> None:
    calls: list[str] = []

    def whole() -> list[int]:
        calls.append("whole")
        return [1, 2]

    column = LazyColumn(2, whole, lambda index: index + 1)
    assert (len(column), column[1], calls) == (2, 2, [])
    assert (column[0:1], column[0], list(column), calls) == ([1], 1, [1, 2], ["whole"])


@pytest.mark.parametrize("index", [2, -3])
def test_there_is_nothing_beyond_its_ends(index: int) -> None:
    with pytest.raises(IndexError):
        LazyColumn(2, lambda: [1, 2], lambda _index: 0)[index]


def written(table: Table) -> dict[str, list[object]]:
    return {name: list(column) for name, column in {**table.dimensions, **table.metrics}.items()}


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 9)), max_size=12),
    st.data(),
)
def test_what_is_kept_for_some_rows_is_what_a_new_table_says(
    items: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    first, second, counts = zip(*items, strict=True) if items else ((), (), ())
    whole = Table({"a": first, "b": second}, {"n": counts})
    whole.rollup(("a", "b")), whole.rollup(("a",)), whole.is_whole("n")
    rows = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=8) if items else st.just([]))
    some = whole.keep(rows)
    fresh = Table({name: list(some.dimensions[name]) for name in "ab"}, {"n": list(some.metrics["n"])})
    for by in (("a", "b"), ("b", "a"), ("a",), ()):
        assert written(some.rollup(by)) == written(fresh.rollup(by))
    assert some.rows_by("a") == fresh.rows_by("a")
    assert some.total("n") == fresh.total("n") == (sum(counts[row] for row in rows) if rows else None)
