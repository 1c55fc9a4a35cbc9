"""The outcome for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.policy_diff.model import Effect
from orpolicy.policy_diff.outcome import NO_FIGURES, TITLES, net, parts, places, reason, said, total, worth
from orpolicy.reporters._words import name, prose, subject, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.policy_diff.impact import Impact
    from orpolicy.policy_diff.outcome import Outcome


def as_text(outcome: Outcome) -> str:
    """The outcome as lines, what weakens first."""
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    yield outcome.headline
    yield from map(visible, outcome.notes)
    for effect in Effect:
        changes = outcome.diff.of(effect)
        if changes:
            yield f"\n{TITLES[effect]}"
        for change in changes:
            yield f"  {name(change.policy)}: {said(change)}"
            yield f"    {places(change)}"
    yield ""
    if outcome.impact is None:
        yield NO_FIGURES
    else:
        yield from _figures(outcome.impact)


def _figures(impact: Impact) -> Iterator[str]:
    for part, title, shifts in parts(impact):
        if not shifts:
            yield f"{title}: none"
            continue
        yield f"{title}: {total(shifts)}"
        for shift in shifts:
            who = f"{name(shift.finding.policy)}: {subject(shift.finding.subject)}"
            yield f"  {who}: {worth(shift)} ({reason(part, shift)})"
            yield f"    {shift.finding.fingerprint}"
    yield net(impact)
    for policy in impact.not_judged:
        yield f"not judged on both sides: {prose(policy)}"
