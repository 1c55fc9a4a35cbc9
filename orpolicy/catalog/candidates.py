"""Which cheaper model could do the same work, as far as a catalogue can tell."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.catalog.model import STANDARD
from orpolicy.catalog.sets import is_expiring, is_preview

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from orpolicy.catalog.model import Catalog, Model

QUALITY_FLOOR = 0.95
"""The least intelligence index of a candidate, as a share of the current model's."""

STAYS_FOR = timedelta(days=180)
"""A candidate must not expire within this time."""


def best_candidate(  # noqa: PLR0913 - the question has that many sides
    current: Model,
    catalog: Catalog,
    now: datetime,
    *,
    cost_usd: Callable[[Model], float | None],
    below_usd: float,
    quality_floor: float = QUALITY_FLOOR,
) -> Model | None:
    """The cheapest model that covers what the current one can do and costs less than today.

    Only standard variants are candidates, and the current model's own variant: batch answers hours later.
    Equal costs are settled by id. None where there is no such model, or the current one has no
    intelligence index, context length or modalities to hold others against.

    Args:
        current: the model that the traffic runs on.
        catalog: where to look.
        now: the run's clock, aware.
        cost_usd: what the traffic would cost on a model, or None where that has no price.
        below_usd: what it costs today.
        quality_floor: least intelligence index, as a share of the current model's.
    """
    priced = [
        (cost, model.id, model)
        for model in catalog.models
        if _covers(model, current, quality_floor)
        and _is_stable(model, now)
        and (cost := cost_usd(model)) is not None
        and cost < below_usd
    ]
    return min(priced, key=lambda item: item[:2])[2] if priced else None


def _is_stable(model: Model, now: datetime) -> bool:
    unfit = model.is_router or model.is_free or model.alias_of or is_preview(model)
    return not unfit and not is_expiring(model, now, STAYS_FOR)


def _covers(model: Model, current: Model, quality_floor: float) -> bool:
    if model.id == current.id or model.variant not in {STANDARD, current.variant}:
        return False
    if model.intelligence_index is None or current.intelligence_index is None:
        return False
    return (
        model.intelligence_index >= quality_floor * current.intelligence_index
        and model.context_length >= current.context_length > 0
        and model.input_modalities >= current.input_modalities > frozenset()
        and model.output_modalities >= current.output_modalities > frozenset()
        and model.parameters >= current.parameters
    )
