"""The page of the GitHub Action: its inputs and outputs, and the example workflows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from gallery.markdown import code, fenced, page, prose, terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]


def action_pages() -> Iterator[tuple[str, str]]:
    """Path and text of the page."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    workflows = sorted((ROOT / "examples/workflows").glob("*.yml"))
    yield (
        "reference/action.md",
        page(
            "The GitHub Action",
            prose(action["description"]),
            "## Inputs",
            terms(_described(action["inputs"])),
            "## Outputs",
            terms(_described(action["outputs"])),
            "## Workflows to copy",
            *(part for path in workflows for part in _workflow(path)),
        ),
    )


def _described(entries: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for name, entry in entries.items():
        default = f" Default: `{entry['default']}`." if entry.get("default") else ""
        yield code(name), prose(entry["description"]) + default


def _workflow(path: Path) -> Iterator[str]:
    yield f"### {path.stem}"
    yield fenced("yaml", path.read_text(encoding="utf-8"), f".github/workflows/{path.name}")
