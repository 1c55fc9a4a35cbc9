"""A JSON object that a schema has been through, read field by field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from orpolicy.period import Window, parse_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orpolicy.sources._json import Json


@dataclass(frozen=True, slots=True)
class Fields:
    """An object's members, by name.

    The schema vouches for their types; ``ValueError`` and ``OverflowError`` come out of what it cannot say:
    days that no calendar has, figures that no float holds.
    """

    members: Mapping[str, Json]

    def text(self, name: str) -> str:
        """Text."""
        return cast("str", self.members[name])

    def perhaps_text(self, name: str) -> str | None:
        """Text or None."""
        return cast("str | None", self.members[name])

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(cast("list[str]", self.members[name]))

    def number(self, name: str) -> float:
        """A finite number."""
        value = float(cast("float", self.members[name]))
        if not math.isfinite(value):
            raise ValueError(f"{name} is out of range")
        return value

    def perhaps_number(self, name: str) -> float | None:
        """A finite number or None."""
        return None if self.members[name] is None else self.number(name)

    def integer(self, name: str) -> int:
        """A whole number."""
        value = self.number(name)
        return int(value) if isinstance(self.members[name], float) else cast("int", self.members[name])

    def at(self, name: str) -> Fields:
        """An object."""
        return Fields(cast("dict[str, Json]", self.members[name]))

    def perhaps(self, name: str) -> Fields | None:
        """An object or None."""
        return None if self.members[name] is None else self.at(name)

    def each(self, name: str) -> tuple[Fields, ...]:
        """A list of objects."""
        return tuple(map(Fields, cast("list[dict[str, Json]]", self.members[name])))

    def names(self, name: str) -> dict[str, str | None]:
        """A subject: dimension -> member."""
        return dict(cast("dict[str, str | None]", self.members[name]))

    def moment(self, name: str) -> datetime:
        """A UTC time."""
        return parse_moment(self.text(name))

    def perhaps_moment(self, name: str) -> datetime | None:
        """A UTC time or None."""
        return None if self.members[name] is None else self.moment(name)

    def window(self) -> Window:
        """The window that the object itself is."""
        window = Window(self.moment("start"), self.moment("end"), self.members["to_date"] is True)
        if window.end <= window.start:
            raise ValueError("a window ends before it starts")
        return window
