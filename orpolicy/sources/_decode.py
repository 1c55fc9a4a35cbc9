"""The answer of ``POST /analytics/query`` as a table, or the reason why it is none."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orpolicy.query.model import Answer
from orpolicy.sources._columns import buckets, malformed, members, numbers, users
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from orpolicy.query.model import Query
    from orpolicy.sources._json import Json
    from orpolicy.table import Member

_MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5100."""


def decode_answer(query: Query, payload: Json) -> Answer:
    """The table in an answer, its rows clamped to the query's window.

    Raises:
        SourceError: MALFORMED_ANSWER, naming the field and the value, if the answer is not what was asked.
    """
    data = _object(_object(payload, "the answer").get("data"), "data")
    rows = _rows(data)
    is_truncated = _checked_metadata(query, data, len(rows))
    dates, inside = buckets(query, rows)
    kept = rows if len(inside) == len(rows) else [rows[row] for row in inside]
    dimensions: dict[str, list[Member]] = {DATE: list(dates)} if query.granularity else {}
    for name in query.dimensions:
        dimensions[name] = users(kept) if name == "user" else members(name, kept)
    return Answer(
        query,
        Table(dimensions, {name: numbers(name, kept) for name in query.metrics}),
        truncated=is_truncated,
        warnings=_warnings(data.get("warnings")),
        cached_at=_cached_at(data.get("cachedAt")),
        rows_dropped=len(rows) - len(kept),
    )


def _object(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise malformed(f"{name} is no object: {value!r:.80}")
    return value


def _rows(data: dict[str, object]) -> list[dict[str, object]]:
    rows = data.get("data")
    if not isinstance(rows, list):
        raise malformed(f"data.data is no list: {rows!r:.80}")
    if not set(map(type, rows)) <= {dict}:
        odd = next(row for row in rows if not isinstance(row, dict))
        raise malformed(f"a row is no object: {odd!r:.80}")
    return rows


def _checked_metadata(query: Query, data: dict[str, object], count: int) -> bool:
    """Whether rows are missing, after the numbers of rows were found to agree.

    Time series with dimensions may exceed the limit: the API raises it there by itself.
    """
    metadata = _object(data.get("metadata"), "data.metadata")
    truncated, said = metadata.get("truncated"), metadata.get("row_count", count)
    if not isinstance(truncated, bool):
        raise malformed(f"metadata.truncated is neither true nor false: {truncated!r:.80}")
    if str(said) != str(count):
        raise malformed(f"metadata.row_count is {said!r:.80}, but there are {count} rows")
    if count > query.limit and not (query.granularity and query.dimensions):
        raise malformed(f"{count} rows, though limit is {query.limit}")
    return truncated


def _warnings(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise malformed(f"warnings is no list of texts: {value!r:.80}")
    return tuple(value)


def _cached_at(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise malformed(f"cachedAt is no time: {value!r:.80}")
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise malformed(f"cachedAt is no time: {value!r:.80}") from None
