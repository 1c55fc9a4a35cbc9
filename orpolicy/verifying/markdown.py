"""The verification as GitHub's Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._markdown_text import code, escaped, fenced, row
from orpolicy.reporters._words import plural, prose, subject
from orpolicy.verifying.chart import chart
from orpolicy.verifying.words import HOW, aside, dollars, headline, measured, worth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.verifying.model import Checked, Verification

MOST_CHARACTERS = 60_000
"""GitHub refuses comments of more than 65,536."""

BARS = 72
_SHOWN = ((200, 20), (60, 10), (20, 0), (5, 0))
"""So many findings are listed and so many drawn, the most for which everything fits."""


def as_markdown(verification: Verification) -> str:
    """The verification as a headline, a table and charts; short enough for a comment."""
    texts = ("\n\n".join(_blocks(verification, *shown)) + "\n" for shown in _SHOWN)
    return next((text for text in texts if len(text) <= MOST_CHARACTERS), f"{_headline(verification)}\n")


def _headline(verification: Verification) -> str:
    return f"### orpolicy verify: {escaped(headline(verification))}"


def _blocks(verification: Verification, listed: int, drawn: int) -> Iterator[str]:
    yield _headline(verification)
    yield from (escaped(sentence) for sentence in worth(verification))
    yield from (f"Note: {escaped(prose(notice))}" for notice in verification.notices)
    if not verification.checked:
        return
    head = ("", "Policy", "Subject", "Measure", "Dollars")
    yield "\n".join([row(*head), row(*("---" for _ in head)), *map(_row, verification.checked[:listed])])
    if len(verification.checked) > listed:
        yield f"{plural(len(verification.checked) - listed, 'more finding')} not shown."
    charts = [text for item in verification.checked[:drawn] if (text := _chart(item, verification))]
    if charts:
        yield "\n\n".join(("<details><summary>Day by day</summary>", *charts, "</details>"))
    yield HOW


def _row(item: Checked) -> str:
    finding = item.finding
    return row(
        f"**{item.standing}**",
        code(finding.policy),
        escaped(subject(finding.subject)),
        escaped("; ".join(text for text in (measured(item), aside(item)) if text)),
        escaped(dollars(item)),
    )


def _chart(item: Checked, verification: Verification) -> str:
    drawn = chart(item.days, verification.deployed, BARS) if item.days else None
    if drawn is None:
        return ""
    title = f"{item.standing}: {item.finding.policy}, {subject(item.finding.subject)}"
    return fenced("\n".join(line for line in (title, drawn.bars, drawn.mark, drawn.legend) if line))
