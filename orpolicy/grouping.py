"""Rows put into groups in one pass over each column.

Jumping through a large column group by group waits for memory at every step; dealing its values out in the
order in which they lie does not, and takes a quarter of the time.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict, deque
from itertools import islice, pairwise, repeat
from operator import add, le, mul
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from orpolicy.columns import plain
from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Adder = Callable[[Iterable["Number | None"]], "Number | None"]

T = TypeVar("T")
H = TypeVar("H")
Number = int | float

COUNTS = frozenset({int})
PURE = (COUNTS, frozenset({float}))
"""What the values of most metrics are: all counts, or all dollars, and none is missing."""


@dataclass(frozen=True, slots=True)
class Groups(Generic[H]):
    """Which group each row belongs to.

    Attributes:
        keys: what the rows of a group have in common, in the order of the groups' first rows.
        codes: the number of each row's group.
        sizes: how many rows each group has, where the rows of each lie together; empty where they do not.
    """

    keys: Sequence[H]
    codes: Sequence[int]
    sizes: Sequence[int] = ()

    def deal(self, values: Iterable[T]) -> list[list[T]]:
        """One value a row, dealt out to the groups."""
        if self.sizes:
            following = iter(values)
            return [list(islice(following, size)) for size in self.sizes]
        dealt: list[list[T]] = [[] for _ in self.keys]
        deque(map(list.append, map(dealt.__getitem__, self.codes), values), maxlen=0)
        return dealt


def grouped(column: Sequence[H]) -> Groups[H]:
    """The rows by their value."""
    number: defaultdict[H, int] = defaultdict()
    number.default_factory = number.__len__  # a value that is new gets the next number
    codes = list(map(number.__getitem__, column))
    number.default_factory = None
    return Groups(list(number), codes, _sizes(codes, len(number)))


def _sizes(codes: Sequence[int], groups: int) -> list[int]:
    """The size of each group where its rows lie together, as they do where a source answers key by key.

    Groups are numbered in the order of their first rows, so that the numbers then never fall.
    """
    if not all(map(le, codes, islice(codes, 1, None))):
        return []
    starts = [bisect_left(codes, group) for group in range(groups)]
    return [end - start for start, end in pairwise([*starts, len(codes)])]


def combined(groups: Sequence[Groups[H]]) -> Groups[tuple[H, ...]]:
    """The rows by all of several groupings together."""
    pairs = grouped(mixed(groups))
    keys: list[tuple[H, ...]] = []
    for pair in pairs.keys:
        rest, key = pair, []
        for one in reversed(groups):
            rest, code = divmod(rest, len(one.keys))
            key.append(one.keys[code])
        keys.append(tuple(reversed(key)))
    return Groups(keys, pairs.codes, pairs.sizes)


def mixed(groups: Sequence[Groups[H]]) -> list[int]:
    """One number a row, equal where the rows are in the same group of every grouping."""
    first, *others = groups
    codes = first.codes
    for other in others:
        codes = list(map(add, map(mul, codes, repeat(len(other.keys))), other.codes))
    return list(codes)


def is_told_apart(groups: Sequence[Groups[H]]) -> bool:
    """Whether no two rows are in the same group of every grouping, of which there is at least one."""
    first, *others = groups
    if not others:
        return len(first.keys) == len(first.codes)
    return all(len(set(codes)) == len(codes) for codes in first.deal(mixed(others)))


def sums(
    column: Sequence[Number | None], kinds: frozenset[type], groups: Groups[H]
) -> Sequence[Number | None]:
    """The total of each group, as ``total`` has it.

    Args:
        column: one value a row.
        kinds: the types of its values.
        groups: each of at least one row.
    """
    if kinds == COUNTS:
        return _counted(cast("Sequence[int]", plain(column)), groups)
    return list(map(adder(kinds), groups.deal(plain(column))))


def _counted(column: Sequence[int], groups: Groups[H]) -> list[int]:
    """Integers are added up where they lie: only dollars must be together to be rounded once."""
    if groups.sizes:
        following = iter(column)
        return [sum(islice(following, size)) for size in groups.sizes]
    found = [0] * len(groups.keys)
    for code, value in zip(groups.codes, column, strict=True):
        found[code] += value
    return found


def total(values: Iterable[Number | None]) -> Number | None:
    """The sum of the values that are there: exact for integers, exactly rounded for floats.

    None if there is no value at all: the sum of nothing is not zero.
    """
    present = [value for value in values if value is not None]
    if not present:
        return None
    if set(map(type, present)) == {int}:
        return sum(present)
    return math.fsum(present)


def adder(kinds: frozenset[type]) -> Adder:
    """``total`` for some of the values of a column, at least one.

    Args:
        kinds: the types of the column's values; where there is but one, none of the values is looked at.
    """
    if kinds not in PURE:
        return total
    return cast("Adder", sum if int in kinds else math.fsum)
