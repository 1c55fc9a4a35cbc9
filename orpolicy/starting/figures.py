"""Numbers that a person would write, and where ordinary values end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEPS = tuple(map(Decimal, ("1", "1.5", "2", "2.5", "3", "4", "5", "6", "8")))
_ROUNDEST = (frozenset(map(Decimal, "125")), frozenset(map(Decimal, ("3", "4", "1.5"))), frozenset(_STEPS))

FEWEST = 4
"""Fewer values than this have no distribution to speak of."""

_MOST_DIGITS = 16
"""So many significant digits a binary64 number has at least."""

_FAR_OUT = 3.0
"""Tukey's outer fence: so many interquartile ranges above the upper quartile."""

_ROOM = 1.2
"""How far a threshold stays from what is ordinary."""


@dataclass(frozen=True, slots=True)
class Point:
    """One subject's value.

    Attributes:
        name: as people see it, from outside.
        value: finite.
        spend_usd: what the subject spent.
    """

    name: str
    value: float
    spend_usd: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Values of several subjects, ascending by value, then by name."""

    points: tuple[Point, ...]

    @classmethod
    def of(cls, points: Sequence[Point]) -> Spread:
        """The points in their order."""
        return cls(tuple(sorted(points, key=lambda point: (point.value, point.name))))

    @property
    def is_known(self) -> bool:
        """Whether there are enough values to say what is ordinary."""
        return len(self.points) >= FEWEST

    @property
    def top(self) -> Point:
        """The largest."""
        return self.points[-1]

    def quantile(self, share: float) -> float:
        """The value that this share of the subjects, 0 to 1, does not exceed."""
        return self.points[max(math.ceil(share * len(self.points)) - 1, 0)].value

    def outliers(self) -> tuple[Point, ...]:
        """What lies beyond Tukey's outer fence and three times the median, ascending."""
        last = len(self.points) - 1
        low, high = self.points[math.ceil(last / 4)].value, self.points[math.floor(last * 3 / 4)].value
        fence = max(high + _FAR_OUT * (high - low), 3 * self.quantile(0.5))
        return tuple(point for point in self.points if point.value > fence)

    def limits(self, least: float) -> tuple[float | None, float]:
        """Where to warn and where to fail: above what is ordinary, below every outlier.

        Args:
            least: no threshold is lower.
        """
        outliers = self.outliers()
        most = self.points[len(self.points) - len(outliers) - 1].value
        warn = round_up(max(_ROOM * most, least))
        if not outliers:
            return warn, round_up(2 * warn)
        first = max(outliers[0].value, _ROOM * least)
        low = max(_ROOM * most, least)
        fail = round_between(low if low < first else most, first)
        return (warn if warn < fail else None), fail


def round_up(value: float) -> float:
    """The smallest round number that is not below a positive value: 4.2 is 5, 6147 is 8000."""
    return float(next(number for number in _ladder(value) if number >= Decimal(repr(value))))


def two_digits_up(value: float) -> float:
    """The smallest number of two significant digits that is not below a positive value: 6407 is 6500."""
    exact = Decimal(repr(value))
    step = Decimal(1).scaleb(exact.adjusted() - 1)
    return float((exact / step).to_integral_value(ROUND_CEILING) * step)


def round_down(value: float) -> float:
    """The largest round number that is not above a positive value."""
    return float(max(number for number in _ladder(value) if number <= Decimal(repr(value))))


def round_between(low: float, high: float) -> float:
    """The roundest number that is at least ``low`` and below ``high``, near their geometric mean.

    Where no round number lies between them it is their mean, in as few digits as keep it there.
    """
    middle = math.sqrt(low * high)
    inside = [number for number in (*_ladder(low), *_ladder(high)) if low <= number < high]
    for round_ones in _ROUNDEST:
        fits = [number for number in inside if _digits(number) in round_ones]
        if fits:
            return float(min(fits, key=lambda number: (abs(math.log(float(number) / middle)), number)))
    short = (float(f"{middle:.{digits}g}") for digits in range(2, _MOST_DIGITS))
    return next((number for number in short if low <= number < high), middle)


def plain(value: float) -> str:
    """A number without an exponent or trailing zeros: ``15``, ``0.3``, ``2.5``."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ladder(value: float) -> list[Decimal]:
    """Round numbers around a positive value, ascending."""
    power = Decimal(repr(value)).adjusted()
    return [step.scaleb(power + more) for more in (-1, 0, 1) for step in _STEPS]


def _digits(number: Decimal) -> Decimal:
    return number.scaleb(-number.adjusted()).normalize()
