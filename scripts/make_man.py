"""Write man/orpolicy.1, the manual page, from what the commands say of themselves.

python scripts/make_man.py          write it
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.group import group
from orpolicy.cli.main import COMMANDS
from orpolicy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parent.parent / "man" / "orpolicy.1"

_EXITS = {
    "0": "every policy passed (warnings and waived findings allowed)",
    "1": "at least one policy failed",
    "2": "the policy files or the command line are wrong",
    "3": "nothing failed, but at least one policy could not be evaluated",
    "70": "a bug in orpolicy",
}
_ENVIRONMENT = {
    "OPENROUTER_MANAGEMENT_KEY": "the management key; OPENROUTER_API_KEY where it is not set",
    "OPENROUTER_BASE_URL": "the host, with or without /api/v1",
    "ORPOLICY_CACHE_DIR": "where answers for closed windows are kept",
    "NO_COLOR, FORCE_COLOR": "no colour, or colour also where no terminal is",
}


def page() -> str:
    """The whole page as troff with the man macros; it names no day: the same code gives the same page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    context = click.Context(group, info_name="orpolicy", help_option_names=["-h", "--help"])
    yield f'.TH ORPOLICY 1 "" "orpolicy {__version__}" "User Commands"'
    yield from (".SH NAME", _text(f"orpolicy - {_short(group)}"))
    yield from (".SH SYNOPSIS", ".B orpolicy", r"\fICOMMAND\fR [\fIOPTION\fR]... [\fIARGUMENT\fR]...")
    yield from (".SH DESCRIPTION", _text(inspect.cleandoc(group.help or "")))
    yield from _defined("COMMANDS", COMMANDS)
    for name in COMMANDS:
        command = group.get_command(context, name)
        if command is not None:
            yield from _command(command, f"orpolicy {name}", context)
    yield from _defined("EXIT STATUS", _EXITS)
    yield from _defined("ENVIRONMENT", _ENVIRONMENT)


def _defined(heading: str, terms: dict[str, str]) -> Iterator[str]:
    yield f".SH {heading}"
    for term, meaning in terms.items():
        yield from (".TP", rf"\fB{_text(term)}\fR", _text(meaning))


def _command(command: click.Command, path: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    yield f'.SH "{path.upper()}"'
    yield rf"\fB{_text(path)}\fR {_text(' '.join(command.collect_usage_pieces(context)))}"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield from (".PP", _text(paragraph))
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield from (".TP", rf"\fB{_text(record[0])}\fR", _text(record[1]))
    if command.epilog:
        yield from (".PP", _text(command.epilog))
    if isinstance(command, click.Group):
        for name, member in command.commands.items():
            yield from _command(member, f"{path} {name}", context)


def _short(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").partition("\n")[0].rstrip(".")


def _text(text: str) -> str:
    r"""Text as troff, on one line: backslashes and hyphens as themselves, nothing taken for a macro."""
    flat = re.sub(r"\s+", " ", text.replace("\b", "")).strip()
    flat = flat.replace("\\", r"\e").replace("-", r"\-")
    flat = "".join(char if char.isascii() else rf"\[u{ord(char):04X}]" for char in flat)
    return rf"\&{flat}" if flat.startswith((".", "'")) else flat


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="ascii")
    print(f"wrote {PAGE}")
