"""One clock for several processes, which moves on only when everybody sleeps."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

_SLOTS = 64


class SharedClock:
    """Seconds that all processes agree on; when every thread that takes part sleeps, the next is woken.

    To be handed to processes when they are started. ``threads`` take part at once, each until its ``end``.
    """

    def __init__(self, context: BaseContext, start: float, threads: int) -> None:
        self._turn: Any = context.Condition()
        self._now: Any = context.Value("d", start, lock=False)
        self._awake: Any = context.Value("i", threads, lock=False)
        self._wakes: Any = context.Array("d", [math.inf] * _SLOTS, lock=False)

    def time(self) -> float:
        """Seconds since the epoch."""
        with self._turn:
            return float(self._now.value)

    monotonic = time

    def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on by so much."""
        with self._turn:
            slot = list(self._wakes).index(math.inf)
            wakes = self._now.value + seconds
            self._wakes[slot] = wakes
            self._leave()
            while self._now.value < wakes:
                assert self._turn.wait(60), "nobody moves the clock"
            self._wakes[slot] = math.inf
            self._awake.value += 1

    def wake(self) -> None:
        """Nobody is woken early."""

    def end(self) -> None:
        """A thread takes part no longer."""
        with self._turn:
            self._leave()

    def _leave(self) -> None:
        self._awake.value -= 1
        following = min(self._wakes)
        if self._awake.value == 0 and following < math.inf:
            self._now.value = max(self._now.value, following)
            self._turn.notify_all()


class Takers:
    """Threads of one process that take part in the clock."""

    def __init__(self, clock: SharedClock) -> None:
        self._clock = clock
        self._threads: list[threading.Thread] = []

    def start(self, act: Any) -> None:
        """One more thread; it is counted in the clock already."""

        def run() -> None:
            try:
                act()
            finally:
                self._clock.end()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def join(self) -> None:
        """Wait for all of them."""
        for thread in self._threads:
            thread.join()
