"""One policy held against its older self."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.binding import DEFAULT_WINDOW
from orpolicy.period import parse_window
from orpolicy.plugins import RULES
from orpolicy.policy.model import Thresholds
from orpolicy.policy.patterns import MODEL_DIMENSION
from orpolicy.policy_diff.model import Change, Effect, Places
from orpolicy.policy_diff.scope import Relation, Scope, patterns, relation
from orpolicy.policy_diff.settings import setting_changes
from orpolicy.policy_diff.thresholds import number, threshold_changes
from orpolicy.rules.base import Bound, Traffic
from orpolicy.totals import Totals
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from orpolicy.policy.model import Policy, PolicySet

Pair = tuple["Policy", "Policy"]
Sides = tuple["PolicySet", "PolicySet"]

_WORDS = ("title", "why", "owner", "link", "replacement")
_FLOORS = {"spend": "spend_usd", "requests": "requests", "share": "share"}
_SEVERITIES = tuple(Severity)
_ELSEWHERE = frozenset({"id", "location", "places", "window", "where", "settings"})
"""What is the policy's name, a place, or compared in another way."""

_ANY_WINDOW = parse_window("last-month", datetime(2026, 6, 10, tzinfo=UTC))


def policy_changes(pair: Pair, sides: Sides) -> Iterator[Change]:
    """What is different between two policies of one kind.

    Args:
        pair: the older and the newer.
        sides: the sets that each belongs to.
    """
    limits = (thresholds(pair[0]), thresholds(pair[1]))
    yield from chain(
        threshold_changes(pair, limits),
        _severity(pair),
        _floor(pair),
        _where(pair, sides),
        setting_changes(pair, sides),
        _by(pair),
        _window(pair, sides),
        _switches(pair),
        _words(pair),
    )


def thresholds(policy: Policy) -> Thresholds:
    """What holds for a policy: its own thresholds, else the kind's."""
    own = policy.thresholds
    return own if own != Thresholds() else RULES[policy.rule].default_thresholds


def dimensions(policy: Policy) -> tuple[str, ...]:
    """What holds for a policy: its own ``by``, else the kind's."""
    return RULES[policy.rule].default_by if policy.by is None else policy.by


def window(policy: Policy, policies: PolicySet) -> str:
    """What holds for a policy: its own window, the files' default, else the last month."""
    return policy.window or policies.window or DEFAULT_WINDOW


def content(policy: Policy, policies: PolicySet) -> Hashable:
    """All that a policy says but for its id, comparable over files."""
    plain = tuple(getattr(policy, item.name) for item in fields(policy) if item.name not in _ELSEWHERE)
    where = frozenset(Scope.of(item, policies) for item in policy.where)
    models = patterns(MODEL_DIMENSION, RULES[policy.rule].read(policy).models, policies)
    settings = json.dumps(policy.settings, sort_keys=True)
    return (plain, window(policy, policies), where, models, settings)


def only_grows(policy: Policy) -> bool:
    """Whether more traffic can only raise the measure: it is a plain sum, judged from above."""
    rule = RULES[policy.rule]
    ratio = rule.read(policy).ratio(_ANY_WINDOW, Traffic(Totals()))
    return rule.bounds == {Bound.ABOVE} and ratio is not None and ratio.to is None and ratio.heavy is None


def _change(pair: Pair, key: str, values: tuple[str, str], effect: Effect, note: str = "") -> Change:
    old, new = pair
    return Change(effect, new.id, key, *values, Places(old.place(key), new.place(key)), note)


def _severity(pair: Pair) -> Iterator[Change]:
    old, new = (item.severity for item in pair)
    if old is not new:
        lower = _SEVERITIES.index(new) > _SEVERITIES.index(old)
        yield _change(pair, "severity", (old.value, new.value), Effect.WEAKER if lower else Effect.STRONGER)


def _floor(pair: Pair) -> Iterator[Change]:
    for key, attribute in _FLOORS.items():
        old, new = (float(getattr(item.floor, attribute)) for item in pair)
        if old != new:
            effect = Effect.WEAKER if new > old else Effect.STRONGER
            yield _change(pair, f"floor.{key}", (number(old), number(new)), effect)


def _where(pair: Pair, sides: Sides) -> Iterator[Change]:
    """The selectors, dimension by dimension; each must match, so that one less means more."""
    old, new = (
        {item.dimension: Scope.of(item, side) for item in policy.where}
        for policy, side in zip(pair, sides, strict=True)
    )
    for dimension in sorted({*old, *new}):
        before, after = old.get(dimension), new.get(dimension)
        found = relate(before, after)
        if found is not Relation.SAME:
            effect, note = _scope_effect(found, pair, dimension, (before, after))
            values = (_scope(before), _scope(after))
            yield _change(pair, f"where.{dimension}", values, effect, note)


def relate(old: Scope | None, new: Scope | None) -> Relation:
    """How the newer scope of a dimension relates to the older; None: no selector, on one side at most."""
    if old is None:
        return Relation.NARROWER
    return Relation.WIDER if new is None else relation(old, new)


def _scope_effect(
    found: Relation, pair: Pair, dimension: str, scopes: tuple[Scope | None, Scope | None]
) -> tuple[Effect, str]:
    if found is Relation.NARROWER:
        return Effect.WEAKER, "scope narrowed"
    if found is Relation.UNKNOWN:
        return Effect.UNCLEAR, "changed: cannot tell"
    parts = any(scope is not None and scope.tells_variants for scope in scopes)
    is_whole = all(dimension in dimensions(policy) for policy in pair) and not parts
    if is_whole or all(map(only_grows, pair)):
        return Effect.STRONGER, "scope widened"
    return Effect.UNCLEAR, "scope widened: more traffic may dilute what stood out"


def _scope(scope: Scope | None) -> str:
    return "" if scope is None else str(scope)


def _by(pair: Pair) -> Iterator[Change]:
    """Neither way is safe: a whole hides its parts, and parts may each stay below what a whole passes."""
    old, new = (dimensions(policy) for policy in pair)
    if set(old) == set(new):
        return
    note = "changed: cannot tell"
    if set(new) < set(old):
        note = "coarser: what stands out in a part may be lost in the whole"
    elif set(old) < set(new):
        note = "finer: each part may stay within what the whole does not"
    yield _change(pair, "by", (_by_text(old), _by_text(new)), Effect.UNCLEAR, note)


def _by_text(by: tuple[str, ...]) -> str:
    return ", ".join(by) or "(all traffic)"


def _window(pair: Pair, sides: Sides) -> Iterator[Change]:
    old, new = (window(policy, side) for policy, side in zip(pair, sides, strict=True))
    if old != new:
        yield _change(pair, "window", (old, new), Effect.UNCLEAR, "another window: cannot tell")


def _switches(pair: Pair) -> Iterator[Change]:
    for key, weaker_when, note in (
        ("allow_empty", True, "matching nothing is a pass"),
        ("locked", False, "it can be waived and baselined"),
    ):
        old, new = (bool(getattr(policy, key)) for policy in pair)
        if old is not new:
            effect, why = (Effect.WEAKER, note) if new is weaker_when else (Effect.STRONGER, "")
            yield _change(pair, key, (str(old).lower(), str(new).lower()), effect, why)


def _words(pair: Pair) -> Iterator[Change]:
    for key in _WORDS:
        old, new = (str(getattr(policy, key)) for policy in pair)
        if old != new:
            yield _change(pair, key, (old, new), Effect.NEUTRAL)
