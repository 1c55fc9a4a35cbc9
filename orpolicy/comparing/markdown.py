"""A comparison as GitHub's Markdown, for a job summary or an issue."""

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
from orpolicy.reporters._markdown_text import code, escaped, fenced, row
from orpolicy.reporters._words import columns, plural, prose, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.comparing.model import Change, Changes, Comparison

MOST_CHARACTERS = 60_000
"""GitHub refuses comments of more than 65,536."""

_ROWS = (60, 20, 5)
"""So many rows a table, at most: the most for which everything fits."""

_BAR = 40


def as_markdown(found: Comparison, top: int) -> str:
    """The comparison as a headline, a chart and tables; short enough for a comment."""
    sizes = (top, *(rows for rows in _ROWS if rows < top))
    texts = ("\n\n".join(_blocks(found, rows)) + "\n" for rows in sizes)
    return next((text for text in texts if len(text) <= MOST_CHARACTERS), _title(found) + "\n")


def _title(found: Comparison) -> str:
    return f"### What changed: {escaped(headline(found))}"


def _blocks(found: Comparison, top: int) -> Iterator[str]:
    yield _title(found)
    if text := lengths(found):
        yield escaped(text)
    yield from (f"Note: {escaped(prose(notice))}" for notice in found.notices)
    for item in found.unknown:
        yield f"**Not known: {item.part}.** Reason: {escaped(prose(f'{item.detail} ({item.reason})'))}"
    yield _chart(found)
    yield from _changes("Model", found.models, top, unit(found))
    if found.keys:
        yield from _changes("Key", found.keys, top, unit(found))
    yield from _pairs(found.pairs or (), top, unit(found))
    if found.surcharges:
        yield _table(
            (f"Surcharge{unit(found)}", "Before", "After", "Change"),
            [
                (item.name, money(item.before_usd), money(item.after_usd), signed(item.change_usd))
                for item in found.surcharges
            ],
        )
    yield f"{HOW} Asked in {plural(found.queries_asked, 'query', 'queries')}."


def _chart(found: Comparison) -> str:
    steps = waterfall(found)
    axis = Axis.of(steps)
    labels = max(columns(step.label) for step in steps)
    figures = max(columns(step.figure) for step in steps)
    lines = []
    for step in steps:
        start, end = (round(place * _BAR) for place in axis.span(step))
        sign = {Kind.LEVEL: "█", Kind.RISE: "▓", Kind.FALL: "░"}[step.kind]
        bar = " " * min(start, _BAR - 1) + sign * max(end - start, 1 if step.usd else 0)
        lines.append(f"{step.label:<{labels}}  {step.figure:>{figures}}  {bar}".rstrip())
    return fenced("\n".join([*lines, *filter(None, [axis.note])]))


def _changes(noun: str, changes: Changes, top: int, per: str) -> Iterator[str]:
    shown = changes.items[:top]
    if not shown:
        return
    rows = [
        (
            code(subject(item.subject)),
            money(item.before.spend_usd),
            money(item.after.spend_usd),
            f"**{signed(item.change_usd)}**",
            escaped(why(item)),
        )
        for item in shown
    ]
    yield _table((f"{noun}{per and f', dollars{per}'}", "Before", "After", "Change", "Why"), rows)
    yield from filter(None, (others(shown, changes.items, noun.lower()), missing(changes)))


def _pairs(pairs: Sequence[Change], top: int, per: str) -> Iterator[str]:
    titles = ((Presence.NEW, "New model on a key"), (Presence.VANISHED, "Model that left a key"))
    for presence, title in titles:
        found = [item for item in pairs if item.presence is presence]
        if found:
            rows = [(code(subject(item.subject)), signed(item.change_usd)) for item in found[:top]]
            yield _table((f"{title}{per and f', dollars{per}'}", "Change"), rows)
            yield from filter(None, [others(found[:top], found, "pair")])


def _table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    rule = ["---", *("---:" for _ in titles[1:4]), *("---" for _ in titles[4:])]
    return "\n".join([row(*titles), row(*rule), *(row(*cells) for cells in rows)])
