"""The source tells how it gets on: answers counted, and waits for the request limit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loopback.client import NOW, QUERY, TurnedClock

from orpolicy.plugins import SOURCES
from orpolicy.sources._pace import Pace
from orpolicy.sources.base import Listener, Setting

if TYPE_CHECKING:
    from loopback.server import LoopbackServer


class Notes(Listener):
    """What was told."""

    def __init__(self) -> None:
        self.counts: list[tuple[int, int]] = []

    def answered(self, done: int, total: int) -> None:
        self.counts.append((done, total))


def test_every_answer_is_counted_over_all_rounds(loopback: LoopbackServer) -> None:
    notes = Notes()
    source = SOURCES["openrouter"].open(
        Setting("openrouter", loopback.environ, NOW, use_cache=False, listener=notes)
    )
    source.answers([QUERY, replace(QUERY, dimensions=())])
    source.answers([replace(QUERY, metrics=("total_usage", "unheard_of"))])
    source.close()
    assert notes.counts == [(1, 2), (2, 2), (3, 3)]


def test_a_wait_is_told_before_it_begins() -> None:
    clock, waits = TurnedClock(), []
    pace = Pace(None, clock, limit=2, on_wait=lambda seconds: waits.append((seconds, list(clock.naps))))
    assert all(pace.take(100) for _ in range(3))
    assert waits == [(61, [])]
    assert pace.take(1)
    assert not pace.take(1)
    assert len(waits) == 1


def test_nobody_need_listen() -> None:
    clock = TurnedClock()
    pace = Pace(None, clock, limit=1)
    assert all(pace.take(100) for _ in range(2))
    Listener().waiting(1.0)
    assert clock.naps == [61]
