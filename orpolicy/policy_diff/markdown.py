"""The outcome as GitHub's Markdown, for a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.policy_diff.model import Effect
from orpolicy.policy_diff.outcome import NO_FIGURES, TITLES, net, parts, places, reason, said, total
from orpolicy.reporters._figures import cents
from orpolicy.reporters._markdown_text import code, escaped, row
from orpolicy.reporters._plain_finding import saved
from orpolicy.reporters._words import name, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.policy_diff.impact import Impact, Shift
    from orpolicy.policy_diff.model import Change
    from orpolicy.policy_diff.outcome import Outcome

MOST_ROWS = 100
"""More rows than this of one table are counted, not shown: a comment holds 65,536 characters."""


def as_markdown(outcome: Outcome) -> str:
    """The outcome as headings and tables, what weakens first."""
    return "\n\n".join(_blocks(outcome)) + "\n"


def _blocks(outcome: Outcome) -> Iterator[str]:
    yield f"### orpolicy: {escaped(outcome.headline)}"
    yield from (f"Note: {escaped(note)}." for note in outcome.notes)
    for effect in Effect:
        changes = outcome.diff.of(effect)
        if changes:
            yield f"**{TITLES[effect]}**"
            yield _table(("Policy", "Change", "Where"), [_change(change) for change in changes])
    if outcome.impact is None:
        yield NO_FIGURES
    else:
        yield from _figures(outcome.impact)


def _change(change: Change) -> str:
    return row(code(name(change.policy)), escaped(said(change)), code(name(places(change), 160)))


def _figures(impact: Impact) -> Iterator[str]:
    for part, title, shifts in parts(impact):
        yield f"**{title}**: {escaped(total(shifts)) if shifts else 'none'}"
        if shifts:
            head = ("Policy", "Subject", "Spend", "Saves a month", "Why")
            yield _table(head, [_shift(part, shift) for shift in shifts])
    yield escaped(net(impact))
    if impact.not_judged:
        yield f"Not judged on both sides: {', '.join(map(code, impact.not_judged))}"


def _shift(part: str, shift: Shift) -> str:
    finding = shift.finding
    return row(
        code(name(finding.policy)),
        code(subject(finding.subject)),
        escaped(cents(finding.spend_usd)),
        escaped(saved(finding.savings)),
        reason(part, shift),
    )


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    lines = [row(*head), row(*("---" for _ in head)), *rows[:MOST_ROWS]]
    more = f"\n\n{len(rows) - MOST_ROWS} more rows are not shown." if len(rows) > MOST_ROWS else ""
    return "\n".join(lines) + more
