"""What the kinds say where they are asked outside a run, or of what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from world import catalog, hash_of, model

from orpolicy.account import ApiKey, Directory, KeyFacts, Listing
from orpolicy.finding import Confidence
from orpolicy.period import Window
from orpolicy.rules.base import Measured, Row, Skip, Traffic
from orpolicy.rules.batch_tier import BatchTier
from orpolicy.rules.cheaper_model import CheaperModel
from orpolicy.rules.key_hygiene import KeyHygiene
from orpolicy.savings.estimate import estimate
from orpolicy.savings.levers import UseBatch
from orpolicy.totals import Cell, Totals

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
PRICES = catalog(
    model("acme/big", 10, 50), model("acme/big:batch", 5, 25), model("acme/plain", 10, 50),
    model("acme/gift", 0, 0), model("acme/gift:batch", 0, 0),
)  # fmt: skip


def totals(usd: float = 100.0, prompt: int = 5_000_000) -> Totals:
    return Totals(
        {
            "total_usage": usd,
            "request_count": 10,
            "tokens_prompt": prompt,
            "tokens_completion": 1_000_000,
            "cached_tokens": 0,
        }
    )


@pytest.mark.parametrize("rule", [CheaperModel(""), BatchTier()])
def test_without_a_catalogue_nothing_is_looked_up(rule: CheaperModel | BatchTier) -> None:
    row = Row({"api_key_id": "a", "model": "acme/big"}, totals(), MAY)
    assert rule.measure(row, Traffic(totals())) is Skip.UNLISTED


def test_without_a_listing_no_key_is_judged() -> None:
    row = Row({"api_key_id": "a"}, totals(), MAY)
    assert KeyHygiene(("limit",)).measure(row, Traffic(totals())) is Skip.NOT_APPLICABLE


def test_a_day_that_cannot_be_read_is_no_reason_to_call_a_key_unused() -> None:
    key = ApiKey("a", hash_of(1), facts=KeyFacts(1, "monthly", created_at="long ago", expires_at="never"))
    listing = Listing(Directory((key,)), (key,))
    row = Row({"api_key_id": "a"}, Totals({"total_usage": 0.0, "request_count": 0}), MAY)
    found = KeyHygiene(("unused", "expiry")).measure(row, Traffic(totals(), now=NOW, listing=listing))
    assert found == Measured(0.0)


def test_a_listing_knows_no_key_that_several_have_or_nobody() -> None:
    keys = (ApiKey("a", hash_of(1)), ApiKey("a", hash_of(2)), ApiKey("b", hash_of(3)))
    listing = Listing(Directory(keys), keys)
    assert [listing.key(name) for name in (None, "a", "z", "b", f"hash:{hash_of(2)}")] == [
        None, None, None, keys[2], keys[1],
    ]  # fmt: skip


def test_batch_prices_what_is_listed_and_says_what_is_not() -> None:
    # big: 100 USD at the standard price, 50 in the batch tier; 40 USD of plain have no batch tier.
    cells = (
        Cell("a", "acme/big", totals()),
        Cell("a", "acme/plain", totals(40.0)),
        Cell("a", None, totals(2.0)),
    )
    worth = estimate(UseBatch(), cells, totals(142.0), (), PRICES, 1.0, NOW)
    assert (worth.low, worth.expected, worth.high) == (50, 50, 50)
    assert worth.confidence is Confidence.PRICED
    assert "42.00 USD of the window count as 0: no batch tier" in worth.caveat


@pytest.mark.parametrize(
    ("name", "prices"), [("acme/big", None), ("acme/plain", PRICES), ("acme/gift", PRICES), ("x/y", PRICES)]
)
def test_batch_has_no_figure_without_two_prices(name: str, prices: object) -> None:
    found = None if prices is None else PRICES
    worth = estimate(UseBatch(), (Cell("a", name, totals()),), totals(), (), found, 1.0, NOW)
    assert worth.confidence is Confidence.UNKNOWN
    assert worth.expected is None
    assert worth.formula.startswith("unknown: no ")
