"""The page of the output formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.markdown import code, page, prose, table
from orpolicy.plugins import REPORTERS

if TYPE_CHECKING:
    from collections.abc import Iterator


def format_pages() -> Iterator[tuple[str, str]]:
    """Path and text of the page."""
    rows = ([code(name), prose(REPORTERS[name].summary)] for name in REPORTERS)
    yield (
        "reference/formats.md",
        page(
            "Output formats",
            "`orpolicy check --format FORMAT[=FILE]`, as often as you like. Without a file it goes to the "
            "terminal; the exit code never depends on the format.",
            table(("format", "for"), rows),
            "`json` is the contract for machines: [JSON of a report](report-json.md) lists its fields.",
        ),
    )
