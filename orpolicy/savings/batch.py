"""The same model at the price of its batch tier, for work that can wait for hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.nouns import dataclass
from orpolicy.savings.billing import Tokens, inference_usd, token_cost_usd
from orpolicy.savings.levers import LeverKind
from orpolicy.savings.outcome import NOT_THE_BILL, NoFigure, Outcome, Part, Traffic, left_out, nothing, part

if TYPE_CHECKING:
    from orpolicy.catalog.model import Catalog, Model
    from orpolicy.savings.billing import Spread
    from orpolicy.table import Member
    from orpolicy.totals import Cell, Totals

BATCH = "batch"
"""The variant that answers hours later for less."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What some traffic costs at the catalogue's two prices, USD of the window.

    Attributes:
        model: the batch variant.
        standard_usd: at the standard price, through the day; positive.
        batch: at the price of the batch variant.
        batch_uncached: likewise without a single cache hit.
    """

    model: Model
    standard_usd: float
    batch: Spread
    batch_uncached: Spread

    @property
    def is_cheaper(self) -> bool:
        """Whether the batch variant costs less for this traffic."""
        return self.batch.mean < self.standard_usd


def batch_tier(catalogue: Catalog, name: Member, totals: Totals) -> Tier | None:
    """The batch tier of a model for some traffic; None where none is listed, or nothing has a price."""
    tokens = Tokens.of(totals)
    standard = catalogue.find(name) if name else None
    batch = catalogue.find(name, BATCH) if name else None
    if tokens is None or standard is None or batch is None:
        return None
    cost = token_cost_usd(standard.price, standard.tiers, tokens)
    cheap = token_cost_usd(batch.price, batch.tiers, tokens)
    uncached = token_cost_usd(batch.price, batch.tiers, tokens.uncached())
    if cost is None or cheap is None or uncached is None or cost.mean <= 0:
        return None
    return Tier(batch, cost.mean, cheap, uncached)


def use_batch(traffic: Traffic) -> Outcome | NoFigure:
    """``S (1 - cost at the batch price / cost at the standard price)`` for each cell.

    Both costs are the catalogue's for the cell's own tokens; S is what was billed for them, surcharges
    apart. Low: no cache hit in the batch tier; high: at its cheapest hours.
    """
    if traffic.catalogue is None:
        return NoFigure("unknown: no catalogue, so the batch tier has no price")
    parts: list[Part] = []
    unlisted: list[Cell] = []
    spend_usd: dict[str, float] = {}
    for cell in traffic.parts:
        tier = batch_tier(traffic.catalogue, cell.model, cell.totals)
        if tier is None:
            unlisted.append(cell)
            parts.append(nothing(cell))
            continue
        parts.append(_part(cell, tier))
        spend_usd[tier.model.id] = spend_usd.get(tier.model.id, 0.0) + cell.totals.spend_usd
    if not spend_usd:
        return NoFigure("unknown: no batch tier with a price is listed for this traffic")
    caveats = (NOT_THE_BILL, *left_out(unlisted, "no batch tier with a price is listed"))
    legend = "USD today x (1 - cost at the batch price / cost at the standard price) of the same tokens"
    largest = min(spend_usd, key=lambda name: (-spend_usd[name], name))
    return Outcome(LeverKind.BATCH, Confidence.PRICED, tuple(parts), legend, caveats, replacement=largest)


def _part(cell: Cell, tier: Tier) -> Part:
    usd = inference_usd(cell.totals)

    def saved(batch_usd: float) -> float:
        return usd * (1 - batch_usd / tier.standard_usd)

    term = f"{usd:,.2f} x (1 - {tier.batch.mean:,.6g} / {tier.standard_usd:,.6g})"
    return part(cell, saved(tier.batch_uncached.most), saved(tier.batch.mean), saved(tier.batch.least), term)
