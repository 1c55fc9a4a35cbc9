"""Time as the client needs it, so that tests can turn it."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from orpolicy.errors import Reason, SourceError


class Clock(Protocol):
    """What time it is, and waiting."""

    def time(self) -> float:
        """Seconds since the epoch; the same for all processes of the machine."""

    def monotonic(self) -> float:
        """Seconds that never go back; for measuring spans."""

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            SourceError: if the run was broken off meanwhile.
        """

    def wake(self) -> None:
        """Break off every wait, now and later."""


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, unless woken.

        Raises:
            SourceError: if woken.
        """
        if self._woken.wait(seconds):
            raise SourceError(Reason.DEADLINE, "the run was broken off")

    def wake(self) -> None:
        """Break off every wait, now and later."""
        self._woken.set()
