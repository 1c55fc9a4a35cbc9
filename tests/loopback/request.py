"""``POST /analytics/query``: reading a body, and refusing what the API refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from loopback import vocabulary as words
from loopback.wire import Json, refuse

if TYPE_CHECKING:
    from loopback.account import LoopbackAccount

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on one dimension; scalar operators carry one value."""

    field: str
    operator: str
    values: tuple[str, ...]
    include_unset: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A body that the API accepts, defaults filled in; the range is half-open."""

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...]
    granularity: str | None
    start: datetime
    end: datetime
    filters: tuple[Filter, ...]
    order_field: str | None
    descending: bool
    limit: int

    @property
    def is_raw(self) -> bool:
        """Whether only raw generations can answer it."""
        return (
            self.granularity in ("minute", "hour")
            or not words.RAW_METRICS.isdisjoint(self.metrics)
            or not set(words.RAW_DIMENSIONS).isdisjoint(self.named_dimensions)
        )

    @property
    def named_dimensions(self) -> tuple[str, ...]:
        """Those grouped by, then those filtered by."""
        return (*self.dimensions, *(item.field for item in self.filters))


def read(body: Json, account: LoopbackAccount) -> Request:
    """The request in a body.

    Raises:
        Refusal: 400, in the API's words where they are known.
    """
    metrics, dimensions = _words(body, "metrics"), _words(body, "dimensions")
    if not metrics:
        raise refuse("metrics: Too small: expected array to have >=1 items")
    if len(dimensions) > words.MAX_DIMENSIONS:
        raise refuse("dimensions: Too big: expected array to have <=2 items")
    start, end = _range(body.get("time_range"), account.now)
    order = body.get("order_by") or {}
    request = Request(
        metrics,
        dimensions,
        body.get("granularity"),
        start,
        end,
        _filters(body.get("filters") or []),
        order.get("field"),
        order.get("direction", "desc") == "desc",
        min(int(body.get("limit") or words.DEFAULT_ROWS), words.MAX_ROWS),
    )
    _check_words(request, account)
    _check_order(request)
    _check_possible(request)
    _check_range(request)
    return request


def _words(body: Json, name: str) -> tuple[str, ...]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refuse(f"{name}: Invalid input: expected array of strings")
    return tuple(value)


def _range(value: Json | None, now: datetime) -> tuple[datetime, datetime]:
    if value is None:
        return now - timedelta(days=words.DEFAULT_DAYS), now
    start, end = (_moment(value, name) for name in ("start", "end"))
    if end <= start:
        raise refuse("time_range: end must be after start")
    return start, end


def _moment(value: Json, name: str) -> datetime:
    text = value.get(name)
    if not isinstance(text, str) or not _STAMP.fullmatch(text):
        raise refuse(f"time_range.{name}: Invalid ISO datetime")
    return datetime.fromisoformat(text).astimezone(UTC)


def _filters(values: list[Json]) -> tuple[Filter, ...]:
    if len(values) > words.MAX_FILTERS:
        raise refuse("filters: Too big: expected array to have <=20 items")
    return tuple(_filter(value) for value in values)


def _filter(value: Json) -> Filter:
    field, operator, wanted = value.get("field"), value.get("operator"), value.get("value")
    if field not in words.DIMENSIONS:
        raise refuse(f"Unknown dimension in filter: {field}")
    if operator not in words.OPERATORS:
        raise refuse(f"Unknown operator: {operator}")
    if (words.OPERATORS[operator] == "array") != isinstance(wanted, list):
        raise refuse(f"Operator {operator} expects {words.OPERATORS[operator]} value")
    values = wanted if isinstance(wanted, list) else [wanted]
    return Filter(field, operator, tuple(map(str, values)), bool(value.get("include_unset")))


def _check_words(request: Request, account: LoopbackAccount) -> None:
    for name in request.metrics:
        if name not in words.METRICS or name in account.hidden:
            raise refuse(f"Unknown metric: {name}")
    for name in request.dimensions:
        if name not in words.DIMENSIONS or name in account.hidden:
            raise refuse(f"Unknown dimension: {name}")
    if request.granularity is not None and request.granularity not in words.GRANULARITIES:
        raise refuse(f"Unknown granularity: {request.granularity}")


def _check_order(request: Request) -> None:
    allowed = {*request.metrics, *request.dimensions, "request_count", "date", None}
    if request.order_field not in allowed:
        raise refuse(f"order_by field {request.order_field} must be a requested metric or dimension")


def _check_possible(request: Request) -> None:
    if words.POSSIBLE.isdisjoint(request.metrics):
        return
    if not {"model", "provider"}.issuperset(request.named_dimensions):
        raise refuse("possible cache metrics support only model and provider dimensions and filters")
    if request.granularity == "minute":
        raise refuse("possible cache metrics need hour granularity or coarser")
    if not words.NOT_BESIDE_POSSIBLE.isdisjoint(request.metrics):
        raise refuse("possible cache metrics cannot be combined with token total metrics")


def _check_range(request: Request) -> None:
    span = request.end - request.start
    if request.granularity == "minute" and span > timedelta(hours=words.MINUTE_HOURS):
        raise refuse("Time range exceeds the maximum of 3 hours for minute granularity")
    days = words.RAW_DAYS if request.is_raw else words.ROLLUP_DAYS
    if span > timedelta(days=days):
        raise refuse(
            f"Time range exceeds the maximum of {days} days for the requested metrics and dimensions"
        )
