"""The verification for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._page import GAP, GUTTER, PROSE, Ink, Page, Piece, sticky
from orpolicy.reporters._words import prose, subject
from orpolicy.verifying.chart import chart
from orpolicy.verifying.model import Standing
from orpolicy.verifying.words import HOW, aside, dollars, headline, measured, worth

if TYPE_CHECKING:
    from orpolicy.reporters.base import Style
    from orpolicy.verifying.model import Checked, Verification

_INKS = {
    Standing.FIXED: Ink.PASS,
    Standing.GONE: Ink.PASS,
    Standing.PARTLY: Ink.WARN,
    Standing.UNCHANGED: Ink.FAIL,
    Standing.WORSE: Ink.FAIL,
    Standing.INCONCLUSIVE: Ink.HOLD,
}
MOST_BARS = 92


def as_text(verification: Verification, style: Style, *, ascii_only: bool = False) -> str:
    """The verification as lines no wider than the terminal."""
    page = Page(style.width, style.color)
    worst = max((item.standing for item in verification.checked), key=list(Standing).index, default=None)
    page.put(
        Piece("VERIFY", _INKS[worst] if worst else Ink.STRONG),
        f"{GAP}{headline(verification)}",
        hang=GUTTER,
    )
    if style.verbosity < 0:
        return page.text()
    for sentence in worth(verification):
        page.put(sentence, indent=GUTTER, most=PROSE)
    for item in sorted(verification.checked, key=lambda one: -list(Standing).index(one.standing)):
        _put(page, item, verification, verbose=style.verbosity > 0, ascii_only=ascii_only)
    page.blank()
    for notice in verification.notices:
        page.put(Piece("Note", Ink.WARN), f"{GAP}{prose(notice)}", hang=GUTTER, most=PROSE)
    if verification.checked:
        page.put(HOW, most=PROSE)
    return page.text()


def _put(page: Page, item: Checked, verification: Verification, *, verbose: bool, ascii_only: bool) -> None:
    page.blank()
    finding = item.finding
    page.put(
        Piece(item.standing.upper(), _INKS[item.standing]),
        f"{GAP}{sticky(finding.policy)}{GAP}",
        Piece(subject(finding.subject), Ink.STRONG),
        hang=GUTTER,
    )
    page.put(measured(item), indent=GUTTER, most=PROSE)
    if text := dollars(item):
        page.put(Piece(text, Ink.MONEY), indent=GUTTER, most=PROSE)
    if verbose and item.realised:
        page.put(item.realised.formula, indent=GUTTER, most=PROSE)
    if text := aside(item):
        page.put(text, indent=GUTTER, most=PROSE)
    if item.days is None:
        return
    columns = min(page.width - GUTTER, MOST_BARS)
    drawn = chart(item.days, verification.deployed, columns, ascii_only=ascii_only)
    if drawn is None:
        return
    page.put(Piece(sticky(drawn.bars), Ink.PLACE), indent=GUTTER)
    if drawn.mark:
        page.put(sticky(drawn.mark), indent=GUTTER)
    page.put(Piece(drawn.legend, Ink.FAINT), indent=GUTTER, most=PROSE)
