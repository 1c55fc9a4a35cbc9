"""What a change of the unit price has been worth."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.binding import MODEL
from orpolicy.nouns import dataclass
from orpolicy.verifying.model import Calibration, Realised, Standing, Volume

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.totals import Totals
    from orpolicy.verifying.model import Checked

SURCHARGE = "surcharge_share"
SWAP = "swap-model"

ACTED_ON = frozenset({Standing.FIXED, Standing.GONE, Standing.PARTLY})
"""What counts as a finding that somebody did something about."""

_BY_TOKENS = frozenset({"blended-multiple", "usd-per-mtok", "model-ban", "cache-hit-rate"})
"""Kinds whose cure changes what a token costs. The cure of the others changes what a request takes."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another model of the same traffic, in both windows."""

    before: Totals
    later: Totals


def volume_unit(finding: Finding) -> Volume:
    """What the volume of a finding is counted in."""
    by_tokens = finding.rule in _BY_TOKENS and finding.tokens_total > 0
    return Volume.TOKENS if by_tokens else Volume.REQUESTS


def realised(
    finding: Finding,
    value: float | None,
    later: Totals,
    neighbours: Sequence[Neighbour],
    windows: tuple[Window, Window],
) -> Realised | None:
    """What the later volume would have cost at the report's unit price, minus what it did cost.

    With ``S`` dollars and ``V`` volume of the report, ``S'`` and ``V'`` of the later window, and ``M`` the
    volume that left the subject and turned up on other models of the same traffic, where it cost ``C``:
    ``S / V * (V' + M) - S' - C``, as a month's. What left and turned up nowhere is not counted: usage that
    stopped is no saving of a fix. For a surcharge ``S`` and ``S'`` are the surcharge's own dollars.

    Args:
        finding: of the report.
        value: its measure in the later window, or None.
        later: the subject's totals there.
        neighbours: other models that its traffic may have moved to.
        windows: the report's and the later one.

    Returns:
        None where the report has no volume to divide by.
    """
    unit = volume_unit(finding)
    before_volume = finding.tokens_total if unit is Volume.TOKENS else finding.request_count
    if before_volume <= 0 or not math.isfinite(finding.spend_usd / before_volume):
        return None
    scale = windows[0].monthly_factor / windows[1].monthly_factor
    before_usd, later_usd = _dollars(finding, value, later)
    price = before_usd / before_volume
    volume = float(_volume(later, unit))
    left = max(before_volume * scale - volume, 0.0)
    moved, moved_usd = _moved(neighbours, unit, left, scale)
    month = windows[1].monthly_factor
    saved = (price * (volume + moved) - later_usd - moved_usd) * month
    found = Realised(
        unit=unit,
        usd_per_unit=price,
        volume=volume,
        moved=moved,
        spend_usd=later_usd,
        moved_usd=moved_usd,
        usd_per_month=saved if volume + moved > 0 else None,
        stopped_usd_per_month=(left - moved) * price * month,
        volume_ratio=(volume + moved) / (before_volume * scale),
        formula="",
    )
    return replace(found, formula=_formula(found, month))


def _dollars(finding: Finding, value: float | None, later: Totals) -> tuple[float, float]:
    """What the finding is about, in the report's window and in the later one."""
    if finding.measure.name != SURCHARGE:
        return finding.spend_usd, later.spend_usd
    return finding.measure.value * finding.spend_usd, (value or 0.0) * later.spend_usd


def _volume(totals: Totals, unit: Volume) -> int:
    return totals.tokens if unit is Volume.TOKENS else totals.requests


def _moved(neighbours: Sequence[Neighbour], unit: Volume, left: float, scale: float) -> tuple[float, float]:
    """How much of what left the neighbours took on, and what it costs there."""
    gains = [
        (gain, item.later.spend_usd / _volume(item.later, unit))
        for item in neighbours
        if (gain := _volume(item.later, unit) - _volume(item.before, unit) * scale) > 0
    ]
    gained = math.fsum(gain for gain, _ in gains)
    if gained <= 0:
        return 0.0, 0.0
    moved = min(left, gained)
    return moved, moved / gained * math.fsum(gain * price for gain, price in gains)


def _formula(found: Realised, month: float) -> str:
    if found.usd_per_month is None:
        return "no usage is left to price"
    per, size = (1e6, "Mtok") if found.unit is Volume.TOKENS else (1.0, "requests")
    volume, moved = (f"{number / per:,.6g}" for number in (found.volume, found.moved))
    amount, costs = volume, f"{found.spend_usd:,.2f}"
    if found.moved:
        amount, costs = f"({volume} + {moved} moved)", f"{costs} - {found.moved_usd:,.2f} on other models"
    equation = f"{found.usd_per_unit * per:,.6g} USD x {amount} {size} - {costs}"
    equation = equation if month == 1 else f"({equation}) x {month:.6g}"
    return f"{equation} = {found.usd_per_month:,.2f} USD a month"


def can_move(finding: Finding) -> bool:
    """Whether the cure of a finding moves its traffic to another model."""
    return MODEL in finding.subject and finding.recommendation.action == SWAP


def calibration(checked: Iterable[Checked]) -> Calibration:
    """Estimates, at the later volume, against what was realised."""
    findings = within = 0
    got: list[float] = []
    hoped: list[float] = []
    for item in checked:
        estimate = at_later_volume(item)
        if estimate is None or item.realised is None or item.realised.usd_per_month is None:
            continue
        low, expected, high = estimate
        findings += 1
        within += low <= item.realised.usd_per_month <= high
        got.append(item.realised.usd_per_month)
        hoped.append(expected)
    return Calibration(findings, math.fsum(got), math.fsum(hoped), within)


def at_later_volume(item: Checked) -> tuple[float, float, float] | None:
    """A finding's estimate (low, expected, high) for the volume that it was verified at."""
    savings = item.finding.savings
    if savings.low is None or savings.expected is None or savings.high is None or item.realised is None:
        return None
    ratio = item.realised.volume_ratio
    return savings.low * ratio, savings.expected * ratio, savings.high * ratio
