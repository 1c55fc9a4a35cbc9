"""Values read out of JSON that nobody vouches for."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


class BrokenSnapshot(ValueError):  # noqa: N818 - a state of content
    """Content that is not what a snapshot of its version holds."""


def as_list(value: object, name: str) -> list[object]:
    """The value, a list.

    Raises:
        BrokenSnapshot: if it is none.
    """
    if not isinstance(value, list):
        raise BrokenSnapshot(f"{name} is no list")
    return value


def as_text(value: object, name: str) -> str:
    """The value, a text.

    Raises:
        BrokenSnapshot: if it is none.
    """
    if not isinstance(value, str):
        raise BrokenSnapshot(f"{name} is no text")
    return value


def as_texts(value: object, name: str) -> tuple[str, ...]:
    """The value, a list of texts.

    Raises:
        BrokenSnapshot: if it is none.
    """
    return tuple(as_text(item, name) for item in as_list(value, name))


def as_amount(value: object, name: str) -> float | None:
    """The value, a finite number or None.

    Raises:
        BrokenSnapshot: if it is neither.
    """
    if value is None:
        return None
    return as_numbers([value], name)[0]


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of the content; every getter raises ``BrokenSnapshot`` for what is not of its kind."""

    values: Mapping[str, object]
    name: str = "the snapshot"

    @classmethod
    def of(cls, value: object, name: str = "the snapshot") -> Fields:
        """The value, an object.

        Raises:
            BrokenSnapshot: if it is none.
        """
        if not isinstance(value, dict):
            raise BrokenSnapshot(f"{name} is no object")
        return cls(value, name)

    def raw(self, key: str) -> object:
        """Whatever is there."""
        if key not in self.values:
            raise BrokenSnapshot(f"{self.name} has no {key}")
        return self.values[key]

    def text(self, key: str) -> str:
        """A text."""
        return as_text(self.raw(key), key)

    def maybe_text(self, key: str) -> str | None:
        """A text or None."""
        return None if self.raw(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        return as_texts(self.raw(key), key)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.raw(key)
        if not isinstance(value, bool):
            raise BrokenSnapshot(f"{key} is neither true nor false")
        return value

    def count(self, key: str) -> int:
        """An integer that is not negative."""
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BrokenSnapshot(f"{key} is no count")
        return value

    def items(self, key: str) -> list[object]:
        """A list."""
        return as_list(self.raw(key), key)

    def fields(self, key: str) -> Fields:
        """Another object."""
        return Fields.of(self.raw(key), key)

    def maybe_moment(self, key: str) -> datetime | None:
        """A moment with its time zone, as UTC, or None."""
        return as_moment(self.raw(key), key)


def as_moment(value: object, name: str) -> datetime | None:
    """The value, a moment with its time zone, as UTC, or None.

    Raises:
        BrokenSnapshot: if it is neither.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(as_text(value, name))
        aware = moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        aware = None
    if aware is None:
        raise BrokenSnapshot(f"{name} is no moment")
    return aware


def as_numbers(value: object, name: str) -> list[int | float | None]:
    """The value, a list of finite numbers and None.

    Raises:
        BrokenSnapshot: if it is none.
    """
    column = as_list(value, name)
    if not set(map(type, column)) <= {int, float, type(None)}:
        raise BrokenSnapshot(f"{name} holds what is no number")
    numbers: list[int | float | None] = column  # type: ignore[assignment] # all of them, as was just seen
    try:
        is_finite = math.isfinite(max(map(abs, filter(None, numbers)), default=0))
    except OverflowError:
        is_finite = False
    if not is_finite:
        raise BrokenSnapshot(f"{name} holds numbers that are out of range")
    return numbers
