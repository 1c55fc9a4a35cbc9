"""What tokens cost at catalogue prices."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from orpolicy.catalog.model import Price, prices_of_day
from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import CACHED, COMPLETION, PROMPT, SURCHARGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.catalog.model import PriceTier
    from orpolicy.totals import Totals


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of some requests; scaled ones need not be whole.

    Attributes:
        prompt: input tokens, cached and written ones included.
        completion: output tokens, reasoning included.
        cached: input tokens read from cache.
        written: input tokens written to cache.
        requests: how many requests they belong to.
    """

    prompt: float
    completion: float
    cached: float = 0.0
    written: float = 0.0
    requests: float = 1.0

    @classmethod
    def of(cls, totals: Totals) -> Self | None:
        """The tokens of some traffic, without cache writes, which analytics does not count.

        None where the source does not count prompt, completion or cached tokens, and where there are
        none: then something else was billed, such as images.
        """
        if not are_counted(totals):
            return None
        prompt, completion = max(totals.prompt_tokens, 0), max(totals.completion_tokens, 0)
        if prompt + completion == 0:
            return None
        return cls(prompt, completion, min(max(totals.cached_tokens, 0), prompt), requests=totals.requests)

    @property
    def mean_prompt(self) -> float:
        """Prompt tokens per request; without a request count all of them are taken for one."""
        return self.prompt / max(self.requests, 1.0)

    def plus(self, other: Tokens) -> Tokens:
        """Both together."""
        return Tokens(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            self.written + other.written,
            self.requests + other.requests,
        )

    def scaled(self, factor: float) -> Tokens:
        """The same requests with longer or shorter texts."""
        return replace(
            self,
            prompt=self.prompt * factor,
            completion=self.completion * factor,
            cached=self.cached * factor,
            written=self.written * factor,
        )

    def uncached(self) -> Tokens:
        """The same without a single cache hit or write."""
        return replace(self, cached=0.0, written=0.0)


def are_counted(totals: Totals) -> bool:
    """Whether the source counts prompt, completion and cached tokens."""
    return all(totals.values.get(name) is not None for name in (PROMPT, COMPLETION, CACHED))


def inference_usd(totals: Totals) -> float:
    """Spend without the surcharges, which no other model saves; components may overlap: a low estimate."""
    surcharges = sum(max(float(totals.get(name)), 0.0) for name in SURCHARGES)
    return max(totals.spend_usd - surcharges, 0.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """An amount through a day whose prices change by the hour; all equal where they do not.

    Attributes:
        least: in the hours where it is smallest.
        mean: over the whole day, as if the traffic were even.
        most: in the hours where it is largest.
    """

    least: float
    mean: float
    most: float


def token_cost_usd(price: Price, tiers: tuple[PriceTier, ...], tokens: Tokens) -> Spread | None:
    """What tokens cost; None where the prompt or the completion has no price.

    The billing rule, exact on 464 of 464 requests it was checked on: ``(prompt - cached - written) x
    prompt price + cached x cache-read price + written x cache-write price + completion x completion
    price``, with the conditional prices that the mean prompt size calls for.
    """
    return through_day(price, tiers, tokens.mean_prompt, lambda current: _cost_usd(current, tokens))


def through_day(
    price: Price, tiers: tuple[PriceTier, ...], prompt_tokens: float, amount: Callable[[Price], float | None]
) -> Spread | None:
    """An amount that depends on the price, at every price of the day.

    Args:
        price: the base price.
        tiers: conditional prices.
        prompt_tokens: of one request.
        amount: of a price; None where it lacks something.

    Returns:
        None if any price of the day lacks something.
    """
    shares: list[float] = []
    amounts: list[float] = []
    for share, current in prices_of_day(price, tiers, prompt_tokens):
        value = amount(current)
        if value is None:
            return None
        shares.append(share)
        amounts.append(value)
    if len(amounts) == 1:
        return Spread(amounts[0], amounts[0], amounts[0])
    mean = math.fsum(share * value for share, value in zip(shares, amounts, strict=True))
    return Spread(min(amounts), mean, max(amounts))


def mean_price(price: Price, tiers: tuple[PriceTier, ...], prompt_tokens: float) -> Price:
    """The price of one prompt size averaged over the day, as formulas show it."""

    def mean(field: Callable[[Price], float | None]) -> float | None:
        spread = through_day(price, tiers, prompt_tokens, field)
        return spread.mean if spread else None

    return Price(
        prompt=mean(lambda item: item.prompt),
        completion=mean(lambda item: item.completion),
        cache_read=mean(lambda item: item.cache_read),
        cache_write=mean(lambda item: item.cache_write),
        request=mean(lambda item: item.request),
    )


def _cost_usd(price: Price, tokens: Tokens) -> float | None:
    if price.prompt is None or price.completion is None:
        return None
    read = price.prompt if price.cache_read is None else price.cache_read
    write = price.prompt if price.cache_write is None else price.cache_write
    fresh = max(tokens.prompt - tokens.cached - tokens.written, 0.0)
    return math.fsum(
        (
            fresh * price.prompt,
            tokens.cached * read,
            tokens.written * write,
            tokens.completion * price.completion,
            tokens.requests * (price.request or 0.0),
        )
    )
