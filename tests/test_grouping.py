"""Groups of rows, held against sets and sums written out."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from orpolicy.grouping import grouped, is_told_apart, sums

COLUMNS = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.tuples(*[st.sampled_from("abc")] * width), min_size=1, max_size=8)
)


@given(COLUMNS)
def test_rows_are_told_apart_where_no_two_are_the_same(rows: list[tuple[str, ...]]) -> None:
    groups = [grouped(column) for column in zip(*rows, strict=True)]
    assert is_told_apart(groups) == (len(set(rows)) == len(rows))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2**70)), min_size=1, max_size=8))
def test_counts_are_added_up_exactly(rows: list[tuple[str, int]]) -> None:
    groups = grouped([name for name, _ in rows])
    expected = {name: sum(count for other, count in rows if other == name) for name, _ in rows}
    found = sums([count for _, count in rows], frozenset({int}), groups)
    assert dict(zip(groups.keys, found, strict=True)) == expected
    assert list(groups.keys) == list(expected)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1e12) | st.none()), min_size=1, max_size=8),
)
def test_dollars_are_rounded_once_and_nothing_is_not_zero(rows: list[tuple[str, float | None]]) -> None:
    groups = grouped([name for name, _ in rows])
    kinds = frozenset(type(usd) for _, usd in rows)
    found = dict(zip(groups.keys, sums([usd for _, usd in rows], kinds, groups), strict=True))
    for name in groups.keys:
        there = [Fraction(usd) for other, usd in rows if other == name and usd is not None]
        assert found[name] == (float(sum(there)) if there else None)
