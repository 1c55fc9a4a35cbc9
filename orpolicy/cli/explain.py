"""``orpolicy explain``: the manual of a rule kind."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from orpolicy.errors import PolicyError, UsageError
from orpolicy.manual import Manual, example_file, manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.loader import load_texts
from orpolicy.policy.validation import near_miss
from orpolicy.policy_kinds import Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json, Thresholds
    from orpolicy.rules.base import Rule

_WIDTH = 92


@click.command(name="explain")
@click.argument("rule", required=False)
def command(rule: str | None) -> None:
    """Say what a rule kind measures, which keys it takes and how to write it.

    Without RULE it lists the kinds.
    """
    if rule is None:
        width = max(map(len, RULES))
        for name in RULES:
            click.echo(f"{name:{width}}  {RULES[name].measures}")
        return
    if rule not in RULES:
        hint = near_miss(rule, RULES) or f"kinds: {', '.join(RULES)}"
        raise UsageError(f"there is no rule kind {rule!r} ({hint})")
    click.echo("\n".join(_manual(rule)))


def _manual(name: str) -> Iterator[str]:
    rule, kinds = RULES[name], Kinds()
    manual = manual_of(rule.__doc__ or "")
    yield f"{name}: {manual.summary}"
    yield from _prose(manual)
    yield ""
    yield from _facts(rule, kinds[name].schema)
    yield from _own_keys(kinds[name].schema)
    yield from ("", "Good example", textwrap.indent(manual.good, "  "))
    yield from ("", "Refused", textwrap.indent(manual.bad, "  "))
    yield from _refusal(manual, kinds)


def _prose(manual: Manual) -> Iterator[str]:
    for paragraph in filter(None, manual.prose.split("\n\n")):
        yield ""
        yield textwrap.fill(" ".join(paragraph.replace("``", "`").split()), _WIDTH)


def _facts(rule: type[Rule], schema: KindSchema) -> Iterator[str]:
    yield f"Measures    {rule.measures.replace('`', '')}{f' ({rule.unit})' if rule.unit else ''}"
    yield f"Default by  {', '.join(rule.default_by) or 'all traffic'}"
    default = _defaults(rule.default_thresholds) if schema.has_default else "at least one is needed"
    yield f"Thresholds  {', '.join(schema.thresholds)}: {default}"


def _defaults(thresholds: Thresholds) -> str:
    values = {
        "fail_above": thresholds.fail_above,
        "warn_above": thresholds.warn_above,
        "fail_below": thresholds.fail_below,
        "warn_below": thresholds.warn_below,
    }
    stated = ", ".join(f"{key} {value:g}" for key, value in values.items() if value is not None)
    return f"without any, {stated}"


def _own_keys(schema: KindSchema) -> Iterator[str]:
    if schema.keys:
        yield ""
        yield "Keys of its own"
    for key, fragment in schema.keys.items():
        facts = fragment if isinstance(fragment, dict) else {}
        needed = "required" if key in schema.required else "optional"
        yield textwrap.fill(
            f"{key} ({_type(facts)}, {needed}): {facts.get('description', '')}",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
        )


def _type(fragment: dict[str, Json]) -> str:
    """What a key takes, in words."""
    if str(fragment.get("$ref", "")).endswith("patterns"):
        return "pattern or list of patterns"
    choices = fragment.get("enum")
    if isinstance(choices, list):
        return " | ".join(str(choice) for choice in choices)
    items = fragment.get("items")
    if isinstance(items, dict):
        return f"list of {_type(items)}"
    words = {"string": "text", "object": "mapping", "array": "list", "boolean": "true or false"}
    return words.get(str(fragment.get("type")), str(fragment.get("type", "any")))


def _refusal(manual: Manual, kinds: Kinds) -> Iterator[str]:
    """Why the bad example is refused."""
    try:
        load_texts({"example": example_file(manual.bad).encode()}, kinds)
    except PolicyError as error:
        for problem in error.problems:
            yield f"  -> {problem.message}{f' ({problem.hint})' if problem.hint else ''}"
