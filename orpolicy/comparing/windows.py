"""The two windows of a comparison."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.binding import closed_window
from orpolicy.codes import Code
from orpolicy.errors import SourceError, UsageError
from orpolicy.period import Window

if TYPE_CHECKING:
    from datetime import datetime

USUAL = "last-month"


def two_windows(before: str | None, after: str | None, now: datetime) -> tuple[Window, Window]:
    """The earlier and the later window.

    Args:
        before: the earlier one's text; None: what came before the later one.
        after: the later one's text; None: last month.
        now: the clock.

    Raises:
        UsageError: if a text is no window, a window is not over, or both are the same.
    """
    late = _window("--to", after or USUAL, now)
    early = _window("--from", before, now) if before is not None else period_before(late)
    if (early.start, early.end) == (late.start, late.end):
        raise UsageError(f"--from and --to are the same window, {early}")
    return early, late


def period_before(window: Window) -> Window:
    """The calendar month or week before one; the whole month before a running one; else as many days."""
    if window.to_date:
        return Window((window.start - timedelta(days=1)).replace(day=1), window.start)
    if window.is_calendar_month or window.is_calendar_week:
        return window.previous(1)[0]
    return Window(window.start - (window.end - window.start), window.start)


def _window(option: str, text: str, now: datetime) -> Window:
    try:
        return closed_window(text, now)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", code=Code.BAD_CLOCK) from error
    except SourceError as error:
        raise UsageError(f"{option}: {error.detail}", code=Code.BAD_CLOCK) from error
