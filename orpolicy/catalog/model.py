"""Models and their prices, as ``GET /models`` lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

STANDARD = "standard"
"""The variant of a model id without a suffix."""

_DATED = re.compile(r"-20\d{6}$")


@dataclass(frozen=True, slots=True)
class Price:
    """USD per token; None where the catalogue gives none. Routers' ``-1`` is None too: unknown, not free.

    Attributes:
        prompt: an uncached input token.
        completion: an output token, reasoning included.
        cache_read: an input token read from cache; None: cached tokens cost as ``prompt``.
        cache_write: an input token written to cache; None: written tokens cost as ``prompt``.
    """

    prompt: float | None
    completion: float | None
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True, slots=True)
class PriceTier:
    """A price that replaces the base price under a condition; None fields leave the base price.

    Attributes:
        price: what changes.
        min_prompt_tokens: applies to requests of at least so many prompt tokens; 0: no such condition.
        utc_start: start of a daily window as minutes after midnight UTC, or None.
        utc_end: its end; a window whose end is not after its start wraps midnight.
    """

    price: Price
    min_prompt_tokens: int = 0
    utc_start: int | None = None
    utc_end: int | None = None


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
        """Whether both prompt and completion cost nothing."""
        return self.variant == "free" or (self.price.prompt == 0 and self.price.completion == 0)


@dataclass(frozen=True)
class Catalog:
    """The models of one catalogue answer.

    Attributes:
        models: in the answer's order.
        taken_at: when the answer was made, or None where that is not known.
    """

    models: tuple[Model, ...]
    taken_at: datetime | None = None
    _names: dict[str, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def _by_id(self) -> dict[str, Model]:
        return {model.id: model for model in reversed(self.models)}

    @cached_property
    def _by_slug(self) -> dict[tuple[str, str], Model]:
        return {(model.permaslug, model.variant): model for model in reversed(self.models)}

    def find(self, name: str, variant: str = STANDARD) -> Model | None:
        """The model behind an id or a permaslug; a variant in the id wins over ``variant``.

        Aliases are followed. None where the catalogue does not list that model with that variant.
        """
        base, _, suffix = name.partition(":")
        wanted = suffix or variant
        full = base if wanted == STANDARD else f"{base}:{wanted}"
        model = self._by_id.get(full) or self._by_slug.get((base, wanted))
        if model is not None and model.alias_of and model.alias_of != name:
            return self.find(model.alias_of, variant) or model
        return model

    def display(self, name: str) -> str:
        """The id that a caller sends for a permaslug; the name itself where none is known."""
        model = self._by_id.get(name) or self._by_slug.get((name, STANDARD))
        if model is None:
            model = next((item for item in self.models if item.permaslug == name), None)
        return model.base_id if model else name

    def names_of(self, name: str) -> frozenset[str]:
        """Every name of the same model, without variant suffixes: ids, permaslug, permaslug undated."""
        if name not in self._names:
            base = name.partition(":")[0]
            slugs = {base} | {model.permaslug for model in self._same(base)}
            ids = {model.base_id for slug in slugs for model in self._same(slug)}
            self._names[name] = frozenset(slugs | ids | {undated(slug) for slug in slugs})
        return self._names[name]

    @cached_property
    def _groups(self) -> dict[str, list[Model]]:
        groups: dict[str, list[Model]] = {}
        for model in self.models:
            for name in {model.base_id, model.permaslug}:
                groups.setdefault(name, []).append(model)
        return groups

    def _same(self, name: str) -> list[Model]:
        return self._groups.get(name, [])


def undated(permaslug: str) -> str:
    """The permaslug without its date: ``anthropic/claude-4.6-sonnet`` of ``…-20260217``."""
    return _DATED.sub("", permaslug)
