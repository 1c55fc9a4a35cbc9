"""A recording out of JSON; a table is read when it is asked for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, cast

from orpolicy.account import ApiKey, Directory, Guardrail, KeyFacts
from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.period import Window, parse_moment
from orpolicy.pseudonyms import Pseudonyms
from orpolicy.query.model import Answer, Filter, Granularity, Meta, Operator, Query
from orpolicy.query.vocabulary import METRICS, SPEND
from orpolicy.sources._snapshot_catalog import decode_catalog
from orpolicy.sources._snapshot_fields import (
    BrokenSnapshot,
    Fields,
    as_amount,
    as_list,
    as_numbers,
    as_text,
    as_texts,
)
from orpolicy.sources._snapshot_model import Asked, Recording
from orpolicy.sources.base import SourceInfo
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from orpolicy.catalog.model import Catalog
    from orpolicy.sources._snapshot_model import Outcome
    from orpolicy.table import Member

_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Members = dict[str, list["Member"]]


def decode(content: bytes, name: str) -> Recording:
    """The recording in a snapshot's content.

    Args:
        content: as ``encode`` made it.
        name: what messages call the file.

    Raises:
        UsageError: if it is not what a snapshot holds; an answer's table may say so only when it is read.
    """
    first, *tables = content.split(b"\n")
    try:
        return _recording(Fields.of(_parsed(first)), tables, name)
    except (ValueError, RecursionError) as error:
        raise _broken(name, error) from None


def _parsed(line: bytes) -> object:
    return json.loads(line.decode("utf-8", "surrogatepass"), parse_constant=_refuse)


def _refuse(constant: str) -> float:
    raise BrokenSnapshot(f"{constant} is no number")


def _broken(name: str, error: Exception) -> UsageError:
    return UsageError(f"{name}: not what a snapshot holds: {error}", code=Code.BROKEN_SNAPSHOT)


def _recording(fields: Fields, tables: Sequence[bytes], name: str) -> Recording:
    source = fields.fields("source")
    meta = fields.fields("meta")
    metrics = meta.fields("metrics")
    members = _members(fields.fields("members"))
    return Recording(
        now=_moment(fields.text("now")),
        info=SourceInfo(
            _kind(source.text("kind")),
            source.text("host"),
            source.count("requests"),
            source.count("cached_requests"),
            source.texts("notes"),
        ),
        meta=Meta(
            {metric: metrics.flag(metric) for metric in metrics.values}, frozenset(meta.texts("dimensions"))
        ),
        directory=_directory(fields.raw("directory")),
        catalogue=_catalogue(fields.raw("catalogue")),
        answers=_answers(fields, tables, members, name),
        pseudonyms=_pseudonyms(fields.raw("pseudonyms")),
        guardrails=_guardrails(fields.values.get("guardrails")),
    )


def _kind(text: str) -> str:
    if not _KIND.fullmatch(text):
        raise BrokenSnapshot("kind is no source's")
    return text


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise BrokenSnapshot(str(error)) from None


def _members(fields: Fields) -> Members:
    found: Members = {}
    for dimension in fields.values:
        members = fields.items(dimension)
        if not set(map(type, members)) <= {str, type(None)}:
            raise BrokenSnapshot(f"a member of {dimension} is no text")
        found[dimension] = cast("list[Member]", members)
    for day in found.get(DATE, ()):
        if day is None or not _DAY.fullmatch(day):
            raise BrokenSnapshot(f"{day!r} is no day")
        date.fromisoformat(day)
    return found


def _error(fields: Fields) -> SourceError:
    return SourceError(
        Reason(fields.text("error")), fields.text("detail"), is_too_heavy=fields.flag("too_heavy")
    )


def _directory(value: object) -> Directory | SourceError | None:
    if value is None:
        return None
    fields = Fields.of(value, "directory")
    if "error" in fields.values:
        return _error(fields)
    workspaces: dict[str, tuple[str, ...]] = {}
    for item in fields.items("workspaces"):
        name, uuids = as_list(item, "workspaces")
        workspaces[as_text(name, "a workspace")] = as_texts(uuids, "workspaces")
    return Directory(tuple(_key(Fields.of(item, "a key")) for item in fields.items("keys")), workspaces)


def _key(fields: Fields) -> ApiKey:
    return ApiKey(
        fields.text("name"),
        fields.text("hash"),
        fields.text("workspace_id"),
        fields.text("workspace"),
        fields.flag("disabled"),
        _facts(fields),
    )


def _facts(fields: Fields) -> KeyFacts | None:
    """The key's settings; early snapshots do not say whether they were known, nor anything of BYOK."""
    found = KeyFacts(
        limit_usd=as_amount(fields.raw("limit_usd"), "limit_usd"),
        limit_reset=fields.maybe_text("limit_reset"),
        usage_usd=as_amount(fields.raw("usage_usd"), "usage_usd"),
        created_at=fields.maybe_text("created_at"),
        expires_at=fields.maybe_text("expires_at"),
    )
    if "has_facts" not in fields.values:
        return None if found == KeyFacts() else found
    if not fields.flag("has_facts"):
        return None
    return replace(
        found,
        byok_usage_usd=as_amount(fields.raw("byok_usage_usd"), "byok_usage_usd"),
        counts_byok=None if fields.raw("counts_byok") is None else fields.flag("counts_byok"),
    )


