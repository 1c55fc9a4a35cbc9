"""The silent-green register: every fault ends with the exit code that its file says; none of them with 0.

A fault is a file in the folder of its group; ``fault_file.FaultFile`` says what it may hold. Those that
must change nothing are in ``harmless``, and are run with policies that pass and with one that fails.
Those in ``open`` still end green: whoever mends one moves its file to its group.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fault_file import GROUPS, HARMLESS, OPEN, FaultFile, faults_of
from fault_world import BREACHED, CLEAN, play

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_world import Outcome

FAULTS = faults_of(*GROUPS)
HARMLESS_FAULTS = faults_of(HARMLESS)
OPEN_FAULTS = faults_of(OPEN)
NOT_BLAMED = [fault for fault in FAULTS if (fault.answers or fault.account) and fault.alone]
CLEAN_RUN = FaultFile("clean", "nothing is wrong")


def by_name(fault: FaultFile) -> str:
    return fault.name


@pytest.fixture(name="play_fault")
def _play_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[FaultFile], Outcome]:
    runs = iter(range(100))

    def play_fault(fault: FaultFile) -> Outcome:
        if fault.needs and not Path(fault.needs).exists():
            pytest.skip(f"this machine has no {fault.needs}")
        folder = tmp_path / f"run{next(runs)}"
        folder.mkdir()
        return play(fault, folder, monkeypatch, capsys)

    return play_fault


@pytest.mark.parametrize("fault", FAULTS, ids=by_name)
def test_no_fault_is_green(fault: FaultFile, play_fault: Callable[[FaultFile], Outcome]) -> None:
    outcome = play_fault(fault)
    assert outcome.code == fault.exit, outcome.printed
    assert " ".join(fault.says.split()) in outcome.printed
    assert "Traceback" not in outcome.printed


@pytest.mark.xfail(reason="nothing notices it yet")
@pytest.mark.parametrize("fault", OPEN_FAULTS, ids=by_name)
def test_what_is_open_is_still_green(fault: FaultFile, play_fault: Callable[[FaultFile], Outcome]) -> None:
    assert play_fault(fault).code == fault.exit


@pytest.mark.parametrize("fault", NOT_BLAMED, ids=by_name)
def test_without_the_fault_it_is_green(fault: FaultFile, play_fault: Callable[[FaultFile], Outcome]) -> None:
    outcome = play_fault(replace(fault, answers=(), account={}))
    assert outcome.code == 0, outcome.printed


@pytest.mark.parametrize("text", [CLEAN, BREACHED], ids=["clean", "breached"])
@pytest.mark.parametrize("fault", HARMLESS_FAULTS, ids=by_name)
def test_what_is_harmless_changes_no_verdict(
    fault: FaultFile, text: str, play_fault: Callable[[FaultFile], Outcome]
) -> None:
    wanted, found = (
        _verdicts(play_fault(replace(one, policies=text, args=_json(one.args)))) for one in (CLEAN_RUN, fault)
    )
    assert found == wanted
    assert found[0] == (0 if text is CLEAN else 1)


def _json(args: tuple[str, ...]) -> tuple[str, ...]:
    return (*args, "--format", "json=report.json")


def _verdicts(outcome: Outcome) -> tuple[int, list[tuple[str, str]]]:
    report = json.loads((outcome.folder / "report.json").read_text(encoding="utf-8"))
    return outcome.code, [(item["id"], item["verdict"]) for item in report["policies"]]


def test_the_register_is_long_and_holds_no_green() -> None:
    assert len(FAULTS) >= 80
    assert {fault.name.partition("/")[0] for fault in FAULTS} == set(GROUPS)
    assert {fault.exit for fault in FAULTS} <= {1, 2, 3}
    assert all(fault.wrong and (fault.says or fault.shell) for fault in FAULTS)
    sentences = [fault.wrong for fault in (*FAULTS, *HARMLESS_FAULTS)]
    assert len(set(sentences)) == len(sentences)
