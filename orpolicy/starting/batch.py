"""Which keys look like batch traffic, and what speaks for it."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import fmean, median, pstdev
from typing import TYPE_CHECKING

from orpolicy.binding import KEY
from orpolicy.reporters._figures import share
from orpolicy.table import DATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orpolicy.starting.survey import Survey
    from orpolicy.table import Member
    from orpolicy.totals import Totals

_WORDS = re.compile(
    r"batch(?:es|ed)?|nightly|cron(?:job)?s?|pipelines?|evals?|evaluations?|etl|backfills?", re.IGNORECASE
)
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

SIGNS_OF_SHAPE = 3
"""So many signs in the traffic itself are enough without a name."""

_SATURDAY = 5
_LEAST_DAYS = 28
_LEAST_REQUESTS = 100
_FLAT_WEEK = 0.8
_HUMAN_WEEK = 0.6
_EVEN_DAYS = 0.15
_LONG_PROMPTS = 5.0
_RARE_DAYS = 0.4
_FEWEST_BURSTS = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key that may run without a person waiting.

    Attributes:
        member: the key as answers name it.
        spend_usd: in the window.
        signs: what speaks for it, in words.
        is_strong: whether that is enough to call it batch traffic.
    """

    member: str
    spend_usd: float
    signs: tuple[str, ...]
    is_strong: bool


def candidates(survey: Survey) -> tuple[Candidate, ...]:
    """The keys that look like batch traffic, largest spend first."""
    days = _days_of(survey)
    spend_usd = {members[KEY]: totals.spend_usd for members, totals in survey.rows("keys")}
    found = []
    for member in {*spend_usd, *days} - {None}:
        usd = spend_usd.get(member, 0.0)
        candidate = _candidate(str(member), survey.key_name(member), usd, days.get(member, {}))
        if candidate is not None:
            found.append(candidate)
    return tuple(sorted(found, key=lambda candidate: (-candidate.spend_usd, candidate.member)))


def _candidate(member: str, name: str, spend_usd: float, days: Mapping[date, Totals]) -> Candidate | None:
    word = _batch_word(name)
    named = (f"the name says {word}",) if word else ()
    shape, is_human = _shape(days)
    if not named and not (shape and not is_human):
        return None
    doubt = ("though its weekends are as quiet as people's",) if named and is_human else ()
    return Candidate(
        member, spend_usd, (*named, *shape, *doubt), is_strong=bool(named) or len(shape) >= SIGNS_OF_SHAPE
    )


def _batch_word(name: str) -> str:
    """The first word of a name that says batch, or ""; ``retrieval`` holds eval and does not say it."""
    for part in _PART.findall(name):
        if _WORDS.fullmatch(part):
            return str(part).lower()
    return ""


def _days_of(survey: Survey) -> dict[Member, dict[date, Totals]]:
    days: dict[Member, dict[date, Totals]] = defaultdict(dict)
    for members, totals in survey.rows("days"):
        if totals.requests > 0:
            days[members[KEY]][date.fromisoformat(str(members[DATE])[:10])] = totals
    return days


def _shape(days: Mapping[date, Totals]) -> tuple[tuple[str, ...], bool]:
    """What the days of a key say for batch traffic, and whether its weeks are those of people."""
    if not days:
        return (), False
    length = (max(days) - min(days)).days + 1
    requests = {day: totals.requests for day, totals in days.items()}
    if length < _LEAST_DAYS or sum(requests.values()) < _LEAST_REQUESTS:
        return (), False
    if len(days) <= _RARE_DAYS * length:
        return _bursts(sorted(days), length), False
    ratio = _weekend_ratio(requests)
    signs = []
    if _FLAT_WEEK <= ratio <= 1 / _FLAT_WEEK:
        signs.append(f"weekends carry {share(ratio)} of a weekday's requests")
        signs += _evenness(list(requests.values()))
        signs += _long_prompts(days.values())
    return tuple(signs), ratio <= _HUMAN_WEEK


def _weekend_ratio(requests: Mapping[date, int]) -> float:
    """Requests on a day of the weekend over those on a weekday, days without any included."""
    first, last = min(requests), max(requests)
    every = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
    weekend = fmean(requests.get(day, 0) for day in every if day.weekday() >= _SATURDAY)
    weekday = fmean(requests.get(day, 0) for day in every if day.weekday() < _SATURDAY)
    return weekend / weekday if weekday else math.inf


def _evenness(requests: Sequence[int]) -> list[str]:
    deviation = pstdev(requests) / fmean(requests)
    return [f"its days differ by {share(deviation)}"] if deviation <= _EVEN_DAYS else []


def _long_prompts(days: Iterable[Totals]) -> list[str]:
    """Long prompts, much the same every day."""
    ratios = [day.prompt_tokens / day.completion_tokens for day in days if day.completion_tokens]
    if len(ratios) < _LEAST_DAYS or median(ratios) < _LONG_PROMPTS:
        return []
    if pstdev(ratios) / fmean(ratios) > _EVEN_DAYS:
        return []
    return [f"it reads {median(ratios):.0f} tokens for each one that it writes, day after day"]


def _bursts(days: Sequence[date], length: int) -> tuple[str, ...]:
    """Work on few days, evenly spaced: a schedule."""
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    if len(days) < _FEWEST_BURSTS or len(set(gaps)) > 1:
        return (f"it runs on {len(days)} of {length} days",) if len(days) >= _FEWEST_BURSTS else ()
    return (f"it runs on {len(days)} of {length} days", f"exactly every {gaps[0]} days")
