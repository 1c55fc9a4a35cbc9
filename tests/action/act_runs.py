"""Running action.yml for real, with act on this machine: neither Docker nor GitHub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from action.act_stubs import STUBS

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
OWN_REF = "owner/orpolicy@v1"
HEAD = "(the repository's only commit)"
"""Stands for its hash in a payload."""

PARTS = (
    "action.yml",
    "examples",
    "orpolicy",
    "policies",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "scripts",
)
"""What the action needs of its own repository."""

LAST_STEP = {
    "if": "always()",
    "shell": "bash",
    "env": {"OUTPUTS": "${{ toJSON(steps.own.outputs) }}"},
    "run": 'mkdir -p "$RESULTS/$GITHUB_JOB"; cd "$RESULTS/$GITHUB_JOB"; printf %s "$OUTPUTS" >outputs.json; '
    'rm -rf "$RUNNER_TEMP"/orpolicy-environment-*; cp -a "$GITHUB_WORKSPACE" workspace; '
    'cp -a "$RUNNER_TEMP" temp',
}
"""Keeps what a job leaves behind, also after a failure."""


def tool(name: str) -> str | None:
    """A program beside the tests' own Python, else on PATH."""
    return shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))


@dataclass(frozen=True)
class Job:
    """One use of the action.

    Attributes:
        inputs: the step's ``with``.
        before: a script that runs first.
        needs: the job that must have ended, whatever its result; "" for none.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    before: str = ""
    needs: str = ""

    def as_workflow(self) -> dict[str, Any]:
        prepare = [{"shell": "bash", "run": self.before}] if self.before else []
        own = {"id": "own", "uses": OWN_REF, "with": self.inputs}
        steps = [{"uses": "actions/checkout@v7"}, *prepare, own, LAST_STEP]
        after = {"needs": self.needs, "if": "always()"} if self.needs else {}
        return {"runs-on": "ubuntu-latest", **after, "steps": steps}


@dataclass(frozen=True)
class Result:
    """How a job went.

    Attributes:
        lines: what act logged of it, in order.
        folder: what its last step kept: ``outputs.json``, ``workspace`` and ``temp``.
    """

    lines: tuple[dict[str, Any], ...]
    folder: Path

    @cached_property
    def outputs(self) -> dict[str, str]:
        outputs: dict[str, str] = json.loads((self.folder / "outputs.json").read_text(encoding="utf-8"))
        return outputs

    @property
    def ended(self) -> str:
        return str(next(line["jobResult"] for line in self.lines if "jobResult" in line))

    @property
    def log(self) -> str:
        return "".join(str(line["msg"]) for line in self.lines if line.get("raw_output"))

    @property
    def summary(self) -> str:
        """What the check appended to the job's summary."""
        return "".join(
            line["content"]
            for line in self.lines
            if line.get("command") == "summary" and line["stepID"] == ["own", "check"]
        )

    def annotations(self, level: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("command") == level]

    def steps(self) -> dict[str, str]:
        """The result of each step of the action that was run, by its id or number."""
        return {
            line["stepID"][1]: line["stepResult"]
            for line in self.lines
            if "stepResult" in line and line.get("stage") == "Main" and len(line["stepID"]) == 2
        }

    def everything(self) -> str:
        """All that the job left: the log, the workspace and the folder for temporary files.

        The command that masks a value is left out: GitHub does not show it, act's JSON does.
        """
        lines = [line for line in self.lines if line.get("command") != "add-mask"]
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        texts = [file.read_bytes().decode("utf-8", "replace") for file in files]
        return "\n".join([json.dumps(lines), *texts])


@dataclass(frozen=True)
class Machine:
    """A runner: a home, the action's checkout, stubs, and a cache that outlives a run."""

    folder: Path

    @classmethod
    def set_up(cls, folder: Path) -> Machine:
        settings, programs = folder / "home" / ".config", folder / "programs"
        settings.mkdir(parents=True)
        programs.mkdir()
        for name in ("pip", "uv"):  # where packages come from here, and nothing else of the owner's home
            if (Path.home() / ".config" / name).exists():
                (settings / name).symlink_to(Path.home() / ".config" / name)
        base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
        (programs / "python3").symlink_to(base)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            (folder / "checkout").mkdir(exist_ok=True)
            copy(ROOT / part, folder / "checkout" / part)
        for name, action in STUBS.items():
            (folder / "stubs" / name).mkdir(parents=True)
            (folder / "stubs" / name / "action.yml").write_text(json.dumps(action), encoding="utf-8")
        return cls(folder)

    def run(
        self,
        event: str,
        jobs: Mapping[str, Job],
        files: Mapping[str, str],
        *,
        payload: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> dict[str, Result]:
        """Run one workflow of jobs in a repository of these files; the results by the jobs' names."""
        results = self.folder / f"results-{event}"
        workflow = {"on": event, "jobs": {name: job.as_workflow() for name, job in jobs.items()}}
        repository = make_repository(
            self.folder / f"repository-{event}", {**files, ".github/workflows/t.yml": json.dumps(workflow)}
        )
        event_file = self.folder / f"{event}.json"
        event_file.write_text(json.dumps(payload or {}).replace(HEAD, head_of(repository)), encoding="utf-8")
        variables = {
            "RESULTS": str(results),
            "STUB_CACHE": str(self.folder / "cache"),
            "STUB_PYTHON": str(self.folder / "programs" / "python3"),
            **(environ or {}),
        }
        ended = subprocess.run(
            [
                *(str(tool("act")), event, "--json", "--no-cache-server", "--eventpath", str(event_file)),
                *("-P", "ubuntu-latest=-self-hosted", "--directory", str(repository)),
                *(f"--env={name}={value}" for name, value in variables.items()),
                *(f"--secret={name}={value}" for name, value in (secrets or {}).items()),
                *(f"--local-repository={ref}={path}" for ref, path in self._repositories().items()),
            ],
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
        return {
            name: Result(tuple(line for line in lines if line.get("jobID") == name), results / name)
            for name in jobs
        }

    def _repositories(self) -> dict[str, Path]:
        found = {OWN_REF: self.folder / "checkout"}
        for step in ACTION["runs"]["steps"]:
            if "uses" in step:
                name, ref = step["uses"].split("@")
                owned = "/".join(name.split("/")[:2])
                found[f"{owned}@{ref}"] = self.folder / "stubs" / owned
        return found

    def _environ(self) -> dict[str, str]:
        """This environment without what the tests run in: their uv, keys, settings of Python."""
        hidden = ("OPENROUTER_", "PYTHON", "GITHUB_", "COV", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        own = str(Path(sys.executable).parent)
        path = [part for part in kept["PATH"].split(os.pathsep) if part != own]
        home, programs = str(self.folder / "home"), str(self.folder / "programs")
        return {**kept, "HOME": home, "PATH": os.pathsep.join((programs, *path))}


def make_repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A Git repository with one commit and an origin."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")
    for arguments in (
        ("init", "--quiet"),
        ("remote", "add", "origin", "https://github.com/acme/spend.git"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message", "Policies"),
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S607 - as users have it
    return folder


def head_of(repository: Path) -> str:
    """The hash of what is checked out."""
    asked = ["git", "rev-parse", "HEAD"]
    return subprocess.run(asked, cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
