from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from orpolicy.catalog.candidates import best_candidate
from orpolicy.catalog.model import Catalog, Model, Price

NOW = datetime(2026, 8, 22, tzinfo=UTC)

CURRENT = Model(
    "acme/big",
    "acme/big-20260101",
    "Big",
    Price(10e-6, 50e-6),
    context_length=100_000,
    input_modalities=frozenset({"text", "image"}),
    output_modalities=frozenset({"text"}),
    parameters=frozenset({"tools"}),
    intelligence_index=40.0,
)
FIT = replace(
    CURRENT,
    id="other/small",
    permaslug="other/small",
    price=Price(1e-6, 5e-6),
    context_length=200_000,
    parameters=frozenset({"tools", "seed"}),
    intelligence_index=38.0,
)


def cost_usd(model: Model) -> float | None:
    return None if model.price.prompt is None else model.price.prompt * 1e6


def best(*models: Model, current: Model = CURRENT, below_usd: float = 10.0) -> str | None:
    catalog = Catalog((current, *models))
    found = best_candidate(current, catalog, NOW, cost_usd=cost_usd, below_usd=below_usd)
    return found.id if found else None


def test_a_fitting_model_at_exactly_the_quality_floor() -> None:
    assert best(FIT) == "other/small"


def test_the_cheapest_wins_and_ties_go_by_id() -> None:
    dearer = replace(FIT, id="other/a-dearer", price=Price(2e-6, 5e-6))
    twin = replace(FIT, id="other/twin")
    assert best(dearer, twin, FIT) == "other/small"


@pytest.mark.parametrize(
    "flaw",
    [
        {"intelligence_index": 37.9},
        {"intelligence_index": None},
        {"context_length": 99_999},
        {"context_length": 0},
        {"input_modalities": frozenset({"text"})},
        {"output_modalities": frozenset({"image"})},
        {"parameters": frozenset({"seed"})},
        {"id": "other/small-preview"},
        {"name": "Small (beta)"},
        {"id": "stealth/small"},
        {"id": "other/small:batch"},
        {"id": "other/small:free"},
        {"price": Price(0.0, 0.0)},
        {"price": Price(None, None)},
        {"id": "openrouter/auto"},
        {"alias_of": "other/small-1"},
        {"expires": date(2027, 2, 18)},
        {"expires": date(2026, 1, 1)},
        {"price": Price(10e-6, 1e-6)},
    ],
)
def test_each_flaw_rules_a_model_out(flaw: dict[str, Any]) -> None:
    assert best(replace(FIT, **flaw)) is None


def test_expiring_after_180_days_is_far_enough() -> None:
    assert best(replace(FIT, expires=date(2027, 2, 19))) == "other/small"


@pytest.mark.parametrize(
    "gap", [{"intelligence_index": None}, {"context_length": 0}, {"input_modalities": frozenset()}]
)
def test_nothing_is_chosen_for_a_model_of_unknown_ability(gap: dict[str, Any]) -> None:
    assert best(FIT, current=replace(CURRENT, **gap)) is None


def test_batch_traffic_may_move_to_batch() -> None:
    current = replace(CURRENT, id="acme/big:batch")
    assert best(replace(FIT, id="other/small:batch"), current=current) == "other/small:batch"


def test_it_must_be_cheaper_than_today() -> None:
    assert best(FIT, below_usd=1.0) is None
    assert best(FIT, below_usd=1.01) == "other/small"


def test_the_quality_floor_can_be_set() -> None:
    weak = replace(FIT, intelligence_index=20.0)
    found = best_candidate(CURRENT, Catalog((weak,)), NOW, cost_usd=cost_usd, below_usd=10, quality_floor=0.5)
    assert found is weak
