"""Which subjects can matter at all, worked out on columns, so that only those become rows.

A kind that can say its measure as a ratio of two metrics (``Rule.ratio``) is screened: floors, rows without
a value and rows far from every threshold fall away column by column. What is left is measured one by one,
as any other kind is, and nothing but that decides.
"""

from __future__ import annotations

import math
from dataclasses import field, replace
from itertools import chain, pairwise
from operator import neg, truediv
from typing import TYPE_CHECKING

from orpolicy.columns import plain, values_at
from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import REQUESTS, SPEND
from orpolicy.rules.base import Skip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.policy.model import Floor, Thresholds
    from orpolicy.rules.base import Heavy, Ratio
    from orpolicy.table import Member, Number, Table

_MARGIN = 1e-9
"""Relative; ratios here may differ from a kind's own arithmetic in the last bits."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Some rows of a table whose rows are subjects.

    Attributes:
        table: one row a subject.
        rows: numbers of the chosen ones, ascending.
        spend_usd: what they spend together.
    """

    table: Table
    rows: Sequence[int]
    spend_usd: float
    _kept: dict[str, Sequence[Number]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def values(self, metric: str) -> Sequence[Number]:
        """A metric of theirs, as ``values`` has it; looked up once, as that takes long."""
        if metric not in self._kept:
            self._kept[metric] = values(self.table, metric, self.rows)
        return self._kept[metric]

    def members(self, dimension: str) -> set[Member]:
        """The members of one dimension among them."""
        column = self.table.dimensions[dimension]
        return set(column) if len(self.rows) == len(self.table) else {column[row] for row in self.rows}


@dataclass(frozen=True, slots=True)
class Floored:
    """The subjects of a table above and under a floor.

    Attributes:
        big: those above.
        small: how many are under it.
        small_usd: what those spend together.
    """

    big: Subjects
    small: int
    small_usd: float


@dataclass(frozen=True, slots=True)
class Screened:
    """The subjects that have a ratio.

    Attributes:
        judged: those that have one.
        ratios: of them, in the rows' order.
        skipped: how many have none, by reason.
    """

    judged: Subjects
    ratios: Sequence[float]
    skipped: Mapping[Skip, int]


def chosen(table: Table, rows: Sequence[int]) -> Subjects:
    """Some subjects with their spend, exactly rounded whatever their order."""
    spend = values(table, SPEND, rows)
    found = Subjects(table, rows, math.fsum(spend))
    found._kept[SPEND] = spend  # noqa: SLF001 - a noun of this module
    return found


def values(table: Table, metric: str, rows: Sequence[int]) -> Sequence[Number]:
    """A metric of some rows; a null or absent one counts as 0, as ``Totals`` has it."""
    column = table.metrics.get(metric)
    if column is None:
        return [0] * len(rows)
    some = plain(column) if len(rows) == len(table) else values_at(column, rows)
    return some if table.is_whole(metric) else [value or 0 for value in some]  # type: ignore[return-value] # whole: no None


def _least(table: Table, metric: str) -> Number:
    """A number that no value is below; an absent metric counts as 0."""
    return table.least(metric) if metric in table.metrics else 0


def floored(table: Table, floor: Floor, traffic_usd: float) -> Floored:
    """A table's subjects by a policy's floor; policies with equal floors share the answer.

    Args:
        table: one row a subject.
        floor: the policy's.
        traffic_usd: all traffic's spend, of which ``floor.share`` is a share.
    """
    least_usd = max(floor.spend_usd, floor.share * traffic_usd)
    known = table.once(("floored",), dict[tuple[float, int], Floored])
    least = (least_usd, floor.requests)
    if least not in known:
        lower = [one.big for other, one in known.items() if other[0] <= least[0] and other[1] <= least[1]]
        known[least] = _floored(min(lower, key=len, default=_everything(table)), *least)
    return known[least]


def _everything(table: Table) -> Subjects:
    return table.once(("everything",), lambda: chosen(table, range(len(table))))


def _floored(among: Subjects, least_usd: float, least_requests: int) -> Floored:
    """The subjects above a floor, all of which are among those above a lower one."""
    table, rows, spend = among.table, among.rows, among.values(SPEND)
    if least_usd > _least(table, SPEND):
        rows = [row for row, usd in zip(rows, spend, strict=True) if usd >= least_usd]
    if least_requests > 0:
        requests = among.values(REQUESTS) if len(rows) == len(among) else values(table, REQUESTS, rows)
        rows = [row for row, count in zip(rows, requests, strict=True) if count >= least_requests]
    big = among if len(rows) == len(among) else chosen(table, rows)
    small = len(table) - len(big)
    return Floored(big, small, _left_usd(big) if small else 0.0)


def _left_usd(big: Subjects) -> float:
    """What the other subjects spend together: what all do, without these, rounded only once."""
    every = big.table.once(("exact spend",), lambda: _exactly(_everything(big.table)))
    return math.fsum(chain(every, map(neg, big.values(SPEND))))


def _exactly(subjects: Subjects) -> list[float]:
    """What some subjects spend: the sum, what its rounding lacks, what that lacks, until nothing does."""
    spend = subjects.values(SPEND)
    parts, lacking = list[float](), subjects.spend_usd
    while lacking:
        parts.append(lacking)
        lacking = math.fsum(chain(spend, map(neg, parts)))
    return parts


def screened(subjects: Subjects, ratio: Ratio) -> Screened:
    """The subjects that a ratio applies to; policies with equal floors and ratios share the answer."""
    key = ("screened", id(subjects), replace(ratio, times=1.0))
    return subjects.table.once(key, lambda: _screened(subjects, ratio))


def _screened(subjects: Subjects, ratio: Ratio) -> Screened:
    table, rows = subjects.table, subjects.rows
    upper = subjects.values(ratio.of)
    if ratio.to is None:
        return Screened(subjects, upper, {})
    lower = subjects.values(ratio.to)
    kept: Sequence[int] = range(len(rows))
    if _least(table, ratio.to) <= 0:
        kept = [index for index, value in enumerate(lower) if value > 0]
    left = [len(rows), len(kept)]
    if ratio.is_share:
        kept = [index for index in kept if upper[index] <= lower[index]]
    left.append(len(kept))
    if ratio.heavy is not None:
        kept = _heavy(subjects, ratio.heavy, kept)
    left.append(len(kept))
    reasons = (Skip.NOT_APPLICABLE, Skip.IMPLAUSIBLE, Skip.OUT_OF_SCOPE)
    skipped = {
        reason: before - after
        for reason, (before, after) in zip(reasons, pairwise(left), strict=True)
        if before > after
    }
    if len(kept) == len(rows):
        return Screened(subjects, list(map(truediv, upper, lower)), skipped)
    judged = chosen(table, [rows[index] for index in kept])
    return Screened(judged, [upper[index] / lower[index] for index in kept], skipped)


def _heavy(subjects: Subjects, heavy: Heavy, kept: Sequence[int]) -> list[int]:
    """Those of some indexes of rows that are in a kind's scope."""
    more, less = map(subjects.values, (heavy.of, heavy.to))
    return [index for index in kept if more[index] > heavy.above * less[index]]


def suspects(found: Screened, times: float, thresholds: Thresholds) -> list[int]:
    """The numbers of the rows whose ratio, so many times, crosses a threshold or nearly does."""
    above = [limit for limit in (thresholds.fail_above, thresholds.warn_above) if limit is not None]
    below = [limit for limit in (thresholds.fail_below, thresholds.warn_below) if limit is not None]
    high = min(above, default=math.inf)
    low = max(below, default=-math.inf)
    high, low = (high - _MARGIN * abs(high)) / times, (low + _MARGIN * abs(low)) / times
    pairs = zip(found.judged.rows, found.ratios, strict=True)
    if not below and max(found.ratios, default=-math.inf) < high:
        return []
    if not below:
        return [row for row, value in pairs if value >= high]
    return [row for row, value in pairs if value <= low or value >= high]
