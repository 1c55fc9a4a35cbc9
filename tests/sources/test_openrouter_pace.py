"""Never more than the limit in any window, for all threads and processes together, bursts allowed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback.client import TurnedClock

from orpolicy.errors import SourceError
from orpolicy.sources import _pace as pace_module
from orpolicy.sources._clock import SystemClock
from orpolicy.sources._pace import Pace

if TYPE_CHECKING:
    from pathlib import Path

PROCESS = """
import sys, time
from pathlib import Path
from orpolicy.sources._clock import SystemClock
from orpolicy.sources._pace import Pace
pace = Pace(Path(sys.argv[1]), SystemClock(), limit=6, window_seconds=0.5)
for _ in range(8):
    assert pace.take(60)
    print(time.time(), flush=True)
"""


def most_in_any(window: float, moments: list[float]) -> int:
    return max(sum(start <= moment < start + window for moment in moments) for start in moments)


def test_a_burst_then_a_wait() -> None:
    clock = TurnedClock()
    pace = Pace(None, clock)
    assert all(pace.take(0) for _ in range(64))
    assert clock.naps == []
    assert pace.take(100)
    assert clock.naps == [61]


@given(st.lists(st.floats(0, 40), max_size=60), st.integers(1, 5))
def test_the_law(gaps: list[float], limit: int) -> None:
    clock, moments = TurnedClock(datetime(2026, 6, 10, tzinfo=UTC)), []
    pace = Pace(None, clock, limit=limit)
    for gap in gaps:
        clock.sleep(gap)
        assert pace.take(1e6)
        moments.append(clock.time())
    assert not moments or most_in_any(60, moments) <= limit


def test_impatience_counts_nothing() -> None:
    clock = TurnedClock()
    pace = Pace(None, clock, limit=1)
    assert pace.take(0)
    assert not pace.take(60)
    clock.sleep(61)
    assert pace.take(0)


def test_runs_share_the_file(tmp_path: Path) -> None:
    clock = TurnedClock()
    first, second = (Pace(tmp_path / "new" / "pace", clock, limit=4) for _ in range(2))
    assert [first.take(0), second.take(0), first.take(0), second.take(0)] == [True] * 4
    assert not first.take(0)
    assert not second.take(0)
    assert (tmp_path / "new" / "pace").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_and_a_clock_that_went_back(tmp_path: Path) -> None:
    clock, path = TurnedClock(), tmp_path / "pace"
    path.write_bytes(b"garbage\n\xff\n%r\n\n1e999" % (clock.time() + 1e6))
    pace = Pace(path, clock, limit=3)
    assert pace.take(0)
    assert not pace.take(0)
    clock.sleep(62)
    assert pace.take(0)


def test_without_a_folder_the_run_paces_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    pace = Pace(tmp_path / "file" / "pace", TurnedClock(), limit=2)
    assert [pace.take(0) for _ in range(3)] == [True, True, False]


def test_a_lock_that_is_never_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "_LOCK_SECONDS", 0.02)
    path, clock = tmp_path / "pace", TurnedClock()
    pace = Pace(path, clock, limit=2)
    assert pace.take(0)
    with pace_module._locked(path):  # noqa: SLF001 - stands for another process that hangs
        assert pace.take(0)
        assert not pace.take(0), "what was counted in the file is not forgotten"


def test_threads_and_processes(tmp_path: Path) -> None:
    path, moments = tmp_path / "pace", list[float]()
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    pace = Pace(path, SystemClock(), limit=6, window_seconds=0.5)

    def take() -> None:
        for _ in range(3):
            assert pace.take(60)
            moments.append(time.time())

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        moments += map(float, out.split())
    assert len(moments) == 22
    assert most_in_any(0.45, moments) <= 6


def test_breaking_off() -> None:
    clock = SystemClock()
    pace = Pace(None, clock, limit=1)
    assert pace.take(0)
    clock.wake()
    with pytest.raises(SourceError, match="broken off"):
        pace.take(100)