def _guardrails(value: object) -> tuple[Guardrail, ...] | SourceError | None:
    if value is None:
        return None
    fields = Fields.of(value, "guardrails")
    if "error" in fields.values:
        return _error(fields)
    return tuple(_guardrail(Fields.of(item, "a guardrail")) for item in fields.items("list"))


def _guardrail(fields: Fields) -> Guardrail:
    return Guardrail(
        fields.text("name"),
        fields.flag("is_assigned"),
        as_amount(fields.raw("limit_usd"), "limit_usd"),
        fields.flag("counts_byok"),
    )


def _catalogue(value: object) -> Catalog | SourceError | None:
    if value is None:
        return None
    fields = Fields.of(value, "catalogue")
    return _error(fields) if "error" in fields.values else decode_catalog(fields)


def _pseudonyms(value: object) -> Pseudonyms | None:
    if value is None:
        return None
    fields = Fields.of(value, "pseudonyms")
    return Pseudonyms({name: fields.texts(name) for name in fields.values})


def _answers(fields: Fields, tables: Sequence[bytes], members: Members, name: str) -> tuple[Asked, ...]:
    items = [Fields.of(item, "an answer") for item in fields.items("answers")]
    apart = [item for item in items if not {"error", "by"} & item.values.keys()]
    if len(apart) != len(tables):
        raise BrokenSnapshot(f"{len(tables)} tables where {len(apart)} are announced")
    lines = iter(tables)
    return tuple(
        _asked(item, None if {"error", "by"} & item.values.keys() else next(lines), members, name)
        for item in items
    )


def _asked(fields: Fields, line: bytes | None, members: Members, name: str) -> Asked:
    """A query with its outcome; the table is on the line, or in version 1 among the fields."""
    query = _query(fields.fields("query"))
    if "error" in fields.values:
        return Asked.of(query, _error(fields))
    return Asked(query, partial(_read, partial(_answer, query, fields, line, members), name))


def _read(read: Callable[[], Outcome], name: str) -> Outcome:
    try:
        return read()
    except (ValueError, IndexError, TypeError, RecursionError) as error:
        raise _broken(name, error) from None


def _query(fields: Fields) -> Query:
    granularity = fields.maybe_text("granularity")
    if SPEND not in fields.texts("metrics"):
        raise BrokenSnapshot(f"a question without {SPEND}")
    start, end = _moment(fields.text("start")), _moment(fields.text("end"))
    if end <= start:
        raise BrokenSnapshot("a window is empty")
    return Query(
        metrics=fields.texts("metrics"),
        dimensions=fields.texts("dimensions"),
        window=Window(start, end, fields.flag("to_date")),
        filters=tuple(_filter(as_list(item, "filters")) for item in fields.items("filters")),
        granularity=None if granularity is None else Granularity(granularity),
        limit=fields.count("limit"),
    )


def _filter(row: list[object]) -> Filter:
    field, operator, values = row
    return Filter(
        as_text(field, "a filter"), Operator(as_text(operator, "a filter")), as_texts(values, "a filter")
    )


def _answer(query: Query, fields: Fields, line: bytes | None, members: Members) -> Answer:
    rows = fields.count("rows")
    columns = fields if line is None else Fields.of(_parsed(line), "a table")
    names = (*((DATE,) if query.granularity else ()), *query.dimensions)
    by, figures = columns.fields("by"), columns.fields("figures")
    table = Table(
        {name: _members_of(by.items(name), members.get(name, [])) for name in names},
        {name: _figures(figures.raw(name), name) for name in query.metrics},
    )
    if len(table) != rows:
        raise BrokenSnapshot(f"{len(table)} rows where {rows} are announced")
    return Answer(
        query,
        table,
        truncated=fields.flag("truncated"),
        warnings=fields.texts("warnings"),
        cached_at=fields.maybe_moment("cached_at"),
        from_cache=fields.flag("from_cache"),
        elapsed_ms=fields.count("ms"),
        rows_dropped=fields.count("dropped"),
    )


def _figures(value: object, name: str) -> list[int | float | None]:
    column = as_numbers(value, name)
    is_count = name in METRICS and not METRICS[name].is_money
    if is_count and min(filter(None, column), default=0) < 0:
        raise BrokenSnapshot(f"{name} is negative")
    return column


def _members_of(codes: Sequence[object], members: Sequence[Member]) -> list[Member]:
    if not set(map(type, codes)) <= {int} or (codes and min(cast("Sequence[int]", codes)) < 0):
        raise BrokenSnapshot("a row's member is no position")
    return list(map(members.__getitem__, cast("Sequence[int]", codes)))
