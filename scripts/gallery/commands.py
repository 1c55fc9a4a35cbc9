"""The pages of the commands: what click knows of each."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import click

from gallery.markdown import code, fenced, page, prose, table, terms
from orpolicy.cli.group import group
from orpolicy.cli.main import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 78


def command_pages() -> Iterator[tuple[str, str]]:
    """Path and text of the index and of a page a command."""
    rows = ([f"[`{name}`]({name}.md)", prose(summary)] for name, summary in COMMANDS.items())
    usage = fenced("text", "orpolicy COMMAND [OPTION]... [ARGUMENT]...")
    exits = prose(_paragraphs(group.epilog or "")[-1])
    yield "reference/commands/index.md", page("Commands", usage, table(("command", "what for"), rows), exits)
    context = click.Context(group, info_name="orpolicy", help_option_names=["-h", "--help"])
    for name in COMMANDS:
        command = group.get_command(context, name)
        if command is not None:
            parts = _parts(command, f"orpolicy {name}", context, 1)
            yield f"reference/commands/{name}.md", page(name, *parts)


def _parts(command: click.Command, path: str, parent: click.Context, depth: int) -> Iterator[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    yield fenced("text", _usage(command, path, context))
    yield from map(_paragraph, _paragraphs(command.help or ""))
    yield f"{'#' * (depth + 1)} Options" if depth == 1 else ""
    yield terms(_options(command, context))
    yield from map(_paragraph, _paragraphs(command.epilog or ""))
    if isinstance(command, click.Group):
        for name, member in command.commands.items():
            yield f"{'#' * (depth + 1)} {name}"
            yield from _parts(member, f"{path} {name}", context, depth + 1)


def _usage(command: click.Command, path: str, context: click.Context) -> str:
    formatter = click.HelpFormatter(width=_WIDTH)
    formatter.write_usage(path, " ".join(command.collect_usage_pieces(context)), prefix="")
    return formatter.getvalue()


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:  # arguments have none: the text above speaks of them
            yield code(record[0]), prose(record[1])


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", inspect.cleandoc(text)) if part.strip()]


def _paragraph(text: str) -> str:
    r"""A paragraph; what follows click's mark ``\b`` keeps its lines, and is command lines."""
    if text.startswith("\b"):
        lines = inspect.cleandoc(text.removeprefix("\b").strip("\n"))
        return fenced("sh", lines) if lines.lstrip().startswith("orpolicy ") else prose(lines)
    return prose(text)
