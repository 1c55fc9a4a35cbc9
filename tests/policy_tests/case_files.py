"""``orpolicy test`` as it is run, on files that a test writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@dataclass(frozen=True)
class Tested:
    """How a run ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON that it printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def outcomes(self) -> dict[str, str]:
        """Test -> its outcome."""
        return {test["name"]: test["outcome"] for test in self.document["tests"]}

    @property
    def sides(self) -> dict[tuple[str, str], tuple[bool, bool]]:
        """Policy and threshold -> whether some subject breaches it, and whether some keeps it."""
        return {
            (each["policy"], each["key"]): (each["breached"], each["kept"])
            for each in self.document["coverage"]["thresholds"]
        }


@dataclass(frozen=True)
class Files:
    """A folder of policy files, which is the current one."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def write(self, text: str, name: str = "cost.yaml") -> None:
        """One file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test(self, *arguments: str) -> Tested:
        """``orpolicy test`` with these arguments."""
        code = run(["test", *arguments])
        return Tested(code, *self.capsys.readouterr())

    def tested(self, text: str) -> Tested:
        """One file's tests, as JSON."""
        self.write(text)
        return self.test("cost.yaml", "--format", "json")

    def diff(self, text: str) -> list[str]:
        """What is printed of one file's tests, but for the verdict and the thresholds."""
        self.write(text)
        lines = self.test("cost.yaml", "--color", "never", "-k", "").out.splitlines()
        return [line.strip() for line in lines[: lines.index("")]]
