"""What one finding is worth a month."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.nouns import dataclass
from orpolicy.savings.batch import use_batch
from orpolicy.savings.cache import raise_cache_hit_rate, stop_caching
from orpolicy.savings.levers import (
    CutReasoning,
    CutSurcharge,
    Exposure,
    Lever,
    RaiseCacheHitRate,
    StopCaching,
    Swap,
    UseBatch,
)
from orpolicy.savings.outcome import NoFigure, Outcome, Traffic
from orpolicy.savings.reasoning import cut_reasoning
from orpolicy.savings.surcharge import cut_surcharge
from orpolicy.savings.swap import swap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orpolicy.catalog.model import Catalog
    from orpolicy.savings.levers import LeverKind
    from orpolicy.table import Member
    from orpolicy.totals import Cell, Totals

_TERMS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class CellSaving:
    """What a lever saves on one cell, USD a month; 0 <= low <= expected <= high <= spend."""

    key: Member
    model: Member
    spend_usd_per_month: float
    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a finding's lever saves, USD a month.

    Attributes:
        kind: which lever, or None where nothing is claimed (exposure, or no figure).
        cells: the savings by cell; empty where the finding's traffic cannot be laid out in cells of key
            and model, and then only the sums are known.
        spend_usd_per_month: of the finding's traffic.
        low: sum over the traffic, likewise ``expected`` and ``high``; None where confidence is unknown.
        replacement: the model that was priced, or "".
        formula: with its numbers filled in.
        caveat: what the reader must know beside the risk, or "".
    """

    kind: LeverKind | None
    confidence: Confidence
    cells: tuple[CellSaving, ...]
    spend_usd_per_month: float
    low: float | None
    expected: float | None
    high: float | None
    formula: str
    replacement: str = ""
    caveat: str = ""


def estimate(  # noqa: PLR0913, PLR0917 - the traffic, what surrounds it, and the clock
    lever: Lever,
    cells: Sequence[Cell],
    totals: Totals,
    peers: Sequence[Cell],
    catalogue: Catalog | None,
    window_to_month: float,
    now: datetime,
) -> Estimate:
    """What a lever saves on a finding's traffic.

    Args:
        lever: what could be done.
        cells: the finding's traffic by key and model; empty where that is not known.
        totals: the finding's own totals.
        peers: all cells of the account in the same window; those on the finding's models are enough.
        catalogue: the models and prices, or None.
        window_to_month: what turns the window's dollars into dollars a month.
        now: the run's clock, aware.
    """
    if isinstance(lever, Exposure):
        return _exposure(lever, totals, window_to_month)
    traffic = Traffic(tuple(cells), totals, tuple(peers), catalogue, now)
    outcome = _outcome(lever, traffic)
    if isinstance(outcome, NoFigure):
        return _unknown(outcome.reason, totals, window_to_month)
    return _monthly(outcome, traffic, window_to_month)


def _outcome(
    lever: Swap | UseBatch | RaiseCacheHitRate | StopCaching | CutReasoning | CutSurcharge, traffic: Traffic
) -> Outcome | NoFigure:
    if isinstance(lever, Swap):
        return swap(lever, traffic)
    if isinstance(lever, UseBatch):
        return use_batch(traffic)
    if isinstance(lever, RaiseCacheHitRate):
        return raise_cache_hit_rate(lever, traffic)
    if isinstance(lever, StopCaching):
        return stop_caching(traffic)
    if isinstance(lever, CutReasoning):
        return cut_reasoning(lever, traffic)
    return cut_surcharge(lever, traffic)


def _exposure(lever: Exposure, totals: Totals, window_to_month: float) -> Estimate:
    if lever.excess_usd is None:
        return _unknown("no figure: the measure has no dollar value", totals, window_to_month)
    usd = max(lever.excess_usd, 0.0) * window_to_month
    text = f"exposure, not savings: {usd:,.2f} USD a month above the threshold"
    return _unknown(text, totals, window_to_month)


def _unknown(formula: str, totals: Totals, window_to_month: float) -> Estimate:
    spend_usd = max(totals.spend_usd, 0.0) * window_to_month
    return Estimate(None, Confidence.UNKNOWN, (), spend_usd, None, None, None, formula)


def _monthly(outcome: Outcome, traffic: Traffic, window_to_month: float) -> Estimate:
    cells = tuple(
        CellSaving(
            key=part.cell.key,
            model=part.cell.model,
            spend_usd_per_month=max(part.cell.totals.spend_usd, 0.0) * window_to_month,
            low=part.low * window_to_month,
            expected=part.expected * window_to_month,
            high=part.high * window_to_month,
        )
        for part in outcome.parts
    )
    low, expected, high = (
        math.fsum(column)
        for column in zip(*((cell.low, cell.expected, cell.high) for cell in cells), strict=True)
    )
    shown = high if outcome.confidence is Confidence.BOUNDED else expected
    taken_at = traffic.catalogue.taken_at if traffic.catalogue else None
    spend_usd = max(
        traffic.totals.spend_usd * window_to_month, math.fsum(cell.spend_usd_per_month for cell in cells)
    )
    return Estimate(
        kind=outcome.kind,
        confidence=outcome.confidence,
        cells=cells if traffic.cells and not outcome.whole else (),
        spend_usd_per_month=spend_usd,
        low=low,
        expected=expected,
        high=high,
        formula=_formula(outcome, shown, window_to_month, taken_at),
        replacement=outcome.replacement,
        caveat="; ".join(outcome.caveats),
    )


def _formula(outcome: Outcome, shown_usd: float, window_to_month: float, taken_at: datetime | None) -> str:
    """The arithmetic of the largest cells, its result, and what the factors are."""
    ranked = sorted((part for part in outcome.parts if part.term), key=lambda part: (-part.high, part.term))
    terms = [part.term for part in ranked[:_TERMS_SHOWN]]
    if len(ranked) > _TERMS_SHOWN:
        terms.append(f"{len(ranked) - _TERMS_SHOWN} more")
    arithmetic = " + ".join(terms) or outcome.arithmetic
    if arithmetic and window_to_month != 1:
        arithmetic = f"({arithmetic}) x {window_to_month:.6g}"
    result = f"{shown_usd:,.2f}"
    equation = "" if arithmetic in {"", result} else f"{arithmetic} = "
    bound = "up to " if outcome.confidence is Confidence.BOUNDED else ""
    snapshot = f"; catalogue of {taken_at:%Y-%m-%d}" if terms and taken_at else ""
    return f"{equation}{bound}{result} USD a month; {outcome.legend}{snapshot}"
