"""Who gets whom where several would fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def paired(fits: Sequence[Sequence[int]]) -> dict[int, int]:
    """As many rows as possible, each with a column of its own (maximum matching by augmenting paths).

    Args:
        fits: the columns that each row may have.

    Returns:
        Row -> column.
    """
    rows: dict[int, int] = {}
    columns: dict[int, int] = {}
    for row in range(len(fits)):
        _augment(row, fits, rows, columns)
    return rows


def _augment(
    start: int, fits: Sequence[Sequence[int]], rows: dict[int, int], columns: dict[int, int]
) -> None:
    """Find a column for one more row; rows that have one may move to another, breadth first."""
    reached: dict[int, int] = {}
    waiting = [start]
    for row in waiting:
        for column in fits[row]:
            if column not in reached:
                reached[column] = row
                if column not in columns:
                    _move(column, start, reached, rows, columns)
                    return
                waiting.append(columns[column])


def _move(
    free: int, start: int, reached: dict[int, int], rows: dict[int, int], columns: dict[int, int]
) -> None:
    """Let each row on the way to a free column take the next one."""
    column, row = free, reached[free]
    while row != start:
        left = rows[row]
        rows[row], columns[column] = column, row
        column, row = left, reached[left]
    rows[row], columns[column] = column, row
