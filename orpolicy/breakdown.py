"""Where the spend went: by model, by key and over time, from what the run has asked anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL
from orpolicy.evaluation import traffic_of
from orpolicy.fetch import CONTROL_SHARE, CONTROL_USD
from orpolicy.gather import Gathered
from orpolicy.query.vocabulary import SPEND
from orpolicy.report import PeriodSpend, SpendBreakdown, SubjectSpend
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.account import Account
    from orpolicy.binding import Bound
    from orpolicy.errors import SourceError
    from orpolicy.period import Window
    from orpolicy.table import Table

MOST = 50
"""So many models and keys are listed; the others are counted."""


def breakdown_of(
    bounds: Sequence[Bound],
    gathered: Mapping[str, Gathered | SourceError],
    window: Window,
    account: Account,
) -> SpendBreakdown:
    """The spend of the window by model and by key, and of the periods that some policy looked back on.

    Args:
        bounds: the policies that were asked.
        gathered: what each learnt, by policy id.
        window: the report's.
        account: what names keys and models.
    """
    answered = [
        (bound, found) for bound in bounds if isinstance(found := gathered[bound.policy.id], Gathered)
    ]
    models, keys = (_table(answered, window, dimension) for dimension in (MODEL, KEY))
    return SpendBreakdown(
        by_model=_largest(models, account),
        by_key=_largest(keys, account),
        by_period=_periods(answered),
        models=len(models) if models else 0,
        keys=len(keys) if keys else 0,
    )


def _table(answered: Sequence[tuple[Bound, Gathered]], window: Window, dimension: str) -> Table | None:
    """All traffic of the window by one dimension, from the answer that lacks the fewest rows."""
    whole = [
        found
        for bound, found in answered
        if bound.window == window
        and not bound.periods
        and dimension in found.everything.dimensions
        and _is_whole(found)
    ]
    best = min(whole, key=lambda found: found.missing_usd, default=None)
    return best.everything.rollup((dimension,)) if best else None


def _is_whole(found: Gathered) -> bool:
    """Whether the rows, with those known to be missing, are all traffic; selectors may have narrowed them."""
    whole_usd = float(found.traffic.total(SPEND) or 0.0)
    rows_usd = float(found.everything.total(SPEND) or 0.0) + found.missing_usd
    return abs(rows_usd - whole_usd) <= max(CONTROL_SHARE * whole_usd, CONTROL_USD)


def _largest(table: Table | None, account: Account) -> tuple[SubjectSpend, ...]:
    if table is None:
        return ()
    (dimension,) = table.dimensions
    rows = [(member, Totals.of_row(table, row)) for row, member in enumerate(table.dimensions[dimension])]
    rows.sort(key=lambda row: (-row[1].spend_usd, row[0] or ""))
    return tuple(
        SubjectSpend(
            account.display({dimension: member}), totals.spend_usd, totals.tokens, totals.usd_per_mtok
        )
        for member, totals in rows[:MOST]
    )


def _periods(answered: Sequence[tuple[Bound, Gathered]]) -> tuple[PeriodSpend, ...]:
    """The longest look back, weeks before months, from the first period with any spend on."""
    looks = [(bound, found) for bound, found in answered if bound.periods and not bound.is_by_day]
    if not looks:
        return ()
    bound, found = max(looks, key=lambda look: (look[0].window.is_calendar_week, len(look[0].periods)))
    traffic = traffic_of(bound, found)
    windows = (*bound.periods, bound.window)
    sums = list(zip(windows, (*traffic.history, traffic.totals), strict=True))
    first = next((index for index, (_, totals) in enumerate(sums) if totals.spend_usd > 0), len(sums))
    return tuple(
        PeriodSpend(window, totals.spend_usd, totals.tokens, totals.usd_per_mtok)
        for window, totals in sums[first:]
    )
