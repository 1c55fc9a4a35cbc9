"""What follows from the whole answers of a recording.

An answer is whole with nothing cut off, without warnings, and with rows that add up, over the time in
question, to an answer without dimensions. From it others follow by adding up and filtering, so that nothing
is known that the recorded run could not have known.

Rows show keys by name, and a deleted key may have had the name of one that is listed. So keys are only
filtered, or added up by, in rows that were asked by hash, or where those show that a name is one key's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.account import Directory
from orpolicy.errors import SourceError
from orpolicy.query.model import Answer, Granularity, Operator
from orpolicy.sources._snapshot_basis import KEY, Basis, is_whole
from orpolicy.sources._snapshot_model import filters_beyond

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orpolicy.period import Window
    from orpolicy.query.model import Query
    from orpolicy.sources._snapshot_model import Asked, Recording

CONTROL_SHARE = 0.005
CONTROL_USD = 0.01
"""How far rows may be from their control total: 0.5 % or a cent, whichever is larger."""


class Derivation:
    """A recording's answers as the bases of others."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._alone: dict[Window, frozenset[str]] = {}

    def answer(self, query: Query) -> Answer | None:
        """The answer that follows, or None where none does."""
        basis = next(self._bases(query), None)
        return None if basis is None else basis.answer(query)

    @cached_property
    def _directory(self) -> Directory:
        found = self._recording.directory
        return Directory() if found is None or isinstance(found, SourceError) else found

    def _bases(self, query: Query) -> Iterator[Basis]:
        """Answers from which another follows, those of the fewest dimensions first, coarse ones first."""
        fits = [asked for asked in self._recording.answers if _may_hold(asked.query, query)]
        fits.sort(key=lambda asked: (len(asked.query.dimensions), asked.query.granularity is not None))
        for asked in fits:
            if (basis := self._basis(asked, query.window)) and self._knows_keys(basis, query):
                yield basis

    def _basis(self, asked: Asked, window: Window) -> Basis | None:
        """An answer as a basis, if it is whole over a window."""
        outcome = asked.outcome
        if isinstance(outcome, SourceError) or not is_whole(outcome):
            return None
        basis = Basis(outcome, self._directory)
        return basis if self._adds_up(basis, window) else None

    def _knows_keys(self, basis: Basis, query: Query) -> bool:
        """Whether every name of a key that matters to a question is one key's in these rows."""
        if not basis.may_answer(query):
            return False
        names = basis.names_that_matter(query)
        if not names:
            return True
        if not self._directory.keys:
            return basis.is_told_apart
        return names <= (basis.asked_by_hash or self._names_of_one_key(query.window))

    def _names_of_one_key(self, window: Window) -> frozenset[str]:
        """Names under which nothing was spent in a window, or a longer one, but by one listed key."""
        if window not in self._alone:
            found = [
                self._alone_in(asked) for asked in self._recording.answers if _lists_keys(asked.query, window)
            ]
            self._alone[window] = frozenset().union(*found)
        return self._alone[window]

    def _alone_in(self, asked: Asked) -> frozenset[str]:
        """Names whose keys, asked by hash, have all figures of the traffic under the names."""
        window = asked.query.window
        by_hash = self._basis(asked, window)
        if by_hash is None:
            return frozenset()
        everything = replace(asked.query, filters=(), dimensions=(KEY,))
        for other in self._recording.answers:
            if not other.query.filters and _may_hold(other.query, everything):
                by_name = self._basis(other, window)
                if by_name is not None:
                    return by_hash.agreeing(by_name)
        return frozenset()

    def _adds_up(self, basis: Basis, window: Window) -> bool:
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
            if isinstance(outcome, Answer) and is_whole(outcome):
                control_usd = Basis(outcome, basis.directory).spend_usd(window)
                return abs(spent_usd - control_usd) <= max(CONTROL_SHARE * abs(control_usd), CONTROL_USD)
        return False


def _may_hold(asked: Query, query: Query) -> bool:
    """Whether rows of one shape could be added up to those of another."""
    beyond = filters_beyond(query, asked)
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


def _lists_keys(asked: Query, window: Window) -> bool:
    """Whether a question is about some keys by hash, over a window or a longer one."""
    is_longer = asked.window.start <= window.start and window.end <= asked.window.end
    is_by_hash = [(item.field, item.operator) for item in asked.filters] == [(KEY, Operator.IN)]
    return is_longer and is_by_hash and KEY in asked.dimensions and asked.granularity is None
