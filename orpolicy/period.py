"""Windows of time: half-open, UTC, and how each becomes a month."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from orpolicy.nouns import dataclass

DAYS_PER_MONTH = 30.4375
"""Mean length of a Gregorian month in days (365.25 / 12)."""

FIRST_YEAR, LAST_YEAR = 1900, 9900

_DAY = timedelta(days=1)
_SECONDS_PER_DAY = 86_400
_LAST_N_DAYS = re.compile(r"last-([1-9][0-9]{0,2})d")
_INTERVAL = re.compile(r"(\d{4}-\d\d-\d\d\S*?)(?:\.\.|/|,|\s+to\s+)(\d{4}-\d\d-\d\d\S*)")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|\+00:00)?)?")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open span of time, ``start <= t < end``.

    Attributes:
        start: aware, UTC, whole seconds.
        end: aware, UTC, whole seconds, later than ``start``.
        to_date: True when the window is a running month, still open at its end.
    """

    start: datetime
    end: datetime
    to_date: bool = False

    @property
    def days(self) -> float:
        """Length in days of 86,400 seconds."""
        return (self.end - self.start).total_seconds() / _SECONDS_PER_DAY

    @property
    def is_calendar_month(self) -> bool:
        """Whether the window is exactly one calendar month."""
        return _is_month_start(self.start) and self.end == _next_month(self.start)

    @property
    def is_calendar_week(self) -> bool:
        """Whether the window is exactly one week, Monday to Sunday."""
        return _is_day_start(self.start) and self.start.weekday() == 0 and self.end - self.start == 7 * _DAY

    @property
    def monthly_factor(self) -> float:
        """What turns dollars of this window into dollars a month: 1 for a calendar month."""
        return 1.0 if self.is_calendar_month else DAYS_PER_MONTH / self.days

    def previous(self, count: int) -> tuple[Window, ...]:
        """The ``count`` calendar months or weeks before this one, oldest first.

        Raises:
            ValueError: if the window is neither a calendar month nor a calendar week.
        """
        if not (self.is_calendar_month or self.is_calendar_week):
            raise ValueError(f"{self} is neither a calendar month nor a calendar week")
        windows: list[Window] = []
        end = self.start
        for _ in range(count):
            start = _month_start(end - _DAY) if self.is_calendar_month else end - 7 * _DAY
            windows.append(Window(start, end))
            end = start
        return tuple(reversed(windows))

    def chunks(self, max_days: int) -> tuple[Window, ...]:
        """Consecutive windows of at most ``max_days`` days that together are this one."""
        step = timedelta(days=max_days)
        starts = [self.start]
        while starts[-1] + step < self.end:
            starts.append(starts[-1] + step)
        if len(starts) == 1:
            return (self,)
        return tuple(Window(start, end) for start, end in zip(starts, [*starts[1:], self.end], strict=True))

    def contains(self, moment: datetime) -> bool:
        """Whether an aware moment lies in the window."""
        return self.start <= moment < self.end

    def __str__(self) -> str:
        return f"{stamp(self.start)}..{stamp(self.end)}"


def stamp(moment: datetime) -> str:
    """A UTC moment as the API wants it, with seconds: ``2026-05-01T00:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> datetime:
    """An aware UTC moment from ``YYYY-MM-DD`` or ``YYYY-MM-DDTHH:MM[:SS][Z]``.

    Years end where a window around the moment could leave what a ``datetime`` can hold.

    Raises:
        ValueError: if the text is not such a moment, or names a zone other than UTC.
    """
    if not _STAMP.fullmatch(text):
        raise ValueError(f"{text!r} is not a UTC date (2026-05-01) or time (2026-05-01T00:00:00Z)")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not in the calendar: {error}") from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"{text!r} is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment.replace(tzinfo=UTC, microsecond=0)


def parse_day(text: str) -> date:
    """A calendar day from ``YYYY-MM-DD``.

    Raises:
        ValueError: if the text is not a day.
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(f"{text!r} is not a day such as 2026-05-01")
    return date.fromisoformat(text)


def parse_window(text: str, now: datetime) -> Window:
    """A window from its word, or from ``START..END`` (also ``START/END``), half-open.

    Words: ``last-month``, ``this-month``, ``last-week`` and ``last-Nd`` for N complete UTC days.

    Raises:
        ValueError: if the text is no window, or the window is empty.
    """
    interval = _INTERVAL.fullmatch(text.strip())
    if interval:
        return interval_window(interval[1], interval[2])
    return _named_window(text.strip(), now.astimezone(UTC).replace(microsecond=0))


def interval_window(start: str, end: str) -> Window:
    """The half-open window between two moments as text.

    Raises:
        ValueError: if either is no moment, or the end is not after the start.
    """
    first, last = parse_moment(start), parse_moment(end)
    if last <= first:
        raise ValueError(f"the window {start}..{end} is empty: its end must be after its start")
    return Window(first, last)


def _named_window(word: str, now: datetime) -> Window:
    today = now.replace(hour=0, minute=0, second=0)
    month = _month_start(now)
    if word == "last-month":
        return Window(_month_start(month - _DAY), month)
    if word == "this-month":
        if now == month:
            raise ValueError("this-month has only just begun: nothing can be in it yet")
        return Window(month, now, to_date=True)
    if word == "last-week":
        monday = today - today.weekday() * _DAY
        return Window(monday - 7 * _DAY, monday)
    days = _LAST_N_DAYS.fullmatch(word)
    if days:
        return Window(today - int(days[1]) * _DAY, today)
    raise ValueError(
        f"{word!r} is not a window: use last-month, this-month, last-week, last-30d or 2026-05-01..2026-06-01"
    )


def _month_start(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next_month(start: datetime) -> datetime:
    return _month_start(start + 31 * _DAY)


def _is_day_start(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second) == (0, 0, 0)


def _is_month_start(moment: datetime) -> bool:
    return moment.day == 1 and _is_day_start(moment)
