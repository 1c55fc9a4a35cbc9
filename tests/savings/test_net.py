from __future__ import annotations

import math
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_traffic import CATALOG, NOW, cell, totals

from orpolicy.catalog.model import Catalog, Price
from orpolicy.finding import Confidence
from orpolicy.savings.estimate import CellSaving, Estimate, estimate
from orpolicy.savings.levers import CutReasoning, CutSurcharge, Lever, LeverKind, RaiseCacheHitRate, Swap
from orpolicy.savings.net import Net, combine
from orpolicy.totals import Cell, Totals

if TYPE_CHECKING:
    from collections.abc import Mapping

Triple = tuple[float, float, float]


def claim(kind: LeverKind | None, cells: Mapping[str, tuple[float, Triple]]) -> Estimate:
    """Cells as key -> (spend, (low, expected, high)), all on one model."""
    savings = tuple(CellSaving(key, "m", spend, *triple) for key, (spend, triple) in cells.items())
    low, expected, high = (
        math.fsum(column) for column in zip(*(triple for _, triple in cells.values()), strict=True)
    )
    spend = math.fsum(spend for spend, _ in cells.values())
    return Estimate(kind, Confidence.PRICED, savings, spend, low, expected, high, formula="")


def opaque(kind: LeverKind, triple: Triple) -> Estimate:
    return Estimate(kind, Confidence.PRICED, (), 1e9, *triple, formula="")


def same(usd: float) -> Triple:
    return usd, usd, usd


def figures(net: Net) -> tuple[float, float, float, float]:
    return net.gross, net.low, net.expected, net.high


UNKNOWN = Estimate(None, Confidence.UNKNOWN, (), 100.0, None, None, None, "exposure")


def test_nothing_is_nothing() -> None:
    assert combine({}) == Net(0, 0, 0, 0, {})
    assert combine({"x": UNKNOWN}) == Net(0, 0, 0, 0, {})


def test_one_finding_is_its_own_net() -> None:
    net = combine({"a": claim(LeverKind.SWAP, {"k": (100, (10, 20, 30))})})
    assert net == Net(20, 10, 20, 30, {"a": 20})


def test_levers_take_from_what_remains_in_their_order() -> None:
    cache = claim(LeverKind.CACHE, {"k": (100, same(50))})
    swap = claim(LeverKind.SWAP, {"k": (100, same(60))})
    net = combine({"a": cache, "b": swap})
    assert figures(net) == pytest.approx((110, 80, 80, 80))
    assert net.shares == pytest.approx({"b": 60, "a": 20})


def test_of_competing_levers_the_largest_counts() -> None:
    small = claim(LeverKind.SWAP, {"k": (100, (30, 30, 30))})
    large = claim(LeverKind.SWAP, {"k": (100, (10, 60, 60))})
    net = combine({"a": small, "b": large})
    assert figures(net) == (90, 30, 60, 60)
    assert net.shares == {"a": 0, "b": 60}


def test_ties_go_by_fingerprint() -> None:
    twin = claim(LeverKind.SWAP, {"k": (100, same(30))})
    assert combine({"b": twin, "a": twin}).shares == {"a": 30, "b": 0}


def test_cells_do_not_meet() -> None:
    here = claim(LeverKind.SWAP, {"k": (100, same(30))})
    there = claim(LeverKind.SWAP, {"l": (100, same(40))})
    assert combine({"a": here, "b": there}).expected == 70


def test_windows_differ_and_the_larger_spend_is_the_capacity() -> None:
    month = claim(LeverKind.SWAP, {"k": (200, same(20))})
    week = claim(LeverKind.CACHE, {"k": (100, same(50))})
    # 20 of 200, then 50 of 200 of what remains
    assert combine({"a": month, "b": week}).expected == pytest.approx(20 + 0.9 * 50)


def test_a_lever_that_takes_all_leaves_nothing() -> None:
    ban = claim(LeverKind.SWAP, {"k": (100, same(100))})
    cache = claim(LeverKind.CACHE, {"k": (100, same(50))})
    assert combine({"a": ban, "b": cache}).shares == {"a": 100, "b": 0}


def test_bounded_findings_move_only_the_upper_end() -> None:
    net = combine({"a": claim(LeverKind.REASONING, {"k": (100, (0, 0, 40))})})
    assert figures(net) == (0, 0, 0, 40)
    assert net.shares == {"a": 0}


