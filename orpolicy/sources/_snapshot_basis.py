"""A whole answer of a recording, from which others follow by adding up and filtering its rows."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.errors import SourceError
from orpolicy.period import Window, stamp
from orpolicy.query.model import Operator
from orpolicy.query.vocabulary import SPEND
from orpolicy.sources._snapshot_model import filters_beyond
from orpolicy.sources.memory import Memory
from orpolicy.table import DATE

if TYPE_CHECKING:
    from orpolicy.account import Directory
    from orpolicy.query.model import Answer, Query
    from orpolicy.table import Member, Number

KEY = "api_key_id"


@dataclass(frozen=True)
class Basis:
    """A whole answer, as records."""

    whole: Answer
    directory: Directory

    @cached_property
    def memory(self) -> Memory:
        """The rows; those without a time bucket all have the day on which the window begins."""
        table = self.whole.table
        if DATE not in table.dimensions:
            table = table.tagged(DATE, f"{self.whole.query.window.start:%Y-%m-%d}")
        return Memory(table, now=self.whole.query.window.end, directory=self.directory)

    def answer(self, query: Query) -> Answer | None:
        """The answer to a question that these rows hold, or None where they cannot tell keys apart."""
        kept = filters_beyond(query, self.whole.query)
        try:
            answer = self.memory.answer(replace(self._within(query), filters=kept or ()))
        except SourceError:
            return None
        return replace(answer, query=query, cached_at=self.whole.cached_at, from_cache=self.whole.from_cache)

    def spend_usd(self, window: Window) -> float:
        """What these rows spend in a part of their window that they tell apart from the rest."""
        table = self.whole.table
        if DATE in table.dimensions:
            start, end = stamp(window.start), stamp(window.end)
            table = table.matching({DATE: lambda day: start <= f"{day}T00:00:00Z" < end})
        return float(table.total(SPEND) or 0.0)

    @cached_property
    def is_told_apart(self) -> bool:
        """Whether no two rows have the same members: where two have, a name stands for several keys."""
        table = self.whole.table
        return len(table.rollup(tuple(table.dimensions))) == len(table)

    @cached_property
    def asked_by_hash(self) -> frozenset[str]:
        """Names of which these rows hold one key alone, as they were asked for some keys by hash."""
        for item in self.whole.query.filters:
            if item.field == KEY and item.operator is Operator.IN:
                keys = [
                    self.directory.by_hash[value] for value in item.values if value in self.directory.by_hash
                ]
                uses = Counter(key.name for key in keys)
                return frozenset(name for name, times in uses.items() if times == 1)
        return frozenset()

    def names_filtered(self, query: Query) -> frozenset[str]:
        """Names of the keys by which these rows would have to be filtered."""
        kept = filters_beyond(query, self.whole.query) or ()
        values = [value for item in kept if item.field == KEY for value in item.values]
        if not self.directory.keys:
            return frozenset(values)
        return frozenset(key.name for key in map(self.directory.by_hash.get, values) if key)

    def names_added_up(self, query: Query) -> frozenset[str]:
        """Names of listed keys whose rows would be added up.

        Rows by a name that several listed keys have, or none, are nobody's own: whoever judges keys asks for
        the former by hash, and takes the latter together.
        """
        whole = self.whole.query
        is_same = (query.dimensions, query.granularity) == (whole.dimensions, whole.granularity)
        if KEY not in query.dimensions or is_same:
            return frozenset()
        listed = self.directory.by_name
        column = set(self.whole.table.dimensions[KEY])
        return frozenset(name for name in column if name and len(listed.get(name, ())) == 1)

    def agreeing(self, other: Basis) -> frozenset[str]:
        """Names of which these rows hold one key alone, and as much spend as rows that were asked by name."""
        own, every = self._by_key(), other._by_key()
        return frozenset(name for name in self.asked_by_hash if _agree(own.get(name), every.get(name)))

    def _by_key(self) -> dict[Member, Number | None]:
        table = self.whole.table.rollup((KEY,))
        return dict(zip(table.dimensions[KEY], table.metrics[SPEND], strict=True))

    def _within(self, query: Query) -> Query:
        """The question; without time buckets, one for a window in which the day lies that all rows have."""
        if self.whole.query.granularity:
            return query
        window = self.whole.query.window
        start = window.start.replace(hour=0, minute=0, second=0)
        return replace(query, window=Window(start, window.end))


def is_whole(answer: Answer) -> bool:
    """Whether an answer holds all that was asked for, and nothing casts doubt on it."""
    return not answer.truncated and not answer.warnings and answer.table.is_whole(SPEND)


def _agree(own: Number | None, every: Number | None) -> bool:
    return math.isclose(own or 0, every or 0, rel_tol=1e-9, abs_tol=1e-9)
