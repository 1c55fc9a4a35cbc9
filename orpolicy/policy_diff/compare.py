"""Two policy sets held against each other."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from orpolicy.policy.kinds import DISABLED
from orpolicy.policy_diff.model import Change, Effect, Places, PolicyDiff
from orpolicy.policy_diff.policies import content, policy_changes
from orpolicy.policy_diff.waivers import waiver_changes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from orpolicy.policy.model import Policy, PolicySet


def compare(old: PolicySet, new: PolicySet) -> PolicyDiff:
    """What the newer policies catch less than the older ones, what more, and what else is different.

    A run in which no change weakens or may weaken loses no open finding of the older policies, unless a
    policy of it could not be judged.
    """
    sides = (old, new)
    before, after = ({item.id: item for item in side.policies} for side in sides)
    gone = [item for name, item in before.items() if name not in after]
    come = [item for name, item in after.items() if name not in before]
    renamed = _renamed(gone, come, sides)
    taken = frozenset(renamed.values())
    changes = [
        *(change for name in before if name in after for change in _kept(before[name], after[name], sides)),
        *(_removed(item, new) for item in gone if item.id not in renamed),
        *(_added(item) for item in come if item.id not in taken),
        *(_rename(before[name], after[other]) for name, other in renamed.items()),
        *waiver_changes(sides, renamed),
    ]
    return PolicyDiff((), renamed).joined(changes)


def _renamed(gone: list[Policy], come: list[Policy], sides: tuple[PolicySet, PolicySet]) -> dict[str, str]:
    """Policies that say the same under another id, each taken once."""
    left: dict[Hashable, list[str]] = defaultdict(list)
    for item in reversed(come):
        left[content(item, sides[1])].append(item.id)
    return {item.id: same.pop() for item in gone if (same := left[content(item, sides[0])])}


def _kept(old: Policy, new: Policy, sides: tuple[PolicySet, PolicySet]) -> Iterator[Change]:
    if old.rule == new.rule:
        yield from policy_changes((old, new), sides)
        return
    places = Places(old.place("rule"), new.place("rule"))
    for effect, note in (
        (Effect.WEAKER, f"{old.rule} is no longer checked"),
        (Effect.STRONGER, f"{new.rule} is checked now"),
    ):
        yield Change(effect, new.id, "rule", old.rule, new.rule, places, note)


def _removed(policy: Policy, new: PolicySet) -> Change:
    """A policy that is gone, or that a file which extends its own switches off."""
    off = next((item for item in new.overrides if (item.policy, item.key) == (policy.id, DISABLED)), None)
    places = Places(policy.location, off.location if off else None)
    note = "policy disabled" if off else "policy removed"
    return Change(Effect.WEAKER, policy.id, "policy", policy.rule, "", places, note)


def _added(policy: Policy) -> Change:
    places = Places(None, policy.location)
    return Change(Effect.STRONGER, policy.id, "policy", "", policy.rule, places, "policy added")


def _rename(old: Policy, new: Policy) -> Change:
    places = Places(old.place("id"), new.place("id"))
    note = "renamed: its findings get new fingerprints, and a baseline no longer knows them"
    return Change(Effect.NEUTRAL, new.id, "id", old.id, new.id, places, note)
