"""The pages of the rule kinds: their docstrings, their keys, an example on the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.console import page_folder
from gallery.markdown import code, fenced, page, prose, table, terms
from gallery.packs import packs_of
from orpolicy.errors import PolicyError
from orpolicy.manual import Manual, example_file, manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json
    from orpolicy.rules.base import Rule

ON_THE_DEMO = "orpolicy check --source demo"


def kind_pages() -> Iterator[tuple[str, str]]:
    """Path and text of the index and of a page a kind."""
    rows = (
        [f"[`{name}`]({name}.md)", prose(RULES[name].measures), _dimensions(RULES[name])] for name in RULES
    )
    head = ("kind", "measures", "default `by`")
    opening = "A policy names its kind with `rule:`. Each kind measures one figure of each subject."
    yield "reference/kinds/index.md", page("Rule kinds", opening, table(head, rows))
    for name in RULES:
        yield f"reference/kinds/{name}.md", _kind_page(name)


def _kind_page(name: str) -> str:
    rule, schema = RULES[name], Kinds()[name].schema
    manual = manual_of(rule.__doc__ or "")
    example = example_file(manual.good)
    return page(
        name,
        prose(manual.summary),
        *(prose(paragraph) for paragraph in manual.prose.split("\n\n")),
        "\n".join(f"- **{name}**: {value}" for name, value in _facts(rule, schema)),
        "## Keys of its own" if schema.keys else "",
        terms(_keys(schema.keys, schema.required)),
        "Every policy also takes the [common keys](../policy-file.md#policy).",
        "## An example",
        fenced("yaml", example, "orpolicy.yaml"),
        "On the demo account it says:",
        fenced("console", f"$ {ON_THE_DEMO}\n" + _on_the_demo(example)),
        "## Refused",
        fenced("yaml", manual.bad),
        "\n".join(f"- {line}" for line in _refusals(manual)),
        _uses(name),
    )


def _facts(rule: type[Rule], schema: KindSchema) -> Iterator[tuple[str, str]]:
    yield "measures", prose(rule.measures)
    yield "in reports", code(rule.measure_name)
    if rule.unit:
        yield "unit", prose(rule.unit)
    yield "default `by`", _dimensions(rule)
    yield "thresholds", ", ".join(map(code, schema.thresholds))
    yield "without any threshold", _default(rule) if schema.has_default else "refused"


def _dimensions(rule: type[Rule]) -> str:
    return ", ".join(map(code, rule.default_by)) or "all traffic"


def _default(rule: type[Rule]) -> str:
    values = ((key, getattr(rule.default_thresholds, key)) for key in THRESHOLD_KEYS)
    return ", ".join(code(f"{key}: {value:g}") for key, value in values if value is not None)


def _keys(keys: Mapping[str, Json], required: tuple[str, ...], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, fragment in keys.items():
        facts = fragment if isinstance(fragment, dict) else {}
        needed = " Required." if key in required else ""
        yield code(prefix + key), prose(str(facts.get("description", ""))) + _choices(facts) + needed
        inner = facts.get("properties")
        if isinstance(inner, dict):
            yield from _keys(inner, (), f"{prefix}{key}.")


def _choices(facts: Mapping[str, Json]) -> str:
    items = facts.get("items")
    choices = facts.get("enum", items.get("enum") if isinstance(items, dict) else None)
    if not isinstance(choices, list):
        return ""
    return f" One of {', '.join(code(str(choice)) for choice in choices)}."


def _on_the_demo(example: str) -> str:
    with page_folder() as session:
        (session.folder / "orpolicy.yaml").write_text(example, encoding="utf-8")
        return "\n".join(session.ran(ON_THE_DEMO))


def _refusals(manual: Manual) -> Iterator[str]:
    try:
        load_texts({"example": example_file(manual.bad).encode()}, Kinds())
    except PolicyError as error:
        for problem in error.problems:
            hint = f" ({problem.hint})" if problem.hint else ""
            yield f"{prose(problem.message + hint)} [`{problem.code}`](../errors/{problem.code}.md)"


def _uses(name: str) -> str:
    packs = [f"[{pack}](../packs/{pack}.md)" for pack in packs_of(name)]
    return f"## Packs that use it\n\n{', '.join(packs)}" if packs else ""
