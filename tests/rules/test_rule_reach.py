"""What kinds see beside one row of one window: other groupings, what was before, and other policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import NOW, catalog, hash_of, memory, model, row, run

from orpolicy.account import ApiKey
from orpolicy.period import Window
from orpolicy.rules.base import Row, Skip, Traffic
from orpolicy.rules.expiring_model import ExpiringModel
from orpolicy.savings.estimate import estimate
from orpolicy.savings.levers import StopCaching
from orpolicy.sources.memory import Memory
from orpolicy.totals import Cell, Totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
DATED = catalog(model("x/new", 1, 2, canonical_slug="x/nova-20260101"), model("x/m0", 1, 2))
NEW = "policies: [{id: new, rule: new-model-on-key, floor: {spend: 1}}]"


class CutOff(Memory):
    """A source that sends at most so many rows of answers by some dimensions, and keeps what it was asked."""

    cap: int
    by: frozenset[str]
    asked: list[Query]

    def answer(self, query: Query) -> Answer:
        self.asked.append(query)
        cut = self.by <= set(query.dimensions)
        return super().answer(replace(query, limit=self.cap) if cut else query)


def cut_off(cap: int, rows: Sequence[dict[str, Any]], *by: str, keys: Sequence[ApiKey] = ()) -> CutOff:
    whole = memory(rows, keys=keys, catalogue=DATED)
    source = CutOff(
        whole._records,  # noqa: SLF001 - the records of the unlimited twin
        now=whole.now,
        directory=whole.directory(),
        catalogue=DATED,
    )
    source.cap, source.by, source.asked = cap, frozenset(by), []
    return source


def crowd(keys: int, models: int) -> tuple[list[dict[str, Any]], list[ApiKey]]:
    """Keys that use the same models as ever, one under a name that changed; the last key uses one more."""
    names = [f"x/m{number}" for number in range(models)]
    listed = [ApiKey(f"k{number}", hash_of(number)) for number in range(keys)]
    rows = [
        row(date=day, api_key_id=key.name, api_key_hash=key.key_hash, model=name, total_usage=2.0)
        for key in listed
        for day in ("2026-03-10", "2026-05-10")
        for name in (*names, "x/nova-20250101" if day < "2026-05" else "x/nova-20260101")
    ]
    last = listed[-1]
    extra = row(api_key_id=last.name, api_key_hash=last.key_hash, model="x/thief", total_usage=9.0)
    return [*rows, extra], listed


@pytest.mark.parametrize("cap", [7, 20, 40])
def test_a_history_that_is_cut_off_is_asked_by_key_and_never_by_model(cap: int) -> None:
    """A list of this window's models would miss the name that a model had before, and call it new."""
    rows, listed = crowd(8, 5)
    source = cut_off(cap, rows, "model", keys=listed)
    report = run(NEW, source)
    (found,) = report.findings
    assert dict(found.subject) == {"api_key_id": "k7", "model": "x/thief"}
    assert found.measure.value == 9.0
    assert not [
        query
        for query in source.asked
        for item in query.filters
        if item.field == "model" and query.window.days != 31
    ]


def test_a_history_that_stays_cut_off_is_inconclusive() -> None:
    rows, listed = crowd(3, 5)
    report = run(NEW, cut_off(3, rows, "model", keys=listed))
    assert [item.reason for item in report.inconclusive] == ["truncated"]


def test_history_is_two_questions_however_long_it_is() -> None:
    rows, listed = crowd(3, 2)
    source = cut_off(10_000, rows, keys=listed)
    run("policies: [{id: new, rule: new-model-on-key, lookback_days: 300}]", source)
    pairs = [query for query in source.asked if len(query.dimensions) == 2]
    assert {(query.window.days, query.granularity) for query in pairs} == {(300, None), (31, None)}
    assert len(pairs) == 2


class Forgetful(CutOff):
    """A source whose answer about the time before the window lacks a row, and does not say so."""

    def answer(self, query: Query) -> Answer:
        answer = super().answer(query)
        is_before = len(query.dimensions) == 2 and query.window.days == 180
        return replace(answer, table=answer.table.keep(range(1, len(answer.table)))) if is_before else answer


