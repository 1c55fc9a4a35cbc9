"""Who or what is behind a finding."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL
from orpolicy.finding import Driver
from orpolicy.query.vocabulary import SPEND
from orpolicy.savings.cache import CACHE_USD
from orpolicy.savings.levers import CutSurcharge, StopCaching

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.account import Account
    from orpolicy.evaluation import Breach
    from orpolicy.lay_out import Layout
    from orpolicy.savings.levers import Lever
    from orpolicy.table import Member
    from orpolicy.totals import Cell

MAX_DRIVERS = 5


def drivers_of(
    breach: Breach, cells: Sequence[Cell], layout: Layout, lever: Lever, account: Account
) -> tuple[Driver, ...]:
    """The largest drivers of a breach: a model's keys, a key's models, a pair's share of its model.

    For surcharges the dollars are those of the surcharge, for caching those that were lost by it. A kind that
    knows better who is behind its value says so.

    Args:
        breach: whose drivers.
        cells: its traffic by key and model, as ``layout`` has it.
        layout: all traffic of the window.
        lever: what could be done about it.
        account: what names keys and models.
    """
    subject = breach.row.subject
    if breach.behind is not None:
        return _said(breach.behind, account)
    if {KEY, MODEL} <= set(subject):
        return _share_of_model(breach, layout, account)
    metric = _metric(lever)
    dimension = MODEL if KEY in subject else KEY
    if not cells:
        return ()
    spend = layout.once(breach, ("spend", dimension, metric), lambda: _spend(cells, dimension, metric))
    return _ranked(dimension, spend, sum(spend.values()), account)


def _metric(lever: Lever) -> str:
    """The dollars that a driver is ranked by."""
    if isinstance(lever, StopCaching):
        return CACHE_USD
    return lever.metrics[0] if isinstance(lever, CutSurcharge) else SPEND


def _said(behind: Sequence[tuple[Mapping[str, Member], float]], account: Account) -> tuple[Driver, ...]:
    """The drivers that the kind itself names, with their share of what it names."""
    whole = sum(usd for _, usd in behind)
    return tuple(
        Driver(account.display(subject), usd, min(usd / whole, 1.0))
        for subject, usd in behind[:MAX_DRIVERS]
        if usd > 0
    )


def _spend(cells: Sequence[Cell], dimension: str, metric: str) -> dict[Member, float]:
    spend: dict[Member, float] = {}
    for cell in cells:
        member = cell.key if dimension == KEY else cell.model
        spend[member] = spend.get(member, 0.0) + float(cell.totals.get(metric))
    return {member: max(usd, 0.0) for member, usd in spend.items()}


def _share_of_model(breach: Breach, layout: Layout, account: Account) -> tuple[Driver, ...]:
    """The one key of the finding, with its share of all spend on the model."""
    key, model = breach.row.subject[KEY], breach.row.subject[MODEL]
    return _ranked(KEY, {key: breach.row.totals.spend_usd}, layout.spend_on(model), account)


def _ranked(dimension: str, spend: dict[Member, float], whole: float, account: Account) -> tuple[Driver, ...]:
    """The largest first, ties by name; nothing where there is nothing to have a share of."""
    if whole <= 0:
        return ()
    ranked = nsmallest(MAX_DRIVERS, spend.items(), key=lambda item: (-item[1], item[0] or ""))
    return tuple(
        Driver(account.display({dimension: member}), usd, min(usd / whole, 1.0))
        for member, usd in ranked
        if usd > 0
    )
