"""What the action installs, and when it installs anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from action.act_runs import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of the repository as the script looks at, and of a runner as it needs."""
    folder = tmp_path / "check out"
    for name in (
        "orpolicy/version.py",
        "orpolicy/data/report.css",
        "policies/starter.yaml",
        "pyproject.toml",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "scripts" / "action").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/action/environment.py", folder / "scripts/action")
    return folder


def outputs(checkout: Path, source: str = "openrouter", version: str = "") -> dict[str, str]:
    file = checkout / "GITHUB_OUTPUT"
    file.write_text("", encoding="utf-8")
    environ = {
        "PATH": os.environ["PATH"],
        "GITHUB_OUTPUT": str(file),
        "RUNNER_TEMP": "/runner/temp",
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "INPUT_SOURCE": source,
        "INPUT_VERSION": version,
    }
    script = [sys.executable, "-I", str(checkout / "scripts/action/environment.py")]
    ended = subprocess.run(script, env=environ, capture_output=True, encoding="utf-8", check=False)
    assert ended.stderr == ""
    if ended.returncode:
        return {"code": str(ended.returncode), "said": ended.stdout}
    return dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())


def test_it_installs_its_own_checkout(checkout: Path) -> None:
    found = outputs(checkout)
    python = ".".join(map(str, sys.version_info[:3]))
    assert found["requirement"] == f"orpolicy @ {checkout.as_uri()}"
    assert found["python"] == sys.executable
    assert found["key"].startswith(f"orpolicy-Linux-X64-python-{python}-")
    assert found["folder"] == "/runner/temp/orpolicy-environment-" + found["key"].rpartition("-")[2]


@pytest.mark.parametrize("source", ["records.csv", "exports/*.jsonl", " data"])
def test_files_of_records_need_an_engine(checkout: Path, source: str) -> None:
    assert outputs(checkout, source)["requirement"].startswith("orpolicy[local] @ file://")


@pytest.mark.parametrize("source", ["demo", " openrouter\n", ""])
def test_other_sources_need_none(checkout: Path, source: str) -> None:
    assert outputs(checkout, source)["requirement"].startswith("orpolicy @ file://")


@pytest.mark.parametrize("version", ["1.2.3", "0.10", "2.0.0rc1"])
def test_a_release_can_be_named(checkout: Path, version: str) -> None:
    assert outputs(checkout, "demo", f" {version} ")["requirement"] == f"orpolicy=={version}"
    assert outputs(checkout, "x.csv", version)["requirement"] == f"orpolicy[local]=={version}"


@pytest.mark.parametrize(
    "version", ["latest", "1.0; touch pwned", "1.0\nfolder=/etc", ">=1", "1.0 --index-url=x", "@ file:///x"]
)
def test_nothing_else_is_a_version(checkout: Path, version: str) -> None:
    said = "::error title=orpolicy::version must be a release such as 1.2.3\n"
    assert outputs(checkout, version=version) == {"code": "2", "said": said}


@pytest.mark.parametrize("name", ["orpolicy/version.py", "policies/starter.yaml", "pyproject.toml"])
def test_other_code_is_another_environment(checkout: Path, name: str) -> None:
    before = outputs(checkout)
    with (checkout / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    after = outputs(checkout)
    assert after["key"] != before["key"]
    assert after["folder"] != before["folder"]


def test_a_further_file_is_another_environment(checkout: Path) -> None:
    before = outputs(checkout)["key"]
    (checkout / "orpolicy" / "new.py").write_text("", encoding="utf-8")
    assert outputs(checkout)["key"] != before


def test_another_release_or_engine_is_another_environment(checkout: Path) -> None:
    keys = [
        outputs(checkout)["key"],
        outputs(checkout, "x.csv")["key"],
        outputs(checkout, version="1.0")["key"],
        outputs(checkout, version="1.1")["key"],
    ]
    assert len(set(keys)) == 4


def test_the_same_code_elsewhere_is_the_same_environment(checkout: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(checkout, moved)
    (moved / "orpolicy" / "__pycache__").mkdir()
    (moved / "orpolicy" / "__pycache__" / "version.cpython-311.pyc").write_bytes(b"compiled")
    assert outputs(moved)["key"] == outputs(checkout)["key"]
