"""Every code has a page, whose examples are run: the wrong one gives the code, the right one none."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from orpolicy.cli.main import run
from orpolicy.codes import Code
from orpolicy.error_pages import Block, error_page, page_lines
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.sources._clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

SAID = re.compile(r"\[(ORP\d{3})\]")
AT_THE_SERVER = frozenset(
    {
        *(Code.API_ERROR, Code.ACCESS_DENIED, Code.DEADLINE, Code.MALFORMED_ANSWER, Code.TRUNCATED),
        *(Code.STALE_ANSWER, Code.CONTROL_MISMATCH, Code.AMBIGUOUS_KEY, Code.UNKNOWN_METRIC),
        *(Code.UNKNOWN_DIMENSION, Code.NOTHING_JUDGED, Code.TOO_LITTLE_HISTORY),
    }
)
"""What takes a server that answers so; tests/faults plays those."""

PLAYED = [code for code in Code if code not in AT_THE_SERVER]


def said(
    blocks: tuple[Block, ...], folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
) -> set[str]:
    """The codes that the command lines of an example print in a folder with its files."""
    folder.mkdir()
    patch.chdir(folder)
    for block in blocks:
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    scripts = [block.text for block in blocks if block.kind == "sh"] or ["orpolicy validate orpolicy.yaml"]
    printed = ""
    for line in "".join(scripts).splitlines():
        with pytest.MonkeyPatch.context() as inner:
            words = shlex.split(line)
            while "=" in words[0]:
                inner.setenv(*words.pop(0).split("=", 1))
            assert words[0] == "orpolicy", line
            run(words[1:])
        output = capture.readouterr()
        printed += output.out + output.err
    return set(SAID.findall(printed))


@pytest.mark.parametrize("code", PLAYED)
def test_the_wrong_example_gives_the_code_and_the_right_one_none(
    code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = error_page(code)
    monkeypatch.setattr(SystemClock, "sleep", lambda _clock, _seconds: None)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("ORPOLICY_CACHE_DIR", str(tmp_path / "cache"))
    assert said(page.wrong, tmp_path / "wrong", monkeypatch, capsys) == {code}
    assert said(page.right, tmp_path / "right", monkeypatch, capsys) == set()


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    folder = os.path.join(os.path.dirname(__file__), "..", "orpolicy", "data", "errors")  # noqa: PTH118, PTH120 - names alone
    assert sorted(os.listdir(folder)) == sorted(f"{code}.md" for code in Code)  # noqa: PTH208 - as above
    assert {code for code in Code if error_page(code).code is not code} == set()


def test_codes_are_unique_and_every_reason_has_one() -> None:
    assert len({code.value for code in Code}) == len(Code.__members__)
    assert len({reason.code for reason in Reason}) == len(Reason)
    assert SourceError(Reason.TRUNCATED, "x").code is Code.TRUNCATED
    assert UsageError("x").code is Code.COMMAND_LINE


@pytest.mark.parametrize("code", Code)
def test_a_page_fits_a_terminal_and_shows_both_examples(code: Code) -> None:
    lines = "\n".join(page_lines(error_page(code), 76)).splitlines()
    assert lines[0] == f"{code}: {error_page(code).title}"
    assert {"Wrong", "Right"} <= set(lines)
    prose = [line for line in lines if not line.startswith("  ")]
    assert max(map(len, prose)) <= 76


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("chek", "orpolicy: there is no command 'chek' (did you mean check?) [ORP103]"),
        ("check --surce demo", "--surce"),
        ("validate --pack", "[ORP100]"),
        ("check --fail-on nobody", "'never'. [ORP100]"),
        ("explain --report", "[ORP100]"),
    ],
)
def test_what_click_refuses_has_a_code_too(
    line: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert expected in last
    assert len(SAID.findall(last)) == 1


def test_a_command_that_is_like_no_other_is_answered_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zzz"]) == 2
    assert "(commands: check, plan, " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["check", "--help"], ["baseline"]])
def test_help_has_no_code(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments)
    printed = capsys.readouterr()
    assert "Usage: orpolicy" in printed.out + printed.err
    assert "[ORP" not in printed.out + printed.err
