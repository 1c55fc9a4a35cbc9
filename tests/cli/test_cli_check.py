"""The main command as its users run it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.cli.main import COMMANDS, run
from orpolicy.cli.options import wants_color
from orpolicy.version import __version__

if TYPE_CHECKING:
    from orpolicy.report import Report

FAILS = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
"""
PASSES = FAILS.replace("15", "1000")
WARNS = FAILS.replace("fail_above", "warn_above")
NOTES = FAILS.replace("fail_above", "severity: note, fail_above")
LOST = PASSES + "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}\n"
BOTH = FAILS + "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}\n"
BROKEN = FAILS.replace("fail_above", "fail_abov")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "OPENROUTER_API_KEY", "OPENROUTER_MANAGEMENT_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def check(text: str, *arguments: str) -> int:
    Path("orpolicy.yaml").write_text(text, encoding="utf-8")
    return run(["check", "--source", "demo", *arguments])


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (PASSES, [], 0),
        (FAILS, [], 1),
        (WARNS, [], 0),
        (LOST, [], 3),
        (BOTH, [], 1),
        (BROKEN, [], 2),
        (FAILS, ["--fail-on", "never"], 0),
        (WARNS, ["--fail-on", "warning"], 1),
        (NOTES, ["--fail-on", "warning"], 0),
        (BOTH, ["--fail-on", "never"], 3),
        (LOST, ["--on-inconclusive", "warn"], 0),
        (BOTH, ["--on-inconclusive", "warn"], 1),
        (BOTH, ["--ignore", "outlier"], 3),
        (BOTH, ["--select", "outlier", "--fail-on", "never"], 0),
    ],
)
def test_exit_codes_whatever_the_format(text: str, arguments: list[str], code: int) -> None:
    assert check(text, *arguments) == code
    assert check(text, *arguments, "--format", "json") == code
    assert check(text, *arguments, "--format", "json=a.json", "--format", "text=a.txt", "-q") == code


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "jsn"],
        ["--format", "json="],
        ["--format", "json", "--format", "text"],
        ["--format", "json=a", "--format", "text=a"],
        ["--format", "json=missing/folder/a.json"],
        ["--format", "json=."],
        ["--now", "soon"],
        ["--window", "someday"],
        ["--select", "outlyer"],
        ["--catalog", "absent.json"],
        ["--source", "nowhere.jsonl"],
        ["--source", "ftp://example.test/x"],
        ["--pack", "startr"],
        ["--fail-on", "sometimes"],
        ["--color", "pink"],
        ["absent.yaml"],
        ["--unknown"],
    ],
)
def test_a_wrong_command_line_exits_2_with_a_message(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(FAILS, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.strip()
    assert "Traceback" not in shown.err


def test_near_misses_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    check(FAILS, "--select", "outlyer")
    check(FAILS, "--format", "jsn")
    check(BROKEN)
    shown = capsys.readouterr().err
    assert "did you mean 'outlier'" in shown
    assert "json" in shown
    assert "orpolicy.yaml:4:63" in shown
    assert "fail_above" in shown


def test_without_policies_it_says_where_they_go(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == 2
    assert "policies/" in capsys.readouterr().err


def test_the_demo_brings_its_own_where_there_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--source", "demo"]) == 1
    shown = capsys.readouterr()
    assert "judged by the pack starter" in shown.err
    for part in ("$6,185", "24.7 $/Mtok", "25x", "batch-pipeline", "98 %"):
        assert part in shown.out


def test_the_folder_policies_comes_before_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policies").mkdir()
    (folder / "policies" / "a.yml").write_text(PASSES, encoding="utf-8")
    assert check(FAILS, "-q") == 0
    assert capsys.readouterr().out.startswith("PASS")


def test_a_missing_key_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    Path("orpolicy.yaml").write_text(FAILS, encoding="utf-8")
    assert run(["check"]) == 2
    assert "OPENROUTER_MANAGEMENT_KEY" in capsys.readouterr().err


def test_formats_agree_and_files_do_not_depend_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    check(FAILS, "--format", "json=a.json", "--format", "text=a.txt", "--color", "always")
    shown = capsys.readouterr().out
    written = Path("a.txt").read_text(encoding="utf-8")
    assert "\x1b[" in shown
    assert "\x1b[" not in written
    report = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert report["findings"][0]["spend_usd"] == pytest.approx(6185, abs=0.005)
    assert "$6,185" in written
    check(FAILS, "--format", "json=b.json", "-q")
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


def test_quiet_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    check(FAILS, "-q")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_verbose_shows_the_queries(capsys: pytest.CaptureFixture[str]) -> None:
    check(PASSES, "-v")
    assert "add up to the control total" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environ", "flag", "terminal", "color"),
    [
        ({}, "auto", True, True),
        ({}, "auto", False, False),
        ({"NO_COLOR": "1"}, "auto", True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", True, False),
        ({"FORCE_COLOR": "1"}, "auto", False, True),
        ({"TERM": "dumb"}, "auto", True, False),
        ({"NO_COLOR": "1"}, "always", False, True),
        ({"FORCE_COLOR": "1"}, "never", True, False),
    ],
)
def test_color(
    environ: dict[str, str], flag: str, *, terminal: bool, color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERM", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    monkeypatch.setattr(sys, "stdout", Screen())
    assert wants_color(flag) is color


def test_help_lists_every_command_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name}" in shown for name in COMMANDS)
    assert run(["check", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in (
        "--source", "--window", "--now", "--catalog", "--pack", "--no-cache", "--format", "--select",
        "--ignore", "--fail-on", "--on-inconclusive", "--color", "--quiet", "--verbose",
    ):  # fmt: skip
        assert option in shown


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chekc"]) == 2
    assert "chekc" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"orpolicy {__version__}\n"


def test_a_bug_exits_70_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def explode(*_: object, **__: object) -> Report:
        raise KeyError("sk-or-v1-secret")

    monkeypatch.setattr("orpolicy.lint.lint", explode)
    assert check(FAILS) == 70
    shown = capsys.readouterr().err
    assert "a bug in orpolicy" in shown
    assert "KeyError" in shown
    assert "sk-or" not in shown
    assert "Traceback" not in shown


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr("orpolicy.lint.lint", interrupt)
    assert check(FAILS) == 130
    assert "interrupted" in capsys.readouterr().err


def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "orpolicy", *arguments],
        capture_output=True,
        check=False,
        env=os.environ | environ,
    )


def test_as_a_process() -> None:
    done = start("check", "--source", "demo", PYTHONIOENCODING="ascii", COLUMNS="0")
    assert done.returncode == 1
    assert b"batch-pipeline" in done.stdout
    assert done.stdout.isascii()


def test_a_closed_pipe_is_no_bug() -> None:
    Path("orpolicy.yaml").write_text(FAILS, encoding="utf-8")
    command = f"{sys.executable} -m orpolicy check --source demo -v | head -c 10"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602 - a pipe is the point
    assert b"bug" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    check(PASSES, "--format", "json=-")
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"
    assert not Path("-").exists()
