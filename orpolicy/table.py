"""Answers as columns: what every source gives and every rule reads."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Member = str | None
"""One value of a dimension as a source names it; None where the source has none.

An API key known by its hash is ``hash:<64 hex>``; everything else is the visible name or slug.
"""

Number = int | float

DATE = "date"
"""The column of time buckets in answers with a granularity: ISO days, ``2026-05-01``."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by columns, all of one length.

    Attributes:
        dimensions: dimension name -> one member a row; the order of the names is the order asked.
        metrics: metric name -> one number a row, None where the source said null. Counts are int,
            dollars float. Metrics are additive: a rate never enters a table.
    """

    dimensions: Mapping[str, Sequence[Member]]
    metrics: Mapping[str, Sequence[Number | None]]
    _rollups: dict[tuple[str, ...], Table] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        lengths = {len(column) for column in chain(self.dimensions.values(), self.metrics.values())}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(next(chain(self.metrics.values(), self.dimensions.values()), ()))

    def total(self, metric: str) -> Number | None:
        """The sum of a metric over all rows, exactly rounded; None if no row has a value.

        Raises:
            KeyError: if the table has no such metric.
        """
        return total(self.metrics[metric])

    def row_key(self, row: int) -> tuple[Member, ...]:
        """The row's members, in the order of ``dimensions``."""
        return tuple(column[row] for column in self.dimensions.values())

    def keep(self, rows: Sequence[int]) -> Table:
        """The rows of these numbers, in this order."""
        if len(rows) == len(self) and all(index == row for index, row in enumerate(rows)):
            return self
        return Table(
            {name: [column[row] for row in rows] for name, column in self.dimensions.items()},
            {name: [column[row] for row in rows] for name, column in self.metrics.items()},
        )

    def matching(self, tests: Mapping[str, Callable[[Member], bool]]) -> Table:
        """The rows whose member passes the test of every named dimension.

        A test runs once per distinct member, not once per row.
        """
        rows: Iterable[int] = range(len(self))
        for name, test in tests.items():
            column = self.dimensions[name]
            verdicts = {member: test(member) for member in set(column)}
            if not all(verdicts.values()):
                rows = [row for row in rows if verdicts[column[row]]]
        return self.keep(list(rows))

    def rollup(self, by: Sequence[str]) -> Table:
        """Metrics summed over every dimension that is not in ``by``, first-seen order of groups.

        Raises:
            KeyError: if ``by`` names a dimension that the table lacks.
        """
        by = tuple(by)
        if by not in self._rollups:
            self._rollups[by] = self._rollup(by)
        return self._rollups[by]

    def _rollup(self, by: tuple[str, ...]) -> Table:
        columns = [self.dimensions[name] for name in by]
        if not by:
            groups: dict[tuple[Member, ...], list[int]] = {(): list(range(len(self)))} if len(self) else {}
        else:
            groups = defaultdict(list)
            for row, key in enumerate(zip(*columns, strict=True)):
                groups[key].append(row)
        if len(groups) == len(self):
            return Table(dict(zip(by, columns, strict=True)), self.metrics)
        members = {name: [key[index] for key in groups] for index, name in enumerate(by)}
        sums = {
            metric: [total([column[row] for row in rows]) for rows in groups.values()]
            for metric, column in self.metrics.items()
        }
        return Table(members, sums)

    def tagged(self, name: str, member: Member) -> Table:
        """The same rows with one dimension set to one member throughout, added last if it is new."""
        return Table({**self.dimensions, name: [member] * len(self)}, self.metrics)


def total(values: Iterable[Number | None]) -> Number | None:
    """The sum of the values that are there: exact for integers, exactly rounded for floats.

    None if there is no value at all: the sum of nothing is not zero.
    """
    present = [value for value in values if value is not None]
    if not present:
        return None
    if all(isinstance(value, int) for value in present):
        return sum(present)
    return math.fsum(present)


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
