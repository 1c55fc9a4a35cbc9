"""Hand-computed figures for every lever; tokens in millions, prices in USD per million."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sample_traffic import CATALOG, cell, figures, model, price, totals, worth

from orpolicy.catalog.model import Catalog
from orpolicy.finding import Confidence
from orpolicy.savings.levers import (
    CutReasoning,
    CutSurcharge,
    Exposure,
    Lever,
    LeverKind,
    RaiseCacheHitRate,
    Swap,
)

if TYPE_CHECKING:
    from orpolicy.totals import Totals

BIG = "acme/big-20260101"
USUAL = totals(5000.0, 800, 60, 80, requests=100_000)
"""800 Mtok prompt of which 80 cached, 60 completion: 8,000 prompt tokens a request."""


class TestSwap:
    def test_the_named_replacement(self) -> None:
        found = worth(Swap("acme/mid", 3000.0), cell("batch", BIG, USUAL))
        # low 1.3 x (800 x 2 + 60 x 10), expected 1.15 x (720 x 2 + 80 x 0.2 + 600), high the same x 1
        assert figures(found) == pytest.approx((5000 - 2860, 5000 - 2364.4, 5000 - 2056))
        assert (found.kind, found.confidence, found.replacement) == (
            LeverKind.SWAP,
            Confidence.PRICED,
            "acme/mid",
        )
        assert found.formula == (
            "5,000.00 - 1.15 x (720 x 2 + 80 x 0.2 + 60 x 10) = 2,635.60 USD a month; "
            "USD today - more tokens x (Mtok x USD/Mtok) of acme/mid; catalogue of 2026-08-08"
        )
        assert "quality not measured on your task" in found.caveat
        (saving,) = found.cells
        assert (saving.key, saving.model, saving.spend_usd_per_month) == ("batch", BIG, 5000)

    def test_surcharges_stay(self) -> None:
        extras = totals(5000.0, 800, 60, 80, usage_web=200.0, usage_web_fetch=60.0, usage_file=40.0)
        found = worth(Swap("acme/mid", 0.0), cell("batch", BIG, extras))
        assert figures(found) == pytest.approx((1840, 2335.6, 2644))

    def test_cached_tokens_cost_as_prompt_without_a_cache_read_price(self) -> None:
        found = worth(Swap("acme/nocache", 0.0), cell("batch", BIG, USUAL))
        # 800 x 1 + 60 x 2 = 920
        assert figures(found) == pytest.approx((5000 - 1196, 5000 - 1058, 5000 - 920))
        assert "(720 x 1 + 80 x 1 + 60 x 2)" in found.formula

    def test_long_prompts_pay_the_higher_tier_and_longer_texts_reach_it_sooner(self) -> None:
        # 190,000 tokens a request: only with 15 % more of them above 200,000
        usage = totals(100.0, 19, 0, requests=100)
        found = worth(Swap("acme/long", 0.0), cell("batch", BIG, usage))
        assert figures(found) == pytest.approx((100 - 1.3 * 19 * 4, 100 - 1.15 * 19 * 4, 100 - 19 * 2))

    def test_hours_widen_the_range(self) -> None:
        # a quarter of the day at 3/8, the rest at 1/4
        found = worth(Swap("acme/night", 0.0), cell("batch", BIG, totals(100.0, 2, 1)))
        assert figures(found) == pytest.approx((100 - 1.3 * 14, 100 - 1.15 * 8, 100 - 6))

    def test_a_swap_that_costs_more_says_so(self) -> None:
        found = worth(Swap("acme/huge", 0.0), cell("batch", BIG, USUAL))
        assert figures(found) == (0, 0, 0)
        # 1.15 x (800 x 20 + 60 x 60) - 5000 = 17,540
        assert "where acme/huge would cost more (17,540.00 USD of the window), 0 is counted" in found.caveat
        assert found.formula.startswith("max(0, 5,000.00 - 1.15 x (")

    def test_a_cell_already_there_saves_nothing(self) -> None:
        there = cell("batch", "acme/mid-20260101", totals(1000.0, 10, 1))
        found = worth(Swap("acme/mid", 0.0), cell("batch", BIG, USUAL), there, whole=totals(6000.0))
        assert [saving.expected for saving in found.cells] == pytest.approx([2635.6, 0])
        assert found.spend_usd_per_month == 6000
        assert "cost more" not in found.caveat

    def test_a_window_becomes_a_month(self) -> None:
        found = worth(Swap("acme/mid", 0.0), cell("batch", BIG, USUAL), factor=2.0)
        assert figures(found) == pytest.approx((4280, 5271.2, 5888))
        assert found.cells[0].spend_usd_per_month == found.spend_usd_per_month == 10_000
        assert " x (720 x 2 + 80 x 0.2 + 60 x 10)) x 2 = 5,271.20 USD a month" in found.formula

    @pytest.mark.parametrize("name", ["acme/gone", "openrouter/auto"])
    def test_a_replacement_without_a_price_is_bounded_and_said(self, name: str) -> None:
        cells = (cell("a", BIG, totals(300.0, 1, 1)), cell("b", BIG, totals(100.0, 1, 1)))
        found = worth(Swap(name, 200.0), *cells, whole=totals(400.0))
        assert figures(found) == (0, 0, 200)
        assert [saving.high for saving in found.cells] == [150, 50]
        assert (found.confidence, found.replacement) == (Confidence.BOUNDED, "")
        assert found.formula == "up to 200.00 USD a month; the spend above the threshold"
        assert name in found.caveat

    @pytest.mark.parametrize(("name", "said"), [("", "no candidate"), ("acme/mid", "acme/mid could not")])
    def test_without_a_catalogue_it_is_bounded(self, name: str, said: str) -> None:
        found = worth(Swap(name, 9000.0), cell("a", BIG, USUAL), catalogue=None)
        assert figures(found) == (0, 0, 5000)
        assert found.caveat.startswith(f"no catalogue: {said}")

    def test_the_best_candidate_is_chosen(self) -> None:
        found = worth(Swap("", 10.0), cell("batch", BIG, USUAL))
        assert found.replacement == "acme/mid"
        assert found.expected == pytest.approx(2635.6)
        assert "quality not measured on your task" in found.caveat

    def test_a_candidate_must_save_even_with_more_tokens(self) -> None:
        usage = totals(2364.0, 800, 60, 80, requests=100_000)
        found = worth(Swap("", 10.0), cell("batch", BIG, usage))
        assert (found.confidence, found.high) == (Confidence.BOUNDED, 10)

    def test_each_model_has_its_own_candidate(self) -> None:
        huge = model("acme/huge", price(20, 60), index=60, context=2_000_000)
        rival = model("acme/rival", price(5, 20), index=60, context=2_000_000)
        weak = cell("c", "acme/nocache-20260101", totals(50.0, 1, 1))
        catalogue = Catalog((*CATALOG.models, rival))
        found = worth(
            Swap("", 10.0),
            cell("a", huge.permaslug, totals(9000.0, 100, 100)),
            cell("b", BIG, USUAL),
            weak,
            cell("d", "acme/unlisted", totals(5.0, 1, 1)),
            cell("e", None, totals(5.0, 1, 1)),
            cell("f", BIG, totals(7.0, None)),
            cell("g", BIG, totals(9.0)),
            whole=totals(14_060.0),
            catalogue=catalogue,
        )
        assert found.replacement == "acme/rival"
        # 9000 - 1.15 x (100 x 5 + 100 x 20); then acme/mid for acme/big; 1.15 x (2 + 10) for the weak one
        assert [saving.expected for saving in found.cells] == pytest.approx(
            [6125, 2635.6, 50 - 13.8, 0, 0, 0, 0]
        )
        assert "10.00 USD of the window count as 0: no cheaper model" in found.caveat
        assert "16.00 USD of the window count as 0: no tokens, or they are not counted" in found.caveat
        assert "others: acme/mid" in found.caveat

    def test_no_candidate_is_bounded(self) -> None:
        found = worth(Swap("", 30.0), cell("a", "acme/unlisted", totals(50.0, 1, 1)))
        assert (found.confidence, figures(found)) == (Confidence.BOUNDED, (0, 0, 30))
        assert "quality" not in found.caveat

    @pytest.mark.parametrize("name", ["", "acme/mid"])
    def test_uncounted_tokens_give_no_figure(self, name: str) -> None:
        found = worth(Swap(name, 30.0), cell("a", BIG, totals(50.0, 1, 1, cached=None)))
        assert (found.kind, found.confidence) == (None, Confidence.UNKNOWN)
        assert (found.low, found.expected, found.high, found.cells) == (None, None, None, ())
        assert found.formula == "unknown: the source does not count prompt, completion and cached tokens here"

    @pytest.mark.parametrize("name", ["", "acme/mid"])
    def test_what_is_billed_without_tokens_is_not_priced_as_free(self, name: str) -> None:
        found = worth(Swap(name, 30.0), cell("a", BIG, totals(50.0, 0, 0)))
        assert (found.confidence, figures(found)) == (Confidence.BOUNDED, (0, 0, 30))
        assert "no tokens were billed" in found.caveat

    def test_traffic_without_cells(self) -> None:
        found = worth(Swap("acme/mid", 30.0), whole=USUAL)
        assert figures(found) == pytest.approx((2140, 2635.6, 2944))
        assert found.cells == ()
        assert worth(Swap("", 30.0), whole=USUAL).confidence is Confidence.BOUNDED

    def test_nothing_spent_nothing_saved(self) -> None:
        assert figures(worth(Swap("", 30.0), cell("a", BIG, totals(0.0)))) == (0, 0, 0)
        found = worth(Swap("acme/mid", 30.0), cell("a", BIG, totals(0.0, 1)))
        assert figures(found) == (0, 0, 0)
        assert found.formula.startswith("max(0, 0.00 - 1.15 x (1 x 2)) = 0.00 USD a month")

    def test_only_the_largest_terms_are_shown(self) -> None:
        cells = [cell(f"k{n}", BIG, totals(100.0 * n, 1, 1)) for n in range(1, 6)]
        found = worth(Swap("acme/mid", 0.0), *cells, whole=totals(1500.0))
        assert found.formula.startswith("500.00 - 1.15 x (1 x 2 + 1 x 10) + 400.00 - 1.15")
        assert " + 2 more = 1,431.00 USD a month" in found.formula


class TestCache:
    def test_the_three_cases(self) -> None:
        peers = (
            cell("batch", BIG, totals(1.0, 10, 0, 9)),
            cell("other", BIG, totals(1.0, 10, 0, 5)),
            cell("third", "acme/mid-20260101", totals(1.0, 10, 0, 7)),
            cell("fourth", BIG, totals(1.0, 10, 0, None)),
            cell("fifth", BIG, totals(1.0, None, 0, 5)),
            cell("sixth", BIG, totals(1.0, 0, 0, 0)),
        )
        found = worth(RaiseCacheHitRate(0.3), cell("batch", BIG, USUAL), peers=peers)
        # 800 x (0.3 - 0.1) x (9 - 2.5 / 2), x (9 - 2.5 / 5); 800 x (0.5 - 0.1) x 9
        assert figures(found) == pytest.approx((1240, 1360, 2880))
        assert (found.kind, found.confidence) == (LeverKind.CACHE, Confidence.PRICED)
        assert found.formula.startswith("800 x (0.3 - 0.1) x (10 - 1 - 2.5 / 5) = 1,360.00 USD a month; ")
        assert found.formula.endswith("catalogue of 2026-08-08")

    def test_the_best_rate_stops_at_eight_tenths(self) -> None:
        peers = (cell("other", BIG, totals(1.0, 100, 0, 99)),)
        usage = totals(9000.0, 800, 60, 80, requests=100_000)
        found = worth(RaiseCacheHitRate(0.3), cell("batch", BIG, usage), peers=peers)
        assert found.high == pytest.approx(800 * 0.7 * 9)

    @pytest.mark.parametrize("rates", [(), (0.2,), (0.05,)])
    def test_the_target_is_the_least_that_high_assumes(self, rates: tuple[float, ...]) -> None:
        peers = [cell("other", BIG, totals(1.0, 100, 0, 100 * rate)) for rate in rates]
        found = worth(RaiseCacheHitRate(0.3), cell("batch", BIG, USUAL), peers=peers)
        assert found.high == pytest.approx(1440 if not rates else max(800 * (rates[0] - 0.1) * 9, 1360))

    def test_no_dearer_writes_no_deduction(self) -> None:
        found = worth(RaiseCacheHitRate(0.5), cell("a", "acme/mid-20260101", totals(900.0, 100, 1, 0)))
        assert figures(found) == pytest.approx((90, 90, 90))
        assert "x (2 - 0.2) =" in found.formula

    def test_the_source_may_know_what_is_possible(self) -> None:
        usage = totals(5000.0, 800, 60, 80, requests=100_000, possible_cached_tokens=160 * 10**6)
        found = worth(RaiseCacheHitRate(0.3), cell("batch", BIG, usage))
        assert figures(found) == pytest.approx((80 * 7.75, 80 * 8.5, 80 * 9))

    def test_hours_widen_the_range(self) -> None:
        found = worth(RaiseCacheHitRate(0.5), cell("a", "acme/night-20260101", totals(900.0, 100, 1, 0)))
        assert figures(found) == pytest.approx((25, 50, 125))

    def test_a_cell_at_its_target_saves_nothing(self) -> None:
        done = cell("b", BIG, totals(10.0, 10, 1, 3))
        empty = cell("c", BIG, totals(1.0, 0, 1, 0))
        found = worth(RaiseCacheHitRate(0.3), cell("a", BIG, USUAL), done, empty, whole=totals(5011.0))
        assert [saving.expected for saving in found.cells] == pytest.approx([1360, 0, 0])
        assert found.cells[1].high == found.cells[2].high == 0

    def test_savings_stop_at_the_spend(self) -> None:
        found = worth(RaiseCacheHitRate(0.5), cell("a", BIG, totals(1.0, 100, 1, 0)))
        assert figures(found) == (1, 1, 1)

    def test_reading_that_costs_more_than_asking_saves_nothing(self) -> None:
        found = worth(RaiseCacheHitRate(0.5), cell("a", "acme/stale-20260101", totals(9.0, 1, 1, 0)))
        assert figures(found) == (0, 0, 0)
        assert found.formula.startswith("max(0, 1 x (0.5 - 0) x (1 - 3)) = 0.00 USD")

    @pytest.mark.parametrize(
        ("name", "usage"),
        [
            ("acme/nocache-20260101", totals(9.0, 1, 1, 0)),
            ("openrouter/auto", totals(9.0, 1, 1, 0)),
            ("acme/unlisted", totals(9.0, 1, 1, 0)),
            (None, totals(9.0, 1, 1, 0)),
            (BIG, totals(9.0, 1, 1, None)),
        ],
    )
    def test_without_price_or_counts_there_is_no_figure(self, name: str | None, usage: Totals) -> None:
        found = worth(RaiseCacheHitRate(0.3), cell("a", name, usage))
        assert (found.confidence, found.expected) == (Confidence.UNKNOWN, None)
        assert "no cache-read price or no token counts" in found.formula

    def test_what_has_no_price_is_left_out_and_said(self) -> None:
        found = worth(
            RaiseCacheHitRate(0.3),
            cell("a", BIG, USUAL),
            cell("b", "acme/unlisted", totals(12.0, 1, 1)),
            whole=totals(5012.0),
        )
        assert found.expected == pytest.approx(1360)
        assert "12.00 USD of the window count as 0" in found.caveat

    def test_without_catalogue_or_cells_there_is_no_figure(self) -> None:
        assert "no catalogue" in worth(RaiseCacheHitRate(0.3), cell("a", BIG, USUAL), catalogue=None).formula
        assert worth(RaiseCacheHitRate(0.3), whole=USUAL).confidence is Confidence.UNKNOWN


class TestReasoning:
    def test_tokens_above_the_share_bound_it(self) -> None:
        found = worth(CutReasoning(0.5), cell("a", BIG, totals(5000.0, 10, 60, 0, 40)))
        # (40 - 0.5 x 60) x 50
        assert figures(found) == pytest.approx((0, 0, 500))
        assert (found.kind, found.confidence) == (LeverKind.REASONING, Confidence.BOUNDED)
        assert found.formula.startswith("40 x 0.25 x 50 = up to 500.00 USD a month; ")

    def test_the_share_is_the_findings(self) -> None:
        cells = (
            cell("a", BIG, totals(5000.0, 10, 60, 0, 60)),
            cell("b", BIG, totals(5000.0, 10, 40, 0, 20)),
            cell("c", "acme/mid-20260101", totals(1000.0, 1, 0, 0, 0)),
        )
        found = worth(CutReasoning(0.5), *cells, whole=totals(11_000.0))
        # 80 of 100 think, 30 too many; three quarters of them on the first key
        assert [saving.high for saving in found.cells] == pytest.approx([1125, 375, 0])

    def test_the_dearest_hours_bound_it(self) -> None:
        found = worth(CutReasoning(0.5), cell("a", "acme/night-20260101", totals(50.0, 1, 10, 0, 10)))
        assert figures(found) == pytest.approx((0, 0, 40))

    @pytest.mark.parametrize("reasoning", [0, 10])
    def test_nothing_above_the_share(self, reasoning: float) -> None:
        found = worth(CutReasoning(0.5), cell("a", BIG, totals(50.0, 1, 60, 0, reasoning)))
        assert figures(found) == (0, 0, 0)

    def test_it_stops_at_the_spend(self) -> None:
        found = worth(CutReasoning(0.0), cell("a", BIG, totals(7.0, 1, 60, 0, 40)))
        assert figures(found) == (0, 0, 7)

    def test_what_has_no_price_is_left_out_and_said(self) -> None:
        cells = (
            cell("a", BIG, totals(5000.0, 10, 60, 0, 40)),
            cell("b", BIG, totals(3.0, 1, 1, 0, None)),
            cell("c", None, totals(4.0, 1, 0, 0, 0)),
        )
        found = worth(CutReasoning(0.5), *cells, whole=totals(5007.0))
        assert found.high == pytest.approx(500)
        assert "7.00 USD of the window count as 0" in found.caveat

    @pytest.mark.parametrize(
        ("name", "usage"),
        [
            ("openrouter/auto", totals(9.0, 1, 1, 0, 1)),
            ("acme/unlisted", totals(9.0, 1, 1, 0, 1)),
            (BIG, totals(9.0, 1, 1, 0, None)),
            (BIG, totals(9.0, 1, None, 0, 1)),
        ],
    )
    def test_without_price_or_counts_there_is_no_figure(self, name: str, usage: Totals) -> None:
        assert worth(CutReasoning(0.1), cell("a", name, usage)).confidence is Confidence.UNKNOWN

    def test_without_catalogue_there_is_no_figure(self) -> None:
        found = worth(CutReasoning(0.1), cell("a", BIG, USUAL), catalogue=None)
        assert found.formula == "unknown: no catalogue, so reasoning tokens have no price"


class TestSurcharge:
    def test_what_is_above_the_allowed_share(self) -> None:
        cells = (
            cell("a", BIG, totals(600.0, usage_web=300.0)),
            cell("b", BIG, totals(400.0, usage_web=100.0)),
            cell("c", BIG, totals(200.0, usage_web=None)),
        )
        lever = CutSurcharge(("usage_web",), 0.05)
        found = worth(lever, *cells, whole=totals(1200.0, usage_web=400.0), catalogue=None)
        assert figures(found) == pytest.approx((340, 340, 340))
        assert [saving.expected for saving in found.cells] == pytest.approx([255, 85, 0])
        assert (found.kind, found.confidence) == (LeverKind.SURCHARGE, Confidence.EXACT)
        assert found.formula == (
            "400.00 - 0.05 x 1,200.00 = 340.00 USD a month; usage_web above the allowed share of spend"
        )
        assert "upper bound" in found.caveat

    def test_components_are_not_added_up(self) -> None:
        lever = CutSurcharge(("usage_web", "usage_web_fetch", "usage_file"), 0.1)
        found = worth(lever, whole=totals(100.0, usage_web=30.0, usage_web_fetch=25.0, usage_file=None))
        assert figures(found) == pytest.approx((20, 20, 20))
        assert found.cells == ()

    def test_cells_that_do_not_know_the_component_are_no_cells(self) -> None:
        lever = CutSurcharge(("usage_web",), 0.0)
        found = worth(lever, cell("a", BIG, totals(100.0)), whole=totals(100.0, usage_web=30.0))
        assert (found.cells, found.expected) == ((), 30)

    def test_a_component_at_its_share_saves_nothing(self) -> None:
        lever = CutSurcharge(("usage_web",), 0.05)
        assert figures(worth(lever, whole=totals(100.0, usage_web=5.0))) == (0, 0, 0)
        assert figures(worth(lever, whole=totals(100.0, usage_web=0.0))) == (0, 0, 0)

    def test_an_unknown_component_gives_no_figure(self) -> None:
        found = worth(CutSurcharge(("usage_web", "usage_file"), 0.05), whole=totals(100.0))
        assert found.formula == "unknown: the source does not say what usage_web, usage_file cost"


class TestExposure:
    def test_it_is_stated_not_claimed(self) -> None:
        found = worth(Exposure(1234.5), cell("a", BIG, USUAL), factor=2.0)
        assert (found.kind, found.confidence, found.cells) == (None, Confidence.UNKNOWN, ())
        assert (found.low, found.expected, found.high) == (None, None, None)
        assert found.spend_usd_per_month == 10_000
        assert found.formula == "exposure, not savings: 2,469.00 USD a month above the threshold"

    def test_without_a_dollar_value(self) -> None:
        assert worth(Exposure(None), whole=USUAL).formula == "no figure: the measure has no dollar value"


@pytest.mark.parametrize("lever", [Swap("acme/mid", 5.0), RaiseCacheHitRate(0.5), CutReasoning(0.1)])
def test_an_undated_catalogue_claims_no_date(lever: Lever) -> None:
    undated = replace(CATALOG, taken_at=None)
    usage = cell("a", BIG, totals(50.0, 1, 1, 0, 1))
    assert "catalogue of" not in worth(lever, usage, catalogue=undated).formula
    assert "catalogue of 2026-08-08" in worth(lever, usage).formula
    assert "\n" not in worth(lever, usage).formula
