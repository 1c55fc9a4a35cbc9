"""What policy files change of those that they extend, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._override_words import change_sentence, changed_what
from orpolicy.reporters._page import GAP, Ink, Page, Piece, place
from orpolicy.reporters._words import plural

if TYPE_CHECKING:
    from orpolicy.report import Report

MOST_SHOWN = 8
"""More are counted, unless everything is asked for."""


def put_overrides(page: Page, report: Report, *, verbose: bool) -> None:
    """Every override, or the first of them and how many more there are."""
    if not report.overrides:
        return
    page.blank()
    page.put(Piece("Overrides", Ink.STRONG))
    shown = report.overrides if verbose else report.overrides[:MOST_SHOWN]
    for item in shown:
        page.put(
            Piece(changed_what(item), Ink.STRONG),
            f"{GAP}{change_sentence(item)}{GAP}",
            Piece("--> ", Ink.FAINT),
            place(item.location),
            indent=2,
            hang=6,
        )
    if left := len(report.overrides) - len(shown):
        page.put(f"{plural(left, 'override')} more: -v shows all", indent=2)
