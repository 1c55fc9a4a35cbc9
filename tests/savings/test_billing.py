from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_traffic import CATALOG, price, totals

from orpolicy.catalog.load import load_catalog
from orpolicy.catalog.model import Price, PriceTier
from orpolicy.savings.billing import Tokens, mean_price, token_cost_usd

SHARED = Path(__file__).parents[3] / "shared" / "data"
FULL = price(10, 50, 1, 12.5)


def test_the_billed_cost_of_464_real_requests() -> None:
    """What was billed beyond the tokens is the web search that the record names."""
    models, requests = SHARED / "models" / "models-2026-08-08.json", SHARED / "requests"
    if not models.exists() or not requests.exists():
        pytest.skip(f"public data is not here: {SHARED}")
    catalog = load_catalog(models)
    lines = (requests / "real-requests-2026-08.jsonl").read_text().splitlines()
    web_usd = {item["generation_id"]: item["usage_web"] or 0.0 for item in map(json.loads, lines)}
    checked = 0
    with (requests / "real-requests-2026-08.csv").open(newline="") as file:
        for item in csv.DictReader(file):
            if not item["served_model"].startswith(("x-ai/grok", "google/gemini", "anthropic/claude")):
                continue
            model = catalog.find(item["served_model"])
            assert model is not None
            tokens = Tokens(
                int(item["prompt_tokens"]),
                int(item["completion_tokens"]),
                int(item["cached_tokens"]),
                int(item["cache_write_tokens"] or 0),
            )
            cost = token_cost_usd(model.price, model.tiers, tokens)
            assert cost is not None
            billed = float(item["cost"]) - web_usd[item["generation_id"]]
            assert cost.mean == pytest.approx(billed, abs=1e-9)
            assert cost.mean == pytest.approx(float(item["upstream_cost"]), abs=1e-9)
            checked += 1
    assert checked == 464


def test_each_component_at_its_own_price() -> None:
    tokens = Tokens(prompt=1000, completion=100, cached=300, written=200, requests=2)
    cost = token_cost_usd(FULL, (), tokens)
    assert cost is not None
    assert (cost.least, cost.mean, cost.most) == pytest.approx((0.0128, 0.0128, 0.0128))


def test_a_price_by_request() -> None:
    cost = token_cost_usd(Price(1e-6, 1e-6, request=0.01), (), Tokens(1000, 0, requests=3))
    assert cost is not None
    assert cost.mean == pytest.approx(0.031)


def test_cached_and_written_tokens_without_a_price_cost_as_prompt() -> None:
    cost = token_cost_usd(price(10, 50), (), Tokens(1000, 0, cached=400, written=100))
    assert cost is not None
    assert cost.mean == pytest.approx(0.01)


@pytest.mark.parametrize("usd", [price(None, 1), price(1, None), price(None, None)])
def test_no_price_no_cost(usd: Price) -> None:
    assert token_cost_usd(usd, (), Tokens(1, 1)) is None


def test_an_hour_without_a_price_leaves_the_day_without_one() -> None:
    tier = PriceTier(price(None, 2), utc_start=0, utc_end=60)
    assert token_cost_usd(price(None, 1), (tier,), Tokens(1, 1)) is None


@pytest.mark.parametrize(
    ("prompt", "requests", "usd"),
    [(400_000, 2, 0.8), (400_002, 2, 1.600008), (200_001, 0, 0.800004), (2_000_000, 10, 4.0)],
)
def test_the_mean_prompt_size_picks_the_tier(prompt: float, requests: float, usd: float) -> None:
    model = CATALOG.find("acme/long")
    assert model is not None
    cost = token_cost_usd(model.price, model.tiers, Tokens(prompt, 0, requests=requests))
    assert cost is not None
    assert cost.mean == pytest.approx(usd)


def test_hours_spread_the_cost() -> None:
    model = CATALOG.find("acme/night")
    assert model is not None
    cost = token_cost_usd(model.price, model.tiers, Tokens(1e6, 1e6))
    assert cost is not None
    assert (cost.least, cost.mean, cost.most) == pytest.approx((5.0, 6.5, 11.0))


def test_the_mean_price_of_the_day() -> None:
    model = CATALOG.find("acme/night")
    assert model is not None
    mean = mean_price(model.price, model.tiers, 1)
    assert mean.prompt == pytest.approx(1.5e-6)
    assert mean.completion == pytest.approx(5e-6)
    assert mean.cache_read == pytest.approx(0.5e-6)
    assert mean.cache_write is None


@pytest.mark.parametrize("gap", ["prompt", "completion", "cached"])
def test_tokens_that_are_not_counted_are_not_invented(gap: str) -> None:
    counts: dict[str, Any] = {"prompt": 1, "completion": 1, "cached": 1}
    assert Tokens.of(totals(1.0, **(counts | {gap: None}))) is None


def test_tokens_of_traffic() -> None:
    assert Tokens.of(totals(1.0, 3, 2, 1, requests=7)) == Tokens(3e6, 2e6, 1e6, requests=7)
    assert Tokens.of(totals(1.0, 1, 2, 5)) == Tokens(1e6, 2e6, 1e6, requests=1000)


counts = st.integers(0, 10**9).map(float)


@settings(deadline=None)
@given(counts, counts, st.floats(0, 1), st.floats(0.01, 100))
def test_cost_is_linear_in_prices(prompt: float, completion: float, rate: float, k: float) -> None:
    tokens = Tokens(prompt, completion, prompt * rate)
    once = token_cost_usd(price(10, 50, 1), (), tokens)
    scaled = token_cost_usd(price(10 * k, 50 * k, 1 * k), (), tokens)
    assert once is not None
    assert scaled is not None
    assert scaled.mean == pytest.approx(once.mean * k)


@settings(deadline=None)
@given(counts, counts, st.floats(0, 1))
def test_no_hit_never_costs_less_than_hits_at_a_lower_price(
    prompt: float, completion: float, rate: float
) -> None:
    tokens = Tokens(prompt, completion, prompt * rate)
    hits, none = token_cost_usd(FULL, (), tokens), token_cost_usd(FULL, (), tokens.uncached())
    assert hits is not None
    assert none is not None
    assert hits.mean <= none.mean * (1 + 1e-12)
