"""A comparison for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.comparing.model import Presence
from orpolicy.comparing.words import (
    HOW,
    Axis,
    Kind,
    headline,
    lengths,
    missing,
    others,
    signed,
    unit,
    waterfall,
    why,
)
from orpolicy.reporters._figures import money
from orpolicy.reporters._page import GAP, PROSE, Ink, Page, Piece, sticky
from orpolicy.reporters._words import columns, plural, prose, subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.comparing.model import Change, Changes, Comparison
    from orpolicy.comparing.words import Step
    from orpolicy.reporters.base import Style

BLOCK, ASCII_BLOCK = "█", "#"
INDENT = 2
_LEAST_SUBJECT = 20
_MOST_SUBJECT = 48
_MOST_BAR = 60
_INKS = {Kind.LEVEL: Ink.PLAIN, Kind.RISE: Ink.FAIL, Kind.FALL: Ink.PASS}


def as_text(found: Comparison, style: Style, top: int, *, ascii_only: bool) -> str:
    """The comparison as lines.

    Args:
        found: what was found.
        style: the terminal's.
        top: so many models, keys and pairs.
        ascii_only: whether the chart must do without block characters.
    """
    page = Page(style.width, style.color)
    page.put(Piece(headline(found), Ink.STRONG), most=PROSE)
    if style.verbosity < 0:
        return page.text()
    if text := lengths(found):
        page.put(text, most=PROSE)
    _notes(page, found)
    page.blank()
    _chart(page, waterfall(found), ASCII_BLOCK if ascii_only else BLOCK)
    _changes(page, "model", found.models, top, unit(found))
    if found.keys:
        _changes(page, "key", found.keys, top, unit(found))
    if found.pairs is not None:
        _pairs(page, found.pairs, top, unit(found))
    _surcharges(page, found)
    page.blank()
    page.put(Piece(f"{HOW} {plural(found.queries_asked, 'query', 'queries')}.", Ink.FAINT), most=PROSE)
    return page.text()


def _notes(page: Page, found: Comparison) -> None:
    for notice in found.notices:
        page.put(f"note: {prose(notice)}", most=PROSE)
    for item in found.unknown:
        detail = prose(f"what changed by {_PARTS[item.part]} is not known: {item.detail} ({item.reason})")
        page.put(Piece(detail, Ink.HOLD), most=PROSE)


_PARTS = {"keys": "key", "pairs": "key and model"}


def _chart(page: Page, steps: Sequence[Step], block: str) -> None:
    """A bar a step, on one scale of dollars."""
    labels = max(columns(step.label) for step in steps)
    figures = max(columns(step.figure) for step in steps)
    room = min(page.width - INDENT - labels - figures - 2 * len(GAP), _MOST_BAR)
    axis = Axis.of(steps)
    for step in steps:
        start, end = (round(place * room) for place in axis.span(step))
        bar = " " * min(start, room - 1) + block * max(end - start, 1 if step.usd else 0)
        left = f"{step.label}{' ' * (labels - columns(step.label))}{GAP}{step.figure:>{figures}}{GAP}"
        page.put(sticky(left), Piece(sticky(bar), _INKS[step.kind]), indent=INDENT)
    if axis.note:
        page.put(Piece(axis.note, Ink.FAINT), indent=INDENT)


def _changes(page: Page, noun: str, changes: Changes, top: int, per: str) -> None:
    shown = changes.items[:top]
    page.blank()
    page.put(Piece(f"By {noun}{per and f', dollars{per}'}", Ink.STRONG))
    figures = [
        (money(item.before.spend_usd), money(item.after.spend_usd), signed(item.change_usd)) for item in shown
    ]
    _table(page, ("before", "after", "change"), figures, shown, explained=True)
    for text in (others(shown, changes.items, noun), missing(changes)):
        if text:
            page.put(Piece(text, Ink.FAINT), indent=INDENT, most=PROSE)


def _pairs(page: Page, pairs: Sequence[Change], top: int, per: str) -> None:
    for presence, title in (
        (Presence.NEW, "Models that are new on a key"),
        (Presence.VANISHED, "Models that left a key"),
    ):
        found = [item for item in pairs if item.presence is presence]
        if not found:
            continue
        page.blank()
        page.put(Piece(f"{title}{per and f', dollars{per}'}", Ink.STRONG))
        figures = [(signed(item.change_usd),) for item in found[:top]]
        _table(page, ("change",), figures, found[:top], explained=False)
        if text := others(found[:top], found, "pair"):
            page.put(Piece(text, Ink.FAINT), indent=INDENT)


def _table(
    page: Page,
    titles: tuple[str, ...],
    figures: Sequence[tuple[str, ...]],
    shown: Sequence[Change],
    *,
    explained: bool,
) -> None:
    """A line a subject, with its causes behind it, or below it where the page is narrow."""
    widths = [max(map(columns, cells)) for cells in zip(titles, *figures, strict=True)]
    causes = [why(item) for item in shown] if explained else [""] * len(shown)
    taken = INDENT + sum(width + len(GAP) for width in widths)
    beside = max(map(columns, causes), default=0) + len(GAP)
    is_wide = page.width - taken - beside >= _LEAST_SUBJECT + len(GAP)
    widest = max((columns(subject(item.subject)) for item in shown), default=0)
    most = page.width - taken - (beside if is_wide and explained else 0)
    room = max(min(widest, most, _MOST_SUBJECT if is_wide else most), min(_LEAST_SUBJECT, most))
    page.put(Piece(sticky(" " * room + _right(titles, widths)), Ink.FAINT), indent=INDENT)
    for item, cells, cause in zip(shown, figures, causes, strict=True):
        who = subject(item.subject, room)
        line = sticky(who + " " * (room - columns(who)) + _right(cells, widths))
        page.put(line, Piece(sticky(GAP + cause) if is_wide else "", Ink.FAINT), indent=INDENT)
        if cause and not is_wide:
            page.put(Piece(cause, Ink.FAINT), indent=2 * INDENT)


def _right(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(
        f"{GAP}{' ' * (width - columns(cell))}{cell}" for cell, width in zip(cells, widths, strict=True)
    )


def _surcharges(page: Page, found: Comparison) -> None:
    if not found.surcharges:
        return
    page.blank()
    page.put(Piece(f"Surcharges{unit(found) and f', dollars{unit(found)}'}", Ink.STRONG))
    for item in found.surcharges:
        levels = f"{money(item.before_usd)} to {money(item.after_usd)}"
        page.put(sticky(f"{item.name:<9}{GAP}{signed(item.change_usd)}"), f"  ({levels})", indent=INDENT)
