"""The JSON Schema as editors get it: with an example of each kind to begin a policy from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from orpolicy.manual import manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.schema import build
from orpolicy.policy_kinds import Kinds

if TYPE_CHECKING:
    from orpolicy.policy.model import Json


def schema_text() -> str:
    """The schema of a policy file, with what only editors read."""
    schema = build(kind.schema for kind in Kinds().values())
    definitions = schema["$defs"]
    if isinstance(definitions, dict) and isinstance(policy := definitions["policy"], dict):
        policy["defaultSnippets"] = [_snippet(name) for name in RULES]
    return json.dumps(schema, indent=2) + "\n"


def _snippet(name: str) -> Json:
    """A policy of the kind, as its manual has it."""
    manual = manual_of(RULES[name].__doc__ or "")
    example = yaml.safe_load(manual.good)
    return {
        "label": f"a {name} policy",
        "description": manual.summary.replace("``", "`"),
        "body": _quoted(example),
    }


def _quoted(value: Json) -> Json:
    """The value with quotes of its own around texts that need them: editors put snippets in as they are."""
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return f'"{value}"' if isinstance(value, str) and not value[:1].isalnum() else value
