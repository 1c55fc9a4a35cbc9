"""A comparison as one page that opens anywhere, loads nothing and runs nothing."""

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
    verdict,
    waterfall,
    why,
)
from orpolicy.reporters._figures import count, minute, money, multiple, span, tokens
from orpolicy.reporters._html_charts import Bar, bar_chart
from orpolicy.reporters._html_markup import Markup, element, markup, outside
from orpolicy.reporters._html_shell import page
from orpolicy.reporters._html_summary import tile
from orpolicy.reporters._words import plural, prose, subject
from orpolicy.verdict import Verdict
from orpolicy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.comparing.model import Change, Changes, Comparison, Side

_LEAST_WIDTH = 0.6
"""Percent that a bar which stands for something never falls short of."""


def as_html(found: Comparison, top: int) -> str:
    """The page; the same comparison gives the same bytes."""
    sections = [
        _summary(found),
        element("section", element("div", _chart(found), class_="charts")),
        _changes("model", found.models, top, unit(found)),
        _changes("key", found.keys, top, unit(found)) if found.keys else Markup(""),
        *_pairs(found.pairs or (), top, unit(found)),
        _surcharges(found),
    ]
    footer = element(
        "footer",
        element("p", f"{HOW} Asked in {plural(found.queries_asked, 'query', 'queries')} of {found.source}."),
        element("p", f"orpolicy {__version__}, {minute(found.now)}"),
    )
    return page(f"What changed: {headline(found)}", element("main", *sections), footer, has_script=False)


def _summary(found: Comparison) -> Markup:
    said = [
        *([element("p", lengths(found), class_="legend faint")] if found.is_per_day else []),
        *(_note("Note", notice) for notice in found.notices),
        *(_note(f"Not known: {item.part}", f"{item.detail} ({item.reason})") for item in found.unknown),
    ]
    title = f"What changed: {span(found.before.window)} to {span(found.after.window)}"
    tiles = [
        _level("Before", found.before),
        _level("After", found.after),
        tile(
            f"Change{unit(found)}",
            signed(found.change_usd),
            "" if found.ratio is None else f"{multiple(found.ratio, 1)} of what it was",
        ),
    ]
    return element(
        "header",
        element("h1", title),
        element("p", verdict(found), class_="verdict"),
        element("div", *tiles, class_="tiles"),
        *said,
    )


def _note(label: str, text: str) -> Markup:
    return element("p", element("strong", label), f" {prose(text)}", class_="note")


def _level(label: str, side: Side) -> Markup:
    used = f"{tokens(side.tokens_total)} tokens, {count(side.request_count)} requests"
    return tile(label, money(side.spend_usd), span(side.window), used)


def _chart(found: Comparison) -> Markup:
    steps = waterfall(found)
    axis = Axis.of(steps)
    colours = {Kind.LEVEL: None, Kind.RISE: Verdict.FAIL, Kind.FALL: None}
    bars = []
    for step in steps:
        start, end = axis.span(step)
        width = max((end - start) * 100, _LEAST_WIDTH if step.usd else 0.0)
        left = min(start * 100, 100 - width)
        mark = "" if step.kind is Kind.LEVEL else "more" if step.kind is Kind.RISE else "less"
        bars.append(
            Bar(markup(step.label), left, width, step.figure, mark, colours[step.kind], is_marked=False)
        )
    caption = "; ".join(filter(None, (verdict(found), axis.note)))
    return bar_chart("From one bill to the other", caption, ("Cause", f"Dollars{unit(found)}", ""), bars)


def _changes(noun: str, changes: Changes, top: int, per: str) -> Markup:
    shown = changes.items[:top]
    if not shown:
        return Markup("")
    rows = [
        element(
            "tr",
            element("th", outside(subject(item.subject)), scope="row"),
            _figure("Before", money(item.before.spend_usd)),
            _figure("After", money(item.after.spend_usd)),
            _figure("Change", signed(item.change_usd)),
            element("td", why(item), class_="long", data_label="Why"),
        )
        for item in shown
    ]
    titles = (noun.capitalize(), "Before", "After", "Change", "Why")
    remarks = [element("p", text, class_="legend faint") for text in _remarks(noun, shown, changes) if text]
    return _section(f"By {noun}{per and f', dollars{per}'}", titles, rows, remarks)


def _remarks(noun: str, shown: Sequence[Change], changes: Changes) -> tuple[str, str]:
    return others(shown, changes.items, noun), missing(changes)


def _pairs(pairs: Sequence[Change], top: int, per: str) -> list[Markup]:
    sections = []
    titles = (
        (Presence.NEW, "Models that are new on a key"),
        (Presence.VANISHED, "Models that left a key"),
    )
    for presence, title in titles:
        found = [item for item in pairs if item.presence is presence]
        rows = [
            element(
                "tr",
                element("th", outside(subject(item.subject)), scope="row"),
                _figure("Change", signed(item.change_usd)),
            )
            for item in found[:top]
        ]
        rest = others(found[:top], found, "pair")
        remarks = [element("p", rest, class_="legend faint")] if rest else []
        if rows:
            heading = f"{title}{per and f', dollars{per}'}"
            sections.append(_section(heading, ("Key and model", "Change"), rows, remarks))
    return sections


def _surcharges(found: Comparison) -> Markup:
    rows = [
        element(
            "tr",
            element("th", item.name, scope="row"),
            _figure("Before", money(item.before_usd)),
            _figure("After", money(item.after_usd)),
            _figure("Change", signed(item.change_usd)),
        )
        for item in found.surcharges
    ]
    if not rows:
        return Markup("")
    per = unit(found)
    return _section(
        f"Surcharges{per and f', dollars{per}'}", ("Surcharge", "Before", "After", "Change"), rows, []
    )


def _section(title: str, titles: Sequence[str], rows: Sequence[Markup], remarks: Sequence[Markup]) -> Markup:
    head = [
        element(
            "th", text, scope="col", data_sort="number" if text in {"Before", "After", "Change"} else None
        )
        for text in titles
    ]
    table = element("table", element("thead", element("tr", *head)), element("tbody", *rows), class_="cards")
    return element("section", element("h2", title), table, *remarks)


def _figure(label: str, text: str) -> Markup:
    return element("td", text, data_label=label, data_value=text)
