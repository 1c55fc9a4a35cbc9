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

_FIRST = ("index", "tutorial", "numbers", "policy-file", "report-json")
"""Pages that stand before the others of their folder."""


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
    for path in _ordered(path for path in pages if path.rpartition("/")[0] == folder.rstrip("/")):
        found = _TITLE.search(pages[path])
        title = found[1].replace("`", "") if found else path
        yield f"    {{ {json.dumps(title)} = {json.dumps(path)} }},\n"


def _ordered(paths: Iterable[str]) -> list[str]:
    def rank(path: str) -> tuple[int, str]:
        name = path.rpartition("/")[2].removesuffix(".md")
        return (_FIRST.index(name) if name in _FIRST else len(_FIRST), path)

    return sorted(paths, key=rank)
