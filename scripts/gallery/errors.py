"""The pages of the codes: what ``orpolicy explain ORP001`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.markdown import code, fenced, page, prose, table
from orpolicy.codes import Code
from orpolicy.error_pages import Block, error_page
from orpolicy.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAMILIES = {
    "ORP0": "Policy files",
    "ORP1": "The command line and what it names",
    "ORP2": "Why a policy could not be judged",
    "ORP3": "After the report",
}
_EXITS = {"ORP0": "2", "ORP1": "2", "ORP2": "3", "ORP3": "3"}


def error_pages() -> Iterator[tuple[str, str]]:
    """Path and text of the index and of a page a code."""
    parts = ["Every message ends in a code. `orpolicy explain CODE` shows its page in the terminal."]
    for family, title in _FAMILIES.items():
        rows = [
            [f"[`{each}`]({each}.md)", prose(error_page(each).title), _reason(each)]
            for each in Code
            if each.startswith(family)
        ]
        columns = 3 if any(reason for _, _, reason in rows) else 2
        head = ("code", "what", "in reports")
        parts += [f"## {title}", table(head[:columns], (row[:columns] for row in rows))]
    yield "reference/errors/index.md", page("Error codes", *parts)
    for each in Code:
        yield f"reference/errors/{each}.md", _error_page(each)


def _error_page(each: Code) -> str:
    found = error_page(each)
    reason = _reason(each)
    return page(
        f"{each}: {prose(found.title)}",
        found.meaning,
        f"Exit code {_EXITS[each[:4]]}." + (f" In reports the reason is {reason}." if reason else ""),
        "## Wrong",
        *map(_block, found.wrong),
        "## Right",
        *map(_block, found.right),
        "## What to do",
        found.remedy,
    )


def _block(block: Block) -> str:
    text = "".join(f"$ {line}\n" for line in block.text.splitlines()) if block.kind == "sh" else block.text
    return fenced("console" if block.kind == "sh" else block.kind, text, block.file)


def _reason(each: Code) -> str:
    return next((code(reason.value) for reason in Reason if reason.code is each), "")
