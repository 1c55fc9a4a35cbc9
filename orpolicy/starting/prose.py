"""Text from outside as YAML and as comments: nothing of it ends a line, a quote or a comment."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from orpolicy.reporters._words import name as shown_name
from orpolicy.reporters._words import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 100

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ ._/-][A-Za-z0-9]+)*")
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def scalar(text: str) -> str:
    """A text as a YAML scalar: plain where nothing could be read into it, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as YAML writes it


def comment(text: str, indent: int = 0) -> list[str]:
    """A paragraph as comment lines."""
    mark = " " * indent + "# "
    return textwrap.wrap(
        visible(text),
        WIDTH,
        initial_indent=mark,
        subsequent_indent=mark,
        break_long_words=False,
        break_on_hyphens=False,
    )


def commented(lines: Sequence[str]) -> list[str]:
    """YAML lines, taken out: a person takes ``# `` away to have them back."""
    return [f"# {line}".rstrip() for line in lines]


def listing(names: Sequence[str], most: int = 5) -> str:
    """Some names for people, the rest counted."""
    shown = ", ".join(map(shown_name, names[:most]))
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