def test_an_opaque_finding_counts_only_beyond_the_cells() -> None:
    cells = claim(LeverKind.SWAP, {"k": (100, (10, 60, 60))})
    smaller, larger = opaque(LeverKind.SURCHARGE, same(50)), opaque(LeverKind.SWAP, same(75))
    net = combine({"a": cells, "b": smaller, "c": larger})
    assert figures(net) == (185, 75, 75, 75)
    assert net.shares == {"a": 60, "b": 0, "c": 15}
    assert combine({"a": cells, "b": smaller}).shares == {"a": 60, "b": 0}


def test_opaque_ties_go_by_fingerprint() -> None:
    twin = opaque(LeverKind.SURCHARGE, same(50))
    assert combine({"b": twin, "a": twin}).shares == {"a": 50, "b": 0}


NAMES = ("acme/big-20260101", "acme/mid-20260101", "acme/night-20260101", "acme/unlisted", None)
amounts = st.floats(0, 1e6, allow_subnormal=False).map(lambda value: 0.0 if value < 1e-6 else value)


@st.composite
def usages(draw: st.DrawFn) -> Totals:
    prompt = draw(st.integers(0, 10**6)) / 1000
    completion = draw(st.integers(0, 10**5)) / 1000
    spend = draw(amounts)
    return totals(
        spend,
        prompt,
        completion,
        round(prompt * draw(st.floats(0, 1)), 3),
        round(completion * draw(st.floats(0, 1)), 3),
        requests=draw(st.integers(0, 10**6)),
        usage_web=draw(st.none() | st.floats(0, 1).map(lambda share: share * spend)),
    )


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Cell, ...]:
    places = st.tuples(st.sampled_from(["k1", "k2", None]), st.sampled_from(NAMES))
    found = draw(st.lists(places, min_size=1, max_size=6, unique=True))
    return tuple(cell(key, name, draw(usages())) for key, name in found)


levers: st.SearchStrategy[Lever] = st.one_of(
    st.builds(Swap, st.sampled_from(["", "acme/mid", "acme/gone", "acme/night"]), amounts),
    st.builds(RaiseCacheHitRate, st.floats(0, 1)),
    st.builds(CutReasoning, st.floats(0, 1)),
    st.builds(CutSurcharge, st.just(("usage_web",)), st.floats(0, 1)),
)


def added(cells: tuple[Cell, ...]) -> Totals:
    names = {name for item in cells for name in item.totals.values}
    return Totals({name: math.fsum(item.totals.get(name) for item in cells) for name in names})


@st.composite
def reports(
    draw: st.DrawFn,
) -> tuple[tuple[Cell, ...], tuple[tuple[Lever, tuple[Cell, ...], bool, float], ...]]:
    """An account, and findings on parts of it: lever, cells, whether they are laid out, factor."""
    account = draw(accounts())
    subsets = st.lists(st.sampled_from(account), min_size=1, unique_by=lambda item: (item.key, item.model))
    finding = st.tuples(levers, subsets.map(tuple), st.booleans(), st.sampled_from([1.0, 0.5, 4.35]))
    return account, tuple(draw(st.lists(finding, max_size=6)))


Report = tuple[tuple[Cell, ...], tuple[tuple[Lever, tuple[Cell, ...], bool, float], ...]]


def estimates(report: Report, catalogue: Catalog = CATALOG) -> dict[str, Estimate]:
    account, findings = report
    names = (f"f{number}" for number in count())
    return {
        name: estimate(lever, cells if laid_out else (), added(cells), account, catalogue, factor, NOW)
        for name, (lever, cells, laid_out, factor) in zip(names, findings, strict=False)
    }


def capacities(found: Mapping[str, Estimate]) -> dict[tuple[str | None, str | None], float]:
    spend: dict[tuple[str | None, str | None], float] = {}
    for item in found.values():
        for saving in item.cells:
            place = saving.key, saving.model
            spend[place] = max(spend.get(place, 0.0), saving.spend_usd_per_month)
    return spend


SLACK = 1 + 1e-9
TINY = 1e-6


@settings(deadline=None)
@given(reports())
def test_every_estimate_is_ordered_and_within_its_spend(report: Report) -> None:
    for item in estimates(report).values():
        if item.low is None or item.expected is None or item.high is None:
            assert item.kind is None
            continue
        assert 0 <= item.low <= item.expected <= item.high <= item.spend_usd_per_month * SLACK + TINY
        for saving in item.cells:
            assert 0 <= saving.low <= saving.expected <= saving.high <= saving.spend_usd_per_month * SLACK
        if item.cells:
            assert math.fsum(saving.expected for saving in item.cells) == pytest.approx(item.expected)


