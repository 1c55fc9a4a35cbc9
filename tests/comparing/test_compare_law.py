"""The causes of a change add up to it, whatever the subjects."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import memory, row

from orpolicy.comparing.study import compare
from orpolicy.comparing.windows import two_windows
from orpolicy.divisia import Bridge, Level, bridge

counts = st.integers(0, 10**9)
levels = st.builds(Level, requests=counts, tokens=counts, spend_usd=st.floats(0, 1e7))
changes = st.lists(st.tuples(levels, levels), max_size=12)


def causes(found: Bridge) -> tuple[float, ...]:
    return dataclasses.astuple(found)


@given(changes)
def test_the_causes_add_up_to_the_change(pairs: list[tuple[Level, Level]]) -> None:
    now, before = (math.fsum(pair[side].spend_usd for pair in pairs) for side in (0, 1))
    assert math.fsum(causes(bridge(pairs))) == pytest.approx(now - before, abs=1e-9 * max(now, before, 1e-9))


@given(changes.filter(lambda pairs: all(level.is_used for pair in pairs for level in pair)))
def test_a_change_undone_has_the_same_causes_with_the_other_sign(pairs: list[tuple[Level, Level]]) -> None:
    there, back = bridge(pairs), bridge([(before, now) for now, before in pairs])
    scale = sum(level.spend_usd for pair in pairs for level in pair) + 1
    for one, other in zip(causes(there), causes(back), strict=True):
        assert one == pytest.approx(-other, rel=1e-6, abs=1e-7 * scale)


def test_requests_that_move_to_a_dearer_model_are_mix() -> None:
    """100 requests before and after; 80 and 20, then 20 and 80, at 0.01 and 0.10 USD each.

    Cheap: 0.80 to 0.20, L = -0.6 / ln(1/4) = 0.43281, mix L ln(1/4) = -0.6. Dear: 2 to 8, mix +6.
    """
    cheap = Level(20, 20_000, 0.2), Level(80, 80_000, 0.8)
    dear = Level(80, 80_000, 8.0), Level(20, 20_000, 2.0)
    found = bridge([cheap, dear])
    assert causes(found) == pytest.approx((0, 5.4, 0, 0, 0, 0, 0), abs=1e-12)


def test_new_and_vanished_subjects_are_their_own_class() -> None:
    nothing = Level(0, 0, 0.0)
    gone, fresh, free = (
        (nothing, Level(5, 5, 3.0)),
        (Level(5, 5, 7.0), nothing),
        (Level(1, 0, 2.0), Level(1, 9, 1.5)),
    )
    found = bridge([gone, fresh, free])
    assert causes(found) == (0, 0, 0, 0, 7.0, -3.0, 0.5)


spent = st.fixed_dictionaries(
    {
        "date": st.sampled_from(["2026-04-02", "2026-04-20", "2026-05-15"]),
        "api_key_id": st.sampled_from(["a", "b", None]),
        "model": st.sampled_from(["acme/big", "acme/mini", "acme/new"]),
        "total_usage": st.floats(0, 1e6),
        "request_count": st.integers(0, 10**6),
        "tokens_total": st.integers(0, 10**9),
    }
)


@settings(max_examples=25, deadline=None)
@given(st.lists(spent, max_size=10))
def test_every_level_of_a_comparison_adds_up(records: list[dict[str, object]]) -> None:
    sure = [
        row(date=day, api_key_id="a", model="acme/big", total_usage=1.0)
        for day in ("2026-04-01", "2026-05-01")
    ]
    source = memory([*sure, *(row(**record) for record in records)])
    found = compare(source, *two_windows(None, None, source.now))
    least = 1e-9 * max(found.before_usd, found.after_usd)
    total = math.fsum((*causes(found.bridge), found.models.rest_usd))
    assert total == pytest.approx(found.change_usd, abs=least)
    assert found.keys is not None
    for part in (found.models, found.keys):
        listed = math.fsum([*(item.change_usd for item in part.items), part.rest_usd])
        assert listed == pytest.approx(found.change_usd, abs=least)
        for item in part.items:
            if item.split:
                assert math.fsum(item.split.causes) == pytest.approx(item.change_usd, abs=least)
