"""The hooks for pre-commit, run by pre-commit itself.

A hook's environment is installed from a package index, which tests do without: here the hooks run in the one
that the tests run in (``language: system``), and all else is as it ships.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from orpolicy.cli.group import group
from orpolicy.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(MANIFEST)}
BIN = Path(sys.executable).parent
GOOD = "version: 1\npolicies:\n  - {id: cap, rule: spend-limit, fail_above: 5}\n"
TESTED = f"""{GOOD}tests:
  - name: six dollars are too many
    now: 2026-06-10
    rows: [{{api_key_id: a, model: m, total_usage: SPENT, tokens_total: 10, request_count: 1}}]
    expect: [{{policy: cap, verdict: fail, api_key_id: a}}]
"""


def git(folder: Path, *arguments: str) -> None:
    me = ("-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *me, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that offers the hooks."""
    if not (BIN / "pre-commit").exists() or not (BIN / "orpolicy").exists():
        pytest.skip("pre-commit (PyPI) or orpolicy is not installed as a program")
    folder = tmp_path_factory.mktemp("hooks")
    (folder / ".pre-commit-hooks.yaml").write_text(
        MANIFEST.replace("language: python", "language: system"), encoding="utf-8"
    )
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "hooks")
    return folder


def tried(
    hooks: Path, home: Path, hook: str, policies: str, name: str = "policies/cost.yaml"
) -> tuple[int, str]:
    """The exit code and output of one hook in a repository with one policy file."""
    team = home / "team"
    (team / name).parent.mkdir(parents=True)
    (team / name).write_text(policies, encoding="utf-8")
    git(team, "init", "-q")
    git(team, "add", "-A")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "PRE_COMMIT_HOME": str(home / "cache"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    ended = subprocess.run(
        [BIN / "pre-commit", "try-repo", hooks, hook, "--all-files", "--verbose"],
        cwd=team,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_the_manifest_is_one_that_pre_commit_takes() -> None:
    if not (BIN / "pre-commit").exists():
        pytest.skip("pre-commit (PyPI) is not installed")
    subprocess.run(
        [BIN / "pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"], check=True, timeout=60
    )
    assert set(HOOKS) == {"orpolicy-validate", "orpolicy-test"}


@pytest.mark.parametrize("hook", list(HOOKS))
def test_every_hook_is_a_command_that_needs_no_key(hook: str) -> None:
    program, command = HOOKS[hook]["entry"].split()
    assert (program, command in COMMANDS) == ("orpolicy", True)
    assert "key" in CliRunner().invoke(group, [command, "--help"]).output


@pytest.mark.parametrize(
    ("hook", "policies", "ends"),
    [
        ("orpolicy-validate", GOOD, (0, "1 policy in 1 file, no problems")),
        ("orpolicy-validate", GOOD.replace("fail_above", "fail_abov"), (1, "policies/cost.yaml:3")),
        ("orpolicy-test", TESTED.replace("SPENT", "6"), (0, "PASS")),
        ("orpolicy-test", TESTED.replace("SPENT", "4"), (1, "FAIL")),
    ],
)
def test_pre_commit_runs_it(
    hooks: Path, tmp_path: Path, hook: str, policies: str, ends: tuple[int, str]
) -> None:
    code, said = ends
    ended, output = tried(hooks, tmp_path, hook, policies)
    assert ended == code, output
    assert said in output


def test_other_files_start_no_hook(hooks: Path, tmp_path: Path) -> None:
    ended, output = tried(hooks, tmp_path, "orpolicy-validate", GOOD, "docs/example.yaml")
    assert ended == 0
    assert "no files to check" in output
