"""How much of the bill some policy judged."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL, variants_named
from orpolicy.errors import SourceError
from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import SPEND
from orpolicy.report import Coverage
from orpolicy.rules.base import Covered
from orpolicy.screening import values
from orpolicy.selection import select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.account import Account
    from orpolicy.binding import Bound
    from orpolicy.evaluation import Judgement
    from orpolicy.gather import Gathered
    from orpolicy.period import Window
    from orpolicy.screening import Subjects
    from orpolicy.table import Member, Table

GRID = (KEY, MODEL)
MAX_GAPS = 5
"""So many keys are named whose spend nobody judged."""


def coverage_of(
    judged: Sequence[Judgement], window: Window, spend_usd: float, cells: Table | None, account: Account
) -> Coverage:
    """Spend of the window that at least one policy held against its thresholds.

    Laid out by key and model where those cells are known; policies by other dimensions, and all of them
    where no cells are known, count with the largest of them: a lower bound.

    Args:
        judged: every judgement.
        window: the report's.
        spend_usd: all spend of the window.
        cells: all traffic of the window with at least key and model, or None.
        account: what names keys and models.
    """
    same = _counted(judged, window)
    largest = max((judgement.judged_spend_usd for judgement in same), default=0.0)
    by_cell = _laid(same, cells.rollup(GRID), account).spend_usd if cells is not None else 0.0
    covered_usd = min(max(largest, by_cell), spend_usd)
    return Coverage(covered_usd, covered_usd / spend_usd if spend_usd > 0 else None)


def with_covered(
    bounds: Sequence[Bound],
    gathered: Mapping[str, Gathered | SourceError],
    outcomes: Sequence[Judgement | SourceError],
    account: Account,
) -> dict[str, Gathered]:
    """What was learnt for policies about the other policies, with what those judged.

    Args:
        bounds: of kinds that judge policies; each has a view by key and model.
        gathered: by policy id.
        outcomes: of every other policy of the run, in any order.
        account: what names keys and models.
    """
    found = ((bound, gathered[bound.policy.id]) for bound in bounds)
    return {
        bound.policy.id: replace(
            rows, covered=covered_by(outcomes, bound, rows.views[GRID].selected, account)
        )
        for bound, rows in found
        if not isinstance(rows, SourceError)
    }


def covered_by(
    outcomes: Sequence[Judgement | SourceError], bound: Bound, cells: Table, account: Account
) -> Covered:
    """What other policies judged of a policy's window; what is inconclusive judged nothing.

    Args:
        outcomes: of every other policy of the run, in any order.
        bound: the policy that asks.
        cells: all traffic of its window by key and model.
        account: what names keys and models.
    """
    judged = [item for item in outcomes if not isinstance(item, SourceError)]
    same = [item for item in _counted(judged, bound.window) if bound.rule.counts(item.bound.by)]
    grid = cells.rollup(GRID)
    laid = _laid(same, grid, account)
    whole_usd = math.fsum(values(grid, SPEND, range(len(grid))))
    least_usd = max([laid.spend_usd, *(item.judged_spend_usd for item in laid.others)])
    most_usd = math.fsum([laid.spend_usd, *(item.judged_spend_usd for item in laid.others)])
    return Covered(
        least_usd=min(least_usd, whole_usd),
        most_usd=min(most_usd, whole_usd),
        judged=sum(bool(item.judged) for item in same),
        unjudged=len(outcomes) - len(judged),
        gaps=laid.gaps,
    )


@dataclass(frozen=True, slots=True)
class _Laid:
    """Policies laid over each other.

    Attributes:
        spend_usd: what they judged together, no dollar twice.
        others: those that cannot be laid over the cells.
        gaps: what none judged, by key, the dearest first.
    """

    spend_usd: float
    others: Sequence[Judgement]
    gaps: tuple[tuple[dict[str, Member], float], ...]


def _counted(judged: Sequence[Judgement], window: Window) -> list[Judgement]:
    return [item for item in judged if item.bound.window == window and item.bound.rule.judges_spend]


def _laid(judged: Sequence[Judgement], grid: Table, account: Account) -> _Laid:
    laid = [item for item in judged if _is_by_cell(item.bound)]
    whole = [item for item in laid if _judges_whole(item.bound)]
    pairs = _pairs([item.judged for item in whole if len(item.bound.by) == len(GRID)])
    keys, models = (
        set[str | None]().union(*(item.judged.members(name) for item in whole if item.bound.by == (name,)))
        for name in GRID
    )
    is_all = any(not item.bound.by and item.judged for item in whole)
    for item in laid:
        if not is_all and not _judges_whole(item.bound):
            pairs |= _cells_of(item, grid, account)
    spend = values(grid, SPEND, range(len(grid)))
    cells = list(zip(grid.dimensions[KEY], grid.dimensions[MODEL], spend, strict=True))
    covered = [is_all or key in keys or model in models or (key, model) in pairs for key, model, _ in cells]
    gaps: dict[Member, list[float]] = defaultdict(list)
    for (key, _, usd), is_covered in zip(cells, covered, strict=True):
        if not is_covered and usd > 0:
            gaps[key].append(usd)
    return _Laid(
        math.fsum(usd for (_, _, usd), is_covered in zip(cells, covered, strict=True) if is_covered),
        [item for item in judged if not _is_by_cell(item.bound)],
        _largest({key: math.fsum(amounts) for key, amounts in gaps.items()}),
    )


def _largest(gaps: dict[Member, float]) -> tuple[tuple[dict[str, Member], float], ...]:
    ranked = sorted(gaps.items(), key=lambda gap: (-gap[1], gap[0] or ""))
    return tuple(({KEY: key}, usd) for key, usd in ranked[:MAX_GAPS])


def _is_by_cell(bound: Bound) -> bool:
    """Whether what was judged is some cells of key and model, as a whole: no variant, user or app of them."""
    return {*bound.by, *bound.where} <= set(GRID) and not any(map(variants_named, bound.matchers(MODEL)))


def _judges_whole(bound: Bound) -> bool:
    """Whether a judged subject was judged with all of its traffic."""
    narrowed = {*bound.where, MODEL} if bound.scope else set(bound.where)
    return narrowed <= set(bound.by)


def _cells_of(item: Judgement, grid: Table, account: Account) -> set[tuple[Member, Member]]:
    """The cells behind the judged subjects of a policy that selects by more than it tells apart."""
    bound = item.bound
    chosen = select(grid, bound.where, account)
    if bound.scope is not None:
        chosen = select(chosen, {MODEL: bound.scope}, account)
    for name in bound.by:
        chosen = chosen.matching({name: item.judged.members(name).__contains__})
    return set(zip(chosen.dimensions[KEY], chosen.dimensions[MODEL], strict=True)) if item.judged else set()


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
