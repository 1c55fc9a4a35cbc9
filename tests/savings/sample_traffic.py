"""A small made-up catalogue, and traffic to price with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orpolicy.catalog.model import Catalog, Model, Price, PriceTier
from orpolicy.savings.estimate import Estimate, estimate
from orpolicy.totals import Cell, Totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.savings.levers import Lever

NOW = datetime(2026, 8, 22, tzinfo=UTC)
TEXT = frozenset({"text"})
MTOK = 1_000_000


def price(
    prompt: float | None, completion: float | None, read: float | None = None, write: float | None = None
) -> Price:
    """From USD per million tokens."""
    values = (None if value is None else value / MTOK for value in (prompt, completion, read, write))
    return Price(*values)


def model(
    model_id: str, usd: Price, *tiers: PriceTier, index: float | None = None, context: int = 200_000
) -> Model:
    return Model(
        model_id,
        f"{model_id}-20260101",
        model_id,
        usd,
        tiers,
        context_length=context,
        input_modalities=TEXT,
        output_modalities=TEXT,
        intelligence_index=index,
    )


CATALOG = Catalog(
    (
        model("acme/big", price(10, 50, 1, 12.5), index=50),
        model("acme/mid", price(2, 10, 0.2), index=48),
        model("acme/long", price(2, 10, 0.2), PriceTier(price(4, 20, 0.4), 200_000)),
        model("acme/night", price(1, 4, 0.5), PriceTier(price(3, 8), utc_start=0, utc_end=360)),
        model("acme/nocache", price(1, 2), index=30),
        model("acme/stale", price(1, 2, 3)),
        model("acme/huge", price(20, 60), index=60, context=2_000_000),
        model("openrouter/auto", price(None, None)),
    ),
    datetime(2026, 8, 8, tzinfo=UTC),
)


def totals(
    spend: float,
    prompt: float | None = 0,
    completion: float | None = 0,
    cached: float | None = 0,
    reasoning: float | None = 0,
    *,
    requests: int = 1000,
    **more: float | None,
) -> Totals:
    """Tokens in millions."""
    tokens = {
        "tokens_prompt": prompt,
        "tokens_completion": completion,
        "cached_tokens": cached,
        "reasoning_tokens": reasoning,
    }
    counts = {name: None if value is None else round(value * MTOK) for name, value in tokens.items()}
    return Totals({"total_usage": spend, "request_count": requests, **counts, **more})


def cell(key: str | None, name: str | None, traffic: Totals) -> Cell:
    return Cell(key, name, traffic)


def worth(
    lever: Lever,
    *cells: Cell,
    whole: Totals | None = None,
    peers: Sequence[Cell] = (),
    catalogue: Catalog | None = CATALOG,
    factor: float = 1.0,
) -> Estimate:
    """The estimate of one cell's traffic, or of ``whole``."""
    return estimate(lever, cells, whole or cells[0].totals, peers, catalogue, factor, NOW)


def figures(found: Estimate) -> tuple[float, float, float]:
    assert found.low is not None
    assert found.expected is not None
    assert found.high is not None
    return found.low, found.expected, found.high
