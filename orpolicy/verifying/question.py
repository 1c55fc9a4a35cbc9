"""The query that a finding carries, read from a file that anybody may have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.errors import Reason, SourceError
from orpolicy.nouns import dataclass
from orpolicy.period import Window, parse_moment
from orpolicy.query.model import Filter, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.finding import Finding

MOST_VALUES = 1_000
"""No filter that orpolicy writes has more."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a finding asks.

    Attributes:
        window: the report's.
        dimensions: those of the subject, sorted.
        metrics: as recorded.
        subject: dimension -> the name that the report shows.
        identifiers: dimension -> what the API filters the subject by, where that was recorded.
        filters: those that narrow the traffic beside the subject itself.
    """

    window: Window
    dimensions: tuple[str, ...]
    metrics: frozenset[str]
    subject: Mapping[str, str | None]
    identifiers: Mapping[str, str]
    filters: tuple[Filter, ...]


def question_of(finding: Finding, *, to_date: bool) -> Question:
    """A finding's own query.

    Args:
        finding: of a report.
        to_date: whether its window was a running month.

    Raises:
        SourceError: NOT_ANSWERABLE, where the report holds no such query.
    """
    try:
        return _question(finding, to_date=to_date)
    except (KeyError, TypeError, ValueError) as error:
        detail = f"the report's query for this finding is broken: {type(error).__name__}"
        raise SourceError(Reason.NOT_ANSWERABLE, detail) from error


def _question(finding: Finding, *, to_date: bool) -> Question:
    body = finding.verify.query
    span = _object(body["time_range"])
    window = Window(parse_moment(_text(span["start"])), parse_moment(_text(span["end"])), to_date)
    if window.end <= window.start:
        raise ValueError("the window is empty")
    asked = [_text(name) for name in _list(body["dimensions"])]
    dimensions = tuple(sorted(set(asked) & set(finding.subject)))
    if not dimensions and finding.subject:
        raise ValueError("the query is not about the subject")
    filters = [_filter(_object(item)) for item in _list(body.get("filters", []))]
    own = {item.field: item for item in filters if item.field in dimensions and len(item.values) == 1}
    return Question(
        window=window,
        dimensions=dimensions,
        metrics=frozenset(_text(name) for name in _list(body["metrics"])),
        subject={name: finding.subject[name] for name in dimensions},
        identifiers={name: item.values[0] for name, item in own.items()},
        filters=tuple(sorted(item for item in filters if item.field not in own)),
    )


def _filter(item: Mapping[str, object]) -> Filter:
    values = tuple(_text(value) for value in _list(item["value"]))
    if not 0 < len(values) <= MOST_VALUES:
        raise ValueError("a filter without values")
    return Filter(_text(item["field"]), Operator(_text(item["operator"])), values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value
