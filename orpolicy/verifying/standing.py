"""How a finding stands, by its measure alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.verifying.model import Standing

if TYPE_CHECKING:
    from orpolicy.finding import Measure

PARTLY = 0.25
"""Partly fixed: at least this much of the way to the threshold is covered."""

WORSE_DISTANCE = 0.10
WORSE_VALUE = 0.05
"""Worse: the measure moved away by a tenth of its distance to the threshold, and by 5 % of itself."""


def standing(measure: Measure, value: float, *, breaches: bool) -> Standing:
    """How a measure stands that was on the wrong side of its threshold; monotone in the value.

    Fixed where it no longer breaches, else partly where it covered a quarter of the way, worse where it
    moved away by both bounds of ``WORSE``, and unchanged in between.

    Args:
        measure: the report's.
        value: the later one, on the same scale.
        breaches: whether the later value is still on the wrong side.
    """
    if not breaches:
        return Standing.FIXED
    lower_is_worse = measure.value < measure.threshold
    better_by = value - measure.value if lower_is_worse else measure.value - value
    distance = abs(measure.value - measure.threshold)
    if distance > 0 and better_by >= PARTLY * distance:
        return Standing.PARTLY
    if -better_by >= max(WORSE_DISTANCE * distance, WORSE_VALUE * abs(measure.value)) and better_by < 0:
        return Standing.WORSE
    return Standing.UNCHANGED


def breaches(measure: Measure, value: float, *, reaching: bool) -> bool:
    """Whether a value is still on the wrong side of the report's threshold."""
    if value == measure.threshold:
        return reaching
    lower_is_worse = measure.value < measure.threshold
    return (value < measure.threshold) == lower_is_worse
