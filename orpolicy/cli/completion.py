"""What a shell may complete beyond options and files; imported by no run but one that completes."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from orpolicy.errors import OrpolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Values = Callable[[click.Context], Iterable[tuple[str, str]]]
    """The words that fit, each with what it means."""


def equip(command: click.Command, name: str) -> None:
    """Let the values of a command's parameters be completed, those of its own commands too."""
    for parameter in command.params:
        values = _formats(name) if parameter.name == "formats" else _VALUES.get(parameter.name or "")
        if values is not None:
            parameter.shell_complete = partial(  # type: ignore[method-assign] # one parameter's own
                _complete, values, takes_file=parameter.name == "source"
            )
    if isinstance(command, click.Group):
        for own, member in command.commands.items():
            equip(member, own)


def _complete(
    values: Values, ctx: click.Context, incomplete: str, *, takes_file: bool = False
) -> list[CompletionItem]:
    """The values that begin as what is there, and files where they fit too."""
    found = [
        CompletionItem(word, help=meaning) for word, meaning in values(ctx) if word.startswith(incomplete)
    ]
    return [*found, CompletionItem(incomplete, type="file")] if takes_file else found


def _packs(_ctx: click.Context) -> Iterable[tuple[str, str]]:
    from orpolicy.policy.packs import pack_names

    return [(name, "") for name in pack_names()]


def _formats(command: str) -> Values:
    """The formats that a command names itself, else those of reports."""

    def values(_ctx: click.Context) -> Iterable[tuple[str, str]]:
        from orpolicy.plugins import REPORTERS

        own = getattr(import_module(f"orpolicy.cli.{command}"), "FORMATS", REPORTERS.names)
        return [(name, "") for name in own]

    return values


def _words(words: Iterable[str]) -> Values:
    return lambda _ctx: [(word, "") for word in words]


def _policy_ids(ctx: click.Context) -> Iterable[tuple[str, str]]:
    """The ids of the policies that the command line names so far; none where the files are wrong."""
    from orpolicy.cli.options import load_policies

    try:
        found = load_policies(ctx.params.get("paths") or (), ctx.params.get("packs") or ())
    except OrpolicyError:
        return []
    return [(policy.id, policy.title or policy.rule) for policy in found.policies]


def _subjects(ctx: click.Context) -> Iterable[tuple[str, str]]:
    """What can be explained: rule kinds, then policies; a code is copied from the message that shows it."""
    from orpolicy.plugins import RULES

    return [*((name, "rule kind") for name in RULES.names), *_policy_ids(ctx)]


_VALUES: dict[str, Values] = {
    "packs": _packs,
    "select": _policy_ids,
    "ignore": _policy_ids,
    "subject": _subjects,
    "source": _words(("openrouter", "demo")),
    "window": _words(("last-month", "this-month", "last-week", "last-7d", "last-30d")),
}
