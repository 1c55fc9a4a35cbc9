"""What the documents say is true of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from make_readme import rewritten

from orpolicy.cli.main import COMMANDS, run
from orpolicy.version import __version__

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readmes_tables_are_up_to_date() -> None:
    assert rewritten(README) == README


@pytest.mark.parametrize(
    "path",
    sorted({path for path in re.findall(r"`([\w./-]+(?:/|\.\w+))`", CONTRIBUTING) if "my" not in path}),
)
def test_every_path_that_contributing_names_exists(path: str) -> None:
    here = [ROOT / path, ROOT / "orpolicy/policy" / path, ROOT / "orpolicy/query" / path]
    assert any(candidate.exists() for candidate in here)


def test_every_command_that_the_readme_names_exists() -> None:
    named = re.findall(r"(?:^|`|bin/)orpolicy ([a-z]+(?:-[a-z]+)*)", README, re.MULTILINE)
    assert "diff-policy" in named
    assert set(named) <= {*COMMANDS, "keeps"}


def test_the_readmes_policy_file_is_valid(tmp_path: Path) -> None:
    example = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0]
    (tmp_path / "orpolicy.yaml").write_text(example, encoding="utf-8")
    assert run(["validate", str(tmp_path)]) == 0


def test_the_readme_shows_what_the_demo_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["check", "--source", "demo", "--pack", "starter", "--color", "never"]) == 1
    shown = capsys.readouterr().out
    (picture,) = re.findall(r"```text\n(.*?)\n +\.\.\.\n```", README, re.DOTALL)
    assert shown.startswith(picture)


def test_the_changelog_has_this_version() -> None:
    assert re.search(rf"^## {re.escape(__version__)}\b", CHANGELOG, re.MULTILINE)


def test_ci_runs_the_readmes_test_command() -> None:
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    needle = re.search(r"grep -F '([^']+)' README.md", ci)
    assert needle
    assert [needle[1] in line for line in README.splitlines()].count(True) == 1
