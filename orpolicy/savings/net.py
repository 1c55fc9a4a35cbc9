"""The sum of all savings in which no dollar counts twice."""

from __future__ import annotations

import math
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orpolicy.savings.estimate import CellSaving, Estimate
    from orpolicy.savings.levers import LeverKind
    from orpolicy.table import Member


class Scenario(StrEnum):
    """Which end of the range is added up; the values are attributes of estimates and their cells."""

    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"

    def of(self, saving: Estimate | CellSaving) -> float:
        """The saving in this scenario, USD a month; 0 where there is no figure."""
        value: float | None = getattr(saving, self.value)
        return value or 0.0


@dataclass(frozen=True, slots=True)
class Net:
    """USD a month over some findings.

    Attributes:
        gross: plain sum of expected savings, overlaps included.
        low: no dollar twice, likewise ``expected`` and ``high``; low <= expected <= high.
        shares: fingerprint -> what the finding adds to ``expected``, for every finding that has a
            figure; they add up to it.
    """

    gross: float
    low: float
    expected: float
    high: float
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one finding's lever claims of one cell."""

    fingerprint: str
    kind: LeverKind | None
    spend_usd: float
    saving_usd: float


def combine(estimates: Mapping[str, Estimate]) -> Net:
    """The net of several findings' estimates, whatever their order.

    In each cell the levers apply in the order of ``LeverKind`` to what remains of its spend; of
    competing levers of one kind the largest counts. A cell's spend is the largest that any finding
    brings, as windows may differ. Findings without cells cannot be laid against others: only the
    largest of them counts, and only as far as it exceeds the net of all cells.

    Args:
        estimates: fingerprint -> estimate; waived ones are left out by the caller.
    """
    known = {name: item for name, item in estimates.items() if item.expected is not None}
    shares = {scenario: _shares(known, scenario) for scenario in Scenario}
    low, expected, high = (math.fsum(shares[scenario].values()) for scenario in Scenario)
    return Net(
        gross=math.fsum(Scenario.EXPECTED.of(item) for item in known.values()),
        low=min(low, expected),
        expected=expected,
        high=max(expected, high),
        shares={name: shares[Scenario.EXPECTED].get(name, 0.0) for name in sorted(known)},
    )


def _shares(known: Mapping[str, Estimate], scenario: Scenario) -> dict[str, float]:
    """What each finding adds to the net of one scenario."""
    added: dict[str, list[float]] = defaultdict(list)
    for claims in _claims(known, scenario).values():
        for name, usd in _apply(claims):
            added[name].append(usd)
    shares = {name: math.fsum(amounts) for name, amounts in added.items()}
    opaque = [(-scenario.of(item), name) for name, item in known.items() if not item.cells]
    if opaque:
        largest, name = min(opaque)
        shares[name] = max(-largest - math.fsum(shares.values()), 0.0)
    return shares


def _claims(known: Mapping[str, Estimate], scenario: Scenario) -> dict[tuple[Member, Member], list[_Claim]]:
    cells: dict[tuple[Member, Member], list[_Claim]] = defaultdict(list)
    for name, item in known.items():
        for cell in item.cells:
            claim = _Claim(name, item.kind, cell.spend_usd_per_month, scenario.of(cell))
            cells[cell.key, cell.model].append(claim)
    return cells


def _apply(claims: Iterable[_Claim]) -> list[tuple[str, float]]:
    """What each claim takes of one cell.

    A lever takes the fraction of what remains that it claims of the whole: two levers that save half
    each leave a quarter.
    """
    capacity_usd = max(claim.spend_usd for claim in claims)
    strongest: dict[LeverKind | None, _Claim] = {}
    for claim in sorted(claims, key=lambda item: (item.kind or 0, -item.saving_usd, item.fingerprint)):
        strongest.setdefault(claim.kind, claim)
    remaining = 1.0
    taken: list[tuple[str, float]] = []
    for claim in strongest.values():
        if claim.saving_usd > 0:
            taken.append((claim.fingerprint, remaining * claim.saving_usd))
            remaining *= max(1.0 - claim.saving_usd / capacity_usd, 0.0)
    return taken
