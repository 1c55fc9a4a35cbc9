"""Columns of an answer's rows, decoded column by column: a column of one plain kind takes a short cut."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from orpolicy.errors import Reason, SourceError
from orpolicy.query.model import Granularity
from orpolicy.query.vocabulary import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.query.model import Query
    from orpolicy.table import Member, Number

Row = dict[str, object]

_SIGNED = frozenset({"usage_cache"})
"""Dollars that may be negative: caching that saved more than it cost."""

_COUNT = re.compile(r"([0-9]{1,30})(?:\.0+)?")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_BUCKET = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d))?(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]00:?00)?)?", re.ASCII
)
_PREFIXES = ("date", "created_at")


class Kind(Enum):
    """What the values of a metric are."""

    COUNT = auto()
    DOLLARS = auto()
    SIGNED = auto()
    """Dollars of either sign, or a metric that the language does not know."""


def numbers(metric: str, rows: Sequence[Row]) -> Sequence[Number | None]:
    """One number a row, None where the row has null or nothing; strings count as the numbers they spell.

    Raises:
        SourceError: MALFORMED_ANSWER, if a value is not what the metric can be, or no row at all has the
            metric: unused ones are null, so that one which is not there was not answered.
    """
    if rows and metric not in rows[0] and not any(metric in row for row in rows):
        raise malformed(f"no row has the metric {metric}")
    values = _values(metric, rows)
    kind = _kind(metric)
    quick = _quick_counts(values) if kind is Kind.COUNT else _quick_dollars(values, kind)
    if quick is not None:
        return quick
    return [_number(metric, kind, value) for value in values]


def _values(name: str, rows: Sequence[Row]) -> list[object]:
    """What the rows have under a name, None where a row has nothing."""
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


def _kind(metric: str) -> Kind:
    known = METRICS.get(metric)
    if known is None or metric in _SIGNED:
        return Kind.SIGNED
    return Kind.DOLLARS if known.is_money else Kind.COUNT


def _quick_counts(values: list[object]) -> Sequence[Number | None] | None:
    """The counts, where all are strings of digits or all are integers; else None."""
    kinds = set(map(type, values))
    if kinds == {int}:
        counts = cast("list[int]", values)
        return counts if min(counts) >= 0 else None
    return _quick_texts(cast("list[str]", values)) if kinds == {str} else None


def _quick_texts(texts: list[str]) -> Sequence[int] | None:
    together = "".join(texts)
    if not (together.isascii() and together.isdecimal()):
        return None
    try:
        return list(map(int, texts))
    except ValueError:  # an empty text, or more digits than int() reads
        return None


def _quick_dollars(values: list[object], kind: Kind) -> Sequence[Number | None] | None:
    """The dollars, where all are finite floats; else None."""
    if set(map(type, values)) != {float}:
        return None
    dollars = cast("list[float]", values)
    if not math.isfinite(sum(dollars)) or (kind is Kind.DOLLARS and min(dollars) < 0):
        return None
    return dollars


def _number(metric: str, kind: Kind, value: object) -> Number | None:
    if value is None:
        return None
    number = _count(value) if kind is Kind.COUNT else _dollars(value)
    if number is None:
        raise malformed(f"{metric}: {_shown(value)} is no {'count' if kind is Kind.COUNT else 'amount'}")
    if number < 0 and kind is not Kind.SIGNED:
        raise malformed(f"{metric}: {_shown(value)} is negative")
    return number


def _count(value: object) -> int | None:
    if isinstance(value, str):
        spelled = _COUNT.fullmatch(value.removeprefix("-"))
        return int(spelled[1]) * (-1 if value.startswith("-") else 1) if spelled else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _dollars(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return None
    try:
        amount = float(value)
    except OverflowError:
        return None
    return amount if math.isfinite(amount) else None


def members(dimension: str, rows: Sequence[Row]) -> list[Member]:
    """One member a row; numbers and truth values become text.

    Raises:
        SourceError: MALFORMED_ANSWER, if a row lacks the dimension or has no plain value there.
    """
    try:
        values = list(map(itemgetter(dimension), rows))
    except KeyError:
        raise malformed(f"a row lacks the dimension {dimension}") from None
    return _plain(dimension, values)


def _plain(dimension: str, values: list[object]) -> list[Member]:
    if set(map(type, values)) <= {str, type(None)}:
        return cast("list[Member]", values)
    return [_member(dimension, value) for value in values]


def _member(dimension: str, value: object) -> Member:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    raise malformed(f"{dimension}: {_shown(value)} is no name")


def users(rows: Sequence[Row]) -> list[Member]:
    """``Name <e-mail>`` of each row, whichever of the two there is, or None.

    Raises:
        SourceError: as ``members``.
    """
    if any("user" not in row and "user_email" not in row for row in rows):
        raise malformed("a row lacks the dimension user")
    names = _plain("user", _values("user", rows))
    emails = _plain("user_email", _values("user_email", rows))
    return [
        f"{name} <{email}>" if name and email and name != email else name or email
        for name, email in zip(names, emails, strict=True)
    ]


def buckets(query: Query, rows: Sequence[Row]) -> tuple[list[str], Sequence[int]]:
    """The ISO days of the rows whose time bucket lies in the window, and those rows' numbers.

    Without a granularity, no days and all rows.

    Raises:
        SourceError: MALFORMED_ANSWER, if a row has no bucket, or none that can be read.
    """
    if query.granularity is None or not rows:
        return [], range(len(rows))
    values = _bucket_values(query.granularity, rows)
    days = {value: _bucket(query, value) for value in set(values)}
    inside = [row for row, value in enumerate(values) if days[value] is not None]
    return [day for value in values if (day := days[value]) is not None], inside


def _bucket_values(granularity: Granularity, rows: Sequence[Row]) -> list[str]:
    names = [f"{prefix}__{granularity}" for prefix in _PREFIXES]
    name = next((name for name in names if name in rows[0]), names[0])
    values = _values(name, rows)
    if set(map(type, values)) != {str}:
        odd = next(value for value in values if not isinstance(value, str))
        raise malformed(f"{name}: {_shown(odd)} is no time")
    return cast("list[str]", values)


def _bucket(query: Query, value: str) -> str | None:
    """The bucket's first day, or None if no moment of it lies in the window."""
    spelled = _BUCKET.fullmatch(value)
    try:
        day = date(int(spelled[1]), int(spelled[2]), int(spelled[3] or 1)) if spelled else None
    except ValueError:
        day = None
    if day is None:
        raise malformed(f"time bucket: {_shown(value)} is no time")
    if query.granularity is Granularity.MONTH:
        day = day.replace(day=1)
    if _midnight(day) >= query.window.end:
        return None
    after = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    end = after if query.granularity is Granularity.MONTH else day + timedelta(days=1)
    return day.isoformat() if _midnight(end) > query.window.start else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"  # noqa: PLR2004 - enough to recognise it


def malformed(detail: str) -> SourceError:
    """The error for an answer that is not what was asked."""
    return SourceError(Reason.MALFORMED_ANSWER, detail)
