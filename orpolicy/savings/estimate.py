"""What one finding is worth a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orpolicy.finding import Confidence
    from orpolicy.savings.levers import LeverKind
    from orpolicy.table import Member


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
