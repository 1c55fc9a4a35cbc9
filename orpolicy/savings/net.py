"""The sum of all savings in which no dollar counts twice."""

from __future__ import annotations

import math
from collections import defaultdict
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.savings.estimate import Estimate
    from orpolicy.savings.levers import LeverKind
    from orpolicy.table import Member

    _Place = tuple[Member, Member]


class Scenario(StrEnum):
    """Which end of the range is added up; the values are attributes of estimates and their cells."""

    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"

    def of(self, saving: Estimate) -> float:
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
    distinct = _distinct(known)
    shares = {scenario: _shares(distinct, scenario) for scenario in Scenario}
    low, expected, high = (math.fsum(shares[scenario].values()) for scenario in Scenario)
    return Net(
        gross=math.fsum(Scenario.EXPECTED.of(item) for item in known.values()),
        low=min(low, expected),
        expected=expected,
        high=max(expected, high),
        shares={name: shares[Scenario.EXPECTED].get(name, 0.0) for name in sorted(known)},
    )


def _distinct(known: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Without findings that claim the very same of the very same cells, where only the first one counts."""
    first: dict[tuple[LeverKind | None, int], str] = {}
    for name in sorted(known):
        first.setdefault((known[name].kind, id(known[name].cells)), name)
    kept = set(first.values())
    return {name: item for name, item in known.items() if name in kept or not item.cells}


def _shares(known: Mapping[str, Estimate], scenario: Scenario) -> dict[str, float]:
    """What each finding adds to the net of one scenario.

    A lever takes the fraction of what remains that it claims of the whole: two levers that save half
    each leave a quarter.
    """
    added: dict[str, list[float]] = defaultdict(list)
    strongest = _strongest(known, scenario)
    capacity_usd = _capacity_usd(known) if len(strongest) > 1 else {}
    remaining: dict[_Place, float] = {}
    for kind in sorted(strongest):
        for place, (lost_usd, name) in strongest[kind].items():
            left = remaining.get(place, 1.0)
            added[name].append(left * -lost_usd)
            if capacity_usd:
                remaining[place] = left * max(1.0 + lost_usd / capacity_usd[place], 0.0)
    shares = {name: math.fsum(amounts) for name, amounts in added.items()}
    opaque = [(-scenario.of(item), name) for name, item in known.items() if not item.cells]
    if opaque:
        largest, name = min(opaque)
        shares[name] = max(-largest - math.fsum(shares.values()), 0.0)
    return shares


def _strongest(
    known: Mapping[str, Estimate], scenario: Scenario
) -> dict[int, dict[_Place, tuple[float, str]]]:
    """Of each kind of lever and in each cell: the largest saving, as a loss, and whose it is."""
    found: dict[int, dict[_Place, tuple[float, str]]] = defaultdict(dict)
    saving_usd = attrgetter(scenario.value)
    for name, item in known.items():
        best = found[item.kind or 0]
        for cell in item.cells:
            usd = saving_usd(cell)
            if usd > 0:
                place, claim = (cell.key, cell.model), (-usd, name)
                if claim < best.setdefault(place, claim):
                    best[place] = claim
    return {kind: best for kind, best in found.items() if best}


def _capacity_usd(known: Mapping[str, Estimate]) -> dict[_Place, float]:
    """The spend of each cell: the largest that any finding brings."""
    found: dict[_Place, float] = {}
    for item in known.values():
        for cell in item.cells:
            place = (cell.key, cell.model)
            found[place] = max(cell.spend_usd_per_month, found.get(place, 0.0))
    return found
