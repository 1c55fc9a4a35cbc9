"""Two questions in place of one that was too much for the source."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.period import Window
from orpolicy.query.model import Granularity

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.query.model import Query


def halves(query: Query) -> tuple[Query, ...]:
    """The query for each half of its window; their answers add up to its own, as metrics are additive.

    The cut is a whole number of days after the start, and where months are asked, at the start of a month
    if the window has one in it. None are left of a window of less than two days.
    """
    window = query.window
    middle = _middle(window)
    if query.granularity is Granularity.MONTH:
        middle = _month_start(window, middle)
    if not window.start < middle < window.end:
        return ()
    first = Window(window.start, middle)
    return replace(query, window=first), replace(query, window=Window(middle, window.end, window.to_date))


def _middle(window: Window) -> datetime:
    return window.start + timedelta(days=int(window.days) // 2)


def _month_start(window: Window, moment: datetime) -> datetime:
    """The start of the moment's month or of the next, whichever lies in the window; else the moment."""
    this = moment.replace(day=1, hour=0, minute=0, second=0)
    following = (this + timedelta(days=31)).replace(day=1)
    return next((start for start in (this, following) if window.start < start < window.end), moment)
