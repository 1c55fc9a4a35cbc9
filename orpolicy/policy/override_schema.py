"""The part of the schema for ``extends`` and ``override``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.policy.fragments import EXTENDED, KEBAB_CASE, ref
from orpolicy.policy.kinds import DISABLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json

_FIXED = ("id", "rule")
"""What nobody changes: by the id the policy is found, and another rule is another policy."""


def extending_keys() -> dict[str, Json]:
    """``extends`` and ``override``, as they stand at the top of a file."""
    return {
        "extends": {
            "type": ["string", "array"],
            "pattern": EXTENDED,
            "items": ref("extended"),
            "minItems": 1,
            "uniqueItems": True,
            "description": "Packs and files whose policies, sets, defaults and waivers are used as well.",
        },
        "override": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": KEBAB_CASE},
            "additionalProperties": ref("override"),
            "description": "Changes of policies that `extends` pulls in, by id; the report lists each.",
        },
    }


def extending_definitions(
    common: Mapping[str, Json], kinds: Iterable[KindSchema], packs: Sequence[str]
) -> dict[str, Json]:
    """What the two keys refer to.

    Args:
        common: the keys of every policy, thresholds included.
        kinds: whose own keys can be changed as well; what they take is checked once they are in place.
        packs: names to offer; others are no fault of the schema.
    """
    own: dict[str, Json] = {}
    for kind in kinds:
        for key, fragment in kind.keys.items():
            said = fragment.get("description", "") if isinstance(fragment, dict) else ""
            own.setdefault(key, {"description": f"Of {kind.name}: {said}" if said else f"Of {kind.name}."})
    named: list[Json] = [{"enum": [f"pack:{name}" for name in packs]}] if packs else []
    return {
        "extended": {
            "type": "string",
            "anyOf": [*named, {"pattern": EXTENDED}],
            "description": "pack:NAME, or the path of a policy file as seen from this one.",
        },
        "override": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                DISABLED: {"type": "boolean", "description": "true: the policy is not run."},
                **{key: _nullable(fragment) for key, fragment in common.items() if key not in _FIXED},
                **own,
            },
            "additionalProperties": False,
            "description": "What is different; a key without a value takes the policy's own away.",
        },
    }


def _nullable(fragment: Json) -> Json:
    """The same, or nothing."""
    if not isinstance(fragment, dict) or "type" not in fragment:
        return {"anyOf": [fragment, {"type": "null"}]}
    kinds = fragment["type"]
    return {**fragment, "type": [*(kinds if isinstance(kinds, list) else [kinds]), "null"]}
