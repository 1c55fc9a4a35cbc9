"""Which window shows whether a finding is fixed."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.errors import Reason, SourceError
from orpolicy.period import Window, parse_window

if TYPE_CHECKING:
    from datetime import datetime

_DAY = timedelta(days=1)


def later_window(window: Window, now: datetime) -> Window:
    """The latest complete window of the same kind and length that begins after a report's window.

    For a month (and a running month) the last full month, for a week the last from Monday to Sunday, else
    as many complete days.

    Raises:
        SourceError: UNSUITABLE_WINDOW, if none is complete yet.
    """
    if window.to_date or window.is_calendar_month:
        latest = parse_window("last-month", now)
    elif window.is_calendar_week:
        latest = parse_window("last-week", now)
    else:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        latest = Window(today - math.ceil(window.days) * _DAY, today)
    if latest.start < window.end:
        raise SourceError(
            Reason.UNSUITABLE_WINDOW,
            f"too early: no complete window like the report's has begun after {window.end:%Y-%m-%d} yet; "
            f"verify it from {_ready(window):%Y-%m-%d} on",
        )
    return latest


def _ready(window: Window) -> datetime:
    """When the first such window is over."""
    midnight = window.end.replace(hour=0, minute=0, second=0)
    start = midnight if midnight == window.end else midnight + _DAY
    if window.to_date or window.is_calendar_month:
        first = start if start.day == 1 else (start.replace(day=1) + 31 * _DAY).replace(day=1)
        return (first + 31 * _DAY).replace(day=1)
    return start + (7 if window.is_calendar_week else math.ceil(window.days)) * _DAY


def check_apart(window: Window, later: Window) -> None:
    """Refuse a window that overlaps a report's.

    Raises:
        SourceError: UNSUITABLE_WINDOW.
    """
    if later.start < window.end:
        raise SourceError(
            Reason.UNSUITABLE_WINDOW,
            f"{later} overlaps the report's window, which ends at {window.end:%Y-%m-%d %H:%M}: what was "
            "found there would be counted again",
        )
