"""How wide lines are: what ``shutil`` says, without importing it."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from orpolicy.cli.width import page_width, terminal_columns


class Terminal:
    """Standard output that is a terminal of 77 columns, or as many as ``width`` says."""

    def fileno(self) -> int:
        return 1


@pytest.mark.parametrize("told", ["", "0", "-3", "wide", "1", "90", " 90 ", "9" * 5000, None])
@pytest.mark.parametrize("own", [77, 0, None])
def test_the_columns_are_those_that_shutil_finds(
    told: str | None, own: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def size(_descriptor: int) -> os.terminal_size:
        if own is None:
            raise OSError("no terminal")
        return os.terminal_size((own, 24))

    monkeypatch.setattr(sys, "__stdout__", Terminal())
    monkeypatch.setattr(os, "get_terminal_size", size)
    if told is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", told)
    expected = shutil.get_terminal_size((100, 24)).columns or 100  # some versions say 0 where a terminal does
    assert terminal_columns(100) == expected
    assert page_width() == min(max(shutil.get_terminal_size((92, 24)).columns or 92, 60), 110)


def test_without_any_standard_output_lines_are_as_wide_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", None)
    assert terminal_columns(100) == 100
