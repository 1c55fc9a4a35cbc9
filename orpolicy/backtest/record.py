"""Answers by day, kept so that the questions of any week can be answered from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, WORKSPACE
from orpolicy.errors import SourceError
from orpolicy.period import parse_moment
from orpolicy.query.model import Answer, Granularity, Operator
from orpolicy.query.vocabulary import SPEND
from orpolicy.table import DATE, Table, concatenate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.account import Directory
    from orpolicy.period import Window
    from orpolicy.query.model import Filter, Query
    from orpolicy.table import Member

RANK = "(namesake)"
"""Tells apart rows of one day whose members have the same names, as the source did."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One answered question about days: a part of a record's metrics or of its window.

    Attributes:
        metrics: those that are read from it; spend stands in every answer, and is read from one.
    """

    query: Query
    metrics: frozenset[str]
    outcome: Answer | SourceError

    @property
    def is_cut(self) -> bool:
        """Whether rows are missing from it."""
        return not isinstance(self.outcome, SourceError) and self.outcome.truncated

    def concerns(self, query: Query) -> bool:
        """Whether a question about some days and metrics needs it."""
        mine, other = self.query.window, query.window
        overlaps = mine.start < other.end and other.start < mine.end
        return overlaps and not self.metrics.isdisjoint(query.metrics)


class Record:
    """All that was answered about some dimensions and filters, by day."""

    def __init__(self, pieces: Sequence[Piece], directory: Directory) -> None:
        """Keep the pieces of one shape; the directory says which names are unique."""
        self._pieces = pieces
        self._directory = directory
        self._table: Table | None = None
        first = pieces[0].query
        self.dimensions, self.filters = first.dimensions, first.filters
        self.metrics = frozenset(chain.from_iterable(piece.metrics for piece in pieces))
        self._start = min(piece.query.window.start for piece in pieces)
        self._end = max(piece.query.window.end for piece in pieces)

    def is_about(self, query: Query) -> bool:
        """Whether it was asked for the question's own dimensions and metrics, over its whole window."""
        return (
            self.dimensions == query.dimensions
            and self._admits(query.filters)
            and self.metrics >= set(query.metrics)
            and self._reaches(query.window)
        )

    def holds(self, query: Query) -> bool:
        """Whether the question can be answered from it, if only with the error that the source gave."""
        fits = set(query.dimensions) <= set(self.dimensions) and bool(query.dimensions) == bool(
            self.dimensions
        )
        return (
            fits
            and self._admits(query.filters)
            and self.metrics >= set(query.metrics)
            and self._reaches(query.window)
            and not any(piece.is_cut and piece.concerns(query) for piece in self._pieces)
        )

    def errors(self, query: Query) -> list[Piece]:
        """The pieces that the question needs and that the source did not answer."""
        return [
            piece
            for piece in self._pieces
            if isinstance(piece.outcome, SourceError) and piece.concerns(query)
        ]

    def answer(self, query: Query) -> Answer:
        """What the source would have answered to a question that the record holds without an error."""
        table = self._days_of(query.window)
        for item in query.filters:
            if item not in self.filters and (names := names_filtered(item, self._directory)) is not None:
                table = table.matching({item.field: names.__contains__})
        table = _grouped(table, query)
        rows = sorted(range(len(table)), key=_order(table, query.dimensions).__getitem__)[: query.limit]
        answers = [
            piece.outcome
            for piece in self._pieces
            if isinstance(piece.outcome, Answer) and piece.concerns(query)
        ]
        return Answer(
            query,
            _asked_for(table.keep(rows), query),
            truncated=len(table) > query.limit,
            warnings=tuple(dict.fromkeys(chain.from_iterable(answer.warnings for answer in answers))),
            cached_at=min((answer.cached_at for answer in answers if answer.cached_at), default=None),
            from_cache=all(answer.from_cache for answer in answers),
        )

    def _reaches(self, window: Window) -> bool:
        return self._start <= window.start and window.end <= self._end

    def _admits(self, filters: Sequence[Filter]) -> bool:
        """Whether every filter of a question, and none that it lacks, can be seen in the record."""
        narrower = [item for item in filters if item not in self.filters]
        for mine in self.filters:
            if mine not in filters and not any(_is_part(item, mine) for item in narrower):
                return False
        return all(can_be_cut(item, self.dimensions, self._directory) for item in narrower)

    def _days_of(self, window: Window) -> Table:
        if self._table is None:
            self._table = self._joined()
        rows = chain.from_iterable(
            numbers
            for day, numbers in self._table.rows_by(DATE).items()
            if day is not None and window.contains(parse_moment(day))
        )
        return self._table.keep(sorted(rows))

    def _joined(self) -> Table:
        """The pieces as one table: spans of days below each other, groups of metrics side by side."""
        names = (DATE, *self.dimensions, RANK)
        tables = [
            _ranked(_only(piece.outcome.table, piece.metrics), names[:-1])
            for piece in self._pieces
            if isinstance(piece.outcome, Answer)
        ]
        return concatenate(tables, names).rollup(names)


