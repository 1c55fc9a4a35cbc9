"""The JSON Schema of the policy language, assembled from the common part and the kinds it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from orpolicy.policy.case_schema import case_definitions
from orpolicy.policy.fragments import (
    KEBAB_CASE,
    MODEL_ID,
    TEXT,
    WEB_LINK,
    closed,
    definitions,
    listed,
    ref,
    sets,
)
from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.policy.override_schema import extending_definitions, extending_keys
from orpolicy.query.vocabulary import MAX_DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json

KIND_PREFIX = "policy-"
"""What a kind's definition is called, before its name."""

_THRESHOLD_WORDS = {
    "fail_above": "A value above this fails the policy.",
    "warn_above": "A value above this is a warning; below fail_above.",
    "fail_below": "A value below this fails the policy.",
    "warn_below": "A value below this is a warning; above fail_below.",
}


def build(kinds: Iterable[KindSchema], packs: Sequence[str] = ()) -> dict[str, Json]:
    """The schema of one policy file, draft 2020-12.

    Each kind has a conditional of its own that closes the policy's keys, so that every problem has one
    cause and editors complete what fits the ``rule`` that is already there.

    Args:
        kinds: the rule kinds.
        packs: names of packs for editors to offer.
    """
    kinds = tuple(kinds)
    whole = outline([kind.name for kind in kinds], [kind.description for kind in kinds])
    more = extending_definitions({**common_keys(), **_thresholds(THRESHOLD_KEYS)}, kinds, packs)
    more |= {f"{KIND_PREFIX}{kind.name}": kind_definition(kind) for kind in kinds}
    return {**whole, "$defs": {**cast("dict[str, Json]", whole["$defs"]), **more}}


def outline(kinds: Iterable[str], descriptions: Iterable[str] = ()) -> dict[str, Json]:
    """The schema without the definitions that take more of a kind than its name.

    Args:
        kinds: names.
        descriptions: of each, for people who hover over it.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "orpolicy policy file",
        "description": "Cost rules for LLM spend, checked by orpolicy.",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "minProperties": 2,
        "properties": _top_level(),
        "$defs": {
            **definitions(),
            **case_definitions(),
            "policy": _policy(tuple(kinds), descriptions),
        },
    }


def _top_level() -> dict[str, Json]:
    return {
        "version": {"const": 1, "description": "The version of the policy language."},
        "defaults": closed(
            {key: ref(key) for key in ("window", "floor", "owner", "severity")},
            "What holds where a policy says nothing else; shared by all files of a run.",
        ),
        **extending_keys(),
        "key_sets": sets("api_key_id patterns by name; a policy uses one as @name."),
        "model_sets": sets("Model patterns by name; a policy uses one as @name."),
        "policies": listed(ref("policy"), "The rules."),
        "waivers": listed(ref("waiver"), "Agreed exceptions, each with a reason, an owner and an end."),
        "tests": listed(ref("test"), "Unit tests of the policies, run by `orpolicy test`."),
    }


def common_keys() -> dict[str, Json]:
    """The keys that every policy may have, apart from ``rule`` and the thresholds."""
    return {
        "id": {
            "type": "string",
            "pattern": KEBAB_CASE,
            "maxLength": 100,
            "description": "The policy's name, unique over all files, in kebab-case.",
        },
        "title": {**TEXT, "description": "A headline for findings."},
        "why": {**TEXT, "description": "Why the rule exists; shown in findings."},
        "owner": ref("owner"),
        "link": {"type": "string", "pattern": WEB_LINK, "description": "Where to read more."},
        "severity": ref("severity"),
        "window": ref("window"),
        "by": {
            "type": "array",
            "items": ref("dimension"),
            "maxItems": MAX_DIMENSIONS,
            "uniqueItems": True,
            "description": "One or two dimensions: each combination is judged on its own. []: all traffic.",
        },
        "where": ref("where"),
        "floor": ref("floor"),
        "allow_empty": {"type": "boolean", "description": "true: matching nothing is a pass."},
        "locked": {"type": "boolean", "description": "true: cannot be waived or baselined."},
        "replacement": {
            "type": "string",
            "pattern": MODEL_ID,
            "description": "The model id to use instead, for the recommendation and the savings.",
        },
    }


def _policy(kinds: Sequence[str], descriptions: Iterable[str]) -> dict[str, Json]:
    return {
        "type": "object",
        "required": ["id", "rule"],
        "properties": {
            "rule": {
                "enum": list(kinds),
                "enumDescriptions": list(descriptions),
                "description": "What is measured: the rule kind.",
            },
            **common_keys(),
        },
        "allOf": [
            {
                "if": {"properties": {"rule": {"const": kind}}, "required": ["rule"]},
                "then": ref(f"{KIND_PREFIX}{kind}"),
            }
            for kind in kinds
        ],
    }


def kind_definition(kind: KindSchema) -> dict[str, Json]:
    """What a policy of a kind may say."""
    thresholds = _thresholds(kind.thresholds)
    schema: dict[str, Json] = {
        "description": kind.description,
        "properties": {**dict.fromkeys(("rule", *common_keys()), True), **thresholds, **kind.keys},
        "additionalProperties": False,
    }
    if kind.required:
        schema["required"] = list(kind.required)
    if kind.bounds and not kind.has_default:
        schema["anyOf"] = [{"required": [key]} for key in THRESHOLD_KEYS if key in thresholds]
    return schema


def _thresholds(keys: Iterable[str]) -> dict[str, Json]:
    return {key: {"type": "number", "description": _THRESHOLD_WORDS[key]} for key in keys}
