"""What a recording asks beyond its run, so that it can also answer policies that are yet to be written.

For each window of the run: models, keys, both, and models by variant, each with every additive metric;
the days of the window by model, by key and by both; the weeks or months before it, which growth is held
against; and the account's keys by their hashes, as a deleted key may have had the name of one of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.binding import MAX_MEMBERS
from orpolicy.period import Window
from orpolicy.query.fuse import fuse
from orpolicy.query.model import Context, Filter, Granularity, Need, Operator
from orpolicy.query.vocabulary import BASE_METRICS, METRICS, RAW_MAX_DAYS, SURCHARGES
from orpolicy.rules.spend_growth import DEFAULT_PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.query.model import Meta, Query

KEY, MODEL, VARIANT = "api_key_id", "model", "variant"

MAX_LISTS = 4
"""How many lists of keys are asked for by hash."""

_SNAPSHOT = "(snapshot)"
_SHAPES = ((), (MODEL,), (KEY,), (KEY, MODEL), (MODEL, VARIANT))
_OVER_TIME = ((), (MODEL,), (KEY,))


def supplement(window: Window, meta: Meta) -> list[Query]:
    """The questions about one window, the most useful first; those of one shape may be repeated."""
    context = Context(window)
    queries = _asked(context, _SHAPES, _additive(window, meta), meta)
    daily = Context(window, granularity=Granularity.DAY)
    queries += _asked(daily, (*_OVER_TIME, (KEY, MODEL)), frozenset(), meta)
    history = _history(window)
    if history:
        queries += _asked(history, _OVER_TIME, frozenset(), meta)
    return queries + _alone(window, meta)


def by_hash(window: Window, meta: Meta, hashes: Sequence[str]) -> list[Query]:
    """The questions about some keys of a window, the first 2,000 of them."""
    if not {KEY, MODEL} <= meta.dimensions:
        return []
    starts = range(0, min(len(hashes), MAX_LISTS * MAX_MEMBERS), MAX_MEMBERS)
    lists = [tuple(sorted(hashes[start : start + MAX_MEMBERS])) for start in starts]
    filters = [Filter(KEY, Operator.IN, found) for found in lists]
    return [
        query
        for item in filters
        for query in _asked(Context(window, (item,)), ((KEY, MODEL),), frozenset(), meta)
    ]


def plainer(query: Query) -> Query:
    """The question with no more metrics than every run asks."""
    return replace(query, metrics=tuple(name for name in query.metrics if name in BASE_METRICS))


def _asked(
    context: Context, shapes: Iterable[tuple[str, ...]], metrics: frozenset[str], meta: Meta
) -> list[Query]:
    needs = [Need(_SNAPSHOT, context, shape, metrics) for shape in shapes if set(shape) <= meta.dimensions]
    base = [name for name in (*BASE_METRICS, *SURCHARGES) if name in meta.metrics]
    return [query for shape in fuse(needs, base, roll_up=False) for query in shape.queries]


def _additive(window: Window, meta: Meta) -> frozenset[str]:
    """Every metric that can be added up and travels with others over the whole window."""
    known = [METRICS[name] for name, is_rate in meta.metrics.items() if name in METRICS and not is_rate]
    return frozenset(
        metric.name
        for metric in known
        if metric.additive and not metric.alone and metric.max_days >= window.days
    )


def _history(window: Window) -> Context | None:
    """What growth asks of a window, where it can."""
    if not (window.is_calendar_month or window.is_calendar_week):
        return None
    granularity = Granularity.MONTH if window.is_calendar_month else Granularity.DAY
    first = window.previous(DEFAULT_PERIODS)[0]
    return Context(Window(first.start, window.end), granularity=granularity)


def _alone(window: Window, meta: Meta) -> list[Query]:
    """The metrics that travel alone."""
    names = frozenset(name for name in meta.metrics if name in METRICS and METRICS[name].alone)
    if not names or window.days > RAW_MAX_DAYS:
        return []
    queries = _asked(Context(window), ((), (MODEL,)), names, meta)
    return [query for query in queries if not names.isdisjoint(query.metrics)]