def can_be_cut(item: Filter, dimensions: Iterable[str], directory: Directory) -> bool:
    """Whether a filter can be applied afterwards, to an answer with these dimensions."""
    seen = item.operator is Operator.IN and item.field in dimensions
    return seen and names_filtered(item, directory) is not None


def names_filtered(item: Filter, directory: Directory) -> frozenset[Member] | None:
    """The names that a filter lets through, or None where names do not tell."""
    if item.field == KEY and directory.keys:
        keys = [directory.by_hash.get(value) for value in item.values]
        names = [key.name for key in keys if key and len(directory.by_name[key.name]) == 1]
    elif item.field == WORKSPACE and directory.workspaces:
        by_id = {ids[0]: name for name, ids in directory.workspaces.items() if len(ids) == 1}
        names = [by_id[value] for value in item.values if value in by_id]
    else:
        names = list(item.values)
    return frozenset(names) if len(names) == len(item.values) else None


def _is_part(item: Filter, whole: Filter) -> bool:
    same = (item.field, item.operator, whole.operator) == (whole.field, Operator.IN, Operator.IN)
    return same and set(item.values) <= set(whole.values)


def _only(table: Table, metrics: frozenset[str]) -> Table:
    return Table(table.dimensions, {name: table.metrics[name] for name in table.metrics if name in metrics})


def _ranked(table: Table, names: Sequence[str]) -> Table:
    """The rows with the how-manieth of its day and members each is."""
    if len(table.rollup(names)) == len(table):
        return table.tagged(RANK, "0")
    seen: Counter[tuple[Member, ...]] = Counter()
    ranks: list[Member] = []
    for group in zip(*(table.dimensions[name] for name in names), strict=True):
        ranks.append(str(seen[group]))
        seen[group] += 1
    return Table({**table.dimensions, RANK: ranks}, table.metrics)


def _grouped(table: Table, query: Query) -> Table:
    """The rows of a question's buckets and dimensions; namesakes stay apart where nothing is rolled up."""
    names = (*query.dimensions, RANK) if RANK in table.dimensions else query.dimensions
    if set(query.dimensions) != set(table.dimensions) - {DATE, RANK}:
        names = query.dimensions
    if query.granularity is None:
        return table.rollup(names)
    if query.granularity is Granularity.MONTH:
        months = [f"{str(day)[:7]}-01" for day in table.dimensions[DATE]]
        table = Table({**table.dimensions, DATE: months}, table.metrics)
    return table.rollup((DATE, *names))


def _asked_for(table: Table, query: Query) -> Table:
    """The columns that the question names; a surcharge that was not asked so far back is not known."""
    dates = (DATE,) if query.granularity else ()
    unknown = [None] * len(table)
    return Table(
        {name: table.dimensions[name] for name in (*dates, *query.dimensions)},
        {name: table.metrics.get(name, unknown) for name in query.metrics},
    )


def _order(table: Table, dimensions: Sequence[str]) -> list[tuple[object, ...]]:
    """The dearest first, then by members, those without one first."""
    names = [name for name in (DATE, *dimensions) if name in table.dimensions]
    columns = [[(member is not None, member or "") for member in table.dimensions[name]] for name in names]
    return list(zip([(usd is None, -(usd or 0)) for usd in table.metrics[SPEND]], *columns, strict=True))
