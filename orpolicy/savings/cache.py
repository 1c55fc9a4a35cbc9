"""More of the prompt read from cache."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.query.vocabulary import CACHED, PROMPT
from orpolicy.savings.billing import Spread, Tokens, mean_price, through_day
from orpolicy.savings.levers import LeverKind
from orpolicy.savings.outcome import NOT_THE_BILL, NoFigure, Outcome, Part, Traffic, left_out, nothing, part
from orpolicy.totals import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.catalog.model import Catalog, Model, Price
    from orpolicy.savings.levers import RaiseCacheHitRate
    from orpolicy.table import Member
    from orpolicy.totals import Totals

READS_PER_WRITE_LOW = 2.0
READS_PER_WRITE_EXPECTED = 5.0
BEST_RATE = 0.8
"""The highest hit rate that is ever assumed, whatever another key reaches."""

POSSIBLE = "possible_cached_tokens"
"""What caching could have reached, where a source says so."""

CACHE_USD = "usage_cache"
"""What caching cost, in USD: below 0 reading saved more than writing cost."""

_Rates = dict["Member", list[tuple[float, "Member"]]]


def raise_cache_hit_rate(lever: RaiseCacheHitRate, traffic: Traffic) -> Outcome | NoFigure:
    """``P (h* - h) ((p - r) - w'/rho)`` for each cell, with ``w' = max(w - p, 0)``.

    Low: h* is the target, two reads a write; expected: the target, five reads a write; high: h* is the
    best rate of any other key on that model, at most 0.8, and nothing is written. h* is capped by what
    the source holds possible. A model without a cache-read price, or not in the catalogue, gives no figure.
    """
    if traffic.catalogue is None:
        return NoFigure("unknown: no catalogue, so cached tokens have no price")
    rates = _best_rates(traffic.peers, {cell.model for cell in traffic.cells})
    parts: list[Part] = []
    unpriced: list[Cell] = []
    for cell in traffic.parts:
        found = _part(cell, lever, traffic.catalogue, _best_other(rates, cell))
        if found is None:
            unpriced.append(cell)
        parts.append(found or nothing(cell))
    if len(unpriced) == len(parts):
        return NoFigure("unknown: no cache-read price or no token counts for this traffic")
    caveats = (
        NOT_THE_BILL,
        *left_out(unpriced, "no cache-read price or no token counts"),
        *_capped(lever, traffic.parts),
    )
    legend = "Mtok prompt x hit rate x USD/Mtok (prompt - cached - extra for writing / reads per write)"
    return Outcome(LeverKind.CACHE, Confidence.PRICED, tuple(parts), legend, caveats)


def stop_caching(traffic: Traffic) -> Outcome:
    """``usage_cache``: what writing cost more than reading saved.

    It is laid on the cells that lose, by what they lose: those that gain have offset a part of it.
    """
    loss_usd = max(float(traffic.totals.get(CACHE_USD)), 0.0)
    losses = [max(float(cell.totals.get(CACHE_USD)), 0.0) for cell in traffic.cells]
    is_laid_out = any(losses)
    cells = traffic.cells if is_laid_out else (Cell(None, None, traffic.totals),)
    losses = losses if is_laid_out else [loss_usd]
    share = min(loss_usd / math.fsum(losses), 1.0) if loss_usd else 0.0
    saved = [(cell, share * usd) for cell, usd in zip(cells, losses, strict=True)]
    parts = [part(cell, usd, usd, usd) for cell, usd in saved]
    return Outcome(
        LeverKind.CACHE,
        Confidence.EXACT,
        tuple(parts),
        legend=f"{CACHE_USD}: what caching cost more than it saved",
        arithmetic=f"{loss_usd:,.2f}",
        whole=not is_laid_out,
    )


def _capped(lever: RaiseCacheHitRate, cells: Iterable[Cell]) -> Iterable[str]:
    """The models whose prompts do not allow the target."""
    lower = sorted({cell.model or "" for cell in cells if _reachable(cell, lever) < lever.target})
    if lower:
        yield f"the source holds a lower rate than {lever.target:g} possible on {', '.join(lower)}"


def _best_rates(peers: Iterable[Cell], models: set[Member]) -> _Rates:
    """For each model the hit rates by key, best first, two of them: one may be the finding's own."""
    rates: dict[Member, dict[Member, float]] = {}
    for peer in peers:
        rate = _rate(peer.totals) if peer.model in models else None
        if rate is not None:
            by_key = rates.setdefault(peer.model, {})
            by_key[peer.key] = max(rate, by_key.get(peer.key, 0.0))
    return {
        model: sorted(((rate, key) for key, rate in by_key.items()), key=lambda item: -item[0])[:2]
        for model, by_key in rates.items()
    }


def _best_other(rates: _Rates, cell: Cell) -> float | None:
    return next((rate for rate, key in rates.get(cell.model, []) if key != cell.key), None)


def _rate(totals: Totals) -> float | None:
    if totals.values.get(PROMPT) is None or totals.values.get(CACHED) is None:
        return None
    return totals.cache_hit_rate


def _part(cell: Cell, lever: RaiseCacheHitRate, catalogue: Catalog, best_other: float | None) -> Part | None:
    """What the cell saves, or None where prices or counts are missing."""
    target = lever.target
    tokens = Tokens.of(cell.totals)
    model = catalogue.find(cell.model) if cell.model else None
    if tokens is None or model is None:
        return None
    low = _saved_per_token(model, tokens, READS_PER_WRITE_LOW)
    expected = _saved_per_token(model, tokens, READS_PER_WRITE_EXPECTED)
    high = _saved_per_token(model, tokens, None)
    if low is None or expected is None or high is None:
        return None
    rate = cell.totals.cache_hit_rate
    if rate is None or rate >= target:
        return nothing(cell)
    reachable = _reachable(cell, lever)
    more = tokens.prompt * max(min(target, reachable) - rate, 0.0)
    aim = min(BEST_RATE, target if best_other is None else best_other, reachable)
    most = tokens.prompt * max(aim - rate, 0.0)
    term = _term(model, tokens, min(target, reachable), rate)
    return part(cell, more * low.least, more * expected.mean, most * high.most, term)


def _reachable(cell: Cell, lever: RaiseCacheHitRate) -> float:
    """The hit rate that the source holds possible: of the cell, or else of its model; or 1."""
    possible = cell.totals.values.get(POSSIBLE)
    if possible is not None:
        return possible / cell.totals.prompt_tokens
    return dict(lever.reachable).get(cell.model, 1.0)


def _saved_per_token(model: Model, tokens: Tokens, reads_per_write: float | None) -> Spread | None:
    def saved(price: Price) -> float | None:
        if price.prompt is None or price.cache_read is None:
            return None
        return price.prompt - price.cache_read - _write_usd(price, reads_per_write)

    return through_day(model.price, model.tiers, tokens.mean_prompt, saved)


def _write_usd(price: Price, reads_per_write: float | None) -> float:
    """What writing adds to each token read: ``max(w - p, 0) / rho``."""
    if reads_per_write is None or price.cache_write is None or price.prompt is None:
        return 0.0
    return max(price.cache_write - price.prompt, 0.0) / reads_per_write


def _term(model: Model, tokens: Tokens, target: float, rate: float) -> str:
    price = mean_price(model.price, model.tiers, tokens.mean_prompt)
    prompt, read = (price.prompt or 0.0) * 1e6, (price.cache_read or 0.0) * 1e6
    extra = _write_usd(price, 1.0) * 1e6
    write = f" - {extra:,.6g} / {READS_PER_WRITE_EXPECTED:g}" if extra else ""
    return f"{tokens.prompt / 1e6:,.6g} x ({target:.4g} - {rate:.4g}) x ({prompt:,.6g} - {read:,.6g}{write})"
