"""Waivers held against each other: whatever lets more pass weakens the policy that it is for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.policy_diff.model import Change, Effect, Places
from orpolicy.policy_diff.policies import relate
from orpolicy.policy_diff.scope import Relation, Scope
from orpolicy.policy_diff.thresholds import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.policy.model import PolicySet, Waiver

Pair = tuple["Waiver", "Waiver"]
Sides = tuple["PolicySet", "PolicySet"]

_EFFECTS = {
    Relation.WIDER: Effect.WEAKER,
    Relation.NARROWER: Effect.STRONGER,
    Relation.UNKNOWN: Effect.UNCLEAR,
}


def waiver_changes(sides: Sides, renamed: Mapping[str, str]) -> Iterator[Change]:
    """What became of the waivers; those of a policy that only one side has weaken nothing.

    Args:
        sides: the older and the newer set.
        renamed: older policy id -> newer one.
    """
    ids = {item.id for item in sides[1].policies}
    shared = {renamed.get(item.id, item.id) for item in sides[0].policies} & ids
    old = [(renamed.get(item.policy, item.policy), item) for item in sides[0].waivers]
    new = [(item.policy, item) for item in sides[1].waivers]
    for policy in dict.fromkeys([name for name, _ in (*old, *new)]):
        mine = [item for name, item in old if name == policy]
        theirs = [item for name, item in new if name == policy]
        pairs = _paired(mine, theirs, sides)
        for pair in pairs:
            yield from _pair_changes(pair, sides)
        for waiver in mine:
            if all(waiver is not pair[0] for pair in pairs):
                effect = Effect.STRONGER if policy in shared else Effect.NEUTRAL
                places = Places(waiver.location, None)
                yield Change(effect, policy, "waiver", _words(waiver, sides[0]), "", places, "waiver removed")
        for waiver in theirs:
            if all(waiver is not pair[1] for pair in pairs):
                effect = Effect.WEAKER if policy in shared else Effect.NEUTRAL
                places = Places(None, waiver.location)
                yield Change(effect, policy, "waiver", "", _words(waiver, sides[1]), places, "waiver added")


def _paired(old: list[Waiver], new: list[Waiver], sides: Sides) -> list[Pair]:
    """Waivers of one policy that are the same one: first by their subjects, then in the files' order."""
    pairs: list[Pair] = []
    left, rest = list(old), []
    for waiver in new:
        wanted = _scopes(waiver, sides[1])
        same = next((item for item in left if _scopes(item, sides[0]) == wanted), None)
        if same is None:
            rest.append(waiver)
        else:
            left.remove(same)
            pairs.append((same, waiver))
    return pairs + list(zip(left, rest, strict=False))


def _pair_changes(pair: Pair, sides: Sides) -> Iterator[Change]:
    old, new = pair
    if old.until != new.until:
        effect = Effect.WEAKER if new.until > old.until else Effect.STRONGER
        yield _change(pair, "waiver.until", (f"{old.until}", f"{new.until}"), effect)
    before, after = (_most(item) for item in pair)
    if before != after:
        effect = Effect.WEAKER if after > before else Effect.STRONGER
        yield _change(pair, "waiver.max_spend", (_usd(before), _usd(after)), effect)
    for key in ("reason", "owner"):
        texts = (str(getattr(old, key)), str(getattr(new, key)))
        if texts[0] != texts[1]:
            yield _change(pair, f"waiver.{key}", texts, Effect.NEUTRAL)
    yield from _where(pair, sides)


def _where(pair: Pair, sides: Sides) -> Iterator[Change]:
    """Subjects: a dimension less waives more."""
    old, new = (_scopes(item, side) for item, side in zip(pair, sides, strict=True))
    for dimension in sorted({*old, *new}):
        before, after = old.get(dimension), new.get(dimension)
        found = relate(before, after)
        if found is not Relation.SAME:
            values = ("" if before is None else str(before), "" if after is None else str(after))
            yield _change(pair, f"waiver.where.{dimension}", values, _EFFECTS[found])


def _change(pair: Pair, key: str, values: tuple[str, str], effect: Effect) -> Change:
    places = Places(pair[0].location, pair[1].location)
    note = "changed: cannot tell" if effect is Effect.UNCLEAR else ""
    return Change(effect, pair[1].policy, key, *values, places, note)


def _scopes(waiver: Waiver, policies: PolicySet) -> dict[str, Scope]:
    return {item.dimension: Scope.of(item, policies) for item in waiver.where}


def _most(waiver: Waiver) -> float:
    most = waiver.max_spend_usd_per_month
    return math.inf if most is None else most


def _usd(most: float) -> str:
    return "" if most == math.inf else number(most)


def _words(waiver: Waiver, policies: PolicySet) -> str:
    """A waiver in one line."""
    where = ", ".join(f"{name} {scope}" for name, scope in _scopes(waiver, policies).items())
    most = waiver.max_spend_usd_per_month
    bound = "" if most is None else f", up to {number(most)} USD a month"
    return f"{where or 'every subject'} until {waiver.until}{bound}"
