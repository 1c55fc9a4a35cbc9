"""The command line as a user runs it, with the report read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PACKS = ("cost-review", "starter", "strict")

Subject = tuple[str | None, ...]


class Run(NamedTuple):
    """The exit code and the JSON report of one run."""

    code: int
    report: dict[str, Any]

    @property
    def verdicts(self) -> dict[str, str]:
        """Policy id -> its verdict."""
        return {policy["id"]: policy["verdict"] for policy in self.report["policies"]}

    @property
    def reasons(self) -> set[str]:
        """Why policies could not be judged."""
        return {item["reason"] for item in self.report["inconclusive"]}

    @property
    def found(self) -> dict[tuple[str, Subject], str]:
        """Policy id and subject -> the verdict on it."""
        return {
            (item["policy"], tuple(item["subject"].values())): item["verdict"]
            for item in self.report["findings"]
        }


def check(folder: Path, *arguments: str) -> Run:
    """``orpolicy check`` with a JSON report into a folder."""
    file = folder / "report.json"
    code = run(["check", *arguments, "--format", f"json={file}", "--quiet"])
    return Run(code, json.loads(file.read_text(encoding="utf-8")))


def pack_arguments(packs: Iterable[str]) -> list[str]:
    """``--pack`` for each name."""
    return [argument for name in packs for argument in ("--pack", name)]
