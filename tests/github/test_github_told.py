"""What was told, kept in a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.github.told import Entry, Told

ENTRIES = st.builds(
    Entry,
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=4, max_size=4),
    st.floats(0, 1e9).map(lambda usd: round(usd, 2)),
    st.booleans(),
)


@given(st.lists(ENTRIES, max_size=50).map(tuple), st.integers(0, 3000))
def test_it_is_read_as_it_was_written_but_for_what_has_no_room(entries: tuple[Entry, ...], room: int) -> None:
    ordered = tuple(sorted(entries, key=lambda entry: -entry.usd_per_month))
    line = Told(ordered).line(room)
    assert len(line) <= max(room, 37)
    assert "-->" not in line[:-3]
    found = Told.read(line)
    assert found is not None
    assert found.entries == ordered[: len(found.entries)]
    dropped = ordered[len(found.entries) :]
    assert found.left_out_usd == (dropped[0].usd_per_month if dropped else 0.0)


@pytest.mark.parametrize("number", [0, 1, 1000])
def test_an_entry_takes_28_characters(number: int) -> None:
    entries = (Entry(b"8" * 8, b"4" * 4, 12.34, is_failure=True),) * number
    assert len(Told(entries).line(65_536)) == 25 + -(-(8 + 21 * number) // 3) * 4


@pytest.mark.parametrize(
    "line", ["", "<!-- orpolicy told 2 AAAAAAAAAAA= -->", "x<!-- orpolicy told 1 AAAAAAAAAAA= -->"]
)
def test_another_line_keeps_nothing(line: str) -> None:
    assert Told.read(line) is None
