"""What a change in spend is made of: requests, their mix, tokens per request and price per token.

Logarithmic mean Divisia index I in its additive form (Ang, "LMDI decomposition approach: a guide for
implementation", Energy Policy 86, 2015). It has no remainder: the parts add up to the change.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.totals import Totals


@dataclass(frozen=True, slots=True)
class Level:
    """Spend and what it is made of, of one period, of the mean of two, or of a day of one."""

    requests: float
    tokens: float
    spend_usd: float

    @classmethod
    def of(cls, totals: Totals) -> Self:
        """Of one period."""
        return cls(totals.requests, totals.tokens, totals.spend_usd)

    @property
    def is_used(self) -> bool:
        """Whether there was any usage."""
        return self.requests > 0 or self.tokens > 0 or self.spend_usd != 0

    def times(self, factor: float) -> Level:
        """So many times as much of everything."""
        return Level(self.requests * factor, self.tokens * factor, self.spend_usd * factor)


@dataclass(frozen=True, slots=True)
class Split:
    """A change in spend by its causes, USD each; they add up to the change.

    Attributes:
        volume_usd: more or fewer requests.
        size_usd: more or fewer tokens per request.
        price_usd: more or fewer dollars per token.
    """

    volume_usd: float
    size_usd: float
    price_usd: float

    @property
    def causes(self) -> tuple[float, float, float]:
        """Volume, size and price."""
        return self.volume_usd, self.size_usd, self.price_usd


@dataclass(frozen=True, slots=True)
class Bridge:
    """A change in the spend of several subjects by its causes, USD each; they add up to the change.

    Attributes:
        volume_usd: more or fewer requests, were their mix the same.
        mix_usd: requests that moved between subjects which are there in both periods.
        size_usd: tokens per request, within each subject.
        price_usd: dollars per token, within each subject.
        new_usd: subjects without usage before.
        vanished_usd: subjects without usage now; not positive.
        unsplit_usd: subjects of which one period lacks spend, requests or tokens.
    """

    volume_usd: float
    mix_usd: float
    size_usd: float
    price_usd: float
    new_usd: float
    vanished_usd: float
    unsplit_usd: float


def divisia(now: Level, before: Level) -> Split | None:
    """The change in one subject's spend split by cause; None where a factor is not positive."""
    factors = (now.requests, before.requests, now.tokens, before.tokens, now.spend_usd, before.spend_usd)
    if min(factors) <= 0:
        return None
    weight = log_mean(now.spend_usd, before.spend_usd)
    requests = log_ratio(now.requests, before.requests)
    volume, size = weight * requests, weight * (log_ratio(now.tokens, before.tokens) - requests)
    return Split(volume, size, now.spend_usd - before.spend_usd - volume - size)


def bridge(changes: Sequence[tuple[Level, Level]]) -> Bridge:
    """The change in the spend of all subjects together split by cause.

    Requests of all subjects, new and vanished ones too, are the volume; a subject's share of them is its mix.

    Args:
        changes: (now, before) of every subject that has usage in either.
    """
    volume, mix, size, price, new, vanished, unsplit = ([0.0] for _ in range(7))
    requests_now = math.fsum(now.requests for now, _ in changes)
    requests_before = math.fsum(before.requests for _, before in changes)
    for now, before in changes:
        change_usd = now.spend_usd - before.spend_usd
        parts = divisia(now, before)
        if parts is not None:
            common = log_mean(now.spend_usd, before.spend_usd) * log_ratio(requests_now, requests_before)
            volume.append(common)
            mix.append(parts.volume_usd - common)
            size.append(parts.size_usd)
            price.append(parts.price_usd)
        elif not before.is_used:
            new.append(change_usd)
        elif not now.is_used:
            vanished.append(change_usd)
        else:
            unsplit.append(change_usd)
    return Bridge(*map(math.fsum, (volume, mix, size, price, new, vanished, unsplit)))


def log_ratio(first: float, second: float) -> float:
    """``ln(a / b)`` of two positive numbers, precise also where they hardly differ."""
    if second / 2 <= first <= second * 2:
        return math.log1p((first - second) / second)
    return math.log(first) - math.log(second)


def log_mean(first: float, second: float) -> float:
    """The logarithmic mean ``(a - b) / ln(a / b)`` of two positive numbers, ``a`` where they are equal."""
    return (first - second) / log_ratio(first, second) if first != second else first
