"""The catalogue from a raw ``GET /models`` answer, or from a file that holds one."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from orpolicy.catalog.model import MINUTES_PER_DAY, Catalog, Model, Price, PriceTier
from orpolicy.codes import Code
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NEVER = date(2098, 12, 31)
"""The expiration date by which OpenRouter says that there is none."""

_UNKNOWN_PRICE = -1
_PRICES = {
    "prompt": "prompt",
    "completion": "completion",
    "cache_read": "input_cache_read",
    "cache_write": "input_cache_write",
    "request": "request",
}
_MINUTES_PER_HOUR = 60


class CatalogError(ValueError):
    """What was answered is not a catalogue, or one row of it is no model."""


def load_catalog(path: Path) -> Catalog:
    """The catalogue in a file: a ``GET /models`` answer, with an optional ``taken_at`` (ISO 8601) of its own.

    The file's age is not taken for the answer's.

    Raises:
        UsageError: if the file cannot be read, is not JSON, is no such answer, or holds no valid model.
    """
    try:
        payload = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror or error}", code=Code.BAD_CATALOGUE
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}", code=Code.BAD_CATALOGUE) from error
    try:
        return parse_catalog(payload, _taken_at(payload))
    except CatalogError as error:
        raise UsageError(f"{path}: {error}", code=Code.BAD_CATALOGUE) from error


def parse_catalog(payload: object, taken_at: datetime | None) -> Catalog:
    """The catalogue of a ``GET /models`` answer, in the answer's order.

    A row that cannot be read is left out and named in ``Catalog.skipped``. Prices are those of the
    text modality; ``discount``, audio, image and one-hour cache prices are not read.

    Args:
        payload: the decoded JSON.
        taken_at: when the answer was made, aware, or None where that is not known.

    Raises:
        CatalogError: if it is no such answer, or no row of it is valid.
    """
    rows = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(rows, list):
        raise CatalogError('not an answer of GET /models: an object with a list under "data" is expected')
    models: dict[str, Model] = {}
    skipped: list[str] = []
    for position, row in enumerate(rows):
        try:
            model = _model(row)
        except CatalogError as error:
            skipped.append(f"{_label(row, position)}: {error}")
        else:
            if models.setdefault(model.id, model) is not model:
                skipped.append(f"{model.id}: listed twice, the first counts")
    if not models:
        raise CatalogError(f"no model can be read from it ({skipped[0] if skipped else 'the list is empty'})")
    return Catalog(tuple(models.values()), taken_at, tuple(skipped))


def _taken_at(payload: object) -> datetime | None:
    value = payload.get("taken_at") if isinstance(payload, dict) else None
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(_text(value, "taken_at"))
    except ValueError as error:
        raise CatalogError(f"taken_at: {value!r} is not a time such as 2026-05-01T00:00:00Z") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _label(row: object, position: int) -> str:
    name = row.get("id") if isinstance(row, dict) else None
    return name if isinstance(name, str) and name else f"row {position + 1}"


def _model(row: object) -> Model:
    fields = _object(row, "the row")
    model_id = _text(fields.get("id"), "id")
    pricing = _object(fields.get("pricing"), "pricing")
    architecture = _object(fields.get("architecture") or {}, "architecture")
    return Model(
        id=model_id,
        permaslug=_text(fields.get("canonical_slug") or model_id.partition(":")[0], "canonical_slug"),
        name=_text(fields.get("name") or model_id, "name"),
        price=_price(pricing),
        tiers=tuple(_tier(item) for item in _items(pricing.get("overrides"), "overrides")),
        context_length=_count(fields.get("context_length"), "context_length"),
        input_modalities=_words(architecture.get("input_modalities"), "input_modalities"),
        output_modalities=_words(architecture.get("output_modalities"), "output_modalities"),
        parameters=_words(fields.get("supported_parameters"), "supported_parameters"),
        created=_created(fields.get("created")),
        expires=_expires(fields.get("expiration_date")),
        intelligence_index=_intelligence_index(fields.get("benchmarks")),
        alias_of=_alias_of(fields.get("alias_target")),
    )


def _price(pricing: Mapping[str, object]) -> Price:
    return Price(**{field: _usd(pricing.get(key), key) for field, key in _PRICES.items()})


def _usd(value: object, key: str) -> float | None:
    if value is None:
        return None
    number = _number(value, key)
    if number == _UNKNOWN_PRICE:
        return None
    if number < 0:
        raise CatalogError(f"{key}: a price of {value!r}")
    return number


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CatalogError(f"{key}: {value!r} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise CatalogError(f"{key}: {value!r} is not a number") from error
    if not math.isfinite(number):
        raise CatalogError(f"{key}: {value!r} is not a finite number")
    return number


def _tier(value: object) -> PriceTier:
    fields = _object(value, "overrides")
    tokens = _count(fields.get("min_prompt_tokens"), "min_prompt_tokens")
    start, end = fields.get("utc_start"), fields.get("utc_end")
    if (start is None) != (end is None):
        raise CatalogError("overrides: utc_start and utc_end belong together")
    if start is None and "min_prompt_tokens" not in fields:
        raise CatalogError("overrides: a price without a condition that is known")
    return PriceTier(_price(fields), tokens, _minute(start, "utc_start"), _minute(end, "utc_end"))


def _minute(value: object, key: str) -> int | None:
    """Minutes after midnight of a clock number such as 1030; 2400 is the end of the day."""
    if value is None:
        return None
    hour, minute = divmod(_count(value, key), 100)
    total = hour * _MINUTES_PER_HOUR + minute
    if minute >= _MINUTES_PER_HOUR or total > MINUTES_PER_DAY:
        raise CatalogError(f"{key}: {value!r} is not a time of day such as 1030")
    return total


def _count(value: object, key: str) -> int:
    if value is None:
        return 0
    number = _number(value, key)
    if number < 0 or number != int(number):
        raise CatalogError(f"{key}: {value!r} is not a count")
    return int(number)


def _created(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(_number(value, "created"), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise CatalogError(f"created: {value!r} is not a time in Unix seconds") from error


def _expires(value: object) -> date | None:
    if value is None:
        return None
    try:
        day = datetime.fromisoformat(_text(value, "expiration_date")).date()
    except ValueError as error:
        raise CatalogError(f"expiration_date: {value!r} is not a day such as 2026-08-24") from error
    return day if day < NEVER else None


def _intelligence_index(benchmarks: object) -> float | None:
    analysis = _object(benchmarks or {}, "benchmarks").get("artificial_analysis")
    index = _object(analysis or {}, "artificial_analysis").get("intelligence_index")
    return None if index is None else _number(index, "intelligence_index")


def _alias_of(target: object) -> str:
    return _text(_object(target, "alias_target").get("slug"), "alias_target") if target else ""


def _object(value: object, key: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise CatalogError(f"{key}: an object is expected")
    return value


def _text(value: object, key: str) -> str:
    if not isinstance(value, str) or not value:
        raise CatalogError(f"{key}: a text is expected")
    return value


def _items(value: object, key: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise CatalogError(f"{key}: a list is expected")
    return value


def _words(value: object, key: str) -> frozenset[str]:
    return frozenset(_text(item, key) for item in _items(value, key))
