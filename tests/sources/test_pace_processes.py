"""Eight runs at once on one machine: at most 64 requests a minute by the server's clock, bursts allowed."""

from __future__ import annotations

import multiprocessing
import random
from typing import TYPE_CHECKING

from loopback.client import IMPATIENT, NOW, QUERY
from loopback.server import LoopbackServer
from shared_clock import SharedClock, Takers

from orpolicy.sources._client import Patience
from orpolicy.sources.base import Setting
from orpolicy.sources.openrouter import OpenRouter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from loopback.account import LoopbackAccount
    from loopback.faults import Fault
    from loopback.handler import LoggedRequest

RUNS, THREADS, QUERIES = 8, 4, 8
"""256 requests, which is four minutes' worth."""

LIMIT, WINDOW_SECONDS, TRAVEL_SECONDS = 64, 60.0, 0.9
PATIENT = Patience(attempts=IMPATIENT.attempts, question_seconds=9_999, run_seconds=9_999)


class TimedServer(LoopbackServer):
    """Notes when requests arrive, by the shared clock; each has travelled for up to 0.9 seconds."""

    def __init__(self, account: LoopbackAccount, clock: SharedClock) -> None:
        super().__init__(account)
        self._clock = clock
        self._chance = random.Random(0)  # noqa: S311 - travelling times, not secrets
        self.moments: list[float] = []

    def arrive(self, request: LoggedRequest) -> Fault | None:
        self.moments.append(self._clock.time() + self._chance.uniform(0, TRAVEL_SECONDS))
        return super().arrive(request)


def one_run(clock: SharedClock, environ: Mapping[str, str]) -> None:
    """What one process does: four threads that ask without a pause."""
    setting = Setting("openrouter", environ, now=NOW, use_cache=False)
    source = OpenRouter(setting, patience=PATIENT, clock=clock)

    def ask() -> None:
        for _ in range(QUERIES):
            source.answer(QUERY)

    takers = Takers(clock)
    for _ in range(THREADS):
        takers.start(ask)
    takers.join()
    source.close()


def most_in_any_window(moments: list[float]) -> int:
    return max(sum(start <= moment < start + WINDOW_SECONDS for moment in moments) for start in moments)


def test_eight_runs_together_keep_the_limit(loopback: LoopbackServer, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    clock = SharedClock(context, NOW.timestamp(), RUNS * THREADS)
    with TimedServer(loopback.account, clock) as server:
        # without the setting each run would keep its own log
        environ = server.environ | {"ORPOLICY_CACHE_DIR": str(tmp_path)}
        runs = [context.Process(target=one_run, args=(clock, environ)) for _ in range(RUNS)]
        for run in runs:
            run.start()
        for run in runs:
            run.join(timeout=100)
        assert [run.exitcode for run in runs] == [0] * RUNS
        moments = sorted(server.moments)
    assert len(moments) == RUNS * THREADS * QUERIES == 4 * LIMIT
    assert most_in_any_window(moments) == LIMIT
    assert moments[LIMIT - 1] - moments[0] < TRAVEL_SECONDS, "a burst is not held back"
    assert moments[-1] - moments[0] < 3 * 61 + 2, "nor does anybody wait longer than needed"
