"""What a lever's arithmetic gives, before it becomes dollars a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.totals import Cell, Totals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orpolicy.catalog.model import Catalog
    from orpolicy.finding import Confidence
    from orpolicy.savings.levers import LeverKind

UNMEASURED = "quality not measured on your task"
NOT_THE_BILL = "at catalogue prices, which need not be what you are billed"


@dataclass(frozen=True, slots=True)
class Traffic:
    """The traffic of one finding, and what its savings are worked out from.

    Attributes:
        cells: by key and model; empty where it cannot be laid out so.
        totals: all of it.
        peers: all cells of the account in the same window.
        catalogue: the models and prices, or None.
        now: the run's clock.
    """

    cells: tuple[Cell, ...]
    totals: Totals
    peers: tuple[Cell, ...]
    catalogue: Catalog | None
    now: datetime

    @property
    def parts(self) -> tuple[Cell, ...]:
        """The cells, or all traffic as one cell whose key and model nobody knows."""
        return self.cells or (Cell(None, None, self.totals),)


@dataclass(frozen=True, slots=True)
class Part:
    """What a lever saves on one cell, USD of the window; 0 <= low <= expected <= high <= spend.

    Attributes:
        term: the arithmetic of ``expected`` (of ``high`` where the outcome is bounded), or "".
    """

    cell: Cell
    low: float
    expected: float
    high: float
    term: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a lever saves.

    Attributes:
        parts: one for each cell of the traffic.
        legend: what the factors are.
        arithmetic: with its numbers, where the parts have no terms of their own.
        caveats: what the reader must know.
        whole: whether the parts are no cells, although the traffic has some.
    """

    kind: LeverKind
    confidence: Confidence
    parts: tuple[Part, ...]
    legend: str
    caveats: tuple[str, ...] = ()
    replacement: str = ""
    arithmetic: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class NoFigure:
    """Why nothing can be said in dollars."""

    reason: str


def part(cell: Cell, low: float, expected: float, high: float, term: str = "") -> Part:
    """A part with its figures brought into order and between 0 and the cell's spend."""
    if term and expected < 0:
        term = f"max(0, {term})"
    spend_usd = max(cell.totals.spend_usd, 0.0)
    middle = min(max(expected, 0.0), spend_usd)
    return Part(cell, min(max(low, 0.0), middle), middle, min(max(high, middle), spend_usd), term)


def nothing(cell: Cell) -> Part:
    """A part on which nothing is saved."""
    return Part(cell, 0.0, 0.0, 0.0)


def left_out(cells: Sequence[Cell], reason: str) -> tuple[str, ...]:
    """A caveat on the cells that count as 0, if they spent anything."""
    spend_usd = sum(cell.totals.spend_usd for cell in cells)
    return (f"{spend_usd:,.2f} USD of the window count as 0: {reason}",) if spend_usd > 0 else ()
