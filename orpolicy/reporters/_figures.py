"""Numbers for people: short, rounded here and nowhere else, the same in every human-readable format."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.finding import Measure
    from orpolicy.period import Window

_HUGE = 1e15
"""From here on numbers are written with an exponent."""

_CENT = 0.01
_LEAST_USD = 1e-6
_MAX_DECIMALS = 12
_EXTRA_DIGITS = 13
_THRESHOLD_DIGITS = 6
_TOKEN_STEPS = ((10**3, "K"), (10**6, "M"), (10**9, "B"), (10**12, "T"))
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def money(usd: float, extra: int = 0) -> str:
    """Dollars: ``$6,185``, ``$12.30``, ``$0.42``, ``$0.0042``, ``-$3``; two digits at least below $1.

    Args:
        usd: any finite amount.
        extra: more decimals than usual.
    """
    size = abs(usd)
    sign = "-" if usd < 0 else ""
    if size >= _HUGE:
        return f"{sign}${size:.3g}"
    if 0 < size < _LEAST_USD:
        return f"{sign}<$0.000001"
    return f"{sign}${size:,.{_cents(size) + (extra if size != int(size) else 0)}f}"


def cents(usd: float) -> str:
    """Dollars to the cent, for figures that are added up or compared: ``$6,185.00``, ``-$3.10``.

    Amounts that two decimals cannot show are written as by ``money``.
    """
    size = abs(usd)
    if size >= _HUGE or 0 < size < _CENT:
        return money(usd)
    return f"{'-' if usd < 0 else ''}${size:,.2f}"


def _cents(size: float) -> int:
    if size == int(size) or round(size, 2) >= 100:  # noqa: PLR2004 - from $100 on cents are noise
        return 0
    return 2 if round(size, 2) >= 1 else 1 - _exponent(size)


def count(number: int) -> str:
    """A whole number with thousands marked: ``37,000``."""
    return f"{number:,}"


def tokens(number: int) -> str:
    """Tokens to three digits: ``250M``, ``1.27B``, ``9,999``."""
    if abs(number) < 10_000:  # noqa: PLR2004 - four digits read as they are
        return count(number)
    for size, suffix in _TOKEN_STEPS:
        scaled = number / size
        if abs(scaled) < 999.5:  # noqa: PLR2004 - what rounds to 1000 takes the next suffix
            return f"{significant(scaled)}{suffix}"
    return f"{significant(number / _TOKEN_STEPS[-1][0])}{_TOKEN_STEPS[-1][1]}"


def significant(value: float, digits: int = 3) -> str:
    """A number to so many digits, never fewer than its whole part has, without idle zeros: ``24.7``."""
    if abs(value) >= _HUGE:
        return f"{value:.{digits}g}"
    if not value:
        return "0"
    decimals = min(max(digits - 1 - _exponent(value), 0), _MAX_DECIMALS)
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if text.strip("-0") else f"{value:.{digits}g}"


def rate(usd_per_mtok: float, extra: int = 0) -> str:
    """A price of tokens: ``24.7 $/Mtok``."""
    return f"{significant(usd_per_mtok, 3 + extra)} $/Mtok"


def multiple(ratio: float, extra: int = 0) -> str:
    """A ratio: ``25x``, ``2.5x``."""
    return f"{significant(ratio, 2 + extra)}x"


def share(part: float, extra: int = 0) -> str:
    """A part of a whole, 0 to 1, in percent: ``98 %``, ``4.2 %``, ``<0.1 %``, ``>99 %``."""
    percent = part * 100
    if not extra and 0 < percent < 0.1:  # noqa: PLR2004 - below, the digits say nothing more
        return "<0.1 %"
    if not extra and 99.5 <= percent < 100:  # noqa: PLR2004 - 100 % is said of the whole only
        return ">99 %"
    return f"{significant(percent, 2 + extra)} %"


def amount(value: float, unit: str, extra: int = 0) -> str:
    """A measure's value in its unit.

    Args:
        value: any finite number.
        unit: as in ``Measure.unit``; one that is not known here is written behind the number.
        extra: more digits than usual.
    """
    if unit in _UNITS:
        return _UNITS[unit](value, extra)
    if unit.startswith("USD"):
        return money(value, extra) + unit.removeprefix("USD")
    return f"{significant(value, 3 + extra)} {unit}".rstrip()


_UNITS = {"USD": money, "x": multiple, "USD/Mtok": rate, "share": share}


def against_threshold(measure: Measure) -> tuple[str, str]:
    """The value and its threshold, with as many digits as it takes to see on which side the value is."""
    limit = _exact(measure.threshold, measure.unit)
    for extra in range(_EXTRA_DIGITS):
        value = amount(measure.value, measure.unit, extra)
        if _side(_number(value), _number(limit)) == _side(measure.value, measure.threshold):
            return value, limit
    return amount(measure.value, measure.unit), limit


def _exact(threshold: float, unit: str) -> str:
    """A threshold as its author wrote it, to six digits; a long unit is said once, by the value."""
    if not unit.startswith("USD") or unit == "USD/Mtok":
        return amount(threshold, unit if unit in _UNITS else "", _THRESHOLD_DIGITS)
    whole, _, decimals = f"{threshold:,.{_THRESHOLD_DIGITS}f}".partition(".")
    decimals = decimals.rstrip("0")
    dollars = f"{whole}.{decimals:<02}" if decimals else whole
    sign = "-" if dollars.startswith("-") else ""
    return f"{sign}${dollars.removeprefix('-')}{unit.removeprefix('USD')}"


def _side(value: float, threshold: float) -> int:
    return (value > threshold) - (value < threshold)


def _number(text: str) -> float:
    digits = _DIGITS.search(text.replace(",", ""))
    size = float(digits[0]) if digits else 0.0
    return -size if text.startswith("-") else size


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def days(window: Window) -> str:
    """A window's length: ``31 days``, ``9.5 days``."""
    text = significant(window.days)
    return f"{text} day" if text == "1" else f"{text} days"


def span(window: Window) -> str:
    """A window: ``May 2026``, ``2026-05-04 to 2026-05-10 (7 days)`` with its last day, UTC."""
    month = f"{_MONTHS[window.start.month - 1]} {window.start.year}"
    if window.is_calendar_month:
        return month
    if window.to_date:
        return f"{month} to date ({days(window)})"
    if _is_midnight(window.start) and _is_midnight(window.end):
        last = window.end - timedelta(days=1)
        dates = dict.fromkeys(f"{moment:%Y-%m-%d}" for moment in (window.start, last))
        return f"{' to '.join(dates)} ({days(window)})"
    return f"{minute(window.start)} to {minute(window.end)} ({days(window)})"


def minute(moment: datetime) -> str:
    """A UTC moment to the minute: ``2026-06-10 00:00 UTC``."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _is_midnight(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second) == (0, 0, 0)
