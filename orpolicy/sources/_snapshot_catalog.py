"""A catalogue as JSON: a list a model, in the order of ``Model``'s fields."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from orpolicy.catalog.model import MINUTES_PER_DAY, Catalog, Model, Price, PriceTier
from orpolicy.sources._snapshot_fields import (
    BrokenSnapshot,
    Fields,
    as_amount,
    as_list,
    as_moment,
    as_text,
    as_texts,
)

if TYPE_CHECKING:
    from orpolicy.sources._json import Json


def encode_catalog(catalog: Catalog) -> dict[str, Json]:
    """A catalogue as values of JSON."""
    return {
        "taken_at": catalog.taken_at.isoformat() if catalog.taken_at else None,
        "skipped": list(catalog.skipped),
        "models": [_encode_model(model) for model in catalog.models],
    }


def _encode_model(model: Model) -> Json:
    tiers: list[Json] = [
        [_encode_price(tier.price), tier.min_prompt_tokens, tier.utc_start, tier.utc_end]
        for tier in model.tiers
    ]
    return [
        model.id,
        model.permaslug,
        model.name,
        _encode_price(model.price),
        tiers,
        model.context_length,
        [*sorted(model.input_modalities)],
        [*sorted(model.output_modalities)],
        [*sorted(model.parameters)],
        model.created.isoformat() if model.created else None,
        model.expires.isoformat() if model.expires else None,
        model.intelligence_index,
        model.alias_of,
    ]


def _encode_price(price: Price) -> Json:
    return [price.prompt, price.completion, price.cache_read, price.cache_write, price.request]


def decode_catalog(fields: Fields) -> Catalog:
    """The catalogue in some fields.

    Raises:
        BrokenSnapshot: if they are not those of one.
    """
    models = tuple(_model(as_list(row, "models")) for row in fields.items("models"))
    return Catalog(models, fields.maybe_moment("taken_at"), fields.texts("skipped"))


def _model(row: list[object]) -> Model:
    try:
        (slug, permaslug, name, price, tiers, length, inputs, outputs, parameters, created, expires, index,
         alias) = row  # fmt: skip
    except ValueError:
        raise BrokenSnapshot(f"a model of {len(row)} fields") from None
    return Model(
        id=as_text(slug, "a model's id"),
        permaslug=as_text(permaslug, "permaslug"),
        name=as_text(name, "a model's name"),
        price=_price(price),
        tiers=tuple(_tier(as_list(tier, "tier")) for tier in as_list(tiers, "tiers")),
        context_length=_whole(length),
        input_modalities=frozenset(as_texts(inputs, "modalities")),
        output_modalities=frozenset(as_texts(outputs, "modalities")),
        parameters=frozenset(as_texts(parameters, "parameters")),
        created=as_moment(created, "created"),
        expires=_day(expires),
        intelligence_index=as_amount(index, "intelligence_index"),
        alias_of=as_text(alias, "alias_of"),
    )


def _price(value: object) -> Price:
    amounts = [as_amount(item, "price") for item in as_list(value, "price")]
    try:
        prompt, completion, cache_read, cache_write, request = amounts
    except ValueError:
        raise BrokenSnapshot(f"a price of {len(amounts)} fields") from None
    return Price(prompt, completion, cache_read, cache_write, request)


def _tier(row: list[object]) -> PriceTier:
    try:
        price, tokens, start, end = row
    except ValueError:
        raise BrokenSnapshot(f"a price tier of {len(row)} fields") from None
    return PriceTier(_price(price), _whole(tokens), _minute(start), _minute(end))


def _minute(value: object) -> int | None:
    if value is None:
        return None
    minute = _whole(value)
    if minute > MINUTES_PER_DAY:
        raise BrokenSnapshot(f"{minute} is no minute of a day")
    return minute


def _whole(value: object) -> int:
    return Fields({"a count": value}).count("a count")


def _day(value: object) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(as_text(value, "expires"))
    except ValueError:
        raise BrokenSnapshot("expires is no day") from None
