"""The little Markdown that generated pages are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MADE = "<!-- made by scripts/make_docs.py -->"
"""Every generated page says so; whoever edits it loses the edit."""


def prose(text: str) -> str:
    """Text for people as Markdown on one line: code in backquotes stays, nothing else is markup."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.replace("``", "`").split()))
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    marked = re.sub(r"([\\*_|\[\]])", r"\\\1", text)
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Text as code within a line."""
    return f"`{text}`"


def fenced(kind: str, text: str, file: str = "") -> str:
    """A block of code; a file where it has a name."""
    title = f' title="{file}"' if file else ""
    return f"```{kind}{title}\n{text.rstrip()}\n```"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def terms(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of terms and what each means."""
    return "\n\n".join(f"{term}\n:   {meaning}" for term, meaning in pairs)


def page(title: str, *parts: str) -> str:
    """A generated page; empty parts are left out."""
    return "\n\n".join([MADE, f"# {title}", *filter(None, parts)]) + "\n"
