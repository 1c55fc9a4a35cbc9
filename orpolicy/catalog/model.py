"""Models and their prices, as ``GET /models`` lists them."""

from __future__ import annotations

import re
from dataclasses import field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from datetime import date, datetime

STANDARD = "standard"
"""The variant of a model id without a suffix."""

MINUTES_PER_DAY = 1440

_DATED = re.compile(r"-20\d{6}$")


@dataclass(frozen=True, slots=True)
class Price:
    """USD per token; None where the catalogue gives none. Routers' ``-1`` is None too: unknown, not free.

    Attributes:
        prompt: an uncached input token.
        completion: an output token, reasoning included.
        cache_read: an input token read from cache; None: cached tokens cost as ``prompt``.
        cache_write: an input token written to cache; None: written tokens cost as ``prompt``.
        request: a request, in USD; None: nothing.
    """

    prompt: float | None
    completion: float | None
    cache_read: float | None = None
    cache_write: float | None = None
    request: float | None = None

    def overridden(self, by: Price) -> Price:
        """This price with the fields that another one has put in their place."""
        changes = {item.name: value for item in fields(by) if (value := getattr(by, item.name)) is not None}
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class PriceTier:
    """A price that replaces the base price under conditions, all of which must hold.

    Attributes:
        price: what changes; its None fields leave what was there.
        min_prompt_tokens: applies to requests of more than so many prompt tokens (the OpenAPI file says
            "strictly greater"); 0: no such condition.
        utc_start: start of a daily window as minutes after midnight UTC, or None.
        utc_end: its end, exclusive; a window whose end is not after its start wraps midnight.
    """

    price: Price
    min_prompt_tokens: int = 0
    utc_start: int | None = None
    utc_end: int | None = None

    def applies(self, prompt_tokens: float, minute: int) -> bool:
        """Whether a request of that size at that minute after midnight UTC is billed so."""
        if self.min_prompt_tokens and prompt_tokens <= self.min_prompt_tokens:
            return False
        if self.utc_start is None or self.utc_end is None:
            return True
        if self.utc_start < self.utc_end:
            return self.utc_start <= minute < self.utc_end
        return minute >= self.utc_start or minute < self.utc_end


