"""Text from outside inside GitHub's Markdown: it is shown as it is and does nothing."""

from __future__ import annotations

import re

from orpolicy.reporters._words import visible

_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;"}
_BACKSLASHED = frozenset("\\*_[]~$")
_BREAK = "&#8203;"
"""A zero-width space: GitHub looks for mentions, issues and links in what is left after parsing, where
a backslash no longer helps."""

_ACTIVE = re.compile(r"[&<>|`\\*_\[\]~$@#]|:(?=//|[\w+-]+(?::|$))|www(?=\.)|gh(?=-\d)", re.IGNORECASE)
_SPAN_BREAKERS = frozenset("`|")
_RUN = re.compile(r"`+")


def escaped(text: str) -> str:
    """Running text, visible, with nothing left that Markdown, HTML or GitHub would act on.

    It must follow other words on its line, as nothing is done about what only acts at the start of one.
    """
    return _ACTIVE.sub(_inert, visible(text))


def _inert(found: re.Match[str]) -> str:
    char = found[0]
    if char in _ENTITY:
        return _ENTITY[char]
    return f"\\{char}" if char in _BACKSLASHED else f"{char}{_BREAK}"


def code(text: str) -> str:
    """A name as a code span, in which GitHub links and mentions nothing.

    Names with backticks or pipes, which parsers do not agree on inside of tables, are escaped instead.
    """
    shown = visible(text)
    if not shown:
        return '""'
    return escaped(shown) if _SPAN_BREAKERS & set(shown) else f"`{shown}`"


def fenced(text: str) -> str:
    """Lines as a code block, visible, with a fence that is longer than any in them."""
    lines = [visible(line) for line in text.split("\n")]
    fence = "`" * max([3, *(len(run) + 1 for line in lines for run in _RUN.findall(line))])
    return "\n".join((f"{fence}text", *lines, fence))


def row(*cells: str) -> str:
    """A line of a table, of cells that are Markdown already."""
    return f"| {' | '.join(cells)} |"
