"""The pages of ``docs/``: every command is run, every policy file is valid, nothing generated is stale."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
from gallery.console import agrees, blocks, page_folder, steps
from make_docs import DOCS, ROOT, stale, written

from orpolicy.cli.group import group
from orpolicy.cli.main import COMMANDS
from orpolicy.errors import Reason
from orpolicy.plugins import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.console import Session

WRITTEN = written()
WITH_COMMANDS = [
    name for name, text in WRITTEN.items() if any(block.kind == "console" for block in blocks(text))
]
REFUSED = {("tutorial.md", "slip.yaml")}
"""Policy files that a page shows because they are wrong."""

QUESTIONS = {
    "baseline": "usd-per-mtok",
    "burns-most": "metric",
    "who-is-behind-it": "spend-limit",
    "blended-outliers": "blended-multiple",
    "what-the-money-bought": "surcharge-share",
    "prompt-caching": "cache-hit-rate",
    "thinking": "reasoning-share",
    "what-changed": "spend-growth",
    "did-the-fix-land": "blended-multiple",
    "what-to-do-first": "extends",
}
"""OpenRouter's cost questions, and what of the language each recipe is about."""


@pytest.fixture
def session() -> Iterator[Session]:
    with page_folder() as session:
        yield session


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_what_a_page_shows_is_what_its_commands_print(name: str, session: Session) -> None:
    for block in blocks(WRITTEN[name]):
        if block.file:
            session.write(block)
        for step in steps(block) if block.kind == "console" else ():
            printed = session.ran(step.command)
            assert agrees(step.shown, printed), "\n".join(
                [
                    f"docs/{name}:{block.line}: $ {step.command}",
                    *printed,
                    "",
                    "python scripts/make_docs.py --record",
                ]
            )


@pytest.mark.parametrize("name", [*WITH_COMMANDS])
def test_every_policy_file_of_a_page_is_valid(name: str, session: Session) -> None:
    for block in blocks(WRITTEN[name]):
        if block.kind == "yaml" and block.text.startswith("version: 1\n"):
            assert block.file, f"docs/{name}:{block.line}: a policy file has a title"
            session.write(block)
            session.ran(f"orpolicy validate {block.file}")
            expected = "2" if (name, block.file) in REFUSED else "0"
            assert session.ran("echo $?") == (expected,), f"docs/{name}:{block.line}"


@pytest.mark.parametrize("name", list(WRITTEN))
def test_every_fence_is_closed_so_that_no_block_is_overlooked(name: str) -> None:
    fences = [line for line in WRITTEN[name].splitlines() if line.lstrip().startswith("```")]
    assert len(fences) == 2 * len(list(blocks(WRITTEN[name])))


def test_no_generated_page_is_stale() -> None:
    assert [path.relative_to(ROOT).as_posix() for path, _ in stale()] == [], "python scripts/make_docs.py"


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_cost_question_has_a_recipe_that_runs_on_the_demo(name: str) -> None:
    page = WRITTEN[f"recipes/{name}.md"]
    files = [block.text for block in blocks(page) if block.kind == "yaml"]
    assert any(QUESTIONS[name] in text for text in files)
    assert "--source demo" in page
    assert f"({name}.md)" in WRITTEN["recipes/index.md"]


def test_every_reason_says_what_to_do() -> None:
    page = WRITTEN["guides/inconclusive.md"]
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    assert set(sections) == {reason.value for reason in Reason}
    for reason in Reason:
        assert f"[{reason.code}](../reference/errors/{reason.code}.md)" in sections[reason.value]


@pytest.mark.parametrize("name", list(WRITTEN))
def test_every_command_and_option_that_a_page_names_exists(name: str) -> None:
    code = [
        *re.findall(r"`([^`\n]+)`", WRITTEN[name]),
        *(line for block in blocks(WRITTEN[name]) for line in block.text.splitlines()),
    ]
    for line in code:
        found = re.search(r"(?:^|[ /])orpolicy ([a-z][a-z-]*)(.*)", line.partition("#")[0])
        if found and found[1] in COMMANDS:
            command = group.get_command(click.Context(group), found[1])
            assert command is not None
            options = {
                option for each in all_of(command) for parameter in each.params for option in parameter.opts
            }
            assert set(re.findall(r" (--[a-z-]+)", found[2])) <= options, line
        elif line.startswith(("orpolicy ", "$ orpolicy ")):
            pytest.fail(f"there is no such command: {line}")


def all_of(command: click.Command) -> list[click.Command]:
    """A command and its subcommands."""
    return [command, *(command.commands.values() if isinstance(command, click.Group) else ())]


def test_every_kind_has_its_formula() -> None:
    page = WRITTEN["reference/numbers.md"]
    assert set(re.findall(r"^\| \[`([a-z-]+)`\]", page, re.MULTILINE)) == set(RULES)


def test_what_is_written_stands_beside_what_is_generated() -> None:
    assert {path.relative_to(DOCS).parts[0] for path in DOCS.rglob("*.md")} == {
        "index.md",
        "tutorial.md",
        "recipes",
        "guides",
        "reference",
    }
