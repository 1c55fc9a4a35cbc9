"""What a long run shows on standard error, and when it does not."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from orpolicy.cli import progress as module
from orpolicy.cli.progress import ProgressLine, progress
from orpolicy.sources.base import Listener

if TYPE_CHECKING:
    from collections.abc import Callable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """What the line showed, one text after the other."""
        return self.getvalue().split("\r\x1b[K")[1:]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    found = Terminal()
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=found))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    return found


def test_queries_are_counted_and_the_line_is_erased(terminal: Terminal) -> None:
    with progress(quiet=False) as listener:
        listener.answered(1, 3)
        listener.answered(2, 3)
    assert terminal.lines == ["1 of 3 queries answered", "2 of 3 queries answered", ""]


def test_a_wait_says_until_when(terminal: Terminal) -> None:
    with progress(quiet=False) as listener:
        listener.waiting(40.0)
        listener.answered(64, 70)
    first, second, last = terminal.lines
    assert re.fullmatch(r"waiting for the request limit until \d\d:\d\d:\d\d UTC", first)
    assert second == f"64 of 70 queries answered, {first}"
    assert last == ""


def test_a_wait_that_is_over_is_not_mentioned(terminal: Terminal) -> None:
    line = ProgressLine(terminal)
    line.waiting(-1.0)
    line.answered(1, 2)
    assert terminal.lines == ["", "1 of 2 queries answered"]


def test_a_short_run_shows_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 3600.0)
    with progress(quiet=False) as listener:
        listener.answered(1, 1)
    assert terminal.getvalue() == ""


def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=io.StringIO()))


def _no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=None))


def _dumb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("lack", [_no_terminal, _no_stream, _dumb])
def test_nothing_but_a_terminal_is_written_to(
    lack: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lack(monkeypatch)
    with progress(quiet=False) as listener:
        listener.answered(1, 1)
        listener.waiting(1.0)
        assert type(listener) is Listener


def test_quiet_is_quiet(terminal: Terminal) -> None:
    with progress(quiet=True) as listener:
        listener.waiting(1.0)
    assert terminal.getvalue() == ""


def test_a_terminal_that_is_gone_ends_no_run(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_text: str) -> int:
        raise OSError

    monkeypatch.setattr(terminal, "write", gone)
    with progress(quiet=False) as listener:
        listener.answered(1, 1)
