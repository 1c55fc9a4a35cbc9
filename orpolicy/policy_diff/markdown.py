"""The outcome as GitHub's Markdown, for a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.policy_diff.model import Effect
from orpolicy.policy_diff.outcome import NO_FIGURES, TITLES, net, parts, places, reason, said, total
from orpolicy.reporters._figures import cents
from orpolicy.reporters._markdown_text import code, escaped, row
from orpolicy.reporters._plain_finding import saved
from orpolicy.reporters._words import name, plural, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.policy_diff.impact import Impact, Shift
    from orpolicy.policy_diff.model import Change
    from orpolicy.policy_diff.outcome import Outcome

MOST_CHARACTERS = 60_000
"""GitHub refuses comments of more than 65,536."""

_ROWS = (100, 30, 10, 3, 1)
"""So many rows of each table are shown, the most for which everything fits; the rest are counted."""


def as_markdown(outcome: Outcome) -> str:
    """The outcome as headings and tables, what weakens first; short enough for a comment."""
    texts = ("\n\n".join(_blocks(outcome, rows)) + "\n" for rows in _ROWS)
    return next((text for text in texts if len(text) <= MOST_CHARACTERS), _headline(outcome) + "\n")


def _headline(outcome: Outcome) -> str:
    return f"### orpolicy: {escaped(outcome.headline)}"


def _blocks(outcome: Outcome, rows: int) -> Iterator[str]:
    yield _headline(outcome)
    yield from (f"Note: {escaped(note)}." for note in outcome.notes)
    for effect in Effect:
        changes = outcome.diff.of(effect)
        if changes:
            yield f"**{TITLES[effect]}**"
            yield _table(("Policy", "Change", "Where"), [_change(change) for change in changes], rows)
    if outcome.impact is None:
        yield NO_FIGURES
    else:
        yield from _figures(outcome.impact, rows)


def _change(change: Change) -> str:
    return row(code(name(change.policy)), escaped(said(change)), code(name(places(change), 160)))


def _figures(impact: Impact, rows: int) -> Iterator[str]:
    for part, title, shifts in parts(impact):
        yield f"**{title}**: {escaped(total(shifts)) if shifts else 'none'}"
        if shifts:
            head = ("Policy", "Subject", "Spend", "Saves a month", "Why")
            yield _table(head, [_shift(part, shift) for shift in shifts], rows)
    yield escaped(net(impact))
    if impact.not_judged:
        names = ", ".join(map(code, impact.not_judged[:rows]))
        more = len(impact.not_judged) - rows
        yield f"Not judged on both sides: {names}" + (f" and {more} more" if more > 0 else "")


def _shift(part: str, shift: Shift) -> str:
    finding = shift.finding
    return row(
        code(name(finding.policy)),
        code(subject(finding.subject)),
        escaped(cents(finding.spend_usd)),
        escaped(saved(finding.savings)),
        reason(part, shift),
    )


def _table(head: Sequence[str], rows: Sequence[str], most: int) -> str:
    lines = [row(*head), row(*("---" for _ in head)), *rows[:most]]
    more = f"\n\n{plural(len(rows) - most, 'more row')} not shown." if len(rows) > most else ""
    return "\n".join(lines) + more
