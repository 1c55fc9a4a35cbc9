"""What a shell is told could come next."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.cli.main import COMMANDS, run
from orpolicy.plugins import REPORTERS, RULES

if TYPE_CHECKING:
    from collections.abc import Callable

PACKS = {"cost-review", "starter", "strict"}


@pytest.fixture
def complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., set[str]]:
    """The words that could take the place of the last one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("_ORPOLICY_COMPLETE", "bash_complete")

    def complete(*words: str) -> set[str]:
        monkeypatch.setenv("COMP_WORDS", " ".join(("orpolicy", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit) as ended:
            run([])
        assert ended.value.code == 0
        said = capsys.readouterr()
        assert said.err == ""
        return {line.partition(",")[2] for line in said.out.splitlines() if line.startswith("plain,")}

    return complete


def test_commands(complete: Callable[..., set[str]]) -> None:
    assert complete("") == set(COMMANDS)
    assert complete("ba") == {"baseline", "backtest"}
    assert complete("baseline", "") == {"write", "update", "show"}


@pytest.mark.parametrize("command", list(COMMANDS))
def test_options_of_every_command(complete: Callable[..., set[str]], command: str) -> None:
    assert "--help" in complete(command, "--he")


def test_values_that_orpolicy_knows(complete: Callable[..., set[str]]) -> None:
    assert complete("check", "--pack", "") == PACKS
    assert complete("check", "--format", "") == set(REPORTERS.names)
    assert complete("test", "--format", "") == {"text", "json", "junit"}
    assert complete("compare", "--format", "") == {"text", "json", "markdown", "html"}
    assert complete("verify", "--format", "") == {"text", "json", "markdown"}
    assert complete("explain", "spend-") == {name for name in RULES if name.startswith("spend-")}
    assert complete("check", "--source", "d") == {"demo"}
    assert complete("plan", "--window", "last-m") == {"last-month"}
    assert complete("check", "--fail-on", "") == {"error", "warning", "never"}


def test_policies_of_the_working_directory(complete: Callable[..., set[str]]) -> None:
    Path("orpolicy.yaml").write_text(
        "version: 1\npolicies:\n  - {id: mine, rule: spend-limit, fail_above: 1}\n"
        "  - {id: other, rule: spend-limit, fail_above: 1}\n",
        encoding="utf-8",
    )
    assert complete("check", "--select", "") == {"mine", "other"}
    assert complete("baseline", "write", "--ignore", "m") == {"mine"}
    assert complete("explain", "") == {*RULES, "mine", "other"}


def test_policies_that_the_command_line_names(complete: Callable[..., set[str]]) -> None:
    assert complete("check", "--pack", "starter", "--select", "blended") == {"blended-outlier"}


@pytest.mark.parametrize("text", [None, "version: 2", "[", "version: 1\npolicies: []"])
def test_files_that_are_wrong_complete_nothing(complete: Callable[..., set[str]], text: str | None) -> None:
    if text is not None:
        Path("orpolicy.yaml").write_text(text, encoding="utf-8")
    assert complete("check", "--select", "") == set()


def test_commands_are_completed_without_importing_one() -> None:
    code = "import sys; from orpolicy.cli.main import run\ntry:\n run([])\nfinally:\n print(*sys.modules)"
    environ = {
        **os.environ,
        "_ORPOLICY_COMPLETE": "bash_complete",
        "COMP_WORDS": "orpolicy ",
        "COMP_CWORD": "1",
    }
    said = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, encoding="utf-8", check=False
    ).stdout
    modules = set(said.splitlines()[-1].split())
    assert "orpolicy.cli.group" in modules
    assert not {f"orpolicy.cli.{name.replace('-', '_')}" for name in COMMANDS} & modules
    assert not {"yaml", "httpx", "orpolicy.lint"} & modules


def test_bash_completes_by_the_script_that_is_printed(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    program = Path(sys.executable).parent / "orpolicy"
    if not program.exists():
        pytest.skip("orpolicy is not installed as a program")
    script = (
        'PATH="$1:$PATH"; eval "$(_ORPOLICY_COMPLETE=bash_source orpolicy)"; '
        "COMP_WORDS=(orpolicy check --pack st); COMP_CWORD=3; _orpolicy_completion orpolicy; "
        'echo "${COMPREPLY[@]}"'
    )
    ended = subprocess.run(
        [bash, "-c", script, "bash", program.parent],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=tmp_path,
        timeout=30,
    )
    assert ended.stdout.split() == ["starter", "strict"], ended.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_ORPOLICY_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit):
        run([])
    assert f"_ORPOLICY_COMPLETE={shell}_complete" in capsys.readouterr().out
