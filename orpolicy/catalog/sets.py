"""The built-in model sets: predicates over the catalogue."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.catalog.model import STANDARD

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from orpolicy.catalog.model import Catalog, Model

EXPIRING_WITHIN = timedelta(days=60)

FRONTIER_QUANTILE = 0.9
FRONTIER_MIN_USD_PER_TOKEN = 10e-6

_STEALTH = "stealth"
_PREVIEW = re.compile(r"(?<![a-z])(?:preview|experimental|exp|alpha|beta)(?![a-z])", re.IGNORECASE)


def members(name: str, catalog: Catalog, now: datetime) -> tuple[str, ...]:
    """The model ids of a built-in set, sorted.

    An id without a variant suffix means the model with all its variants; where only one variant is
    meant, as with ``free``, the id carries it.

    Args:
        name: one of ``BUILT_IN_SETS``.
        catalog: where to look.
        now: the run's clock, aware.

    Raises:
        KeyError: if there is no such set.
    """
    return tuple(sorted(_SETS[name](catalog, now)))


def is_preview(model: Model) -> bool:
    """Whether the id or the name of a model says preview, experimental, alpha or beta, or is stealth."""
    return is_preview_name(model.id) or _PREVIEW.search(model.name) is not None


def is_preview_name(name: str) -> bool:
    """Whether an id or permaslug alone says so: also for models that the catalogue no longer lists.

    The words must stand alone among letters: ``quasar-alpha`` is one, ``alphabet-1`` is not.
    """
    author = name.removeprefix("~").partition("/")[0].lower()
    return author == _STEALTH or _PREVIEW.search(name) is not None


def is_expiring(model: Model, now: datetime, within: timedelta) -> bool:
    """Whether a model is removed by the day that lies ``within`` ahead, or already was."""
    return model.expires is not None and model.expires <= (now + within).date()


def _preview(catalog: Catalog, _now: datetime) -> set[str]:
    return {model.base_id for model in catalog.models if is_preview(model)}


def _free(catalog: Catalog, _now: datetime) -> set[str]:
    return {model.id for model in catalog.models if model.is_free}


def _frontier(catalog: Catalog, _now: datetime) -> set[str]:
    """Output at or above the 90th percentile (nearest rank) of priced text models, and 10 USD/Mtok."""
    priced = {model.id: price for model in catalog.models if (price := _standard_text_price(model))}
    if not priced:
        return set()
    ranked = sorted(priced.values())
    percentile = ranked[math.ceil(FRONTIER_QUANTILE * len(ranked)) - 1]
    floor = max(percentile, FRONTIER_MIN_USD_PER_TOKEN)
    return {model_id for model_id, price in priced.items() if price >= floor}


def _standard_text_price(model: Model) -> float | None:
    is_standard = model.variant == STANDARD and not model.alias_of and not model.is_router
    return model.price.completion if is_standard and "text" in model.output_modalities else None


def _expiring(catalog: Catalog, now: datetime) -> set[str]:
    return {model.id for model in catalog.models if is_expiring(model, now, EXPIRING_WITHIN)}


_SETS: dict[str, Callable[[Catalog, datetime], set[str]]] = {
    "preview": _preview,
    "free": _free,
    "frontier": _frontier,
    "expiring": _expiring,
}

BUILT_IN_SETS: tuple[str, ...] = tuple(_SETS)
"""The sets' names, without the ``@``."""
