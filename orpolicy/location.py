"""Places in files, and what is wrong there."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from orpolicy.codes import Code


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file.

    Attributes:
        file: the path as the user gave it.
        line: counted from 1.
        column: counted from 1, in characters.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a policy file.

    Attributes:
        location: where.
        message: what is wrong, without a final full stop.
        hint: what to do about it, or "".
        code: which class of problem it is.
    """

    location: Location
    message: str
    hint: str = ""
    code: Code = field(kw_only=True)

    def __str__(self) -> str:
        return f"{self.location}: {self.said} [{self.code}]"

    @property
    def said(self) -> str:
        """The message with its hint, without place and code."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem whose place is not known yet; the attributes are those of ``Problem``."""

    code: Code
    message: str
    hint: str = ""

    def at(self, place: Location) -> Problem:
        """The problem at its place."""
        return Problem(place, self.message, self.hint, code=self.code)
