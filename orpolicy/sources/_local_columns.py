"""What the columns of a file of records mean, and how each is read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.query.vocabulary import COMPLETION, DIMENSIONS, METRICS, PROMPT, REQUESTS, SPEND, TOKENS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CREATED = "created_at"
GENERATION = "generation_id"
ADDITIVE = tuple(name for name, metric in METRICS.items() if metric.additive)

ACTIVITY = {
    SPEND: ("cost_total", "byok_usage_inference"),
    "usage_web": ("cost_web_search",),
    "usage_file": ("cost_file_processing",),
    "usage_cache": ("cost_cache",),
    "reasoning_tokens": ("tokens_reasoning",),
    "cached_tokens": ("tokens_cached",),
    "model": ("model_permaslug",),
    "provider": ("provider_name",),
    "api_key_id": ("api_key_name",),
    "app": ("app_name",),
    "finish_reason": ("finish_reason_normalized",),
}
"""Our name -> the columns of OpenRouter's activity export that add up to it.

``cost_total`` is credits; what was spent through the caller's own provider keys comes on top.
"""

KNOWN = frozenset({CREATED, *DIMENSIONS, *ADDITIVE, *(name for names in ACTIVITY.values() for name in names)})
"""Every column that means something here; others are ignored."""

MARK = "\x1a"
"""Begins a text that the engine cannot hold as it is: the rest is its bytes as hex."""

_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_WHOLE |= {f"U{name}" for name in _WHOLE}
_FRACTION = {"FLOAT", "DOUBLE"}
_TEXT = {"VARCHAR", "BOOLEAN", "UUID", "ENUM", *_WHOLE}
_MOMENT = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"}
_ZONED = "TIMESTAMP WITH TIME ZONE"

_COUNT_PATTERN = r"[0-9]{1,18}(\.0+)?"
_DOLLAR_PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?"
_MOMENT_PATTERN = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]00(:?00)?)?)?"
_MOST = 2**53


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column of a file becomes a value.

    Attributes:
        column: the file's name of it.
        value: SQL; NULL where the record has none.
        is_good: SQL that is true where the value may be trusted.
        expected: what a good value is, for people.
    """

    column: str
    value: str
    is_good: str
    expected: str


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file's columns give.

    Attributes:
        values: our name -> SQL of its value.
        readings: every column that was used, in the file's order.
    """

    values: Mapping[str, str]
    readings: tuple[Reading, ...]


def check_header(file: object, columns: Collection[str]) -> None:
    """See that a file's columns are records' columns.

    Raises:
        UsageError: if when or how much is not among them, or a name is there twice.
    """
    twice = sorted({name for name in columns if list(columns).count(name) > 1})
    if twice:
        raise UsageError(f"{file}: the column {twice[0]!r} is there twice", code=Code.BAD_SOURCE)
    if CREATED not in columns or SPEND not in named(columns):
        shown = ", ".join(list(columns)[:6]) + (", ..." if len(columns) > 6 else "")  # noqa: PLR2004 - enough to tell
        raise UsageError(
            f"{file}: unknown header ({shown}): expected created_at, total_usage and other names of the"
            " analytics API, or the header of OpenRouter's activity export (created_at, cost_total,"
            " byok_usage_inference, ...)",
            code=Code.BAD_SOURCE,
        )


def named(columns: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Our name -> the file's columns that add up to it."""
    found: dict[str, tuple[str, ...]] = {
        name: (name,) for name in (CREATED, *DIMENSIONS, *ADDITIVE) if name in columns
    }
    for name, parts in ACTIVITY.items():
        if name not in found and all(part in columns for part in parts):
            found[name] = parts
    return found


def layout(types: Mapping[str, str], *, is_marked: bool) -> Layout:
    """How the columns of a relation are read.

    Args:
        types: the file's column -> the engine's type.
        is_marked: whether texts have already been written with ``MARK`` where they need it.
    """
    readings: dict[str, Reading] = {}
    values: dict[str, str] = {}
    for name, columns in named(types).items():
        parts = [_reading(name, column, types[column], is_marked=is_marked) for column in columns]
        readings |= {part.column: part for part in parts}
        values[name] = _added([part.value for part in parts])
    if TOKENS not in values and PROMPT in values and COMPLETION in values:
        values[TOKENS] = _added([values[PROMPT], values[COMPLETION]])
    values.setdefault(REQUESTS, "1::BIGINT")
    order = list(types)
    return Layout(values, tuple(sorted(readings.values(), key=lambda item: order.index(item.column))))


def _added(values: list[str]) -> str:
    """The sum of what is there; NULL where nothing is."""
    if len(values) == 1:
        return values[0]
    nothing = " AND ".join(f"({value}) IS NULL" for value in values)
    return f"CASE WHEN {nothing} THEN NULL ELSE {' + '.join(f'coalesce({value}, 0)' for value in values)} END"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _reading(name: str, column: str, full_type: str, *, is_marked: bool) -> Reading:
    kind = full_type.partition("(")[0]
    source = quoted(column)
    if name == CREATED:
        value, good = _moment(source, kind)
        return Reading(column, value, good, "a UTC time such as 2026-05-01T00:00:00Z")
    if name in DIMENSIONS:
        value = f"CAST({source} AS VARCHAR)"
        if not is_marked:
            hexed = f"'{MARK}' || lower(hex(encode({value})))"
            value = f"CASE WHEN starts_with({value}, '{MARK}') THEN {hexed} ELSE {value} END"
        return Reading(column, value, "true" if kind in _TEXT else f"{source} IS NULL", "a text")
    if METRICS[name].is_money:
        value, good = _dollars(source, kind)
        return Reading(column, value, good, "a finite number of dollars")
    value, good = _count(source, kind)
    return Reading(column, value, good, "a whole number, not negative")


def _moment(source: str, kind: str) -> tuple[str, str]:
    if kind == _ZONED:
        value = f"make_timestamp(epoch_us({source}))"
    elif kind in _MOMENT:
        value = f"CAST({source} AS TIMESTAMP)"
    elif kind == "VARCHAR":
        moment = f"TRY_CAST(left({source}, 19) AS TIMESTAMP)"
        value = f"CASE WHEN regexp_full_match({source}, '{_MOMENT_PATTERN}') THEN {moment} END"
    else:
        return "NULL::TIMESTAMP", "false"
    return value, f"coalesce(isfinite({value}), false)"


def _count(source: str, kind: str) -> tuple[str, str]:
    value = f"TRY_CAST({source} AS BIGINT)"
    if kind in _WHOLE:
        good = f"{value} >= 0"
    elif kind in _FRACTION or kind == "DECIMAL":
        double = f"CAST({source} AS DOUBLE)"
        good = f"isfinite({double}) AND {double} >= 0 AND {double} < {_MOST} AND {double} = floor({double})"
    elif kind == "VARCHAR":
        good = f"regexp_full_match({source}, '{_COUNT_PATTERN}')"
    else:
        value, good = "NULL::BIGINT", "false"
    return value, f"{source} IS NULL OR coalesce({good}, false)"


def _dollars(source: str, kind: str) -> tuple[str, str]:
    value = f"TRY_CAST({source} AS DOUBLE)"
    good = f"isfinite({value})"
    if kind == "VARCHAR":
        good += f" AND regexp_full_match({source}, '{_DOLLAR_PATTERN}')"
    elif kind not in _WHOLE | _FRACTION | {"DECIMAL"}:
        value, good = "NULL::DOUBLE", "false"
    return value, f"{source} IS NULL OR coalesce({good}, false)"
