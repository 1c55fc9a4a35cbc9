"""The parts of the schema that do not depend on the rule kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.query.vocabulary import DIMENSIONS
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from orpolicy.policy.model import Json

KEBAB_CASE = "^[a-z0-9]+(-[a-z0-9]+)*$"
SET_NAME = "^[a-z][a-z0-9_-]*$"
DIMENSION = "^[a-z][a-z0-9_]*$"
WEB_LINK = "^https?://[^\\s]+$"
MODEL_ID = "^[^\\s*?@]+$"
EXTENDED = "^(pack:.+|(?![/\\\\~]|[A-Za-z]+:).*\\.ya?ml)$"
KEY_HASH = "^[0-9a-f]{64}$"
DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

PATTERN_WORDS = {
    KEBAB_CASE: "lower-case words joined by hyphens, such as cache-prompt-heavy",
    SET_NAME: "a lower-case name, such as batch",
    DIMENSION: "a dimension's name, such as api_key_id",
    WEB_LINK: "a link that begins with https:// or http://",
    MODEL_ID: "one model id, without * or ?, such as openai/gpt-5-mini",
    EXTENDED: "pack:NAME or the relative path of a .yaml file, such as ../shared/costs.yaml",
    KEY_HASH: "a key's hash: 64 hex digits in lower case",
    DAY: "a UTC day, such as 2026-05-31",
}
"""What each pattern of the schema asks for, in words."""

TEXT: dict[str, Json] = {"type": "string", "minLength": 1}


def definitions() -> dict[str, Json]:
    """What other parts refer to, by name."""
    return {
        "dimension": {
            "type": "string",
            "anyOf": [{"enum": list(DIMENSIONS)}, {"pattern": DIMENSION}],
            "description": "One of the API's own dimension names.",
        },
        "pattern": {
            **TEXT,
            "description": "A name with * and ? as wildcards, in any case; @name is a set.",
        },
        "patterns": {
            "type": ["string", "array"],
            "minLength": 1,
            "items": ref("pattern"),
            "minItems": 1,
            "description": "A pattern or a list of patterns.",
        },
        "selector": _selector(),
        "where": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": DIMENSION},
            "properties": {name: ref("selector") for name in DIMENSIONS},
            "additionalProperties": ref("selector"),
            "description": "Which members of each dimension are meant; all conditions must hold.",
        },
        "window": _window(),
        "floor": _floor(),
        "owner": {**TEXT, "description": "Who takes care of a breach."},
        "severity": {
            "enum": [severity.value for severity in Severity],
            "description": "How much a breach matters: error (the default), warning or note.",
        },
        "waiver": _waiver(),
    }


def _selector() -> dict[str, Json]:
    excluded: dict[str, Json] = {
        "properties": {"not": ref("patterns")},
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
            "start": {**TEXT, "description": "The first UTC day or time, inclusive."},
            "end": {**TEXT, "description": "The UTC day or time at which it ends, exclusive."},
        },
        "required": ["start", "end"],
        "additionalProperties": False,
        "description": "last-month (default), this-month, last-week, last-Nd, START..END or {start, end}.",
    }


def _floor() -> dict[str, Json]:
    return closed(
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
        **closed(
            {
                "policy": {**TEXT, "description": "The policy's id."},
                "where": ref("where"),
                "until": {**TEXT, "description": "The last UTC day on which it holds: 2027-01-31."},
                "max_spend": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": "USD a month; above it the finding is open again.",
                },
                "reason": {**TEXT, "description": "Why this is accepted."},
                "owner": ref("owner"),
            },
            "An agreed exception.",
        ),
        "required": ["policy", "until", "reason", "owner"],
    }


def ref(name: str) -> dict[str, Json]:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def closed(properties: dict[str, Json], description: str) -> dict[str, Json]:
    """A mapping with these keys and no others, of which at least one is there."""
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "description": description,
    }


def listed(items: Json, description: str) -> dict[str, Json]:
    """A list with at least one entry."""
    return {"type": "array", "items": items, "minItems": 1, "description": description}


def sets(description: str) -> dict[str, Json]:
    """Named lists of patterns."""
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": SET_NAME},
        "additionalProperties": listed(ref("pattern"), "Patterns; @name is another set."),
        "description": description,
    }
