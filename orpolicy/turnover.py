"""Who came and who left between periods: what growth cannot measure, but people want to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.table import Member

MOST = 5
"""So many are named, the dearest first; the others are counted."""

_SHOWN_HEX = 17
"""Of a key that is known by its hash, ``hash:`` and twelve digits."""


def named(word: str, subjects: Iterable[tuple[Sequence[Member], float]], what: str) -> list[str]:
    """One sentence that names subjects with their dollars; none where there are no subjects.

    Args:
        word: what they are.
        subjects: members and USD.
        what: the dollars are.
    """
    ranked = sorted(subjects, key=lambda subject: (-subject[1], *map(_shown, subject[0])))
    if not ranked:
        return []
    listed = [
        f"{' on '.join(map(_shown, members)) or 'all traffic'} ({usd:,.2f})" for members, usd in ranked[:MOST]
    ]
    more = f" and {len(ranked) - MOST} more" if len(ranked) > MOST else ""
    return [f"{word}: {', '.join(listed)}{more}, USD {what}"]


def enumerated(members: Sequence[Member]) -> str:
    """The first of them by name, and how many more there are."""
    more = f" and {len(members) - MOST} more" if len(members) > MOST else ""
    return ", ".join(sorted(map(_shown, members))[:MOST]) + more


def _shown(member: Member) -> str:
    if member is None:
        return "(none)"
    return f"{member[:_SHOWN_HEX]}…" if member.startswith("hash:") else member
