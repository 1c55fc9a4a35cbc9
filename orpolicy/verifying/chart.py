"""Days as one line of characters, with the day of the deploy below it."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.reporters._figures import amount
from orpolicy.verifying.naming import brief_unit, measure_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from orpolicy.verifying.model import Days

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = ".:-=+*#@"
NOTHING, ZERO = " ", "_"
"""A day on which there is nothing to measure, and one on which the figure is 0."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure over time.

    Attributes:
        bars: a character a day, or a few days.
        mark: what stands below it: where the step is, and what it is.
        legend: from when to when, and the greatest and the least.
    """

    bars: str
    mark: str
    legend: str


def chart(days: Days, deployed: date | None, columns: int, *, ascii_only: bool = False) -> Chart | None:
    """The chart in at most so many columns; None where no day has a figure."""
    per = max(math.ceil(len(days.values) / columns), 1)
    means = [_mean(days.values[start : start + per]) for start in range(0, len(days.values), per)]
    known = [value for value in means if value is not None]
    if not known:
        return None
    top = max(known)
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    bars = "".join(_bar(value, top, blocks) for value in means)
    return Chart(bars, _mark(days, deployed, per, len(bars)), _legend(days, deployed, per))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _bar(value: float | None, top: float, blocks: str) -> str:
    if value is None:
        return NOTHING
    if value <= 0:
        return ZERO
    return blocks[min(int(value / top * len(blocks)), len(blocks) - 1)]


def _step(days: Days, deployed: date | None) -> date | None:
    return deployed or days.guess


def _mark(days: Days, deployed: date | None, per: int, columns: int) -> str:
    """The arrow below the step, its label to whichever side has room."""
    step = _step(days, deployed)
    place = (step - days.first).days // per if step else -1
    if step is None or not 0 <= place < columns:
        return ""
    label = f"deployed {step}" if deployed else f"step at {step} (a guess)"
    if place + len(label) + 2 <= columns or place <= len(label):
        return f"{' ' * place}^ {label}"
    return f"{label} ^".rjust(place + 1)


def _legend(days: Days, deployed: date | None, per: int) -> str:
    """``2026-05-01 to 2026-06-30: spend by day, at most $213, on average $198 before, $2.10 after``."""
    last = days.first + (len(days.values) - 1) * _DAY
    unit = brief_unit(days.unit)
    parts = [f"{days.first} to {last}: {measure_name(days.name) or days.unit} by day"]
    if per > 1:
        parts.append(f"{per} days a sign")
    parts.append(f"at most {amount(max(value for value in days.values if value is not None), unit)}")
    step = _step(days, deployed)
    if step is not None:
        cut = min(max((step - days.first).days, 0), len(days.values))
        before, after = _mean(days.values[:cut]), _mean(days.values[cut:])
        if before is not None and after is not None:
            parts.append(f"on average {amount(before, unit)} before, {amount(after, unit)} after")
    return ", ".join(parts)
