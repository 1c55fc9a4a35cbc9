"""One line on standard error that says how a long run gets on, gone before anything else is written."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from orpolicy.sources.base import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

QUIET_SECONDS = 0.5
"""A run that is over by then shows nothing."""

_ERASE_LINE = "\r\x1b[K"


class ProgressLine(Listener):
    """The line, on a terminal."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._lock = threading.Lock()
        self._shows_from = time.monotonic() + QUIET_SECONDS
        self._is_shown = False
        self._queries = ""
        self._until: datetime | None = None

    def answered(self, done: int, total: int) -> None:
        """Show how many queries have an answer."""
        with self._lock:
            self._queries = f"{done} of {total} queries answered"
            self._show()

    def waiting(self, seconds: float) -> None:
        """Show until when the request limit makes the run wait."""
        with self._lock:
            self._until = datetime.now(UTC) + timedelta(seconds=seconds)
            self._shows_from = 0.0
            self._show()

    def erase(self) -> None:
        """Leave the line as it was found."""
        with self._lock:
            if self._is_shown:
                self._write("")
                self._is_shown = False

    def _show(self) -> None:
        now = datetime.now(UTC)
        if time.monotonic() < self._shows_from:
            return
        is_waiting = self._until is not None and self._until > now
        wait = f"waiting for the request limit until {self._until:%H:%M:%S} UTC" if is_waiting else ""
        self._is_shown = True
        self._write(", ".join(filter(None, (self._queries, wait))))

    def _write(self, text: str) -> None:
        try:
            self._terminal.write(_ERASE_LINE + text)
            self._terminal.flush()
        except OSError:
            return  # a terminal that is gone needs no progress


@contextmanager
def progress(*, quiet: bool) -> Iterator[Listener]:
    """What a source is to tell: to standard error where that is a terminal, else to nobody."""
    terminal = sys.stderr
    if quiet or terminal is None or not terminal.isatty() or os.environ.get("TERM") == "dumb":
        yield Listener()
        return
    line = ProgressLine(terminal)
    try:
        yield line
    finally:
        line.erase()
