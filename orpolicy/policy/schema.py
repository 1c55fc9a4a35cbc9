"""The JSON Schema of the policy language, assembled from the common part and the kinds it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.query.vocabulary import DIMENSIONS, MAX_DIMENSIONS
from orpolicy.verdict import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json

KEBAB_CASE = "^[a-z0-9]+(-[a-z0-9]+)*$"
SET_NAME = "^[a-z][a-z0-9_-]*$"
DIMENSION = "^[a-z][a-z0-9_]*$"
WEB_LINK = "^https?://[^\\s]+$"
MODEL_ID = "^[^\\s*?@]+$"

PATTERN_WORDS = {
    KEBAB_CASE: "lower-case words joined by hyphens, such as cache-prompt-heavy",
    SET_NAME: "a lower-case name, such as batch",
    DIMENSION: "a dimension's name, such as api_key_id",
    WEB_LINK: "a link that begins with https:// or http://",
    MODEL_ID: "one model id, without * or ?, such as openai/gpt-5-mini",
}
"""What each pattern of the schema asks for, in words."""

_TEXT: dict[str, Json] = {"type": "string", "minLength": 1}

_THRESHOLD_WORDS = {
    "fail_above": "A value above this fails the policy.",
    "warn_above": "A value above this is a warning; below fail_above.",
    "fail_below": "A value below this fails the policy.",
    "warn_below": "A value below this is a warning; above fail_below.",
}


def build(kinds: Iterable[KindSchema]) -> dict[str, Json]:
    """The schema of one policy file, draft 2020-12.

    Each kind has a conditional of its own that closes the policy's keys, so that every problem has one
    cause and editors complete what fits the ``rule`` that is already there.
    """
    kinds = tuple(kinds)
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
            **_definitions(),
            "policy": _policy(kinds),
            **{f"policy-{kind.name}": _kind(kind) for kind in kinds},
        },
    }


def _top_level() -> dict[str, Json]:
    return {
        "version": {"const": 1, "description": "The version of the policy language."},
        "defaults": _closed(
            {key: _ref(key) for key in ("window", "floor", "owner", "severity")},
            "What holds where a policy says nothing else; shared by all files of a run.",
        ),
        "key_sets": _sets("api_key_id patterns by name; a policy uses one as @name."),
        "model_sets": _sets("Model patterns by name; a policy uses one as @name."),
        "policies": _list(_ref("policy"), "The rules."),
        "waivers": _list(_ref("waiver"), "Agreed exceptions, each with a reason, an owner and an end."),
        "tests": _list(_ref("test"), "Unit tests of the policies, run by `orpolicy test`."),
    }


def _definitions() -> dict[str, Json]:
    return {
        "dimension": {
            "type": "string",
            "anyOf": [{"enum": list(DIMENSIONS)}, {"pattern": DIMENSION}],
            "description": "One of the API's own dimension names.",
        },
        "pattern": {
            **_TEXT,
            "description": "A name with * and ? as wildcards, in any case; @name is a set.",
        },
        "patterns": {
            "type": ["string", "array"],
            "minLength": 1,
            "items": _ref("pattern"),
            "minItems": 1,
            "description": "A pattern or a list of patterns.",
        },
        "selector": _selector(),
        "where": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": DIMENSION},
            "properties": {name: _ref("selector") for name in DIMENSIONS},
            "additionalProperties": _ref("selector"),
            "description": "Which members of each dimension are meant; all conditions must hold.",
        },
        "window": _window(),
        "floor": _floor(),
        "owner": {**_TEXT, "description": "Who takes care of a breach."},
        "severity": {
            "enum": [severity.value for severity in Severity],
            "description": "How much a breach matters: error (the default), warning or note.",
        },
        "waiver": _waiver(),
        "test": _test(),
    }


def _selector() -> dict[str, Json]:
    excluded: dict[str, Json] = {
        "properties": {"not": _ref("patterns")},
        "required": ["not"],
        "additionalProperties": False,
    }
    return {
        "type": ["string", "array", "object"],
        "minLength": 1,
        "minItems": 1,
        "items": {"type": ["string", "object"], "minLength": 1, **excluded},
        **excluded,
        "description": "A pattern, a list of patterns, or {not: ...} for what is left out.",
    }


def _window() -> dict[str, Json]:
    return {
        "type": ["string", "object"],
        "examples": ["last-month", "this-month", "last-week", "last-30d", "2026-05-01..2026-06-01"],
        "properties": {
            "start": {**_TEXT, "description": "The first UTC day or time, inclusive."},
            "end": {**_TEXT, "description": "The UTC day or time at which it ends, exclusive."},
        },
        "required": ["start", "end"],
        "additionalProperties": False,
        "description": "last-month (default), this-month, last-week, last-Nd, START..END or {start, end}.",
    }


def _floor() -> dict[str, Json]:
    return _closed(
        {
            "spend": {"type": "number", "minimum": 0, "description": "USD in the window."},
            "requests": {"type": "integer", "minimum": 0, "description": "Requests in the window."},
            "share": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "Share of all traffic's spend in the window, 0 to 1.",
            },
        },
        "Rows under any of these are counted, not judged.",
    )


def _waiver() -> dict[str, Json]:
    return {
        **_closed(
            {
                "policy": {**_TEXT, "description": "The policy's id."},
                "where": _ref("where"),
                "until": {**_TEXT, "description": "The last UTC day on which it holds: 2027-01-31."},
                "max_spend": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": "USD a month; above it the finding is open again.",
                },
                "reason": {**_TEXT, "description": "Why this is accepted."},
                "owner": _ref("owner"),
            },
            "An agreed exception.",
        ),
        "required": ["policy", "until", "reason", "owner"],
    }


def _test() -> dict[str, Json]:
    values: dict[str, Json] = {"type": ["string", "number", "boolean", "null"]}
    expected: dict[str, Json] = {
        "type": "object",
        "required": ["policy", "verdict"],
        "properties": {
            "policy": {**_TEXT, "description": "The policy's id."},
            "verdict": {"enum": [verdict.value for verdict in Verdict]},
        },
        "additionalProperties": values,
    }
    return {
        **_closed(
            {
                "name": {**_TEXT, "description": "What the test shows."},
                "now": {**_TEXT, "description": "The clock: a UTC day or time."},
                "rows": {
                    "type": "array",
                    "items": {"type": "object", "minProperties": 1, "additionalProperties": values},
                    "description": "Usage: dimensions and metrics by name.",
                },
                "expect": {
                    "type": "array",
                    "items": expected,
                    "description": "Every finding there should be.",
                },
                "todo": {"type": "boolean", "description": "Whether the test is known to fail."},
            },
            "A unit test of the policies.",
        ),
        "required": ["name", "now", "rows", "expect"],
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
        "title": {**_TEXT, "description": "A headline for findings."},
        "why": {**_TEXT, "description": "Why the rule exists; shown in findings."},
        "owner": _ref("owner"),
        "link": {"type": "string", "pattern": WEB_LINK, "description": "Where to read more."},
        "severity": _ref("severity"),
        "window": _ref("window"),
        "by": {
            "type": "array",
            "items": _ref("dimension"),
            "maxItems": MAX_DIMENSIONS,
            "uniqueItems": True,
            "description": "One or two dimensions: each combination is judged on its own. []: all traffic.",
        },
        "where": _ref("where"),
        "floor": _ref("floor"),
        "allow_empty": {"type": "boolean", "description": "true: matching nothing is a pass."},
        "locked": {"type": "boolean", "description": "true: cannot be waived or baselined."},
        "replacement": {
            "type": "string",
            "pattern": MODEL_ID,
            "description": "The model id to use instead, for the recommendation and the savings.",
        },
    }


def _policy(kinds: tuple[KindSchema, ...]) -> dict[str, Json]:
    return {
        "type": "object",
        "required": ["id", "rule"],
        "properties": {
            "rule": {
                "enum": [kind.name for kind in kinds],
                "enumDescriptions": [kind.description for kind in kinds],
                "description": "What is measured: the rule kind.",
            },
            **common_keys(),
        },
        "allOf": [
            {
                "if": {"properties": {"rule": {"const": kind.name}}, "required": ["rule"]},
                "then": _ref(f"policy-{kind.name}"),
            }
            for kind in kinds
        ],
    }


def _kind(kind: KindSchema) -> dict[str, Json]:
    thresholds: dict[str, Json] = {
        key: {"type": "number", "description": _THRESHOLD_WORDS[key]} for key in kind.thresholds
    }
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


def _ref(name: str) -> dict[str, Json]:
    return {"$ref": f"#/$defs/{name}"}


def _closed(properties: dict[str, Json], description: str) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "description": description,
    }


def _list(items: Json, description: str) -> dict[str, Json]:
    return {"type": "array", "items": items, "minItems": 1, "description": description}


def _sets(description: str) -> dict[str, Json]:
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": SET_NAME},
        "additionalProperties": _list(_ref("pattern"), "Patterns; @name is another set."),
        "description": description,
    }
