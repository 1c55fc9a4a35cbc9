"""The manual page: in step with the commands, and troff that formatters take without a word."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from make_man import PAGE, page

from orpolicy.cli.main import COMMANDS

PROGRAMS = {
    "man": ["man", "--warnings", "-E", "UTF-8", "-l"],
    "groff": ["groff", "-man", "-Tutf8", "-ww", "-z"],
    "mandoc": ["mandoc", "-T", "lint", "-W", "error"],
}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="ascii") == page(), "python scripts/make_man.py"


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_formatters_have_nothing_to_say(name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    ended = subprocess.run(
        [*PROGRAMS[name], PAGE], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_every_command_and_exit_code_is_on_it() -> None:
    shown = PAGE.read_text(encoding="ascii").replace("\\-", "-")
    for name in COMMANDS:
        assert f'.SH "ORPOLICY {name.upper()}"' in shown
    assert [code for code in ("0", "1", "2", "3", "70") if f"\\fB{code}\\fR" not in shown] == []
    assert "\\fB--on-inconclusive [fail|warn]\\fR" in shown
