from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from orpolicy.period import Window
from orpolicy.query.fuse import Shape, fuse
from orpolicy.query.model import Context, Filter, Granularity, Need, Operator
from orpolicy.query.vocabulary import BASE_METRICS, MAX_DIMENSIONS, MAX_ROWS, METRICS, max_days

if TYPE_CHECKING:
    import random

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
APRIL = Window(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
QUARTER = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))


def need(*dimensions: str, window: Window = MAY, metrics: tuple[str, ...] = (), **more: Any) -> Need:
    context = Context(window, more.pop("filters", ()), more.pop("granularity", None))
    return Need(more.pop("policy", "p"), context, tuple(sorted(dimensions)), frozenset(metrics), **more)


def dimensions(shapes: tuple[Shape, ...]) -> list[tuple[str, ...]]:
    return [shape.dimensions for shape in shapes]


def queries(shapes: tuple[Shape, ...]) -> int:
    return sum(len(shape.queries) for shape in shapes)


def test_every_grouped_need_comes_with_its_control_total() -> None:
    assert dimensions(fuse([need("model")], BASE_METRICS)) == [(), ("model",)]


def test_a_need_that_is_checked_elsewhere_has_none() -> None:
    assert dimensions(fuse([need("model", checked=False)], BASE_METRICS)) == [("model",)]


def test_fewer_dimensions_are_left_to_more() -> None:
    shapes = fuse([need("model"), need("api_key_id"), need("api_key_id", "model")], BASE_METRICS)
    assert dimensions(shapes) == [(), ("api_key_id", "model")]


def test_unless_roll_up_is_off() -> None:
    shapes = fuse([need("model"), need("api_key_id", "model")], BASE_METRICS, roll_up=False)
    assert dimensions(shapes) == [(), ("model",), ("api_key_id", "model")]


def test_other_windows_filters_and_buckets_are_asked_apart() -> None:
    batch = (Filter("variant", Operator.IN, ("batch",)),)
    needs = [
        need("model"), need("model", window=APRIL), need("model", filters=batch),
        need("model", granularity=Granularity.DAY),
    ]  # fmt: skip
    assert len(fuse(needs, BASE_METRICS)) == 2 * len(needs)


def test_metrics_of_one_context_are_united() -> None:
    shapes = fuse(
        [need("model", metrics=("usage_web",)), need("api_key_id", metrics=("usage_cache",))], BASE_METRICS
    )
    for shape in shapes:
        assert set(shape.queries[0].metrics) == {*BASE_METRICS, "usage_web", "usage_cache"}


def test_policies_name_everybody_that_a_query_serves() -> None:
    shapes = fuse(
        [need("model", policy="a"), need("api_key_id", "model", policy="b"), need("app", policy="c")],
        BASE_METRICS,
    )
    assert {shape.dimensions: shape.policies for shape in shapes} == {
        (): ("a", "b", "c"),
        ("app",): ("c",),
        ("api_key_id", "model"): ("a", "b"),
    }


def test_metrics_of_31_days_travel_in_sub_windows_of_longer_windows() -> None:
    shapes = fuse([need("model", window=QUARTER, metrics=("usage_file", "usage_web"))], BASE_METRICS)
    by_model = shapes[1].queries
    long, *short = by_model
    assert long.window == QUARTER
    assert "usage_web" in long.metrics
    assert "usage_file" not in long.metrics
    assert [query.metrics for query in short] == [("total_usage", "usage_file")] * 3
    assert (short[0].window.start, short[-1].window.end) == (QUARTER.start, QUARTER.end)
    assert all(query.window.days <= 31 for query in short)


def test_but_together_with_the_others_in_short_ones() -> None:
    shapes = fuse([need("model", metrics=("usage_file",))], BASE_METRICS)
    assert queries(shapes) == 2


def test_dimensions_of_31_days_split_everything() -> None:
    shapes = fuse([need("provider", window=QUARTER)], BASE_METRICS)
    assert [len(shape.queries) for shape in shapes] == [1, 3]


def test_possible_metrics_travel_alone() -> None:
    (shape,) = fuse([need("model", metrics=("possible_cached_tokens",), checked=False)], BASE_METRICS)
    assert [query.metrics for query in shape.queries] == [
        tuple(sorted(BASE_METRICS)),
        ("possible_cached_tokens", "total_usage"),
    ]


def test_bodies_are_explicit() -> None:
    filters = (Filter("api_key_id", Operator.IN, ("a" * 64,)),)
    (shape,) = fuse([need("model", filters=filters, checked=False, granularity=Granularity.DAY)], ())
    assert shape.queries[0].body() == {
        "metrics": ["total_usage"],
        "dimensions": ["model"],
        "time_range": {"start": "2026-05-01T00:00:00Z", "end": "2026-06-01T00:00:00Z"},
        "order_by": {"field": "total_usage", "direction": "desc"},
        "limit": 10_000,
        "filters": [{"field": "api_key_id", "operator": "in", "value": ["a" * 64]}],
        "granularity": "day",
    }


needs_strategy = st.lists(
    st.builds(
        lambda by, days, metrics, index: Need(
            f"p{index}",
            Context(Window(MAY.start - timedelta(days=days), MAY.end)),
            tuple(sorted(by)),
            frozenset(metrics),
        ),
        st.sets(st.sampled_from(["model", "api_key_id", "provider", "app"]), max_size=MAX_DIMENSIONS),
        st.sampled_from([0, 61, 400]),
        st.sets(st.sampled_from([name for name, known in METRICS.items() if known.additive]), max_size=4),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
)


@given(needs_strategy, st.randoms(use_true_random=False))
def test_plans_keep_the_limits_and_cover_every_need(needs: list[Need], shuffle: random.Random) -> None:
    shapes = fuse(needs, BASE_METRICS)
    for shape in shapes:
        for query in shape.queries:
            assert len(query.dimensions) <= MAX_DIMENSIONS
            assert query.limit == MAX_ROWS
            assert "total_usage" in query.metrics
            assert query.window.days <= max_days(query.metrics, query.dimensions)
            if "possible_cached_tokens" in query.metrics:
                assert set(query.metrics) == {"possible_cached_tokens", "total_usage"}
    for one in needs:
        assert any(
            shape.context == one.context
            and set(one.dimensions) <= set(shape.dimensions)
            and one.metrics <= {metric for query in shape.queries for metric in query.metrics}
            and (one.policy in shape.policies)
            for shape in shapes
        )
    again = list(needs) * 3
    shuffle.shuffle(again)
    assert {(s.context, s.dimensions, s.queries) for s in fuse(again, BASE_METRICS)} == {
        (s.context, s.dimensions, s.queries) for s in shapes
    }
