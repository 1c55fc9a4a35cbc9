"""What a server must say for the codes whose examples no command line shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fault_file import FOLDER, FaultFile, read_fault
from fault_world import play
from test_error_pages import AT_THE_SERVER

from orpolicy.codes import Code

if TYPE_CHECKING:
    from pathlib import Path

FAULT_OF = {
    Code.API_ERROR: "answers/bad-gateway",
    Code.ACCESS_DENIED: "answers/forbidden-in-the-middle",
    Code.DEADLINE: "answers/too-heavy-for-ever",
    Code.MALFORMED_ANSWER: "answers/count-negative",
    Code.TRUNCATED: "answers/truncated-for-good",
    Code.STALE_ANSWER: "answers/computed-before-the-window-ended",
    Code.CONTROL_MISMATCH: "answers/rows-twice",
    Code.AMBIGUOUS_KEY: "answers/namesake-deleted",
    Code.UNKNOWN_METRIC: "answers/metric-no-longer-listed",
    Code.UNKNOWN_DIMENSION: "answers/dimension-no-longer-listed",
    Code.NOTHING_JUDGED: "answers/tokens-null",
    Code.TOO_LITTLE_HISTORY: "policies/growth-without-history",
}


def codes(
    fault: FaultFile, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
) -> set[str]:
    folder.mkdir()
    return set(re.findall(r"\[(ORP\d{3})\]", play(fault, folder, patch, capture).printed))


@pytest.mark.parametrize("code", FAULT_OF)
def test_the_answer_gives_the_code(
    code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = read_fault(FOLDER / f"{FAULT_OF[code]}.yaml")
    assert code in codes(fault, tmp_path / "run", monkeypatch, capsys)


def test_a_clean_answer_gives_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = FaultFile("clean", "nothing is wrong")
    assert codes(clean, tmp_path / "run", monkeypatch, capsys) == set()


def test_every_such_code_is_played() -> None:
    assert set(FAULT_OF) == AT_THE_SERVER
