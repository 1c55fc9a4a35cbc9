"""The contract of an output format: a report in, text out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from orpolicy.report import Report


@dataclass(frozen=True, slots=True)
class Style:
    """How a terminal wants its text; machine formats ignore it.

    Attributes:
        width: columns.
        color: whether to emit ANSI escapes.
        verbosity: -1 verdict alone, 0 normal, 1 with the proof of every policy and query.
    """

    width: int = 100
    color: bool = False
    verbosity: int = 0


class Reporter(ABC):
    """One output format; the registry names it after its module."""

    summary: ClassVar[str]
    """One line for ``--help`` and the README."""

    @abstractmethod
    def render(self, report: Report, style: Style) -> str:
        """The whole output, ending in a newline."""
