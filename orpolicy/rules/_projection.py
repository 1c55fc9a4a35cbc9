"""Where a running month ends at the pace of its complete days.

Working days and weekend days have a mean and a standard deviation of their own where there are two
complete days of either, else all days have one. The expected month is what the complete days spent and a
day's mean for each day that is not over, today included. The range is 80 % of a normal distribution around
it, whose variance is that of the days to come and of the means themselves: ``sum(r s^2 + r^2 s^2 / k)`` with
r days to come, k complete ones and s their standard deviation. It never ends below what is spent already.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.period import Window

MIN_DAYS = 3
"""Fewer complete days have no pace to speak of."""

_MIN_EACH = 2
_SATURDAY = 5
_Z = 1.2815515655446004
"""80 % of a normal distribution lie within so many standard deviations of its mean."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A month's spend in USD, as far as its complete days can tell.

    Attributes:
        days: complete ones.
    """

    low: float
    expected: float
    high: float
    days: int


def projection(window: Window, spent_usd: float, daily_usd: Sequence[float]) -> Projection | None:
    """Where a month ends; None after too few days.

    Args:
        window: a running month.
        spent_usd: everything so far.
        daily_usd: of each complete day, from the first on.
    """
    if len(daily_usd) < MIN_DAYS:
        return None
    first = window.start
    length = ((first + timedelta(days=31)).replace(day=1) - first).days
    is_weekend = [(first + timedelta(days=day)).weekday() >= _SATURDAY for day in range(length)]
    known = len(daily_usd)
    groups = [
        (
            [usd for usd, weekend in zip(daily_usd, is_weekend, strict=False) if weekend is side],
            is_weekend[known:].count(side),
        )
        for side in (False, True)
    ]
    if any(len(days) < _MIN_EACH for days, _ in groups):
        groups = [(list(daily_usd), length - known)]
    expected = math.fsum(daily_usd) + math.fsum(left * _mean(days) for days, left in groups)
    variance = math.fsum(_variance(days) * (left + left * left / len(days)) for days, left in groups)
    half = _Z * math.sqrt(variance)
    low, middle, high = (max(usd, spent_usd) for usd in (expected - half, expected, expected + half))
    return Projection(low, middle, high, known)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
