"""Findings in the terminal as one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.reporters._figures import against_threshold, money
from orpolicy.reporters._page import GAP, GUTTER, PROSE, VERDICT_INK, Ink, Page, Piece, sticky
from orpolicy.reporters._words import columns, is_claimed, saving, state, subject
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.finding import Finding

_MIN_SUBJECT = 28
"""Subjects that would get less take the room of a figure that the table can spare."""

_LEAST_SUBJECT = 12


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's columns.

    Attributes:
        rows: the figures of each line, titles first.
        words: width of the word on the left.
        figures: width of each figure.
    """

    rows: tuple[tuple[str, ...], ...]
    words: int
    figures: tuple[int, ...]

    @classmethod
    def of(cls, rows: tuple[tuple[str, ...], ...], words: int) -> Grid:
        """As wide as its widest cells."""
        return cls(rows, words, tuple(max(map(columns, cells)) for cells in zip(*rows, strict=True)))

    @property
    def taken(self) -> int:
        """Columns that are not the subject's."""
        return GUTTER + self.words + sum(len(GAP) + width for width in self.figures) + len(GAP)

    def line(self, number: int, who: str, room: int) -> str:
        """A row's subject and figures; the figures to the right, so that they compare."""
        aligned = [cell.rjust(width) for cell, width in zip(self.rows[number], self.figures, strict=True)]
        return GAP.join([who + " " * (room - columns(who)), *aligned])


def put_in_lines(page: Page, findings: Sequence[Finding]) -> None:
    """One line each, under titles."""
    if not findings:
        return
    page.blank()
    widest = max(columns(subject(finding.subject)) for finding in findings)
    across = min(page.width, PROSE)
    grid = _grid(findings, across, widest)
    room = max(min(across - grid.taken, widest), _LEAST_SUBJECT)
    titles = " " * grid.words + GAP + grid.line(0, "", room)
    page.put(Piece(sticky(titles), Ink.FAINT), indent=GUTTER)
    for number, finding in enumerate(findings, start=1):
        line = grid.line(number, subject(finding.subject, room), room)
        word = Piece(sticky(state(finding).lower().ljust(grid.words)), _ink(finding))
        page.put(word, Piece(sticky(GAP + line)), indent=GUTTER)
    if any(map(is_claimed, findings)):
        legend = "* adds nothing to net: another finding already claims these dollars"
        page.put(Piece(legend, Ink.FAINT), indent=GUTTER, most=PROSE)


def _grid(findings: Sequence[Finding], across: int, widest: int) -> Grid:
    """The columns; what was measured goes where it repeats the spend or leaves the subjects no room."""
    words = max(len(state(finding)) for finding in findings)
    cells = tuple((money(each.spend_usd), _measured(each), _saving(each)) for each in findings)
    full = Grid.of((("spend", "measured", "saves/month"), *cells), words)
    repeats = all(spend == value for spend, value, _ in cells)
    if repeats or across - full.taken < min(widest, _MIN_SUBJECT):
        return Grid.of(tuple((spend, saves) for spend, _, saves in full.rows), words)
    return full


def _ink(finding: Finding) -> Ink:
    return VERDICT_INK[finding.verdict] if finding.status is Status.OPEN else Ink.FAINT


def _measured(finding: Finding) -> str:
    """The value, without a unit that is a sentence."""
    value = against_threshold(finding.measure)[0]
    return value.removesuffix(f" {finding.measure.unit}")


def _saving(finding: Finding) -> str:
    figure = saving(finding.savings)
    return f"{figure}*" if is_claimed(finding) else figure