def test_a_history_that_lost_a_row_is_noticed() -> None:
    rows, listed = crowd(3, 2)
    honest = cut_off(10_000, rows, keys=listed)
    source = Forgetful(
        honest._records,  # noqa: SLF001 - the records of the honest twin
        now=honest.now,
        directory=honest.directory(),
        catalogue=DATED,
    )
    source.cap, source.by, source.asked = 10_000, frozenset({"model"}), []
    (item,) = run(NEW, source).inconclusive
    assert item.reason == "control-mismatch"


def test_selectors_of_other_dimensions_hold_before_the_window_too() -> None:
    """The workspace becomes a filter, and a period so filtered has its own control total."""
    rows = [
        row(date=day, api_key_id="app", model=name, workspace=space, total_usage=3.0)
        for day, name, space in (
            ("2026-03-10", "x/a", "prod"),
            ("2026-03-10", "x/b", "test"),
            ("2026-05-10", "x/a", "prod"),
            ("2026-05-10", "x/b", "prod"),
            ("2026-05-10", "x/c", "test"),
        )
    ]
    text = "policies: [{id: new, rule: new-model-on-key, where: {workspace: prod}}]"
    (found,) = run(text, memory(rows, catalogue=DATED)).findings
    assert dict(found.subject) == {"api_key_id": "app", "model": "x/b"}


def test_a_key_is_known_by_its_hash_where_names_are_shared() -> None:
    twins = [ApiKey("twin", hash_of(1)), ApiKey("twin", hash_of(2))]
    rows = [
        row(date="2026-03-10", api_key_id="twin", api_key_hash=hash_of(1), model="x/a", total_usage=1.0),
        row(date="2026-03-10", api_key_id="twin", api_key_hash=hash_of(2), model="x/b", total_usage=1.0),
        row(api_key_id="twin", api_key_hash=hash_of(1), model="x/a", total_usage=1.0),
        row(api_key_id="twin", api_key_hash=hash_of(2), model="x/a", total_usage=3.0),
    ]
    report = run("policies: [{id: new, rule: new-model-on-key}]", memory(rows, keys=twins, catalogue=DATED))
    assert [(item.subject["key_hash"], item.measure.value) for item in report.findings] == [(hash_of(2), 3.0)]


UNOWNED = [
    row(api_key_id=f"k{number}", user=None if number % 2 else f"u{number}", model="x/a", total_usage=1.0)
    for number in range(20)
]
OWNED = "policies: [{id: owned, rule: unattributed-spend, without: [user], fail_above: 0.1}]"


def test_who_is_behind_it_may_be_cut_off_and_the_verdict_stands() -> None:
    report = run(OWNED, cut_off(5, UNOWNED, "api_key_id", "user"))
    (found,) = report.findings
    assert (found.measure.value, found.drivers) == (0.5, ())
    whole = run(OWNED, memory(UNOWNED, catalogue=DATED)).findings[0]
    assert (whole.measure.value, len(whole.drivers)) == (0.5, 5)


def test_a_share_is_never_taken_of_rows_that_are_cut_off() -> None:
    """Not even under a floor: what is missing may all be nobody's."""
    text = OWNED.replace("without", "floor: {spend: 10}, without")
    report = run(text, cut_off(5, UNOWNED, "user"))
    assert [item.reason for item in report.inconclusive] == ["truncated"]


WATCHED = {
    "covered": "rule: spend-coverage, judged_by: [api_key_id, model], fail_below: 0.99",
    "apps": "rule: spend-limit, where: {api_key_id: [k1, k2, k3, k4]}, fail_above: 1000",
    "small": "rule: spend-limit, by: [model], floor: {spend: 6}, fail_above: 1000",
    "pairs": "rule: usd-per-mtok, by: [model, api_key_id], where: {model: x/b}, fail_above: 1000",
    "none": "rule: spend-limit, where: {api_key_id: other}, fail_above: 1000",
    "users": "rule: spend-limit, by: [user], where: {user: nobody}, allow_empty: true, fail_above: 1000",
}


