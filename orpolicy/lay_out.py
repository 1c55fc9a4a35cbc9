"""The traffic behind breaches, laid out in cells of key and model: who drives it, and what it could save."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from orpolicy.binding import KEY, MODEL, Bound
from orpolicy.columns import values_at
from orpolicy.errors import SourceError
from orpolicy.fetch import CONTROL_SHARE, CONTROL_USD
from orpolicy.gather import ask_for_namesakes, attempt, told_apart
from orpolicy.nouns import dataclass
from orpolicy.query.model import Context, Filter, Need, Operator
from orpolicy.query.vocabulary import SPEND
from orpolicy.reachable import reachable
from orpolicy.screening import values
from orpolicy.selection import select
from orpolicy.totals import Cell, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from orpolicy.account import Account
    from orpolicy.evaluation import Breach, Judgement
    from orpolicy.fetch import Desk
    from orpolicy.gather import Gathered
    from orpolicy.savings.levers import Rates
    from orpolicy.table import Key, Member, Table

T = TypeVar("T")

GRID = (KEY, MODEL)
MAX_FILTER_VALUES = 200
"""More subjects than this are asked for without a filter."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The cells of one policy's window.

    Attributes:
        selected: the policy's own traffic by key and model, or None where it cannot be laid out so.
        peers: all traffic known by key and model, for comparison; may be a part of the account.
        reachable: model and the highest cache hit rate that its prompts allow, where that matters.
    """

    selected: Table | None
    peers: Table | None
    reachable: Rates = ()

    def cells(self, breach: Breach) -> tuple[Cell, ...]:
        """The breach's traffic by key and model; empty where the cells do not add up to it.

        Policies whose subjects and selectors are equal share them.
        """
        if self.selected is None:
            return ()
        grid = self.selected.rollup(GRID)
        cells, cells_usd = self.once(breach, ("cells",), lambda: _with_spend(grid, breach.row.subject))
        spend_usd = breach.row.totals.spend_usd
        return cells if abs(cells_usd - spend_usd) <= max(CONTROL_SHARE * spend_usd, CONTROL_USD) else ()

    def once(self, breach: Breach, key: Key, make: Callable[[], T]) -> T:
        """What follows from the key and a breach's cells, of which there are some, worked out once."""
        if self.selected is None:
            raise ValueError("a breach without cells")
        return self.selected.rollup(GRID).once((*key, *breach.row.subject.items()), make)

    def cells_on(self, model: Member) -> tuple[Cell, ...]:
        """Every known cell of the window on a model."""
        if self.peers is None:
            return ()
        grid = self.peers.rollup(GRID)
        return grid.once(("cells_on", model), lambda: _cells(grid, grid.rows_by(MODEL).get(model, ())))

    def spend_on(self, model: Member) -> float:
        """What all known cells of the window on a model spend together, USD."""
        if self.peers is None:
            return 0.0
        grid = self.peers.rollup(GRID)
        rows = grid.rows_by(MODEL).get(model, ())
        return grid.once(("spend_on", model), lambda: math.fsum(values(grid, SPEND, rows)))


def _rows(grid: Table, subject: Mapping[str, Member]) -> Sequence[int]:
    """The rows of a subject by key, model, both or neither."""
    if not subject:
        return range(len(grid))
    members = [grid.rows_by(name).get(member, ()) for name, member in subject.items()]
    if len(members) == 1:
        return members[0]
    fewer, more = sorted(members, key=len)
    return [row for row in fewer if more[min(bisect_left(more, row), len(more) - 1)] == row]


def _with_spend(grid: Table, subject: Mapping[str, Member]) -> tuple[tuple[Cell, ...], float]:
    cells = _cells(grid, _rows(grid, subject))
    return cells, math.fsum(cell.totals.spend_usd for cell in cells)


def _cells(grid: Table, rows: Sequence[int]) -> tuple[Cell, ...]:
    keys, models = values_at(grid.dimensions[KEY], rows), values_at(grid.dimensions[MODEL], rows)
    names = tuple(grid.metrics)
    figures = zip(*(values_at(grid.metrics[name], rows) for name in names), strict=True)
    totals = [Totals(dict(zip(names, row, strict=True))) for row in figures]
    return tuple(map(Cell, keys, models, totals))


