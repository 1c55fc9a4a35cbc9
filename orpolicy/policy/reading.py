"""From data that the schema has admitted to policies and waivers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.location import Problem
from orpolicy.nouns import dataclass
from orpolicy.period import interval_window, parse_day, parse_window
from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.policy.model import Floor, Policy, Selector, Thresholds, Waiver
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.location import Location
    from orpolicy.policy.document import Document, Trail
    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json

Mapped = Mapping[str, "Json"]

_ANY_CLOCK = datetime(2026, 1, 15, 12, tzinfo=UTC)
"""Whether a window's text is one does not depend on the clock, but for the first moment of a month."""


@dataclass(frozen=True, slots=True)
class Item:
    """One policy, waiver or test in its file; of the right shape."""

    document: Document
    trail: Trail
    data: Mapped

    def place(self, *steps: str | int) -> Location:
        """Where a value below the item begins, or the item where there is none."""
        return self.document.place((*self.trail, *steps))


def read_policy(item: Item, kind: KindSchema, defaults: Mapped) -> Policy:
    """The policy; ``defaults`` fill in what it does not say, apart from the window."""
    data = item.data
    floor = {**mapping(defaults, "floor"), **mapping(data, "floor")}
    by = data.get("by")
    return Policy(
        id=text(data, "id"),
        rule=kind.name,
        location=item.place(),
        title=text(data, "title"),
        why=text(data, "why").strip(),
        owner=text(data, "owner") or text(defaults, "owner"),
        link=text(data, "link"),
        severity=Severity(text(data, "severity") or text(defaults, "severity") or Severity.ERROR),
        window=window_text(data.get("window")),
        by=texts(by) if by is not None else None,
        where=read_selectors(item),
        floor=Floor(
            spend_usd=number(floor, "spend") or 0.0,
            requests=int(number(floor, "requests") or 0),
            share=number(floor, "share") or 0.0,
        ),
        thresholds=Thresholds(**{key: number(data, key) for key in THRESHOLD_KEYS}),
        allow_empty=data.get("allow_empty") is True,
        locked=data.get("locked") is True,
        replacement=text(data, "replacement"),
        settings={key: data[key] for key in kind.keys if key in data},
        places=dict(_places(item)),
    )


def read_waiver(item: Item) -> Waiver | Problem:
    """The waiver, or what is wrong with its day."""
    try:
        until: date = parse_day(text(item.data, "until"))
    except ValueError as error:
        hint = "the last UTC day on which it holds"
        return Problem(item.place("until"), f"until: {error}", hint, code=Code.BAD_TIME)
    return Waiver(
        policy=text(item.data, "policy"),
        where=read_selectors(item),
        until=until,
        reason=text(item.data, "reason").strip(),
        owner=text(item.data, "owner"),
        location=item.place(),
        max_spend_usd_per_month=number(item.data, "max_spend"),
    )


def read_selectors(item: Item) -> tuple[Selector, ...]:
    """The conditions of ``where``, in the file's order."""
    return tuple(
        Selector(dimension, *_included(value), item.place("where", dimension))
        for dimension, value in mapping(item.data, "where").items()
    )


def _included(value: Json) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The patterns that include, and those that exclude."""
    include: list[str] = []
    exclude: list[str] = []
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            exclude += texts(entry.get("not"))
        else:
            include += texts(entry)
    return tuple(include), tuple(exclude)


def window_text(value: Json) -> str | None:
    """A window as ``period.parse_window`` takes it; None where there is none."""
    if isinstance(value, dict):
        return f"{value.get('start')}..{value.get('end')}"
    return value if isinstance(value, str) else None


def window_fault(value: Json) -> str:
    """What is wrong with a window, or ""."""
    try:
        if isinstance(value, dict):
            interval_window(text(value, "start"), text(value, "end"))
        else:
            parse_window(str(value), _ANY_CLOCK)
    except ValueError as error:
        return str(error)
    return ""


def text(data: Mapped, key: str) -> str:
    """A text, or "" where there is none."""
    value = data.get(key)
    return value if isinstance(value, str) else ""


def number(data: Mapped, key: str) -> float | None:
    """A number, or None where there is none."""
    value = data.get(key)
    return float(value) if isinstance(value, int | float) else None


def mapping(data: Mapped, key: str) -> Mapped:
    """A mapping, empty where there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def texts(value: Json) -> tuple[str, ...]:
    """One text or a list of texts."""
    values = value if isinstance(value, list) else [value]
    return tuple(entry for entry in values if isinstance(entry, str))


def _places(item: Item) -> Iterator[tuple[str, Location]]:
    """Every value below an item, by its path as a person writes it: ``fail_above``, ``by[0]``."""
    waiting: list[tuple[str, Trail, Json]] = [(key, (key,), value) for key, value in item.data.items()]
    while waiting:
        path, trail, value = waiting.pop()
        yield path, item.place(*trail)
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}", (*trail, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", (*trail, index), inner) for index, inner in enumerate(value)]
