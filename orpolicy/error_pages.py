"""The page of each class of problem: what it means, a wrong and a right example, what to do."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE = re.compile(
    r"# (?P<title>.+)\n\n(?P<meaning>.+?)\n\n## Wrong\n\n(?P<wrong>.+?)"
    r"\n## Right\n\n(?P<right>.+?)\n## What to do\n\n(?P<remedy>.+)\n",
    re.DOTALL,
)
_BLOCK = re.compile(r"```(\w+)(?: (\S+))?\n(.*?)```\n", re.DOTALL)

MAIN_FILE = "orpolicy.yaml"
"""What a block of YAML without a name is."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an example.

    Attributes:
        kind: ``yaml``, ``sh`` for command lines, ``text`` for what a server says, or a file's format.
        file: the file's name; "" for what is none.
        text: ends in a newline.
    """

    kind: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What ``orpolicy explain`` says of a code.

    Attributes:
        title: the class in a few words.
        meaning: Markdown, likewise ``remedy``.
        wrong: an example that leads to the code.
        right: the same without.
        remedy: what to do.
    """

    code: Code
    title: str
    meaning: str
    wrong: tuple[Block, ...]
    right: tuple[Block, ...]
    remedy: str


def error_page(code: Code) -> ErrorPage:
    """The page of a code.

    Raises:
        ValueError: if it lacks a part.
    """
    text = files("orpolicy").joinpath("data", "errors", f"{code}.md").read_text(encoding="utf-8")
    found = _PAGE.fullmatch(text)
    if found is None:
        raise ValueError(f"{code}.md is no error page")
    wrong, right = (tuple(_blocks(found[part])) for part in ("wrong", "right"))
    return ErrorPage(code, found["title"], found["meaning"], wrong, right, found["remedy"])


def code_of(word: str) -> Code | None:
    """The code that a word stands for, in any case: itself, or the reason of a policy that was not judged."""
    name = word.upper()
    reasons = {reason.value: reason.code for reason in Reason}
    return Code(name) if name in set(Code) else reasons.get(word.lower())


def page_lines(page: ErrorPage, width: int) -> Iterator[str]:
    """A page as text for people; examples keep their lines."""
    yield f"{page.code}: {page.title}"
    yield ""
    yield textwrap.fill(page.meaning, width)
    for title, blocks in (("Wrong", page.wrong), ("Right", page.right)):
        yield from ("", title)
        for block in blocks:
            if block.file and len(blocks) > 1:
                yield f"  # {block.file}"
            yield textwrap.indent(block.text.rstrip(), "  $ " if block.kind == "sh" else "  ")
    yield from ("", textwrap.fill(page.remedy, width))


def _blocks(text: str) -> Iterator[Block]:
    for kind, name, content in _BLOCK.findall(text):
        yield Block(kind, name or (MAIN_FILE if kind == "yaml" else ""), content)
