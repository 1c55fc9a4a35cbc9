"""From the needs of all policies to the smallest set of queries."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.query.model import Query
from orpolicy.query.vocabulary import METRICS, RAW_MAX_DAYS, SPEND, max_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.query.model import Context, Need


@dataclass(frozen=True, slots=True)
class Shape:
    """The table that one or more queries give together.

    The queries differ in metrics or in their part of the window: metrics that reach only 31 days back
    travel apart from the others in longer windows, and some metrics always travel alone.

    Attributes:
        context: window, filters and time bucket of the whole.
        dimensions: sorted.
        queries: at least one; their answers are joined on the dimensions.
        policies: who needs it, sorted; more may roll it up.
        checked: whether somebody wants it held against the control total.
    """

    context: Context
    dimensions: tuple[str, ...]
    queries: tuple[Query, ...]
    policies: tuple[str, ...]
    checked: bool


def fuse(needs: Sequence[Need], base_metrics: Iterable[str], *, roll_up: bool = True) -> tuple[Shape, ...]:
    """The shapes that answer all needs, control totals first.

    Needs of one context share the union of their metrics, and the base metrics that reach over it. A need
    on some dimensions is left to a shape with more dimensions that is asked anyway, unless ``roll_up`` is
    false. The number of queries depends on the distinct shapes, not on the number of needs.
    """
    base = frozenset(base_metrics)
    contexts: dict[Context, list[Need]] = defaultdict(list)
    for need in needs:
        contexts[need.context].append(need)
    shapes = chain.from_iterable(
        _shapes_of(context, group, base, roll_up=roll_up) for context, group in contexts.items()
    )
    return tuple(sorted(shapes, key=lambda shape: len(shape.dimensions)))


def _shapes_of(context: Context, needs: list[Need], base: frozenset[str], *, roll_up: bool) -> list[Shape]:
    wanted = dict.fromkeys(need.dimensions for need in needs)
    checked = any(need.checked for need in needs)
    if checked:
        wanted[()] = None
    reaching = {name for name in base if max_days((name,), ()) >= context.window.days}
    metrics = frozenset({SPEND, *reaching}).union(*(need.metrics for need in needs))
    asked = [
        one for one in wanted if not (roll_up and one and any(set(one) < set(other) for other in wanted))
    ]
    return [
        Shape(
            context=context,
            dimensions=dimensions,
            queries=tuple(_queries(context, dimensions, metrics)),
            policies=tuple(sorted({need.policy for need in needs if _uses(need, dimensions, asked)})),
            checked=checked,
        )
        for dimensions in asked
    ]


def _uses(need: Need, dimensions: tuple[str, ...], asked: Sequence[tuple[str, ...]]) -> bool:
    """Whether a need is answered by a shape, or held against it as its control total."""
    if not dimensions:
        return need.checked or not need.dimensions
    if need.dimensions in asked:
        return need.dimensions == dimensions
    return set(need.dimensions) < set(dimensions)


def _queries(context: Context, dimensions: tuple[str, ...], metrics: frozenset[str]) -> Iterable[Query]:
    for group in _metric_groups(context, dimensions, metrics):
        for window in context.window.chunks(max_days(group, dimensions)):
            yield Query(
                metrics=tuple(sorted({SPEND, *group})),
                dimensions=dimensions,
                window=window,
                filters=context.filters,
                granularity=context.granularity,
            )


def _metric_groups(
    context: Context, dimensions: tuple[str, ...], metrics: frozenset[str]
) -> list[tuple[str, ...]]:
    """Metrics that can travel together, the group with spend first."""
    alone = frozenset(name for name in metrics if name in METRICS and METRICS[name].alone)
    short = frozenset(name for name in metrics - alone if max_days((name,), ()) <= RAW_MAX_DAYS)
    if context.window.days <= max_days((), dimensions) and context.window.days <= RAW_MAX_DAYS:
        groups = [metrics - alone, alone]
    else:
        groups = [metrics - alone - short, short, alone]
    return [tuple(sorted(group)) for group in groups if group]
