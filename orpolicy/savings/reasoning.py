"""Fewer reasoning tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.query.vocabulary import REASONING
from orpolicy.savings.billing import Spread, Tokens, through_day
from orpolicy.savings.levers import LeverKind
from orpolicy.savings.outcome import NOT_THE_BILL, NoFigure, Outcome, Part, Traffic, left_out, nothing, part

if TYPE_CHECKING:
    from orpolicy.catalog.model import Catalog
    from orpolicy.savings.levers import CutReasoning
    from orpolicy.totals import Cell


def cut_reasoning(lever: CutReasoning, traffic: Traffic) -> Outcome | NoFigure:
    """At most the reasoning tokens above the allowed share, at the completion price of their own model.

    The share is the finding's as a whole; the tokens above it are laid on the cells by their reasoning
    tokens. Nobody promised that they can go, so only the upper end of the range counts them.
    """
    if traffic.catalogue is None:
        return NoFigure("unknown: no catalogue, so reasoning tokens have no price")
    counted = [cell for cell in traffic.parts if cell.totals.values.get(REASONING) is not None]
    reasoning = sum(max(cell.totals.reasoning_tokens, 0) for cell in counted)
    completion = sum(cell.totals.completion_tokens for cell in counted)
    above = max(1.0 - lever.target * completion / reasoning, 0.0) if reasoning else 0.0
    parts: list[Part] = []
    unpriced: list[Cell] = []
    for cell in traffic.parts:
        found = _part(cell, above, traffic.catalogue)
        if found is None:
            unpriced.append(cell)
        parts.append(found or nothing(cell))
    if len(unpriced) == len(parts):
        return NoFigure("unknown: no completion price or no count of reasoning tokens for this traffic")
    caveats = (
        NOT_THE_BILL,
        *left_out(unpriced, "no completion price or no count of reasoning tokens"),
    )
    legend = "Mtok reasoning x share above the allowed one x USD/Mtok completion"
    return Outcome(LeverKind.REASONING, Confidence.BOUNDED, tuple(parts), legend, caveats)


def _part(cell: Cell, above: float, catalogue: Catalog) -> Part | None:
    price = _completion_price(cell, catalogue)
    if price is None or cell.totals.values.get(REASONING) is None:
        return None
    tokens = max(cell.totals.reasoning_tokens, 0)
    term = f"{tokens / 1e6:,.6g} x {above:.4g} x {price.most * 1e6:,.6g}"
    return part(cell, 0.0, 0.0, tokens * above * price.most, term)


def _completion_price(cell: Cell, catalogue: Catalog) -> Spread | None:
    tokens = Tokens.of(cell.totals)
    model = catalogue.find(cell.model) if cell.model else None
    if tokens is None or model is None:
        return None
    return through_day(model.price, model.tiers, tokens.mean_prompt, lambda price: price.completion)
