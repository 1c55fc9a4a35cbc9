"""``POST /analytics/query``: a plain fold over the account's records, shown as the API shows it."""

from __future__ import annotations

import math
import operator
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from loopback import vocabulary as words
from loopback.request import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loopback.account import LoopbackAccount, Record
    from loopback.request import Filter, Request
    from loopback.wire import Json

Group = tuple[str | None, ...]
_ORDERINGS: dict[str, Callable[[str, str], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip
_HASH = re.compile(r"[0-9a-f]{64}")


def query(account: LoopbackAccount, body: Json) -> Json:
    """The answer to one query.

    Raises:
        Refusal: 400.
    """
    request = read(body, account)
    filters, warnings = _resolved(account, request.filters)
    groups = _grouped(account, request, filters)
    rows = [_row(account, request, group, records) for group, records in groups.items()]
    rows.sort(key=_sort_key(request, groups, rows), reverse=request.descending)
    kept = rows[: request.limit]
    answer: Json = {
        "data": [row for _, row in kept],
        "metadata": {"query_time_ms": 12, "row_count": len(kept), "truncated": len(kept) < len(rows)},
    }
    if account.cached_at is not None:
        answer["cachedAt"] = account.cached_at
    if warnings:
        answer["warnings"] = warnings
    return {"data": answer}


def _resolved(account: LoopbackAccount, filters: Iterable[Filter]) -> tuple[list[Filter], list[str]]:
    """Key numbers as hashes; a hash that no key has stays, matches nothing, and is warned of."""
    known = {str(key.number): key.key_hash for key in account.keys}
    known |= {key.key_hash: key.key_hash for key in account.keys}
    resolved, warnings = [], []
    for item in filters:
        if item.field == "api_key_id":
            warnings += [
                f"api_key_id {value} could not be resolved" for value in item.values if value not in known
            ]
            values = tuple(known.get(value, value) for value in item.values)
            item = type(item)(item.field, item.operator, values, item.include_unset)  # noqa: PLW2901
        resolved.append(item)
    return resolved, warnings


def _grouped(account: LoopbackAccount, request: Request, filters: list[Filter]) -> dict[Group, list[Record]]:
    start = request.start
    if account.rows_outside and request.granularity == "day":
        start -= timedelta(days=1)
    groups: dict[Group, list[Record]] = {}
    for record in account.records:
        if start <= record.at < request.end and all(_passes(item, record) for item in filters):
            bucket = _bucket(record.at, request.granularity)
            key = (bucket, *(record.members.get(name) for name in request.dimensions))
            groups.setdefault(key, []).append(record)
    return groups


def _passes(item: Filter, record: Record) -> bool:
    member = record.members.get(item.field)
    if member is None:
        return item.include_unset or (item.operator in ("neq", "not_in"))
    if item.operator in ("eq", "in"):
        return member in item.values
    if item.operator in ("neq", "not_in"):
        return member not in item.values
    return _ORDERINGS[item.operator](member, item.values[0])


def _bucket(at: datetime, granularity: str | None) -> str | None:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if granularity is None:
        return None
    if granularity == "minute":
        return f"{at:%Y-%m-%d %H:%M}:00"
    if granularity == "hour":
        return f"{at:%Y-%m-%d %H}:00:00"
    if granularity == "week":
        day -= timedelta(days=(day.weekday() + 1) % 7)
    if granularity == "month":
        day = day.replace(day=1)
    return f"{day:%Y-%m-%d}"


def _row(
    account: LoopbackAccount, request: Request, group: Group, records: list[Record]
) -> tuple[Group, Json]:
    row: Json = {}
    if request.granularity:
        row[f"{'created_at' if request.is_raw else 'date'}__{request.granularity}"] = group[0]
    for name, member in zip(request.dimensions, group[1:], strict=True):
        if name == "user":
            user = account.user(member)
            row |= {"user": user.name, "user_email": user.email}
        else:
            row[name] = account.label(name, member)
    for metric in request.metrics:
        row[metric] = _shown(metric, records, as_text=account.numbers_as_strings)
    return group, row


def _shown(metric: str, records: list[Record], *, as_text: bool) -> str | float | None:
    value = _value(metric, records)
    if value is None:
        return None
    if metric in words.COUNTS:
        return str(int(value))
    return str(value) if as_text else value


def _value(metric: str, records: list[Record]) -> int | float | None:
    if metric == words.ALWAYS_ZERO:
        return 0
    if metric in words.RATIOS:
        part, whole = (_value(name, records) for name in words.RATIOS[metric])
        return (part or 0) / whole if whole else 0
    present = [record.metrics[metric] for record in records if metric in record.metrics]
    if metric in words.COUNTS:
        return sum(map(int, present))
    return math.fsum(present) if present else None


def _sort_key(
    request: Request, groups: dict[Group, list[Record]], rows: list[tuple[Group, Json]]
) -> Callable[[tuple[Group, Json]], Any]:
    """By the asked field; without one newest bucket first. Ties keep a fixed order."""
    field = request.order_field
    labels = {group: str(row.get(field or "")) for group, row in rows}

    def key(entry: tuple[Group, Json]) -> Any:
        group = entry[0]
        tie = tuple(member or "" for member in group)
        if field in request.dimensions:
            return labels[group], tie
        if field is None or field == "date":
            return (group[0] or "",), tie
        return _value(field, groups[group]) or 0, tie

    return key
