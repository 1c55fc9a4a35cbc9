"""Write the generated pages of ``docs/`` and the table of contents, or say what is stale.

Usage:
    python scripts/make_docs.py            write them
    python scripts/make_docs.py --check    write nothing; exit 1 where something is stale
    python scripts/make_docs.py --record   also run every command of the written pages, and put what it
                                           prints in the place of what the page showed
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.action import action_pages
from gallery.commands import command_pages
from gallery.console import recorded
from gallery.errors import error_pages
from gallery.formats import format_pages
from gallery.kinds import kind_pages
from gallery.markdown import MADE
from gallery.nav import with_nav
from gallery.packs import pack_pages
from gallery.schemas import schema_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SETTINGS = ROOT / "zensical.toml"


def generated() -> dict[str, str]:
    """The text of every generated page, by its path below ``docs``."""
    return {
        **dict(kind_pages()),
        **dict(command_pages()),
        **dict(schema_pages()),
        **dict(error_pages()),
        **dict(pack_pages()),
        **dict(format_pages()),
        **dict(action_pages()),
    }


def written() -> dict[str, str]:
    """The text of every page that people wrote, by its path below ``docs``."""
    texts = {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")
    }
    return {path: text for path, text in sorted(texts.items()) if not text.startswith(MADE)}


def stale() -> Iterator[tuple[Path, str | None]]:
    """Every file that is not as it would be made now, with its text; None where it should go."""
    made = generated()
    wanted: dict[Path, str | None] = {DOCS / name: text for name, text in made.items()}
    settings = SETTINGS.read_text(encoding="utf-8")
    wanted[SETTINGS] = with_nav(settings, {**written(), **made})
    for path in DOCS.rglob("*.md"):
        if path not in wanted and path.read_text(encoding="utf-8").startswith(MADE):
            wanted[path] = None
    for path, wanting in wanted.items():
        if (path.read_text(encoding="utf-8") if path.exists() else None) != wanting:
            yield path, wanting


def main(arguments: list[str]) -> int:
    """Run as the module's docstring says."""
    if "--record" in arguments:
        for name, shown in written().items():
            (DOCS / name).write_text(recorded(shown), encoding="utf-8")
    changes = list(stale())
    for path, text in changes:
        print(path.relative_to(ROOT))
        if "--check" not in arguments:
            _replace(path, text)
    return int("--check" in arguments and bool(changes))


def _replace(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
