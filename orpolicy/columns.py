"""Columns that are worked out when somebody looks at them, whole or value by value."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar, cast, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

ITEMGETTER_GIVES_A_TUPLE = 2
"""From so many values on; it takes two thirds of the time of looking them up one by one."""


class LazyColumn(Sequence[T]):
    """A column of a known length; most columns of most tables are never looked at, or in a few rows."""

    __slots__ = ("_length", "_one", "_values", "_whole")

    def __init__(
        self, length: int, whole: Callable[[], Sequence[T]], one: Callable[[int], T] | None = None
    ) -> None:
        """Name the ways to its values.

        Args:
            length: how many there are.
            whole: all of them; called at most once.
            one: the value at an index that is not negative; None where that is no quicker than all of them.
        """
        self._length = length
        self._whole = whole
        self._one = one
        self._values: Sequence[T] | None = None

    @property
    def values(self) -> Sequence[T]:
        """All values, as a plain sequence."""
        if self._values is None:
            self._values = self._whole()
        return self._values

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return iter(self.values)

    def __contains__(self, value: object) -> bool:
        return value in self.values

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...

    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if self._values is not None:
            return self._values[index]
        is_one = isinstance(index, int) and 0 <= index < self._length
        if self._one is not None and is_one:
            return self._one(cast("int", index))
        return self.values[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self.values) == list(other)

    __hash__ = None  # type: ignore[assignment] # equal to lists, which have none

    def __repr__(self) -> str:
        return repr(self.values)


def plain(column: Sequence[T]) -> Sequence[T]:
    """The column as a plain sequence, which many reads of single values are quicker on."""
    return column.values if isinstance(column, LazyColumn) else column


def picked(column: Sequence[T], rows: Sequence[int]) -> LazyColumn[T]:
    """Some rows of a column."""
    return LazyColumn(len(rows), lambda: values_at(column, rows), lambda index: column[rows[index]])


def values_at(column: Sequence[T], rows: Sequence[int]) -> Sequence[T]:
    """The values of some rows of a column."""
    column = plain(column)
    if len(rows) < ITEMGETTER_GIVES_A_TUPLE:
        return [column[row] for row in rows]
    return cast("tuple[T, ...]", itemgetter(*rows)(column))
