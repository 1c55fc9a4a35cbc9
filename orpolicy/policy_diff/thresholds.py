"""Thresholds held against each other: a breach must stay a breach, and a failure a failure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.policy_diff.model import Change, Effect, Places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.policy.model import Policy, Thresholds

_NEVER = math.inf


def threshold_changes(
    policies: tuple[Policy, Policy], limits: tuple[Thresholds, Thresholds]
) -> Iterator[Change]:
    """What became of each threshold.

    Args:
        policies: the older and the newer.
        limits: what holds for each, a kind's own where the policy sets none.
    """
    for side, sign in (("above", 1.0), ("below", -1.0)):
        fails, warns = (
            [_limit(item, f"{verb}_{side}", sign) for item in limits] for verb in ("fail", "warn")
        )
        changed = _change(policies, f"fail_{side}", (fails[0], fails[1]), sign, _effect(*fails))
        yield from changed
        lines = [min(pair) for pair in zip(fails, warns, strict=True)]
        effect = _effect(*lines)
        if effect is not Effect.NEUTRAL or not changed:
            yield from _change(policies, f"warn_{side}", (warns[0], warns[1]), sign, effect)


def _limit(limits: Thresholds, key: str, sign: float) -> float:
    """A threshold as one above which a value breaches."""
    value: float | None = getattr(limits, key)
    return _NEVER if value is None else value * sign


def _effect(old: float, new: float) -> Effect:
    if old == new:
        return Effect.NEUTRAL
    return Effect.WEAKER if new > old else Effect.STRONGER


def _change(
    policies: tuple[Policy, Policy], key: str, limits: tuple[float, float], sign: float, effect: Effect
) -> tuple[Change, ...]:
    if limits[0] == limits[1]:
        return ()
    old, new = policies
    before, after = ("" if limit == _NEVER else number(limit * sign) for limit in limits)
    return (Change(effect, new.id, key, before, after, Places(old.place(key), new.place(key))),)


def number(value: float) -> str:
    """A number as a person writes it: ``15``, ``0.3``."""
    return repr(value).removesuffix(".0")
