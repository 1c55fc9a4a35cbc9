"""A report that nobody can see is no report: what the files show in processes of their own, in this one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orpolicy.cli.main import run

ARGS = ("check", "--source", "demo", "--pack", "starter")


def test_no_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert run(ARGS) == 2
    assert "standard output is closed" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_full_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(ARGS) == 2
    assert "cannot write to standard output: No space left" in capsys.readouterr().err