def lay_out(judged: Sequence[tuple[Judgement, Gathered]], desk: Desk, account: Account) -> dict[str, Layout]:
    """The cells behind every judgement with breaches, by policy id; at most two rounds of questions.

    Nothing is asked for policies without breaches, or whose own rows are by key and model already.
    """
    breached = [(judgement, gathered) for judgement, gathered in judged if judgement.breaches]
    needs = {
        judgement.bound.policy.id: need
        for judgement, gathered in breached
        if (need := _need(judgement, gathered, desk, account)) is not None
    }
    _share(needs)
    desk.ask(list(needs.values()))
    ask_for_namesakes(list(needs.values()), frozenset(), desk, account)
    rates = reachable([judgement.bound for judgement, _ in breached], desk, account)
    return {
        judgement.bound.policy.id: replace(
            _layout(judgement.bound, gathered, needs.get(judgement.bound.policy.id), desk, account),
            reachable=rates.get(judgement.bound.window, ()),
        )
        for judgement, gathered in breached
    }


def _fits_cells(bound: Bound) -> bool:
    """Whether the policy's subjects and selectors are all about keys and models."""
    return {*bound.by, *bound.where} <= set(GRID)


def _need(judgement: Judgement, gathered: Gathered, desk: Desk, account: Account) -> Need | None:
    bound = judgement.bound
    if bound.listing is not None or not _fits_cells(bound) or not set(GRID) <= account.meta.dimensions:
        return None
    if not bound.periods and set(GRID) <= set(gathered.everything.dimensions):
        return None
    whole = Need(
        bound.policy.id, Context(bound.window), tuple(sorted(GRID)), bound.rule.metrics, checked=False
    )
    if desk.has_all(whole):
        return whole
    filters = tuple(_filters(bound, judgement.breaches, account))
    return replace(whole, context=Context(bound.window, filters))


def _filters(bound: Bound, breaches: Sequence[Breach], account: Account) -> Iterable[Filter]:
    """The one filter that keeps the answer to the subjects that breach."""
    for dimension in (MODEL, KEY):
        if dimension not in bound.by or (dimension == KEY and bound.rule.compares_keys):
            continue
        members = {breach.row.subject[dimension] for breach in breaches}
        values = [_identifier(dimension, member, account) for member in members]
        known = [value for value in values if value is not None]
        if len(known) == len(values) <= MAX_FILTER_VALUES:
            yield Filter(dimension, Operator.IN, tuple(sorted(known)))
            return


def _identifier(dimension: str, member: str | None, account: Account) -> str | None:
    if member is None or dimension != KEY:
        return member
    identity = account.identity(KEY, member)
    if identity.startswith("hash:"):
        return identity.removeprefix("hash:")
    return None if account.directory.keys else member


def _share(needs: dict[str, Need]) -> None:
    """One question a window: about all subjects of one dimension, or else about everything."""
    for window in {need.context.window for need in needs.values()}:
        same = [policy for policy, need in needs.items() if need.context.window == window]
        context = Context(window, _union([needs[policy].context.filters for policy in same]))
        for policy in same:
            needs[policy] = replace(needs[policy], context=context)


def _union(filters: Sequence[tuple[Filter, ...]]) -> tuple[Filter, ...]:
    fields = {one.field for group in filters for one in group}
    values = {value for group in filters for one in group for value in one.values}
    if len(fields) != 1 or not all(filters) or len(values) > MAX_FILTER_VALUES:
        return ()
    return (Filter(fields.pop(), Operator.IN, tuple(sorted(values))),)


def _layout(bound: Bound, gathered: Gathered, need: Need | None, desk: Desk, account: Account) -> Layout:
    if need is None:
        if not set(GRID) <= set(gathered.everything.dimensions):
            return Layout(None, None)
        return Layout(gathered.selected if _fits_cells(bound) else None, gathered.everything)
    found = attempt(told_apart, need, frozenset(), desk, account)
    if isinstance(found, SourceError):
        return Layout(None, None)
    rows, _ = found
    chosen = select(rows, bound.where, account)
    return Layout(select(chosen, {MODEL: bound.scope} if bound.scope else {}, account), rows)
