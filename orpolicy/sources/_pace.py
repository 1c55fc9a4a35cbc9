"""The API's request limit, kept by all threads and processes of a machine together."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from orpolicy.file_lock import unlock, wait_for_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orpolicy.sources._clock import Clock

LIMIT = 64
WINDOW_SECONDS = 61.0
"""The API counts by 60 s; the second more is for requests that take long to get there."""

_LOCK_SECONDS = 5.0


class Pace:
    """A log of the last requests: a new one may go when fewer than ``limit`` lie in the window before it.

    The log is a file where one can be written, so that all runs of an account share it, else a list.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Clock,
        *,
        limit: int = LIMIT,
        window_seconds: float = WINDOW_SECONDS,
        on_wait: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._path = path
        self._on_wait = on_wait
        self._clock = clock
        self._limit = limit
        self._window_seconds = window_seconds
        self._own: list[float] = []
        self._lock = threading.Lock()

    def take(self, patience_seconds: float) -> bool:
        """Wait until a request may be sent, and count it.

        Returns:
            False, with nothing counted, if that would take longer than ``patience_seconds``.

        Raises:
            SourceError: if the run was broken off meanwhile.
        """
        ends = self._clock.monotonic() + patience_seconds
        while True:
            wait = self._enter()
            if wait == 0:
                return True
            if self._clock.monotonic() + wait > ends:
                return False
            self._on_wait(wait)
            self._clock.sleep(wait)

    def _enter(self) -> float:
        """Count a request now and return 0, or return the seconds until there may be room."""
        with self._lock:
            if self._path is not None:
                try:
                    return self._enter_file(self._path)
                except OSError:
                    self._path = None
            self._own, wait = self._entered(self._own)
            return wait

    def _enter_file(self, path: Path) -> float:
        with _locked(path) as file:
            stamps, wait = self._entered(_stamps(file.read()))
            file.seek(0)
            file.truncate()
            file.write("\n".join(map(repr, stamps)).encode())
        if wait == 0:
            self._own = stamps
        return wait

    def _entered(self, stamps: list[float]) -> tuple[list[float], float]:
        now = self._clock.time()
        recent = sorted(min(stamp, now) for stamp in stamps if stamp > now - self._window_seconds)
        if len(recent) < self._limit:
            return [*recent, now], 0
        return recent, max(recent[-self._limit] + self._window_seconds - now, 0.001)


def _stamps(raw: bytes) -> list[float]:
    """Seconds since the epoch, one a line; what is no number is not there."""
    stamps = []
    for line in raw.splitlines():
        try:
            stamps.append(float(line))
        except ValueError:
            continue
    return stamps


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The file, made if need be, for this thread alone.

    Raises:
        OSError: if it cannot be had.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        wait_for_lock(file.fileno(), _LOCK_SECONDS)
        try:
            yield file
            file.flush()
        finally:
            unlock(file.fileno())
