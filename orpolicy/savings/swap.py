"""The same traffic on another model."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orpolicy.catalog.candidates import QUALITY_FLOOR, best_candidate
from orpolicy.catalog.model import STANDARD, Catalog
from orpolicy.finding import Confidence
from orpolicy.nouns import dataclass
from orpolicy.savings.billing import Tokens, are_counted, inference_usd, mean_price, token_cost_usd
from orpolicy.savings.levers import LeverKind
from orpolicy.savings.outcome import (
    NOT_THE_BILL,
    UNMEASURED,
    NoFigure,
    Outcome,
    Part,
    Traffic,
    left_out,
    nothing,
    part,
)

if TYPE_CHECKING:
    from orpolicy.catalog.model import Model
    from orpolicy.savings.levers import Swap
    from orpolicy.table import Member
    from orpolicy.totals import Cell

MORE_TOKENS_LOW = 1.3
MORE_TOKENS_EXPECTED = 1.15
"""Tokenisers and verbosity differ: how many tokens the other model is taken to need for the same work."""


@dataclass(slots=True)
class _Ledger:
    """What was found out cell by cell."""

    parts: list[Part] = field(default_factory=list)
    uncounted: list[Cell] = field(default_factory=list)
    unmatched: list[Cell] = field(default_factory=list)
    dearer_usd: dict[str, float] = field(default_factory=dict)


def swap(lever: Swap, traffic: Traffic) -> Outcome | NoFigure:
    """``S - ((P - K')p' + K'r' + C c')`` for each cell, with the other model's prices.

    Low: no cache hit and 30 % more tokens, at the dearest hours; expected: today's hit rate and 15 %
    more tokens; high: today's hit rate and tokens, at the cheapest hours. Surcharges stay. Without a
    model to price, the spend above the threshold bounds what can be saved.
    """
    catalogue = traffic.catalogue
    if catalogue is None:
        what = (
            f"{lever.replacement} could not be priced" if lever.replacement else "no candidate was looked for"
        )
        return _bounded(lever, traffic, f"no catalogue: {what}")
    targets = _targets(lever, traffic, catalogue)
    if isinstance(targets, str):
        return _bounded(lever, traffic, targets)
    if not any(are_counted(cell.totals) for cell in traffic.parts):
        return NoFigure("unknown: the source does not count prompt, completion and cached tokens here")
    if all(Tokens.of(cell.totals) is None for cell in traffic.parts):
        return _bounded(lever, traffic, "no tokens were billed, so another model could not be priced")
    if not targets:
        return _bounded(lever, traffic, "no cheaper model of an equal benchmark index covers what it can do")
    return _priced(traffic, catalogue, targets, lever.variant or STANDARD)


def _targets(lever: Swap, traffic: Traffic, catalogue: Catalog) -> dict[Member, Model] | str:
    """The model to swap to, by current model; or why the one that the user names cannot be priced."""
    if not lever.replacement:
        return _candidates(lever, traffic, catalogue)
    model = catalogue.find(lever.replacement)
    if model is None:
        return f"{lever.replacement} is not in the catalogue, so it could not be priced"
    if model.price.prompt is None or model.price.completion is None:
        return f"{lever.replacement} has no price of its own in the catalogue"
    return {cell.model: model for cell in traffic.parts}


def _candidates(lever: Swap, traffic: Traffic, catalogue: Catalog) -> dict[Member, Model]:
    mixes: dict[Member, tuple[Tokens, float]] = {}
    variant = lever.variant or STANDARD
    listed: dict[Member, Model | None] = {
        name: catalogue.find(name, variant) for name in {cell.model for cell in traffic.parts} if name
    }
    for cell in traffic.parts:
        tokens = Tokens.of(cell.totals) if listed.get(cell.model) else None
        if tokens is not None:
            known, usd = mixes.get(cell.model, (Tokens(0, 0, requests=0), 0.0))
            mixes[cell.model] = (known.plus(tokens), usd + inference_usd(cell.totals))
    allowed = Catalog(tuple(model for model in catalogue.models if model.id not in lever.avoid))
    floor = QUALITY_FLOOR if lever.quality_floor is None else lever.quality_floor
    picks: dict[Member, Model] = {}
    for name, (tokens, usd) in mixes.items():
        current = listed.get(name)
        pick = _candidate(current, traffic, allowed, tokens, usd, floor) if current else None
        if pick:
            picks[name] = pick
    return picks


def _candidate(  # noqa: PLR0913, PLR0917 - the question has that many sides
    current: Model, traffic: Traffic, catalogue: Catalog, tokens: Tokens, usd: float, quality_floor: float
) -> Model | None:
    """A candidate must be cheaper with the tokens that the expected case takes."""
    longer = tokens.scaled(MORE_TOKENS_EXPECTED)

    def cost_usd(model: Model) -> float | None:
        cost = token_cost_usd(model.price, model.tiers, longer)
        return cost.mean if cost else None

    return best_candidate(
        current, catalogue, traffic.now, cost_usd=cost_usd, below_usd=usd, quality_floor=quality_floor
    )


def _priced(traffic: Traffic, catalogue: Catalog, targets: dict[Member, Model], variant: str) -> Outcome:
    ledger = _Ledger()
    for cell in traffic.parts:
        current = catalogue.find(cell.model, variant) if cell.model else None
        ledger.parts.append(_part(cell, current, targets, ledger))
    parts = tuple(ledger.parts)
    names = _names(traffic.parts, targets)
    caveats = (
        UNMEASURED,
        NOT_THE_BILL,
        *left_out(ledger.uncounted, "no tokens, or they are not counted"),
        *left_out(ledger.unmatched, "no cheaper model of an equal benchmark index is listed"),
        *(
            f"where {name} would cost more ({usd:,.2f} USD of the window), 0 is counted"
            for name, usd in sorted(ledger.dearer_usd.items())
        ),
        *([f"priced for the model that costs most; others: {', '.join(names[1:])}"] if names[1:] else []),
    )
    legend = f"USD today - more tokens x (Mtok x USD/Mtok) of {', '.join(names)}"
    return Outcome(LeverKind.SWAP, Confidence.PRICED, parts, legend, caveats, replacement=names[0])


def _names(cells: tuple[Cell, ...], targets: dict[Member, Model]) -> tuple[str, ...]:
    """The chosen models, the one that replaces the most spend first."""
    spend_usd: dict[str, float] = {}
    for cell in cells:
        if cell.model in targets:
            name = targets[cell.model].id
            spend_usd[name] = spend_usd.get(name, 0.0) + cell.totals.spend_usd
    return tuple(sorted(spend_usd, key=lambda name: (-spend_usd[name], name)))


def _part(cell: Cell, current: Model | None, targets: dict[Member, Model], ledger: _Ledger) -> Part:
    tokens = Tokens.of(cell.totals)
    target = targets.get(cell.model)
    if target is None:
        ledger.unmatched.append(cell)
    elif tokens is None:
        ledger.uncounted.append(cell)
    elif current is not target:
        return _swapped(cell, target, tokens, ledger)
    return nothing(cell)


def _swapped(cell: Cell, model: Model, tokens: Tokens, ledger: _Ledger) -> Part:
    amounts = (tokens.uncached().scaled(MORE_TOKENS_LOW), tokens.scaled(MORE_TOKENS_EXPECTED), tokens)
    costs = (token_cost_usd(model.price, model.tiers, amount) for amount in amounts)
    low, expected, high = filter(None, costs)  # only models with a price are chosen
    usd = inference_usd(cell.totals)
    if expected.mean > usd:
        ledger.dearer_usd[model.id] = ledger.dearer_usd.get(model.id, 0.0) + expected.mean - usd
    return part(cell, usd - low.most, usd - expected.mean, usd - high.least, _term(usd, model, tokens))


def _term(usd: float, model: Model, tokens: Tokens) -> str:
    price = mean_price(model.price, model.tiers, tokens.mean_prompt * MORE_TOKENS_EXPECTED)
    read = price.prompt if price.cache_read is None else price.cache_read
    counts = (tokens.prompt - tokens.cached, tokens.cached, tokens.completion)
    rates = (price.prompt, read, price.completion)
    products = " + ".join(
        f"{count / 1e6:,.6g} x {(rate or 0) * 1e6:,.6g}"
        for count, rate in zip(counts, rates, strict=True)
        if count
    )
    return f"{usd:,.2f} - {MORE_TOKENS_EXPECTED:g} x ({products})"


def _bounded(lever: Swap, traffic: Traffic, caveat: str) -> Outcome | NoFigure:
    if lever.excess_usd is None:
        return NoFigure(f"unknown: {caveat}")
    spend_usd = sum(max(cell.totals.spend_usd, 0.0) for cell in traffic.parts)
    excess_usd = min(max(lever.excess_usd, 0.0), spend_usd)
    parts = tuple(
        part(cell, 0.0, 0.0, excess_usd * cell.totals.spend_usd / spend_usd if spend_usd > 0 else 0.0)
        for cell in traffic.parts
    )
    return Outcome(
        LeverKind.SWAP,
        Confidence.BOUNDED,
        parts,
        legend="the spend above the threshold",
        caveats=(caveat,),
        arithmetic=f"{excess_usd:,.2f}",
    )
