"""The settings of a kind held against each other: those whose direction is known, and the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.plugins import RULES
from orpolicy.policy.patterns import MODEL_DIMENSION
from orpolicy.policy_diff.model import Change, Effect, Places
from orpolicy.policy_diff.scope import Relation, Scope, patterns, relation
from orpolicy.rules.cache_hit_rate import DEFAULT_PROMPT_PER_COMPLETION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.policy.model import Json, Policy, PolicySet

_PATTERNS = "#/$defs/patterns"
_RELATIONS = {
    Relation.WIDER: Effect.STRONGER,
    Relation.NARROWER: Effect.WEAKER,
    Relation.UNKNOWN: Effect.UNCLEAR,
}
_CANNOT_TELL = "changed: cannot tell"


def setting_changes(pair: tuple[Policy, Policy], sides: tuple[PolicySet, PolicySet]) -> Iterator[Change]:
    """What became of each key of the kind's own.

    Args:
        pair: the older and the newer policy, of one kind.
        sides: the sets that each belongs to.
    """
    for key, fragment in RULES[pair[1].rule].keys.items():
        if isinstance(fragment, dict) and fragment.get("$ref") == _PATTERNS:
            yield from _patterns(pair, sides, key)
        elif pair[0].settings.get(key) != pair[1].settings.get(key):
            effect = _effect(pair, key)
            values = (_text(pair[0], key), _text(pair[1], key))
            yield _change(pair, key, values, effect)


def _change(pair: tuple[Policy, Policy], key: str, values: tuple[str, str], effect: Effect) -> Change:
    places = Places(pair[0].place(key), pair[1].place(key))
    note = _CANNOT_TELL if effect is Effect.UNCLEAR else ""
    return Change(effect, pair[1].id, key, *values, places, note)


def _patterns(pair: tuple[Policy, Policy], sides: tuple[PolicySet, PolicySet], key: str) -> Iterator[Change]:
    """Models that the kind is about: fewer of them catch less, and more only add rows."""
    old, new = (
        Scope(MODEL_DIMENSION, patterns(MODEL_DIMENSION, _texts(policy.settings.get(key)), side))
        for policy, side in zip(pair, sides, strict=True)
    )
    found = relation(old, new)
    if found is not Relation.SAME:
        yield _change(pair, key, (str(old), str(new)), _RELATIONS[found])


def _effect(pair: tuple[Policy, Policy], key: str) -> Effect:
    """What a change of one setting does; a kind or key that is not known here cannot be told."""
    old, new = pair
    meant = RULES[old.rule]
    changed = replace(old, settings={**old.settings, key: new.settings.get(key)})
    if meant.read(old) == meant.read(changed):
        return Effect.NEUTRAL
    if (old.rule, key) == ("surcharge-share", "components"):
        return _subset_effect(set(_texts(old.settings[key])), set(_texts(new.settings[key])))
    if (old.rule, key) == ("cache-hit-rate", "prompt_heavy"):
        is_raised = _heavy(new.settings.get(key)) > _heavy(old.settings.get(key))
        return Effect.WEAKER if is_raised else Effect.STRONGER
    return Effect.UNCLEAR


def _subset_effect(old: set[str], new: set[str]) -> Effect:
    """Each is held against the threshold on its own, so that more of them catch more."""
    if new >= old:
        return Effect.NEUTRAL if new == old else Effect.STRONGER
    return Effect.WEAKER if new < old else Effect.UNCLEAR


def _heavy(value: Json) -> float:
    """Prompt per completion tokens above which a row is judged."""
    limit = value.get("prompt_per_completion_above") if isinstance(value, dict) else None
    return float(limit) if isinstance(limit, int | float) else DEFAULT_PROMPT_PER_COMPLETION


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]))


def _text(policy: Policy, key: str) -> str:
    """A setting for people."""
    value = policy.settings.get(key)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
