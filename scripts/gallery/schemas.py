"""The pages of the JSON Schemas: the policy file, and what commands write as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gallery.console import page_folder
from gallery.markdown import code, page, prose, terms
from orpolicy.cli.schema import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.policy.model import Json

_LANGUAGE = "policies"
_FILES = {_LANGUAGE: "policy-file"}
_MOST_WORDS = 12
"""Longer lists of choices are left to the schema itself."""


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a JSON object.

    Attributes:
        name: with the keys around it, such as ``source.kind``.
        takes: its type, in Markdown.
        meaning: in Markdown.
    """

    name: str
    takes: str
    meaning: str


def schema_pages() -> Iterator[tuple[str, str]]:
    """Path and text of a page a schema."""
    for what in SCHEMAS:
        yield f"reference/{_FILES.get(what, f'{what}-json')}.md", _schema_page(what)


def _schema_page(what: str) -> str:
    command = "orpolicy schema" + ("" if what == _LANGUAGE else f" {what}")
    with page_folder() as session:
        schema = json.loads("\n".join(session.ran(command)))
    definitions = schema["$defs"]
    parts = [prose(schema["description"]), f"`{command}` prints the JSON Schema that this page is made from."]
    parts += ["## Top level", _fields(schema, definitions)]
    for name in sorted(definitions, key=lambda name: what == _LANGUAGE and name != "policy"):
        definition = definitions[name]
        if _has_section(name, definitions):
            parts += [
                f"## {name}",
                prose(definition.get("description", "")),
                _fields(definition, definitions),
            ]
    title = "The policy file" if what == _LANGUAGE else f"JSON of {_writer(what)}"
    return page(title, *parts)


def _writer(what: str) -> str:
    return "a report" if what == "report" else f"`{what}`"


def _has_section(name: str, definitions: Mapping[str, Json]) -> bool:
    """Whether a definition is an object with keys of its own; those of the kinds have pages."""
    definition = definitions[name]
    return isinstance(definition, dict) and "properties" in definition and not name.startswith("policy-")


def _fields(schema: Json, definitions: Mapping[str, Json]) -> str:
    alike: dict[tuple[str, str], list[str]] = {}
    for field in _flat(schema, "", definitions):
        alike.setdefault((field.takes, field.meaning), []).append(code(field.name))
    return terms(
        (", ".join(names), f"{takes}. {meaning}".rstrip()) for (takes, meaning), names in alike.items()
    )


def _flat(schema: Json, prefix: str, definitions: Mapping[str, Json]) -> Iterator[Field]:
    """Every key of an object, and those of the objects inside."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict):
        return
    required = schema.get("required")
    for key, fragment in properties.items():
        if not isinstance(fragment, dict):
            continue
        is_optional = isinstance(required, list) and key not in required
        takes = _type(fragment, definitions) + (", optional" if is_optional else "")
        yield Field(prefix + key, takes, prose(_meaning(fragment, definitions)))
        inner = fragment.get("items") if fragment.get("type") == "array" else fragment
        mark = "[]." if inner is not fragment else "."
        yield from _flat(inner, f"{prefix}{key}{mark}", definitions)


def _meaning(fragment: Mapping[str, Json], definitions: Mapping[str, Json]) -> str:
    told = fragment.get("description")
    target = definitions.get(_target(fragment))
    if told is None and isinstance(target, dict):
        told = target.get("description")
    return str(told or "")


def _target(fragment: Mapping[str, Json]) -> str:
    return str(fragment.get("$ref", "")).removeprefix("#/$defs/")


def _type(fragment: Json, definitions: Mapping[str, Json]) -> str:
    """What a key takes, in Markdown."""
    if not isinstance(fragment, dict):
        return "any"
    if "$ref" in fragment:
        return _reference(_target(fragment), definitions)
    words = _words(fragment)
    if words:
        return ", ".join(map(code, words))
    names = fragment.get("type", "any")
    either = fragment.get("anyOf")
    if names == "any" and isinstance(either, list):
        return " or ".join(_type(each, definitions) for each in either)
    if names == "array" and "items" in fragment:
        return f"list of {_type(fragment['items'], definitions)}"
    return " or ".join(map(str, names)) if isinstance(names, list) else str(names)


def _words(fragment: Mapping[str, Json]) -> list[str]:
    """The closed words that a key takes; none where there are none, or too many for a table."""
    if "const" in fragment:
        return [json.dumps(fragment["const"])]
    choices = fragment.get("enum")
    is_short = isinstance(choices, list) and len(choices) <= _MOST_WORDS
    return [str(choice) for choice in choices] if is_short and isinstance(choices, list) else []


def _reference(name: str, definitions: Mapping[str, Json]) -> str:
    if _has_section(name, definitions):
        return f"[{name}](#{name})"
    target = definitions[name]
    words = _words(target) if isinstance(target, dict) else []
    return ", ".join(map(code, words)) or name
