"""Answers as columns: what every source gives and every rule reads."""

from __future__ import annotations

import math
from dataclasses import field
from functools import partial
from itertools import chain, compress
from operator import eq
from typing import TYPE_CHECKING, TypeVar, cast

from orpolicy.columns import LazyColumn, picked, plain
from orpolicy.grouping import PURE, adder, combined, grouped, is_told_apart, sums
from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from orpolicy.grouping import Groups

    Key = tuple[Hashable, ...]

T = TypeVar("T")
G = TypeVar("G")

Member = str | None
"""One value of a dimension as a source names it; None where the source has none.

An API key known by its hash is ``hash:<64 hex>``; everything else is the visible name or slug.
"""

Number = int | float

DATE = "date"
"""The column of time buckets in answers with a granularity: ISO days, ``2026-05-01``."""

_ORIGIN = ("origin",)
"""Under this key a table keeps the one whose rows, or sums of rows, are its own."""

_WHOLE = ("whole",)
"""Under this key a table keeps the one that has all of its rows, and perhaps more."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by columns, all of one length.

    Many policies ask the same of one table, so what is worked out from its columns is kept with it.

    Attributes:
        dimensions: dimension name -> one member a row; the order of the names is the order asked.
        metrics: metric name -> one number a row, None where the source said null. Counts are int,
            dollars float. Metrics are additive: a rate never enters a table.
    """

    dimensions: Mapping[str, Sequence[Member]]
    metrics: Mapping[str, Sequence[Number | None]]
    _kept: dict[tuple[Hashable, ...], object] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        lengths = {len(column) for column in chain(self.dimensions.values(), self.metrics.values())}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(next(chain(self.metrics.values(), self.dimensions.values()), ()))

    def once(self, key: Key, make: Callable[[], T]) -> T:
        """What ``make`` gives, worked out once for this table and kept under ``key``.

        Columns are never changed, so what follows from them and from the key never changes either.
        """
        if key not in self._kept:
            self._kept[key] = make()
        return cast("T", self._kept[key])

    def total(self, metric: str) -> Number | None:
        """The sum of a metric over all rows, exactly rounded; None if no row has a value.

        Raises:
            KeyError: if the table has no such metric.
        """
        return self.once(("total", metric), lambda: self._total(metric))

    def _total(self, metric: str) -> Number | None:
        column = plain(self.metrics[metric])
        return adder(self._kinds(metric))(column) if column else None

    def is_whole(self, metric: str) -> bool:
        """Whether every row has a value of the metric.

        Raises:
            KeyError: if the table has no such metric.
        """
        return type(None) not in self._kinds(metric)

    def _kinds(self, metric: str) -> frozenset[type]:
        """The types of a metric's values."""
        return self.once(("kinds", metric), lambda: self._find_kinds(metric))

    def _find_kinds(self, metric: str) -> frozenset[type]:
        origin = cast("Table | None", self._kept.get(_ORIGIN))
        if origin is not None and (kinds := origin._kinds(metric)) in PURE:  # noqa: SLF001 - another table
            return kinds
        return frozenset(map(type, self.metrics[metric]))

    def least(self, metric: str) -> Number:
        """A number that no value of the metric is below: the least of all where that is 0 or more.

        Some rows of a table take the whole table's; where a row has no value there is no such number.

        Raises:
            KeyError: if the table has no such metric.
        """
        return self.once(("least", metric), lambda: self._least(metric))

    def _least(self, metric: str) -> Number:
        if not self.is_whole(metric):
            return -math.inf
        whole = cast("Table | None", self._kept.get(_WHOLE))
        if whole is not None and (least := whole.least(metric)) >= 0:
            return least
        return min(cast("Sequence[Number]", plain(self.metrics[metric])), default=0)

    def row_key(self, row: int) -> tuple[Member, ...]:
        """The row's members, in the order of ``dimensions``."""
        return tuple(column[row] for column in self.dimensions.values())

    def rows_by(self, dimension: str) -> Mapping[Member, Sequence[int]]:
        """Member -> the numbers of its rows, ascending; members in the order of their first row.

        Raises:
            KeyError: if the table has no such dimension.
        """
        return self.once(("rows_by", dimension), lambda: self._rows_by(dimension))

    def _rows_by(self, dimension: str) -> dict[Member, Sequence[int]]:
        groups = self._groups(dimension)
        return dict(zip(groups.keys, groups.deal(range(len(self))), strict=True))

    def _groups(self, dimension: str) -> Groups[Member]:
        return self.once(("groups", dimension), lambda: grouped(plain(self.dimensions[dimension])))

    def keep(self, rows: Sequence[int], *, are_told_apart: bool = False) -> Table:
        """The rows of these numbers, in this order.

        Args:
            rows: their numbers.
            are_told_apart: whether it is known that no number is there twice.
        """
        every = range(len(self))
        if rows == every or (len(rows) == len(self) and all(map(eq, rows, every))):
            return self
        kept = Table(
            {name: picked(column, rows) for name, column in self.dimensions.items()},
            {name: picked(column, rows) for name, column in self.metrics.items()},
        )
        kept._inherit(self, is_told_apart=are_told_apart or len(set(rows)) == len(rows))
        kept._kept[_WHOLE] = self
        return kept

    def _inherit(self, origin: Table, *, is_told_apart: bool) -> None:
        """Take over what holds for a table whose rows, or sums of rows, these are.

        Args:
            origin: the other table.
            is_told_apart: whether every row here is one row of it, and no two are the same.
        """
        self._kept[_ORIGIN] = origin
        for key, value in origin._kept.items():
            if is_told_apart and value is True and key[0] == "tells_apart":
                self._kept[key] = True

    def matching(self, tests: Mapping[str, Callable[[Member], bool]]) -> Table:
        """The rows whose member passes the test of every named dimension.

        A test runs once per distinct member, not once per row.
        """
        rows: Sequence[int] = range(len(self))
        for name, test in tests.items():
            column = plain(self.dimensions[name])
            verdicts = {member: test(member) for member in set(column)}
            if not all(verdicts.values()):
                rows = list(compress(rows, map(verdicts.__getitem__, map(column.__getitem__, rows))))
        return self.keep(rows, are_told_apart=True)

    def rollup(self, by: Sequence[str]) -> Table:
        """Metrics summed over every dimension that is not in ``by``, first-seen order of groups.

        Raises:
            KeyError: if ``by`` names a dimension that the table lacks.
        """
        by = tuple(by)
        return self.once(("rollup", by), lambda: self._rolled_up(by))

    def _rolled_up(self, by: tuple[str, ...]) -> Table:
        table = self._summed(by)
        table._inherit(self, is_told_apart=False)  # noqa: SLF001 - another table
        table._kept["tells_apart", frozenset(by)] = True  # noqa: SLF001 - as above
        return table

    def _summed(self, by: tuple[str, ...]) -> Table:
        if self._tells_apart(frozenset(by)):
            same = Table({name: self.dimensions[name] for name in by}, self.metrics)
            same._kept[_WHOLE] = self
            return same
        if not by:
            metrics = {name: [self.total(name)] for name in self.metrics}
            return Table({}, metrics)
        if len(by) == 1:
            groups = self._groups(by[0])
            return Table({by[0]: groups.keys}, self._sums(groups))
        pairs = combined([self._groups(name) for name in by])
        return Table(dict(zip(by, zip(*pairs.keys, strict=True), strict=True)), self._sums(pairs))

    def _sums(self, groups: Groups[G]) -> dict[str, Sequence[Number | None]]:
        """The total of each group, of those metrics that somebody looks at."""
        return {name: LazyColumn(len(groups.keys), partial(self._sum, name, groups)) for name in self.metrics}

    def _sum(self, metric: str, groups: Groups[G]) -> Sequence[Number | None]:
        return sums(self.metrics[metric], self._kinds(metric), groups)

    def _tells_apart(self, by: frozenset[str]) -> bool:
        """Whether no two rows have the same members, so that each is a group of its own."""
        return self.once(("tells_apart", by), lambda: self._is_told_apart(by))

    def _is_told_apart(self, by: frozenset[str]) -> bool:
        groups = [self._groups(name) for name in by]
        if not groups or math.prod(len(one.keys) for one in groups) < len(self):
            return len(self) <= 1
        return is_told_apart(groups)

    def only(self, dimensions: Sequence[str], metrics: Sequence[str]) -> Table:
        """The same rows with some of their columns; the numbers are of the kinds that are known already.

        Raises:
            KeyError: if the table lacks one of them.
        """
        some = Table(
            {name: self.dimensions[name] for name in dimensions},
            {name: self.metrics[name] for name in metrics},
        )
        some._kept[_ORIGIN] = some._kept[_WHOLE] = self
        return some

    def tagged(self, name: str, member: Member) -> Table:
        """The same rows with one dimension set to one member throughout, added last if it is new."""
        return Table({**self.dimensions, name: [member] * len(self)}, self.metrics)


def concatenate(tables: Sequence[Table], dimensions: Sequence[str]) -> Table:
    """All rows of all tables with these dimensions and every metric; absent metrics become None."""
    metrics = list(dict.fromkeys(chain.from_iterable(table.metrics for table in tables)))
    return Table(
        {name: list(chain.from_iterable(table.dimensions[name] for table in tables)) for name in dimensions},
        {
            name: list(chain.from_iterable(table.metrics.get(name, [None] * len(table)) for table in tables))
            for name in metrics
        },
    )
