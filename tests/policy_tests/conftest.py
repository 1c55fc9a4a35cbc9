"""The folder that every test of ``orpolicy test`` writes its files into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from policy_tests.case_files import Files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Files:
    """An empty folder, and a wide terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return Files(tmp_path, capsys)
