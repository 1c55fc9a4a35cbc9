"""At the very limits of what a query may ask, and who is named beside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orpolicy.period import parse_window
from orpolicy.query.fuse import Shape, fuse
from orpolicy.query.model import Context, Need

NOW = datetime(2026, 6, 10, tzinfo=UTC)


def need(
    policy: str, *dimensions: str, days: int = 31, metrics: tuple[str, ...] = (), checked: bool = True
) -> Need:
    window = parse_window(f"last-{days}d", NOW)
    return Need(policy, Context(window), dimensions, frozenset(metrics), checked=checked)


def shape(shapes: tuple[Shape, ...], *dimensions: str) -> Shape:
    (found,) = [one for one in shapes if one.dimensions == dimensions]
    return found


@pytest.mark.parametrize(("days", "queries"), [(31, 1), (32, 4)])
def test_raw_metrics_and_others_share_a_query_of_31_days(days: int, queries: int) -> None:
    shapes = fuse([need("p", "provider", days=days, metrics=("usage_file", "usage_web"))], ("request_count",))
    assert len(shape(shapes, "provider").queries) == queries


@pytest.mark.parametrize(("days", "asked"), [(31, True), (32, False)])
def test_base_metrics_are_asked_as_far_as_they_reach(days: int, *, asked: bool) -> None:
    (total, models) = fuse([need("p", "model", days=days)], ("request_count", "usage_file"))
    for one in (total, models):
        assert ("usage_file" in one.queries[0].metrics) == asked
        assert "request_count" in one.queries[0].metrics


def test_who_needs_the_control_total() -> None:
    shapes = fuse(
        [need("a", "model"), need("b", "api_key_id", checked=False), need("c", checked=False)],
        ("request_count",),
    )
    assert shape(shapes).policies == ("a", "c")
    assert shape(shapes, "model").policies == ("a",)
    assert shape(shapes, "api_key_id").policies == ("b",)
    assert [one.checked for one in shapes] == [True, True, True]


def test_nobody_may_need_it() -> None:
    (only,) = fuse([need("b", "api_key_id", checked=False)], ("request_count",))
    assert only.dimensions == ("api_key_id",)
    assert only.checked is False
