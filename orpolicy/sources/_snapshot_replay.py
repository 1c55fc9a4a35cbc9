"""Answers out of a recording: the very ones, and what follows from them.

A question is answered by the answer to the same question, in the order in which it was asked. Failing that
by an answer to the same question with more metrics. Failing that by adding up, or filtering, an answer
that is whole: with nothing cut off, without warnings, and whose rows add up, over the time in question, to
an answer without dimensions. So nothing is known that the recorded run could not have known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.account import Directory
from orpolicy.errors import Reason, SourceError
from orpolicy.period import Window, stamp
from orpolicy.query.model import Answer, Granularity
from orpolicy.query.vocabulary import SPEND
from orpolicy.sources._snapshot_model import Asked, filters_beyond, identity_of
from orpolicy.sources.memory import Memory
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orpolicy.query.model import Query
    from orpolicy.sources._snapshot_model import Identity, Outcome, Recording

CONTROL_SHARE = 0.005
CONTROL_USD = 0.01
"""How far rows may be from their control total: 0.5 % or a cent, whichever is larger."""

KEY = "api_key_id"


class Replay:
    """A recording that can be asked."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._times: Counter[tuple[Identity, tuple[str, ...]]] = Counter()

    def outcome(self, query: Query) -> Outcome:
        """What the recorded run learnt about a question, or would have."""
        for found in (self._same(query), self._wider(query), self._derived(query)):
            if found is not None:
                return found
        return _not_recorded(query)

    @cached_property
    def _by_identity(self) -> dict[Identity, list[Asked]]:
        groups: dict[Identity, list[Asked]] = {}
        for asked in self._recording.answers:
            groups.setdefault(asked.identity, []).append(asked)
        return groups

    def _same(self, query: Query) -> Outcome | None:
        """The outcome of the same question; of one that was asked several times the next one, in a circle."""
        alike = self._by_identity.get(identity_of(query), ())
        same = [asked for asked in alike if asked.query.metrics == query.metrics]
        if not same:
            return None
        key = (identity_of(query), query.metrics)
        outcome = same[self._times[key] % len(same)].outcome
        self._times[key] += 1
        return replace(outcome, query=query) if isinstance(outcome, Answer) else outcome

    def _wider(self, query: Query) -> Outcome | None:
        """The answer to the same question, without the metrics that were also asked."""
        answers = [
            asked.outcome
            for asked in self._by_identity.get(identity_of(query), ())
            if set(query.metrics) <= set(asked.query.metrics) and isinstance(asked.outcome, Answer)
        ]
        if not answers:
            return None
        best = min(answers, key=lambda answer: answer.truncated)
        metrics = {name: best.table.metrics[name] for name in query.metrics}
        return replace(best, query=query, table=Table(best.table.dimensions, metrics))

    def _derived(self, query: Query) -> Outcome | None:
        for basis in self._bases(query):
            found = basis.answer(query)
            if found is not None:
                return found
        return None

    def _bases(self, query: Query) -> Iterator[_Basis]:
        """Answers from which another follows, those of the fewest dimensions first, coarse ones first."""
        directory = self._recording.directory
        known = Directory() if directory is None or isinstance(directory, SourceError) else directory
        fits = [asked for asked in self._recording.answers if _may_hold(asked.query, query)]
        fits.sort(key=lambda asked: (len(asked.query.dimensions), asked.query.granularity is not None))
        for asked in fits:
            outcome = asked.outcome
            if isinstance(outcome, Answer) and _is_whole(outcome):
                basis = _Basis(outcome, known)
                if self._adds_up(basis, query.window):
                    yield basis

    def _adds_up(self, basis: _Basis, window: Window) -> bool:
        """Whether an answer agrees, over a window, with one without dimensions."""
        query = basis.whole.query
        if not query.dimensions:
            return True
        spent_usd = basis.spend_usd(window)
        for asked in self._recording.answers:
            control = asked.query
            is_control = not control.dimensions and set(control.filters) == set(query.filters)
            if not (is_control and _covers(control, window)):
                continue
            outcome = asked.outcome
            if isinstance(outcome, Answer) and _is_whole(outcome):
                control_usd = _Basis(outcome, basis.directory).spend_usd(window)
                return abs(spent_usd - control_usd) <= max(CONTROL_SHARE * abs(control_usd), CONTROL_USD)
        return False


