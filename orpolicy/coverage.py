"""How much of the bill some policy judged."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL
from orpolicy.query.vocabulary import SPEND
from orpolicy.report import Coverage
from orpolicy.screening import values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.binding import Bound
    from orpolicy.evaluation import Judgement
    from orpolicy.period import Window
    from orpolicy.screening import Subjects
    from orpolicy.table import Member, Table

GRID = (KEY, MODEL)


def coverage_of(
    judged: Sequence[Judgement], window: Window, spend_usd: float, cells: Table | None
) -> Coverage:
    """Spend of the window that at least one policy held against its thresholds.

    Laid out by key and model where those cells are known; policies by other dimensions, and all of them
    where no cells are known, count with the largest of them: a lower bound.

    Args:
        judged: every judgement.
        window: the report's.
        spend_usd: all spend of the window.
        cells: all traffic of the window with at least key and model, or None.
    """
    same = [judgement for judgement in judged if judgement.bound.window == window]
    largest = max((judgement.judged_spend_usd for judgement in same), default=0.0)
    by_cell = _by_cell(same, cells.rollup(GRID)) if cells is not None else 0.0
    covered_usd = min(max(largest, by_cell), spend_usd)
    return Coverage(covered_usd, covered_usd / spend_usd if spend_usd > 0 else None)


def _judges_whole(bound: Bound) -> bool:
    """Whether a judged subject was judged with all of its traffic."""
    narrowed = {*bound.where, MODEL} if bound.scope else set(bound.where)
    return narrowed <= set(bound.by)


def _by_cell(judged: Sequence[Judgement], grid: Table) -> float:
    """The cells that some policy by key, model or both has judged as a whole."""
    whole = [item for item in judged if set(item.bound.by) <= set(GRID) and _judges_whole(item.bound)]
    if any(not item.bound.by and item.judged for item in whole):
        return math.fsum(values(grid, SPEND, range(len(grid))))
    keys, models = (
        set[str | None]().union(*(item.judged.members(name) for item in whole if item.bound.by == (name,)))
        for name in GRID
    )
    pairs = _pairs([item.judged for item in whole if len(item.bound.by) == len(GRID)])
    spend = values(grid, SPEND, range(len(grid)))
    cells = zip(grid.dimensions[KEY], grid.dimensions[MODEL], spend, strict=True)
    return math.fsum(
        usd for key, model, usd in cells if key in keys or model in models or (key, model) in pairs
    )


def _pairs(judged: Sequence[Subjects]) -> set[tuple[Member, Member]]:
    """The cells of subjects by key and model; those of one table are looked at together."""
    rows: dict[int, set[int]] = defaultdict(set)
    tables = {id(item.table): item.table for item in judged}
    for item in {id(item): item for item in judged}.values():
        rows[id(item.table)].update(item.rows)
    pairs: set[tuple[Member, Member]] = set()
    for name, table in tables.items():
        keys, models = table.dimensions[KEY], table.dimensions[MODEL]
        pairs.update((keys[row], models[row]) for row in rows[name])
    return pairs
