"""The source under test, opened on the loopback server and made impatient, so that tests run fast."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orpolicy.period import parse_window
from orpolicy.query.model import Query
from orpolicy.sources._client import Patience
from orpolicy.sources.base import Setting
from orpolicy.sources.openrouter import OpenRouter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.sources._clock import Clock

NOW = datetime(2026, 6, 10, tzinfo=UTC)
IMPATIENT = Patience(
    connect_seconds=2, silence_seconds=2, question_seconds=20, run_seconds=60, backoff_seconds=0.001
)
QUERY = Query(("request_count", "total_usage"), ("model",), parse_window("2026-05-01..2026-06-01", NOW))
"""A month by model, long settled."""


class TurnedClock:
    """A clock that moves only when someone sleeps, and remembers for how long."""

    def __init__(self, start: datetime = NOW) -> None:
        self.naps: list[float] = []
        self._now = start.timestamp()
        self._lock = threading.Lock()

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.naps.append(seconds)
            self._now += seconds

    def wake(self) -> None:
        """Nobody waits here."""


@contextmanager
def opened(
    environ: Mapping[str, str], *, clock: Clock | None = None, patience: Patience = IMPATIENT, **setting: Any
) -> Iterator[OpenRouter]:
    """The source, closed again afterwards; the run's clock stands at ``NOW`` unless told otherwise."""
    source = OpenRouter(
        Setting("openrouter", environ, **({"now": NOW} | setting)), patience=patience, clock=clock
    )
    try:
        yield source
    finally:
        source.close()


def impatient(**changes: Any) -> Patience:
    """The tests' patience with changes."""
    return replace(IMPATIENT, **changes)
