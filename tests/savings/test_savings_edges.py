"""Where a slip would hardly show: small dollars, exact limits, mixes of cells, the words of a figure."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sample_traffic import CATALOG, MTOK, NOW, TEXT, cell, figures, model, price, totals, worth

from orpolicy.catalog.model import Catalog, Model, Price, PriceTier
from orpolicy.finding import Confidence
from orpolicy.savings.billing import Tokens, mean_price, token_cost_usd
from orpolicy.savings.estimate import CellSaving, Estimate, estimate
from orpolicy.savings.levers import CutReasoning, CutSurcharge, Exposure, LeverKind, RaiseCacheHitRate, Swap
from orpolicy.savings.net import combine

BIG, LONG, NOCACHE = "acme/big-20260101", "acme/long-20260101", "acme/nocache-20260101"


class TestTokens:
    def test_every_part_is_added(self) -> None:
        one, other = Tokens(1, 2, 3, 4, requests=5), Tokens(10, 20, 30, 40, requests=50)
        assert one.plus(other) == Tokens(11, 22, 33, 44, requests=55)

    def test_more_tokens_in_as_many_requests(self) -> None:
        assert Tokens(1, 2, 3, 4, requests=5).scaled(2) == Tokens(2, 4, 6, 8, requests=5)

    def test_without_a_cache_nothing_is_written_either(self) -> None:
        assert Tokens(1, 2, 3, 4, requests=5).uncached() == Tokens(1, 2, 0, 0, requests=5)

    def test_a_prompt_that_was_cached_whole_has_no_fresh_token(self) -> None:
        cost = token_cost_usd(Price(1.0, 1.0, 0.5), (), Tokens(1, 0, 1, requests=1))
        assert cost is not None
        assert cost.mean == 0.5

    def test_the_price_of_a_request_has_a_mean_too(self) -> None:
        night = PriceTier(Price(None, None, request=0.3), utc_start=0, utc_end=360)
        mean = mean_price(Price(1.0, 1.0, request=0.1), (night,), 1.0)
        assert mean.request == pytest.approx(0.25 * 0.3 + 0.75 * 0.1)


def rivals(*models: Model) -> Catalog:
    return Catalog((model("acme/now", price(10, 10), index=50), *models), CATALOG.taken_at)


class TestCandidates:
    """The mix of all cells of a model decides, not that of one of them."""

    def chosen(self, catalogue: Catalog, *mixes: tuple[float, float, float, int]) -> str:
        cells = [
            cell(f"k{number}", "acme/now-20260101", totals(5_000.0, *mix[:3], requests=mix[3]))
            for number, mix in enumerate(mixes)
        ]
        return worth(Swap("", 1.0), *cells, whole=totals(10_000.0), catalogue=catalogue).replacement

    def test_prompt_and_completion_tokens(self) -> None:
        reads = model("acme/reads", price(1, 9), index=50)
        even = model("acme/even", price(4, 4), index=50)
        # alone the prompts go to reads (10 x 1 against 40); with the completions 10 + 90 against 80
        assert self.chosen(rivals(reads, even), (10, 0, 0, 9)) == "acme/reads"
        assert self.chosen(rivals(reads, even), (10, 0, 0, 9), (0, 10, 0, 9)) == "acme/even"
        assert self.chosen(rivals(reads, even), (0, 10, 0, 9), (10, 0, 0, 9)) == "acme/even"

    def test_cached_tokens(self) -> None:
        caches = model("acme/caches", price(2, 1, 0.1), index=50)
        plain = model("acme/plain", price(1.2, 1), index=50)
        # 4 x 2 + 16 x 0.1 against 20 x 1.2
        assert self.chosen(rivals(caches, plain), (10, 0, 8, 9), (10, 0, 8, 9)) == "acme/caches"

    def test_the_size_of_a_prompt(self) -> None:
        tiered = model("acme/tiered", price(1, 1), PriceTier(price(9, 9), 200_000), index=50)
        flat = model("acme/flat", price(3, 3), index=50)
        assert self.chosen(rivals(tiered, flat), (30, 0, 0, 100), (30, 0, 0, 100)) == "acme/flat"
        assert self.chosen(rivals(tiered, flat), (15, 0, 0, 100), (15, 0, 0, 100)) == "acme/tiered"


class TestSwapWords:
    def test_the_model_that_replaces_most_comes_first(self) -> None:
        huge = model("acme/huge", price(20, 60), index=60)
        giant = model("acme/giant", price(20, 60), index=40)
        rival = model("acme/rival", price(5, 20), index=60)
        small = model("acme/small", price(1, 1), index=40)
        catalogue = Catalog((huge, giant, rival, small, model("acme/last", price(9, 9), index=30)))
        low = model("acme/low", price(0.5, 0.5), index=30)
        found = worth(
            Swap("", 1.0),
            cell("a", "acme/huge-20260101", totals(6_000.0, 100, 50)),
            cell("b", "acme/giant-20260101", totals(4_000.0, 100, 50)),
            cell("c", "acme/giant-20260101", totals(4_000.0, 100, 50)),
            cell("d", "acme/last-20260101", totals(900.0, 50, 50)),
            whole=totals(14_900.0),
            catalogue=Catalog((*catalogue.models, low)),
        )
        assert found.replacement == "acme/small"
        assert "priced for the model that costs most; others: acme/rival, acme/low" in found.caveat
        assert "USD/Mtok) of acme/small, acme/rival, acme/low" in found.formula

    def test_one_model_has_no_others(self) -> None:
        found = worth(Swap("acme/mid", 1.0), cell("a", BIG, totals(500.0, 10, 1)))
        assert found.caveat == (
            "quality not measured on your task; at catalogue prices, which need not be what you are billed"
        )

    def test_what_costs_as_much_does_not_cost_more(self) -> None:
        # 1.15 x 100 x 1
        found = worth(Swap("acme/nocache", 1.0), cell("a", BIG, totals(1.15 * 100, 100, 0)))
        assert found.expected == pytest.approx(0)
        assert "would cost more" not in found.caveat

    def test_what_costs_more_is_added_up(self) -> None:
        # 1.15 x 100 x 1 - 15 = 100, twice
        cells = (cell("a", BIG, totals(15.0, 100, 0)), cell("b", BIG, totals(15.0, 100, 0)))
        found = worth(Swap("acme/nocache", 1.0), *cells, whole=totals(30.0))
        assert "acme/nocache would cost more (200.00 USD of the window)" in found.caveat

    def test_a_formula_shows_the_price_that_the_longer_prompt_pays(self) -> None:
        found = worth(Swap("acme/long", 0.0), cell("a", BIG, totals(100.0, 19, 0, requests=100)))
        assert found.formula.startswith("100.00 - 1.15 x (19 x 4) = ")

    def test_a_free_model_costs_nothing_in_the_formula(self) -> None:
        free = Catalog((*CATALOG.models, model("acme/gift", price(0, 0))))
        found = worth(Swap("acme/gift", 0.0), cell("a", BIG, totals(7.0, 3, 2)), catalogue=free)
        assert found.formula.startswith("7.00 - 1.15 x (3 x 0 + 2 x 0) = 7.00 USD")

    def test_a_model_with_half_a_price_cannot_be_priced(self) -> None:
        half = Catalog((*CATALOG.models, model("acme/half", price(1, None))))
        found = worth(Swap("acme/half", 5.0), cell("a", BIG, totals(7.0, 3, 2)), catalogue=half)
        assert (found.kind, found.confidence) == (LeverKind.SWAP, Confidence.BOUNDED)
        assert found.caveat == "acme/half has no price of its own in the catalogue"

    def test_why_nothing_is_priced(self) -> None:
        idle = worth(Swap("acme/mid", 5.0), cell("a", BIG, totals(7.0)))
        assert idle.caveat == "no tokens were billed, so another model could not be priced"
        alone = worth(Swap("", 5.0), cell("a", "acme/huge-20260101", totals(7.0, 1, 1)))
        assert alone.caveat == "no cheaper model of an equal benchmark index covers what it can do"

    def test_cents_are_bounded_as_dollars_are(self) -> None:
        cells = (cell("a", BIG, totals(0.3)), cell("b", BIG, totals(0.1)))
        found = worth(Swap("acme/gone", 0.2), *cells, whole=totals(0.4))
        assert [saving.high for saving in found.cells] == pytest.approx([0.15, 0.05])
        below = worth(Swap("acme/gone", -3.0), *cells, whole=totals(0.4))
        assert figures(below) == (0, 0, 0)

    def test_the_clock_leaves_out_what_expires(self) -> None:
        soon = Model(
            "acme/soon", "acme/soon-20260101", "acme/soon", price(1, 1), expires=NOW.date(),
            context_length=200_000, input_modalities=TEXT, output_modalities=TEXT, intelligence_index=50,
        )  # fmt: skip
        found = worth(
            Swap("", 5.0), cell("a", "acme/now-20260101", totals(70.0, 3, 2)), catalogue=rivals(soon)
        )
        assert found.confidence is Confidence.BOUNDED


class TestCache:
    def high(self, own: float, *others: float, model_id: str = BIG) -> float:
        """What 100 Mtok of prompts may save at most, by the hit rates of the other keys."""
        mine = cell("me", model_id, totals(5_000.0, 100, 1, 100 * own))
        peers = [
            cell(f"k{number}", model_id, totals(9.0, 10, 1, 10 * rate)) for number, rate in enumerate(others)
        ]
        return figures(worth(RaiseCacheHitRate(0.3), mine, peers=(mine, *peers)))[2]

    def test_the_best_other_key_is_the_aim(self) -> None:
        assert self.high(0.1, 0.4, 0.7, 0.5) == pytest.approx(100 * 0.6 * 9)
        # no other key reaches the target: what is expected at it, with 2.5 more for each write of five reads
        assert self.high(0.1, 0.2, 0.15, 0.25) == pytest.approx(100 * 0.2 * (9 - 2.5 / 5))
        assert self.high(0.25, 0.2, 0.75) == pytest.approx(100 * 0.5 * 9)

    def test_one_key_may_have_several_cells(self) -> None:
        mine = cell("me", BIG, totals(5_000.0, 100, 1, 10))
        peers = [cell("other", BIG, totals(9.0, 10, 1, hits)) for hits in (6, 4)]
        assert figures(worth(RaiseCacheHitRate(0.3), mine, peers=peers))[2] == pytest.approx(100 * 0.5 * 9)

    def test_a_peer_whose_counts_are_unknown_is_no_aim(self) -> None:
        mine = cell("me", BIG, totals(5_000.0, 100, 1, 10))
        peers = (cell("x", BIG, totals(9.0, 10, 1, None)), cell("y", BIG, totals(9.0, None, 1, 9)))
        assert figures(worth(RaiseCacheHitRate(0.3), mine, peers=peers))[2] == pytest.approx(100 * 0.2 * 9)

    def test_a_key_at_the_target_has_nothing_to_gain(self) -> None:
        assert self.high(0.3, 0.7) == 0

    def test_long_prompts_save_at_their_own_price(self) -> None:
        # 300,000 tokens a request: 4 and 0.4
        found = worth(RaiseCacheHitRate(0.3), cell("a", LONG, totals(500.0, 30, 1, requests=100)))
        assert figures(found) == pytest.approx((30 * 0.3 * 3.6,) * 3)
        assert found.formula.startswith("30 x (0.3 - 0) x (4 - 0.4) = 32.40 USD a month; ")
        assert (
            "Mtok prompt x hit rate x USD/Mtok (prompt - cached - extra for writing / reads per write)"
            in found.formula
        )

    def test_what_cannot_be_priced_is_said(self) -> None:
        lever = RaiseCacheHitRate(0.3)
        none = worth(lever, cell("a", BIG, totals(5.0, 1, 1)), catalogue=None)
        assert none.formula == "unknown: no catalogue, so cached tokens have no price"
        plain = cell("a", NOCACHE, totals(0.5, 1, 1))
        assert worth(lever, plain).formula == (
            "unknown: no cache-read price or no token counts for this traffic"
        )
        some = worth(lever, plain, cell("b", BIG, totals(5.0, 1, 1)), whole=totals(5.5))
        assert some.caveat == (
            "at catalogue prices, which need not be what you are billed; "
            "0.50 USD of the window count as 0: no cache-read price or no token counts"
        )
        free = worth(lever, cell("a", NOCACHE, totals(0.0, 1, 1)), cell("b", BIG, totals(5.0, 1, 1)))
        assert "count as 0" not in free.caveat


class TestReasoning:
    def test_long_prompts_think_at_their_own_price(self) -> None:
        # half of 6 Mtok is above the share, at 20 instead of 10
        usage = totals(500.0, 30, 12, reasoning=6, requests=100)
        found = worth(CutReasoning(0.25), cell("a", LONG, usage))
        assert figures(found) == pytest.approx((0, 0, 60))
        assert found.formula.startswith("6 x 0.5 x 20 = up to 60.00 USD a month; ")
        assert "Mtok reasoning x share above the allowed one x USD/Mtok completion" in found.formula

    def test_what_cannot_be_priced_is_said(self) -> None:
        strange = cell("a", "acme/unlisted", totals(0.5, 1, 1, reasoning=1))
        assert worth(CutReasoning(0.1), strange).formula == (
            "unknown: no completion price or no count of reasoning tokens for this traffic"
        )
        some = worth(
            CutReasoning(0.1), strange, cell("b", BIG, totals(5.0, 1, 1, reasoning=1)), whole=totals(5.5)
        )
        assert some.caveat.endswith(
            "0.50 USD of the window count as 0: no completion price or no count of reasoning tokens"
        )


class TestSurcharge:
    LEVER = CutSurcharge(("usage_web",), 0.1)

    def test_cents_count(self) -> None:
        found = worth(self.LEVER, cell("a", BIG, totals(0.5, usage_web=0.4)))
        assert figures(found) == pytest.approx((0.35, 0.35, 0.35))
        assert found.caveat == "an upper bound: requests that need the extra keep paying for it"

    def test_cells_that_know_less_than_the_whole_save_no_more_than_they_spent(self) -> None:
        found = worth(
            self.LEVER, cell("a", BIG, totals(100.0, usage_web=4.0)), whole=totals(90.0, usage_web=30.0)
        )
        assert figures(found) == pytest.approx((4, 4, 4))


class TestSmallAmounts:
    def test_exposure_and_what_is_unknown(self) -> None:
        found = worth(Exposure(0.4), cell("a", BIG, totals(0.5)), factor=2)
        assert found.formula == "exposure, not savings: 0.80 USD a month above the threshold"
        assert found.spend_usd_per_month == 1.0

    def test_a_month_of_more_traffic_than_the_cells_hold(self) -> None:
        found = worth(Swap("acme/mid", 0.0), cell("a", BIG, totals(0.4, 0.01)), whole=totals(30.0), factor=4)
        assert found.spend_usd_per_month == 120
        assert found.cells[0].spend_usd_per_month == 1.6

    @pytest.mark.parametrize(("count", "more"), [(3, ""), (4, " + 1 more"), (5, " + 2 more")])
    def test_three_terms_are_shown(self, count: int, more: str) -> None:
        cells = [cell(f"k{number}", BIG, totals(900.0, 10 + number, 1)) for number in range(count)]
        formula = worth(Swap("acme/mid", 0.0), *cells, whole=totals(900.0 * count)).formula
        assert formula.partition(" = ")[0].count("900.00 - ") == 3
        assert formula.partition(" = ")[0].endswith(f"+ 1 x 10){more}")

    def test_a_figure_without_arithmetic_has_no_equation(self) -> None:
        found = estimate(
            RaiseCacheHitRate(0.3),
            (cell("a", BIG, totals(9.0, 1, 1, 0.9)),),
            totals(9.0),
            (),
            CATALOG,
            1.0,
            NOW,
        )
        assert found.formula.startswith("0.00 USD a month; Mtok prompt")


def claim(kind: LeverKind, usd: float, spend_usd: float = 100.0) -> Estimate:
    saving = CellSaving("k", "m", spend_usd, usd, usd, usd)
    return Estimate(kind, Confidence.PRICED, (saving,), spend_usd, usd, usd, usd, formula="")


class TestNet:
    def test_each_lever_takes_from_what_all_before_it_left(self) -> None:
        kinds = (LeverKind.SURCHARGE, LeverKind.CACHE, LeverKind.SWAP, LeverKind.REASONING)
        net = combine({kind.name: claim(kind, 50) for kind in kinds})
        assert net.shares == {"SWAP": 50, "CACHE": 25, "REASONING": 12.5, "SURCHARGE": 6.25}
        assert all(before.value < after.value for before, after in pairwise(sorted(kinds)))

    def test_the_order_is_that_of_the_levers_even_where_a_later_one_claims_more(self) -> None:
        net = combine({"cache": claim(LeverKind.CACHE, 60), "swap": claim(LeverKind.SWAP, 50)})
        assert net.shares == {"swap": 50, "cache": 30}

    def test_cents_count(self) -> None:
        net = combine({"a": claim(LeverKind.SWAP, 0.5, 1.0), "b": claim(LeverKind.CACHE, 0.5, 1.0)})
        assert net.expected == 0.75


def test_the_tables_tokens_are_millions() -> None:
    assert totals(1.0, 2).prompt_tokens == 2 * MTOK


def test_cents_are_not_rounded_up_to_a_dollar() -> None:
    # 0.1 Mtok of prompts for USD 1.00; the other costs 0.50 as it is, then 1.15 and 1.3 times that
    cents = cell("k", "acme/now-20260101", totals(1.0, 0.1, requests=9))
    found = worth(Swap("acme/half", 1.0), cents, catalogue=rivals(model("acme/half", price(5, 5), index=50)))
    assert figures(found) == pytest.approx((1 - 0.5 * 1.3, 1 - 0.5 * 1.15, 0.5))
