"""The table of contents of the site, in ``zensical.toml``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAV = re.compile(r"(# nav: made by scripts/make_docs.py\n).*?(# /nav\n)", re.DOTALL)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)

_CONTENTS: tuple[tuple[str, str], ...] = (
    ("Start", ""),
    ("Recipes", "recipes/"),
    ("Guides", "guides/"),
    ("Reference", "reference/"),
    ("Rule kinds", "reference/kinds/"),
    ("Commands", "reference/commands/"),
    ("Packs", "reference/packs/"),
    ("Error codes", "reference/errors/"),
)
"""Each section with its folder."""

_LINK = re.compile(r"\]\(([\w-]+\.md)\)")
_FIRST = (
    "index.md",
    "tutorial.md",
    "policies.md",
    "ci.md",
    "sources.md",
    "numbers.md",
    "policy-file.md",
    "report-json.md",
)
"""Pages that stand before the others of a folder whose index does not list them."""


def with_nav(settings: str, pages: Mapping[str, str]) -> str:
    """The site's settings with the table of contents made anew.

    Args:
        settings: of ``zensical.toml``.
        pages: text of every page, by its path below ``docs``.
    """
    sections = ",\n".join(
        f"  {{ {json.dumps(title)} = [\n{''.join(_entries(folder, pages))}  ] }}"
        for title, folder in _CONTENTS
    )
    return _NAV.sub(lambda found: f"{found[1]}nav = [\n{sections},\n]\n{found[2]}", settings)


def _entries(folder: str, pages: Mapping[str, str]) -> Iterator[str]:
    names = [path.removeprefix(folder) for path in pages if path.rpartition("/")[0] == folder.rstrip("/")]
    listed = _LINK.findall(pages.get(f"{folder}index.md", "")) if folder else []
    for name in _ordered(names, [*_FIRST, *listed]):
        found = _TITLE.search(pages[folder + name])
        title = found[1].replace("`", "") if found else name
        yield f"    {{ {json.dumps(title)} = {json.dumps(folder + name)} }},\n"


def _ordered(names: Iterable[str], first: list[str]) -> list[str]:
    """Names in the order of ``first``, the others behind them by the alphabet."""
    return sorted(names, key=lambda name: (first.index(name) if name in first else len(first), name))