@dataclass(frozen=True)
class _Basis:
    """A whole answer, as records."""

    whole: Answer
    directory: Directory

    @cached_property
    def memory(self) -> Memory:
        """The rows; those without a time bucket all have the day on which the window begins."""
        table = self.whole.table
        if DATE not in table.dimensions:
            table = table.tagged(DATE, _first_day(self.whole.query.window))
        return Memory(table, now=self.whole.query.window.end, directory=self.directory)

    def answer(self, query: Query) -> Answer | None:
        """The answer to a question that these rows hold, or None where they cannot tell keys apart."""
        if _names_keys(query) and not self._is_told_apart:
            return None
        kept = filters_beyond(query, frozenset(self.whole.query.filters))
        try:
            answer = self.memory.answer(replace(self._within(query), filters=kept or ()))
        except SourceError:
            return None
        return replace(answer, query=query, cached_at=self.whole.cached_at, from_cache=self.whole.from_cache)

    @cached_property
    def _is_told_apart(self) -> bool:
        """Whether no two rows have the same members: where two have, a name stands for several keys."""
        table = self.whole.table
        return len(table.rollup(tuple(table.dimensions))) == len(table)

    def spend_usd(self, window: Window) -> float:
        """What these rows spend in a part of their window that they tell apart from the rest."""
        table = self.whole.table
        if DATE in table.dimensions:
            start, end = stamp(window.start), stamp(window.end)
            table = table.matching({DATE: lambda day: start <= f"{day}T00:00:00Z" < end})
        return float(table.total(SPEND) or 0.0)

    def _within(self, query: Query) -> Query:
        if self.whole.query.granularity:
            return query
        return replace(query, window=_all_of(self.whole.query.window))


def _is_whole(answer: Answer) -> bool:
    return not answer.truncated and not answer.warnings and answer.table.is_whole(SPEND)


def _may_hold(asked: Query, query: Query) -> bool:
    """Whether rows of one shape could be added up to those of another."""
    beyond = filters_beyond(query, frozenset(asked.filters))
    if beyond is None or not set(query.metrics) <= set(asked.metrics):
        return False
    dimensions = {*query.dimensions, *(item.field for item in beyond)}
    return dimensions <= set(asked.dimensions) and _buckets_fit(asked, query) and _covers(asked, query.window)


def _buckets_fit(asked: Query, query: Query) -> bool:
    if query.granularity is Granularity.MONTH:
        return asked.granularity is not None
    return query.granularity in (None, asked.granularity)


def _covers(asked: Query, window: Window) -> bool:
    """Whether an answer tells a window apart from the rest of its own."""
    whole = asked.window
    if asked.granularity is None:
        return (whole.start, whole.end) == (window.start, window.end)
    if not (whole.start <= window.start and window.end <= whole.end):
        return False
    is_edge = _is_month_start if asked.granularity is Granularity.MONTH else _is_day_start
    return is_edge(window.start) and (window.end == whole.end or is_edge(window.end))


def _is_day_start(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second) == (0, 0, 0)


def _is_month_start(moment: datetime) -> bool:
    return moment.day == 1 and _is_day_start(moment)


def _first_day(window: Window) -> str:
    return f"{window.start:%Y-%m-%d}"


def _all_of(window: Window) -> Window:
    """A window in which the day lies that a whole one begins with."""
    start = window.start.replace(hour=0, minute=0, second=0)
    return Window(start, window.end)


def _names_keys(query: Query) -> bool:
    return KEY in (*query.dimensions, *(item.field for item in query.filters))


def _not_recorded(query: Query) -> SourceError:
    by = ", ".join(query.dimensions) or "all traffic"
    bucket = f" by {query.granularity}" if query.granularity else ""
    only = f" of some {' and '.join(sorted({item.field for item in query.filters}))}" if query.filters else ""
    return SourceError(
        Reason.NOT_ANSWERABLE,
        f"{by}{bucket}{only} in {query.window} is not in this snapshot: "
        "record again with `orpolicy snapshot`",
    )
