"""A question, and its answer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.period import stamp
from orpolicy.query.vocabulary import MAX_ROWS, SPEND

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.period import Window
    from orpolicy.table import Table


class Granularity(StrEnum):
    """Time buckets that orpolicy asks for; weeks are built from days, never asked."""

    DAY = "day"
    MONTH = "month"


class Operator(StrEnum):
    """The filter operators that orpolicy uses; ``not_in`` keeps rows without a member."""

    IN = "in"
    NOT_IN = "not_in"


@dataclass(frozen=True, slots=True, order=True)
class Filter:
    """A condition on one dimension, in the identifiers that the API filters by.

    Attributes:
        field: the dimension.
        operator: in or not in.
        values: at least one; for keys their hashes, for workspaces their UUIDs, for the rest the
            value as answers show it. Sorted.
    """

    field: str
    operator: Operator
    values: tuple[str, ...]

    def body(self) -> dict[str, object]:
        """The filter as the API takes it."""
        body: dict[str, object] = {
            "field": self.field,
            "operator": self.operator.value,
            "value": list(self.values),
        }
        return body | {"include_unset": True} if self.operator is Operator.NOT_IN else body


@dataclass(frozen=True, slots=True)
class Query:
    """One analytics query.

    The answer has a row for each combination of members (and time bucket) with usage in the window,
    ordered by spend, descending, at most ``limit`` rows.

    Attributes:
        metrics: additive metrics, sorted; always with ``total_usage``.
        dimensions: at most two, sorted.
        window: the half-open time range.
        filters: ANDed, sorted.
        granularity: the time bucket, or None for the window as a whole.
        limit: the most rows wanted.
    """

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...]
    window: Window
    filters: tuple[Filter, ...] = ()
    granularity: Granularity | None = None
    limit: int = MAX_ROWS

    def body(self) -> dict[str, object]:
        """The JSON body of ``POST /analytics/query``; explicit about range, order and limit."""
        body: dict[str, object] = {
            "metrics": list(self.metrics),
            "dimensions": list(self.dimensions),
            "time_range": {"start": stamp(self.window.start), "end": stamp(self.window.end)},
            "order_by": {"field": SPEND, "direction": "desc"},
            "limit": self.limit,
        }
        if self.filters:
            body["filters"] = [item.body() for item in self.filters]
        if self.granularity:
            body["granularity"] = self.granularity.value
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source said to a query.

    Attributes:
        query: the question.
        table: the rows; with a granularity its first dimension is ``date``. Rows outside the window
            are already dropped.
        truncated: whether rows are missing, as far as the source says.
        warnings: the source's own warnings about the filters.
        cached_at: when the source computed the answer, if it said so.
        from_cache: whether the answer was read from the local cache.
        elapsed_ms: wall time of the request, milliseconds.
        rows_dropped: rows that the source gave though they lie outside the window.
    """

    query: Query
    table: Table
    truncated: bool = False
    warnings: tuple[str, ...] = ()
    cached_at: datetime | None = None
    from_cache: bool = False
    elapsed_ms: int = 0
    rows_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Meta:
    """What an account's analytics lists: the authority for what can be asked.

    Attributes:
        metrics: metric name -> whether it is a rate.
        dimensions: the dimension names.
    """

    metrics: dict[str, bool]
    dimensions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Context:
    """What questions must have in common to be answered together or rolled up from each other."""

    window: Window
    filters: tuple[Filter, ...] = ()
    granularity: Granularity | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What one policy needs to know.

    Attributes:
        policy: the policy's id, for the record.
        context: window, filters and time bucket.
        dimensions: at most two, sorted.
        metrics: additive metrics, beyond the base ones that are asked anyway.
        checked: whether the rows must be held against the control total of their context; False where
            they are held against something else.
    """

    policy: str
    context: Context
    dimensions: tuple[str, ...]
    metrics: frozenset[str] = frozenset()
    checked: bool = True
