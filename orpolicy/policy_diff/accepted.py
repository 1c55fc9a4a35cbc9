"""Two baselines held against each other: what accepts more, or worse, weakens the policy that it is for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.policy_diff.model import Change, Effect, Places
from orpolicy.reporters._words import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orpolicy.baseline import Accepted, Ratchet
    from orpolicy.policy.model import PolicySet

Sides = tuple["PolicySet", "PolicySet"]


@dataclass(frozen=True, slots=True)
class Baselines:
    """The accepted findings of both sides.

    Attributes:
        old: on the older side, empty where it has no such file; likewise ``new``.
        places: where the files are.
    """

    old: Ratchet
    new: Ratchet
    places: Places


@dataclass(frozen=True, slots=True)
class _Moved:
    """What became of one policy's entries, by fingerprint."""

    added: tuple[Accepted, ...]
    loosened: tuple[Accepted, ...]
    tightened: tuple[Accepted, ...]
    dropped: tuple[Accepted, ...]

    @property
    def words(self) -> str:
        """``2 entries added, 1 loosened``."""
        counts = {
            "added": len(self.added),
            "loosened": len(self.loosened),
            "tightened": len(self.tightened),
            "dropped": len(self.dropped),
        }
        told = [f"{count:,} {word}" for word, count in counts.items() if count]
        first, _, word = told[0].partition(" ")
        return ", ".join([f"{plural(int(first.replace(',', '')), 'entry', 'entries')} {word}", *told[1:]])


def baseline_changes(both: Baselines, sides: Sides, renamed: Mapping[str, str]) -> Iterator[Change]:
    """What became of the accepted findings, a change a policy with its accepted dollars a month.

    Entries of a policy that only one side has weaken nothing, and nor do those of a locked one; entries of
    a renamed policy are other fingerprints, so that more of them cannot be told from the same ones.

    Args:
        both: the baselines.
        sides: the older and the newer set.
        renamed: older policy id -> newer one.
    """
    now = {item.id: item for item in sides[1].policies}
    shared = {renamed.get(item.id, item.id) for item in sides[0].policies} & set(now)
    old, new = _by_policy(both.old, renamed), _by_policy(both.new, {})
    for policy in sorted({*old, *new}):
        before, after = old.get(policy, {}), new.get(policy, {})
        moved = _moved(before, after)
        if not any((moved.added, moved.loosened, moved.tightened, moved.dropped)):
            continue
        effect = Effect.NEUTRAL
        if policy in shared and not now[policy].locked:
            effect = _effect(moved, is_renamed=policy in renamed.values())
        totals = (_usd(before.values()), _usd(after.values()))
        yield Change(effect, policy, "baseline", *totals, both.places, moved.words)


def _by_policy(ratchet: Ratchet, renamed: Mapping[str, str]) -> dict[str, dict[str, Accepted]]:
    found: dict[str, dict[str, Accepted]] = {}
    for entry in ratchet.entries:
        found.setdefault(renamed.get(entry.policy, entry.policy), {})[entry.fingerprint] = entry
    return found


def _moved(old: Mapping[str, Accepted], new: Mapping[str, Accepted]) -> _Moved:
    kept = [(entry, new[name]) for name, entry in old.items() if name in new]
    loosened = tuple(after for before, after in kept if _is_looser(before, after))
    return _Moved(
        added=tuple(entry for name, entry in new.items() if name not in old),
        loosened=loosened,
        tightened=tuple(
            after for before, after in kept if before.figures != after.figures and after not in loosened
        ),
        dropped=tuple(entry for name, entry in old.items() if name not in new),
    )


def _is_looser(before: Accepted, after: Accepted) -> bool:
    """Whether an entry accepts anything that it did not; another measure accepts other things."""
    now, then = after.figures, before.figures
    return not now.like(then) or now.worse_value(then) or now.worse_usd(then)


def _effect(moved: _Moved, *, is_renamed: bool) -> Effect:
    if moved.added or moved.loosened:
        return Effect.UNCLEAR if is_renamed and moved.dropped else Effect.WEAKER
    return Effect.STRONGER


def _usd(entries: Iterable[Accepted]) -> str:
    return f"${math.fsum(entry.figures.usd_per_month for entry in entries):,.2f} a month"