def prices_of_day(
    price: Price, tiers: tuple[PriceTier, ...], prompt_tokens: float
) -> tuple[tuple[float, Price], ...]:
    """What requests of one size cost through a day.

    Of the tiers that apply the later ones win, field by field, as OpenRouter's OpenAPI file says.

    Args:
        price: the base price.
        tiers: in the catalogue's order.
        prompt_tokens: of one request.

    Returns:
        (share of the day, price) for each span between the windows' edges; the shares sum to 1.
    """
    edges = {edge for tier in tiers for edge in (tier.utc_start, tier.utc_end) if edge is not None}
    starts = sorted({0} | {edge for edge in edges if edge < MINUTES_PER_DAY})
    spans = zip(starts, [*starts[1:], MINUTES_PER_DAY], strict=True)
    day: list[tuple[float, Price]] = []
    for start, end in spans:
        current = price
        for tier in tiers:
            if tier.applies(prompt_tokens, start):
                current = current.overridden(tier.price)
        day.append(((end - start) / MINUTES_PER_DAY, current))
    return tuple(day)


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the catalogue.

    Attributes:
        id: what a caller sends, with its variant suffix: ``openai/gpt-5:batch``.
        permaslug: the dated slug that analytics answers with; variants share it.
        name: for people.
        price: the base price.
        tiers: conditional prices.
        context_length: tokens, 0 where unknown.
        input_modalities: ``text``, ``image``, ...
        output_modalities: as above.
        parameters: supported request parameters.
        created: when it was listed, or None.
        expires: the day of its removal, or None (2098-12-31 means never and is None here).
        intelligence_index: Artificial Analysis' index, or None.
        alias_of: for ``~vendor/x-latest`` rows the id behind the alias, else "".
    """

    id: str
    permaslug: str
    name: str
    price: Price
    tiers: tuple[PriceTier, ...] = ()
    context_length: int = 0
    input_modalities: frozenset[str] = frozenset()
    output_modalities: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    created: datetime | None = None
    expires: date | None = None
    intelligence_index: float | None = None
    alias_of: str = ""

    @property
    def variant(self) -> str:
        """``standard``, or the id's suffix: ``batch``, ``free``, ``thinking``."""
        return self.id.partition(":")[2] or STANDARD

    @property
    def base_id(self) -> str:
        """The id without its variant suffix."""
        return self.id.partition(":")[0]

    @property
    def author(self) -> str:
        """The part of the id before the slash, without an alias's tilde."""
        return self.id.partition("/")[0].removeprefix("~")

    @property
    def is_router(self) -> bool:
        """Whether the row stands for a choice among models, without a price of its own."""
        return self.price.prompt is None or self.author == "openrouter"

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing: by its variant, or because neither prompt nor completion does.

        A model that puts out more than text, such as music, is billed otherwise where tokens cost nothing.
        """
        costs_no_tokens = self.price.prompt == 0 and self.price.completion == 0
        return self.variant == "free" or (costs_no_tokens and self.output_modalities <= {"text"})


@dataclass(frozen=True)
class Catalog:
    """The models of one catalogue answer.

    Attributes:
        models: in the answer's order.
        taken_at: when the answer was made, or None where that is not known.
        skipped: rows that could not be read, each as its id and what is wrong with it.
    """

    models: tuple[Model, ...]
    taken_at: datetime | None = None
    skipped: tuple[str, ...] = ()
    _names: dict[str, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def _by_id(self) -> dict[str, Model]:
        return {model.id: model for model in reversed(self.models)}

    @cached_property
    def _by_slug(self) -> dict[tuple[str, str], Model]:
        return {(model.permaslug, model.variant): model for model in reversed(self.models)}

    def find(self, name: str, variant: str = STANDARD) -> Model | None:
        """The model behind an id or a permaslug; a variant in the id wins over ``variant``.

        Aliases are followed, with the variant; one whose target is not listed stands for itself. None
        where the catalogue does not list that model with that variant.
        """
        base, _, suffix = name.partition(":")
        wanted = suffix or variant
        seen: set[str] = set()
        model = self._row(base, wanted)
        alias = model or self._by_id.get(base)
        while alias is not None and alias.alias_of and alias.id not in seen:
            seen.add(alias.id)
            base, _, suffix = alias.alias_of.partition(":")
            wanted = suffix or wanted
            target = self._row(base, wanted)
            model = target or model
            alias = target or self._by_id.get(base)
        return model

    def _row(self, base: str, variant: str) -> Model | None:
        full = base if variant == STANDARD else f"{base}:{variant}"
        return self._by_id.get(full) or self._by_slug.get((base, variant))

    def display(self, name: str) -> str:
        """The id that a caller sends for a permaslug, a variant suffix kept; the name where none is known."""
        base, colon, suffix = name.partition(":")
        same = self._by_id.get(base) or next(iter(self._groups.get(base, ())), None)
        return f"{same.base_id}{colon}{suffix}" if same else name

    def lists(self, name: str) -> bool:
        """Whether an id or a permaslug, its date left out or not, is listed with any variant."""
        return not self._groups.keys().isdisjoint(self.names_of(name))

    def names_of(self, name: str) -> frozenset[str]:
        """Every name of the same model, without variant suffixes: ids, permaslug, permaslug undated.

        An alias also has the names of its target, not the other way round. A permaslug without its date
        is left out where it is the id or the permaslug of another model.
        """
        if name not in self._names:
            base = name.partition(":")[0]
            target = self.find(base)
            rows = [*self._groups.get(base, ()), *self._groups.get(target.permaslug if target else base, ())]
            names = {base} | {row.permaslug for row in rows} | {row.base_id for row in rows}
            short = {undated(slug) for slug in names}
            self._names[name] = frozenset(names | {slug for slug in short if slug not in self._groups})
        return self._names[name]

    @cached_property
    def _groups(self) -> dict[str, list[Model]]:
        groups: dict[str, list[Model]] = {}
        for model in self.models:
            for name in {model.base_id, model.permaslug}:
                groups.setdefault(name, []).append(model)
        return groups


def undated(permaslug: str) -> str:
    """The permaslug without its date: ``anthropic/claude-4.6-sonnet`` of ``…-20260217``."""
    return _DATED.sub("", permaslug)