@settings(deadline=None)
@given(reports())
def test_net_is_ordered_and_never_above_gross(report: Report) -> None:
    net = combine(estimates(report))
    assert 0 <= net.low <= net.expected <= net.high
    assert net.expected <= net.gross * SLACK + TINY


@settings(deadline=None)
@given(reports())
def test_net_never_exceeds_the_spend_of_any_cell(report: Report) -> None:
    found = {name: item for name, item in estimates(report).items() if item.cells}
    for place, spend_usd in capacities(found).items():
        alone = {
            name: replace(item, cells=cells)
            for name, item in found.items()
            if (cells := tuple(part for part in item.cells if (part.key, part.model) == place))
        }
        assert combine(alone).high <= spend_usd * SLACK


@settings(deadline=None)
@given(reports(), st.randoms(use_true_random=False))
def test_the_order_of_policies_does_not_matter(report: Report, random: object) -> None:
    found = list(estimates(report).items())
    expected = combine(dict(found))
    shuffle = getattr(random, "shuffle")  # noqa: B009 - hypothesis types it as object here
    shuffle(found)
    assert combine(dict(found)) == expected


@settings(deadline=None)
@given(reports())
def test_adding_a_policy_never_lowers_net(report: Report) -> None:
    found = list(estimates(report).items())
    before = combine({})
    for number in range(len(found)):
        after = combine(dict(found[: number + 1]))
        assert after.low >= before.low / SLACK - TINY
        assert after.expected >= before.expected / SLACK - TINY
        assert after.high >= before.high / SLACK - TINY
        before = after


@settings(deadline=None)
@given(reports())
def test_shares_are_not_negative_and_add_up_to_net(report: Report) -> None:
    found = estimates(report)
    net = combine(found)
    assert set(net.shares) == {name for name, item in found.items() if item.expected is not None}
    assert all(share >= 0 for share in net.shares.values())
    assert math.fsum(net.shares.values()) == pytest.approx(net.expected)


def dearer(usd: Price, k: float) -> Price:
    fields = (usd.prompt, usd.completion, usd.cache_read, usd.cache_write)
    return Price(*(None if value is None else value * k for value in fields))


def scaled_catalogue(k: float) -> Catalog:
    return Catalog(
        tuple(
            replace(
                item,
                price=dearer(item.price, k),
                tiers=tuple(replace(tier, price=dearer(tier.price, k)) for tier in item.tiers),
            )
            for item in CATALOG.models
        )
    )


def scaled_cell(item: Cell, k: float) -> Cell:
    values = {
        name: value * k if value is not None and "usage" in name else value
        for name, value in item.totals.values.items()
    }
    return Cell(item.key, item.model, Totals(values))


def scaled_report(report: Report, k: float) -> Report:
    account, findings = report
    return tuple(scaled_cell(item, k) for item in account), tuple(
        (
            replace(lever, excess_usd=lever.excess_usd * k)
            if isinstance(lever, Swap) and lever.excess_usd is not None
            else lever,
            tuple(scaled_cell(item, k) for item in cells),
            laid_out,
            factor,
        )
        for lever, cells, laid_out, factor in findings
    )


@settings(deadline=None)
@given(reports(), st.sampled_from([0.25, 2.0, 1024.0]))
def test_everything_scales_with_the_dollar(report: Report, k: float) -> None:
    """By powers of two, which leave no rounding that could tip a comparison."""
    once = combine(estimates(report))
    scaled = combine(estimates(scaled_report(report, k), scaled_catalogue(k)))
    assert figures(scaled) == pytest.approx(tuple(value * k for value in figures(once)))
    assert scaled.shares == pytest.approx({name: share * k for name, share in once.shares.items()})


def test_findings_that_share_one_estimate_are_as_those_with_equal_ones() -> None:
    shared = claim(LeverKind.SWAP, {"k": (100, (10, 20, 30)), "l": (50, (1, 2, 3))})
    equal = replace(shared, cells=tuple(replace(one) for one in shared.cells))
    other = claim(LeverKind.CACHE, {"k": (100, (50, 50, 50))})
    net = combine({"b": shared, "a": shared, "c": other})
    assert net == combine({"b": shared, "a": equal, "c": other})
    assert net == Net(gross=94, low=56, expected=62, high=68, shares={"a": 22, "b": 0, "c": 40})
