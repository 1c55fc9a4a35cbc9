"""The action's last step as the runner starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from action.act_runs import ACTION, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

GATE = ROOT / "scripts" / "action" / "gate.py"
TELL = ROOT / "scripts" / "action" / "tell.py"
KEY = "sk-or-v1-loopback-management-0123456789abcdef"
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Gate:
    """A runner's folders, and one way to use them."""

    folder: Path
    python: str

    def run(self, event: str = "schedule", environ: Mapping[str, str] = NOTHING, /, **inputs: str) -> Ended:
        defaults = {name: value.get("default", "") for name, value in ACTION["inputs"].items()}
        given = {**defaults, **{name.replace("_", "-"): value for name, value in inputs.items()}}
        files = {name: str(self.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            Path(file).write_text("", encoding="utf-8")
        given_environ = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
        ended = self._start(GATE, {"GITHUB_EVENT_NAME": event, **files, **given_environ, **environ})
        lines = Path(files["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        summary = Path(files["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
        return Ended(ended.returncode, ended.stdout, outputs, summary)

    def tell(
        self, notify: str, token: str, environ: Mapping[str, str] = NOTHING, pull_request: str = ""
    ) -> Ended:
        """The step that delivers ``report.json`` of the folder for temporary files."""
        own = {
            "INPUT_NOTIFY": notify,
            "INPUT_GITHUB_TOKEN": token,
            "PULL_REQUEST": pull_request,
            "REPORT": str(self.folder / "temp" / "report.json"),
        }
        ended = self._start(TELL, {**own, **environ})
        return Ended(ended.returncode, ended.stdout, {}, "")

    def _start(self, script: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [self.python, "-I", script],
            cwd=self.folder / "workspace",
            env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(self.folder / "temp"), **environ},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert ended.stderr == ""
        return ended

    @classmethod
    def set_up(cls, folder: Path, python: str = sys.executable) -> Gate:
        for name in ("temp", "workspace"):
            (folder / name).mkdir()
        return cls(folder, python)

    def write(self, name: str, text: str) -> None:
        file = self.folder / "workspace" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Ended:
    """How the step ended."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def commands(self) -> list[str]:
        """The workflow commands that the runner obeys, those that stop and resume commands aside."""
        found, token = [], None
        for line in self.log.splitlines():
            if token is None and line.startswith("::stop-commands::"):
                token = line.removeprefix("::stop-commands::")
            elif line == f"::{token}::":
                token = None
            elif token is None and line.startswith("::"):
                found.append(line)
        assert token is None
        return found
