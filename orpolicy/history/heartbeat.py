"""Whether runs still happen: schedules die silently."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.period import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orpolicy.history.record import Record

CLOCK_SKEW = timedelta(minutes=5)
"""Clocks of two machines may differ by so much; a run that lies further ahead is a fault."""

_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Beat:
    """What a history says of the last good run.

    Attributes:
        is_alive: whether it is young enough.
        words: one line for people.
    """

    is_alive: bool
    words: str


def parse_duration(text: str) -> timedelta:
    """A length of time: ``90m``, ``36h``, ``2d``, ``1w``.

    Raises:
        ValueError: if the text is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as 90m, 36h, 2d or 1w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def beat(records: Sequence[Record], now: datetime, max_age: timedelta) -> Beat:
    """Whether the last run that judged is at most so old.

    Args:
        records: in the order of their clocks.
        now: the clock.
        max_age: what is still young.
    """
    good = [record for record in records if record.is_good]
    if not records:
        return Beat(is_alive=False, words="no run was ever recorded")
    if not good:
        return Beat(
            is_alive=False,
            words=f"no run has judged anything yet; the last, of {stamp(records[-1].at)}, was inconclusive",
        )
    last = good[-1]
    age = now - last.at
    said = f"last good run at {stamp(last.at)}"
    if age < -CLOCK_SKEW:
        return Beat(is_alive=False, words=f"{said}, {_length(-age)} in the future: a clock is wrong")
    since = [record for record in records if record.at > last.at]
    more = f"; {len(since)} inconclusive since" if since else ""
    told = f"{said}, {_length(max(age, timedelta()))} ago ({last.verdict}){more}"
    if age > max_age:
        return Beat(is_alive=False, words=f"{told}: older than {_length(max_age)}")
    return Beat(is_alive=True, words=told)


def _length(span: timedelta) -> str:
    """``2 d 5 h``, ``36 min``: the two largest units."""
    minutes = int(span.total_seconds() // 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return " ".join(parts[:2]) or "less than a minute"