def report_of(order: Sequence[str], rows: Sequence[dict[str, Any]]) -> Report:
    lines = "".join(f"  - {{id: {name}, {WATCHED[name]}}}\n" for name in order)
    return run(f"policies:\n{lines}", memory(rows, catalogue=DATED))


spends = st.lists(
    st.builds(
        lambda key, name, usd: row(api_key_id=f"k{key}", user="u", model=name, total_usage=usd / 64),
        st.integers(1, 6),
        st.sampled_from(["x/a", "x/b", "x/c"]),
        st.integers(1, 640),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(spends, st.permutations(list(WATCHED)))
def test_coverage_is_the_spend_of_the_cells_that_some_policy_judged(
    rows: list[dict[str, Any]], order: list[str]
) -> None:
    """Whatever the order of the policies; the report's own line says no less."""
    by_model: dict[str, float] = {}
    for one in rows:
        by_model[one["model"]] = by_model.get(one["model"], 0.0) + one["total_usage"]
    judged = [
        one["total_usage"]
        for one in rows
        if one["api_key_id"] in {"k1", "k2", "k3", "k4"}
        or by_model[one["model"]] >= 6
        or one["model"] == "x/b"
    ]
    share = sum(judged) / sum(by_model.values())
    report = report_of(order, rows)
    found = [item for item in report.findings if item.policy == "covered"]
    assert bool(found) == (share < 0.99)
    if found:
        assert found[0].measure.value == pytest.approx(share, rel=1e-12, abs=1e-12)
    assert report.coverage.share == pytest.approx(share, rel=1e-12, abs=1e-12)


def test_neither_coverage_nor_the_books_judge_a_dollar_of_the_report() -> None:
    rows = [row(api_key_id="k1", user="u", model="x/a", total_usage=5.0)]
    report = run(
        "policies:\n"
        "  - {id: covered, rule: spend-coverage, warn_below: 0}\n"
        "  - {id: owned, rule: unattributed-spend, without: [user], fail_above: 1}\n",
        memory(rows, catalogue=DATED),
    )
    assert report.verdict == "pass"
    assert report.coverage.share == 0


def test_a_variant_of_a_model_is_not_the_whole_of_its_cell() -> None:
    """2 of 10 USD ran on the free variant; whether that is the cell of key and model is not known."""
    rows = [
        row(api_key_id="k1", model="x/a", variant=variant, total_usage=usd)
        for variant, usd in (("free", 2.0), ("standard", 8.0))
    ]
    text = (
        "policies:\n"
        "  - {{id: covered, rule: spend-coverage, fail_below: {least}}}\n"
        "  - {{id: free, rule: model-ban, by: [model], models: ['x/a:free'], fail_above: 100}}\n"
    )
    for least, verdict in ((0.2, "pass"), (0.21, "fail")):
        report = run(text.format(least=least), memory(rows, catalogue=DATED))
        assert report.policies[0].verdict == verdict


def test_a_removal_cannot_be_told_without_a_catalogue() -> None:
    totals = Totals({"total_usage": 1.0})
    rule = ExpiringModel("", 60, any_use=True)
    assert rule.measure(Row({"model": "x/a"}, totals, MAY), Traffic(totals)) is Skip.UNLISTED


@pytest.mark.parametrize(
    ("losses", "saved"), [((0.0, 0.0), 0.0), ((3.0, 1.0), 4.0), ((3.0, -1.0), 2.0), ((-3.0, 1.0), 0.0)]
)
def test_no_more_is_saved_than_caching_cost(losses: tuple[float, float], saved: float) -> None:
    cells = [
        Cell(f"k{number}", "x/a", Totals({"total_usage": 5.0, "usage_cache": usd}))
        for number, usd in enumerate(losses)
    ]
    totals = Totals({"total_usage": 10.0, "usage_cache": sum(losses)})
    worth = estimate(StopCaching(), cells, totals, (), None, 1.0, NOW)
    assert (worth.low, worth.expected, worth.high) == (saved, saved, saved)
    assert sum(cell.expected for cell in worth.cells) == saved
