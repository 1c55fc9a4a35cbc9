"""A short turn at both fuzz targets; ``tests/fuzz/fuzz.py`` takes the long one."""

from __future__ import annotations

import pytest
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Edit = tuple[float, int, bytes]
"""Where in the bytes, from 0 to 1; how many are cut; what is put there."""


def edited(seed: bytes, edits: list[Edit]) -> bytes:
    for place, cut, put in edits:
        start = round(place * len(seed))
        seed = seed[:start] + put + seed[start + cut :]
    return seed


def edits_of(name: str) -> st.SearchStrategy[list[Edit]]:
    put = st.one_of(st.just(b""), st.sampled_from(TARGETS[name].tokens), st.binary(max_size=4))
    return st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), put), max_size=6)


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_accepted(name: str) -> None:
    target = TARGETS[name]
    assert all(map(target.feed, target.seeds))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_edited_seeds_are_read_or_refused(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    target.feed(edited(data.draw(st.sampled_from(target.seeds)), data.draw(edits_of(name))))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    TARGETS[name].feed(data)


LAST_DAYS = (
    b'{"data": {"data": [{"date__%b": "%b", "api_key_id": "k", "model": "m", "user": "u", '
    b'"total_usage": 1.5, "request_count": 1}], "metadata": {"truncated": false}}}'
)


@pytest.mark.parametrize("last", [(b"day", b"9999-12"), (b"day", b"9999-12-31"), (b"month", b"9999-12-31")])
def test_buckets_at_the_end_of_the_calendar_are_outside_of_any_window(last: tuple[bytes, bytes]) -> None:
    assert TARGETS["answer"].feed(LAST_DAYS % last)
