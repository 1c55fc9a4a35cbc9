"""A whole answer of a recording, from which others follow by adding up and filtering its rows."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from orpolicy.period import Window, stamp
from orpolicy.query.model import Answer, Operator
from orpolicy.query.vocabulary import SPEND
from orpolicy.sources._snapshot_model import filters_beyond
from orpolicy.sources.memory import Memory
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.account import Directory
    from orpolicy.query.model import Filter, Query
    from orpolicy.table import Member, Number

KEY, WORKSPACE = "api_key_id", "workspace"


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

    def answer(self, query: Query) -> Answer:
        """The answer to a question that these rows hold."""
        kept = filters_beyond(query, self.whole.query) or ()
        if self.is_told_apart or not self._is_shaped_as(query):
            answer = self.memory.answer(replace(self._within(query), filters=kept))
        else:
            answer = self._some_rows(query, kept)
        return replace(answer, query=query, cached_at=self.whole.cached_at, from_cache=self.whole.from_cache)

    def _some_rows(self, query: Query, kept: Iterable[Filter]) -> Answer:
        """Rows as they are, as adding up would make one key of two that share a name."""
        tests = {item.field: partial(_admits, item) for item in kept}
        if DATE in self.whole.table.dimensions:
            tests[DATE] = partial(_is_within, query.window)
        table = self.whole.table.matching(tests)
        columns = {name: table.metrics[name] for name in query.metrics}
        rows = range(min(query.limit, len(table)))
        return Answer(query, Table(table.dimensions, columns).keep(rows), len(table) > query.limit)

    def _is_shaped_as(self, query: Query) -> bool:
        whole = self.whole.query
        return (query.dimensions, query.granularity) == (whole.dimensions, whole.granularity)

    def spend_usd(self, window: Window) -> float:
        """What these rows spend in a part of their window that they tell apart from the rest."""
        table = self.whole.table
        if DATE in table.dimensions:
            table = table.matching({DATE: partial(_is_within, window)})
        return float(table.total(SPEND) or 0.0)

    def may_answer(self, query: Query) -> bool:
        """Whether no workspace is filtered by its name, and no two keys of one name are added up."""
        fields = {item.field for item in filters_beyond(query, self.whole.query) or ()}
        if self.directory.workspaces and WORKSPACE in fields:
            return False
        if self.is_told_apart or KEY not in query.dimensions:
            return True
        return self._is_shaped_as(query) and KEY not in fields

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
                uses = Counter(key.name for key in map(self.directory.by_hash.get, item.values) if key)
                return frozenset(name for name, times in uses.items() if times == 1)
        return frozenset()

    def names_that_matter(self, query: Query) -> frozenset[str]:
        """Names whose rows must all be one key's, so that these rows answer a question.

        Those by which the rows are filtered, and those of listed keys whose rows are added up. Rows by a name
        that several listed keys have, or none, are nobody's own: whoever judges keys asks for the former by
        hash, and takes the latter together.
        """
        kept = [item for item in filters_beyond(query, self.whole.query) or () if item.field == KEY]
        filtered = self._names(value for item in kept for value in item.values)
        is_by_key = KEY in query.dimensions and not self._is_shaped_as(query)
        if not is_by_key or any(item.operator is Operator.IN for item in kept):
            return filtered
        listed = self.directory.by_name
        column = set(self.whole.table.dimensions[KEY])
        return filtered.union(name for name in column if name and len(listed.get(name, ())) == 1)

    def _names(self, values: Iterable[str]) -> frozenset[str]:
        """What keys are filtered by, as names."""
        if not self.directory.keys:
            return frozenset(values)
        return frozenset(key.name for key in map(self.directory.by_hash.get, values) if key)

    def agreeing(self, other: Basis) -> frozenset[str]:
        """Names of which these rows hold one key alone, and all figures of rows that were asked by name."""
        metrics = sorted(self.whole.query.metrics)
        own, every = self._by_key(metrics), other._by_key(metrics)
        nothing = (None,) * len(metrics)
        return frozenset(
            name
            for name in self.asked_by_hash
            if all(map(_agree, own.get(name, nothing), every.get(name, nothing)))
        )

    def _by_key(self, metrics: Sequence[str]) -> dict[Member, tuple[Number | None, ...]]:
        """Name -> its figures."""
        table = self.whole.table.rollup((KEY,))
        figures = zip(*(table.metrics[name] for name in metrics), strict=True)
        return dict(zip(table.dimensions[KEY], figures, strict=True))

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


def _is_within(window: Window, day: Member) -> bool:
    return stamp(window.start) <= f"{day}T00:00:00Z" < stamp(window.end)


def _admits(item: Filter, member: Member) -> bool:
    """Whether a row may stay; one without a member is in no list."""
    return (member in item.values) == (item.operator is Operator.IN)


def _agree(own: Number | None, every: Number | None) -> bool:
    return math.isclose(own or 0, every or 0, rel_tol=1e-9, abs_tol=1e-9)
