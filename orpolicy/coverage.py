"""How much of the bill some policy judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL
from orpolicy.report import Coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.binding import Bound
    from orpolicy.evaluation import Judgement
    from orpolicy.period import Window
    from orpolicy.totals import Cell

GRID = (KEY, MODEL)


def coverage_of(
    judged: Sequence[Judgement], window: Window, spend_usd: float, cells: Sequence[Cell]
) -> Coverage:
    """Spend of the window that at least one policy held against its thresholds.

    Laid out by key and model where those cells are known; policies by other dimensions, and all of them
    where no cells are known, count with the largest of them: a lower bound.
    """
    same = [judgement for judgement in judged if judgement.bound.window == window]
    largest = max((judgement.judged_spend_usd for judgement in same), default=0.0)
    covered_usd = min(max(largest, _by_cell(same, cells)), spend_usd)
    return Coverage(covered_usd, covered_usd / spend_usd if spend_usd > 0 else None)


def _judges_whole(bound: Bound) -> bool:
    """Whether a judged subject was judged with all of its traffic."""
    narrowed = {*bound.where, MODEL} if bound.scope else set(bound.where)
    return narrowed <= set(bound.by)


def _by_cell(judged: Sequence[Judgement], cells: Sequence[Cell]) -> float:
    """The cells that some policy by key, model or both has judged as a whole."""
    whole = [
        (judgement.bound.by, frozenset(judgement.judged))
        for judgement in judged
        if set(judgement.bound.by) <= set(GRID) and _judges_whole(judgement.bound)
    ]
    total = 0.0
    for cell in cells:
        members = {KEY: cell.key, MODEL: cell.model}
        if any(tuple(members[name] for name in by) in subjects for by, subjects in whole):
            total += cell.totals.spend_usd
    return total
