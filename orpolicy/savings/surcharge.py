"""Paid extras switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.savings.levers import LeverKind
from orpolicy.savings.outcome import NoFigure, Outcome, Traffic, part
from orpolicy.totals import Cell

if TYPE_CHECKING:
    from orpolicy.savings.levers import CutSurcharge
    from orpolicy.totals import Totals


def cut_surcharge(lever: CutSurcharge, traffic: Traffic) -> Outcome | NoFigure:
    """Spend on the component above the allowed share of all spend.

    Of several components the largest counts: whether they overlap is not documented. What is above the
    share is laid on the cells by their spend on the component, if the cells know it.
    """
    amounts = [(usd, name) for name in lever.metrics if (usd := _usd(traffic.totals, name)) is not None]
    if not amounts:
        return NoFigure(f"unknown: the source does not say what {', '.join(lever.metrics)} cost")
    usd, metric = max(amounts)
    spend_usd = max(traffic.totals.spend_usd, 0.0)
    above_usd = max(usd - lever.target * spend_usd, 0.0)
    cells = traffic.cells if _is_laid_out(traffic, metric) else (Cell(None, None, traffic.totals),)
    known_usd = sum(_usd(cell.totals, metric) or 0.0 for cell in cells)
    share = min(above_usd / known_usd, 1.0) if known_usd > 0 else 0.0
    saved = [(cell, share * (_usd(cell.totals, metric) or 0.0)) for cell in cells]
    parts = tuple(part(cell, saving, saving, saving) for cell, saving in saved)
    return Outcome(
        LeverKind.SURCHARGE,
        Confidence.EXACT,
        parts,
        legend=f"{metric} above the allowed share of spend",
        caveats=("an upper bound: requests that need the extra keep paying for it",),
        arithmetic=f"{usd:,.2f} - {lever.target:g} x {spend_usd:,.2f}",
        whole=cells is not traffic.cells,
    )


def _usd(totals: Totals, metric: str) -> float | None:
    value = totals.values.get(metric)
    return None if value is None else max(float(value), 0.0)


def _is_laid_out(traffic: Traffic, metric: str) -> bool:
    return any(_usd(cell.totals, metric) for cell in traffic.cells)
