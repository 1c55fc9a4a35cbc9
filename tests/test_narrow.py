"""Answers that are cut off: the same verdicts as from an unlimited source, or none."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import catalog, hash_of, memory, model, row, run

from orpolicy.account import ApiKey
from orpolicy.sources.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report


class Capped(Memory):
    """A source that sends fewer rows than it was asked for, and says so."""

    cap: int
    asked: list[Query]

    def answer(self, query: Query) -> Answer:
        self.asked.append(query)
        return super().answer(replace(query, limit=min(query.limit, self.cap)))


def capped(cap: int, rows: Sequence[dict[str, Any]], keys: Sequence[ApiKey] = ()) -> Capped:
    whole = memory(rows, keys=keys, catalogue=CATALOG)
    source = Capped(
        whole._records,  # noqa: SLF001 - the records of the unlimited twin
        now=whole.now,
        directory=whole.directory(),
        catalogue=CATALOG,
    )
    source.cap = cap
    source.asked = []
    return source


CATALOG = catalog(*(model(f"x/m{number}", 1, 2) for number in range(40)), model("x/p-preview", 9, 9))


def account(keys: int, models: int, seed: int = 0, *, preview_usd: float = 1.0) -> list[dict[str, Any]]:
    """Every key on every model, spend spread over four orders of magnitude."""
    chance = random.Random(seed)  # noqa: S311 - an account, not a secret
    rows = [
        row(
            api_key_id=f"k{key}",
            api_key_hash=hash_of(key),
            model=f"x/m{number}",
            total_usage=round(10 ** chance.uniform(-2, 2), 4),
            tokens_total=chance.randrange(1, 10**7),
        )
        for key in range(keys)
        for number in range(models)
    ]
    extra = row(api_key_id="k3", api_key_hash=hash_of(3), model="x/p-preview", total_usage=preview_usd)
    return [*rows, extra]


def listed(count: int) -> list[ApiKey]:
    return [ApiKey(f"k{number}", hash_of(number)) for number in range(count)]


def essence(report: Report) -> list[Any]:
    """What must not depend on how the rows arrived."""
    return [
        [(policy.id, policy.verdict, policy.rows_judged) for policy in report.policies],
        sorted(
            (
                item.policy,
                item.fingerprint,
                item.verdict,
                round(item.measure.value, 9),
                round(item.spend_usd, 6),
            )
            for item in report.findings
        ),
    ]


PACK = """
policies:
  - {id: by-model, rule: blended-multiple, fail_above: 1.2}
  - {id: by-key, rule: spend-limit, fail_above: 200}
  - {id: by-both, rule: cost-per-request, floor: {spend: 20}, fail_above: 0.05}
  - {id: ban, rule: model-ban, models: ["@preview"]}
  - {id: share, rule: usd-per-mtok, by: [api_key_id, model], floor: {share: 0.001}, fail_above: 30}
  - {id: narrow, rule: usd-per-mtok, where: {api_key_id: "k1*"}, fail_above: 10}
"""


def test_a_cut_off_grid_gives_the_verdicts_of_an_unlimited_one() -> None:
    rows = account(60, 30)
    whole = run(PACK, memory(rows, keys=listed(60), catalogue=CATALOG))
    source = capped(200, rows, listed(60))
    parts = run(PACK, source)
    assert essence(parts) == essence(whole)
    assert not parts.inconclusive
    assert [policy.verdict.value for policy in whole.policies].count("fail") >= 4
    assert len(source.asked) < 60


def test_sources_that_know_keys_by_name_are_narrowed_by_name() -> None:
    rows = [
        {name: value for name, value in item.items() if name != "api_key_hash"} for item in account(60, 30)
    ]
    assert essence(run(PACK, capped(200, rows))) == essence(run(PACK, memory(rows, catalogue=CATALOG)))


def test_members_below_the_floor_are_not_asked_for() -> None:
    rows = account(50, 10)
    text = "policies: [{id: p, rule: cost-per-request, floor: {spend: 60}, fail_above: 0.07}]"
    source = capped(60, rows, listed(50))
    report = run(text, source)
    assert essence(report) == essence(run(text, memory(rows, keys=listed(50), catalogue=CATALOG)))
    assert len(source.asked) <= 12
    assert "under the floor" in " ".join(report.policies[0].notes)


def test_a_ban_asks_for_the_banned_models_alone() -> None:
    rows = account(60, 30, preview_usd=0.0)
    source = capped(100, rows, listed(60))
    report = run('policies: [{id: ban, rule: model-ban, models: ["@preview"]}]', source)
    assert [finding.spend_usd for finding in report.findings] == [0.0]
    filters = [item for query in source.asked for item in query.filters]
    assert {value for item in filters if item.field == "model" for value in item.values} == {"x/p-preview"}


def test_what_cannot_be_narrowed_further_is_inconclusive() -> None:
    rows = account(300, 1)
    report = run("policies: [{id: p, rule: spend-limit, fail_above: 1000}]", capped(2, rows, listed(300)))
    assert report.inconclusive[0].reason == "truncated"


def test_the_budget_of_a_run_is_bounded() -> None:
    source = capped(7, account(60, 30), listed(60))
    report = run(PACK, source)
    assert len(source.asked) <= 120
    assert report.inconclusive
    assert "truncated" in {item.reason.value for item in report.inconclusive}


def test_namesakes_stay_apart_in_narrowed_answers() -> None:
    keys = [*listed(40), ApiKey("k1", hash_of(999), "w", "Other")]
    twin = row(api_key_id="k1", api_key_hash=hash_of(999), model="x/m1", total_usage=500.0)
    rows = [*account(40, 20), twin]
    text = "policies: [{id: p, rule: cost-per-request, floor: {spend: 30}, fail_above: 0.06}]"
    whole = run(text, memory(rows, keys=keys, catalogue=CATALOG))
    parts = run(text, capped(150, rows, keys))
    assert essence(parts) == essence(whole)
    assert {"workspace": "Other"}.items() <= {
        k: v for f in whole.findings for k, v in f.subject.items()
    }.items()


def weekly(keys: int) -> list[dict[str, Any]]:
    """Nine weeks of every key on every day; two keys triple in the last week."""
    first = date(2026, 4, 6)
    return [
        row(
            date=(first + timedelta(days=day)).isoformat(),
            api_key_id=f"k{key}",
            api_key_hash=hash_of(key),
            model="x/m1",
            total_usage=(30.0 if day >= 56 and key < 2 else 10.0) * (1 + key % 3),
        )
        for day in range(63)
        for key in range(keys)
    ]


GROWTH = """
policies:
  - {id: growth, rule: spend-growth, window: last-week, fail_above: 2, floor: {spend: 100}}
"""


@pytest.mark.parametrize("cap", [70, 150, 10_000])
def test_histories_are_narrowed_by_key_and_by_time(cap: int) -> None:
    rows = weekly(30)
    whole = run(GROWTH, memory(rows, keys=listed(30), catalogue=CATALOG))
    assert sorted(str(finding.subject["api_key_id"]) for finding in whole.findings) == ["k0", "k1"]
    parts = run(GROWTH, capped(cap, rows, listed(30)))
    assert not parts.inconclusive
    assert essence(parts) == essence(whole)


def crowd(keys: int, gone: int = 0) -> list[dict[str, Any]]:
    """Nine weeks of so many keys, two of which grow in the last; and keys of the first week alone."""
    first = date(2026, 4, 6)
    return [
        row(
            date=(first + timedelta(days=day)).isoformat(),
            api_key_id=f"k{key}",
            api_key_hash=hash_of(key),
            model="x/m1",
            total_usage=(9_000.0 if day >= 56 and key < 2 else 20.0 + key % 7) * 10,
        )
        for day in (*range(0, 63, 7), 58)
        for key in range(keys + gone * (day == 0))
    ]


@pytest.mark.parametrize("gone", [0, 1])
def test_long_histories_of_many_keys_are_asked_period_by_period(gone: int) -> None:
    rows = crowd(900, gone)
    whole = run(GROWTH, memory(rows, keys=listed(901), catalogue=CATALOG))
    assert sorted(str(finding.subject["api_key_id"]) for finding in whole.findings) == ["k0", "k1"]
    source = capped(900, rows, listed(901))
    parts = run(GROWTH, source)
    assert essence(parts) == essence(whole)
    assert [finding.measure.note for finding in parts.findings] == [
        finding.measure.note for finding in whole.findings
    ]
    weeks = [
        query for query in source.asked if query.window.days == 7 and query.dimensions == ("api_key_id",)
    ]
    assert len({query.window for query in weeks if not query.filters}) == 9
    assert any(query.filters for query in weeks) == bool(gone), "what is still cut off goes to lists"


def test_periods_that_do_not_add_up_to_their_days_are_noticed() -> None:
    class Forgetful(Capped):
        def answer(self, query: Query) -> Answer:
            answer = super().answer(query)
            if query.window.days == 7 and query.window.start.day == 4 and query.dimensions:
                return replace(answer, table=answer.table.keep(range(100, len(answer.table))))
            return answer

    honest = capped(900, crowd(900), listed(900))
    source = Forgetful(
        honest._records,  # noqa: SLF001 - the records of the honest twin
        now=honest.now,
        directory=honest.directory(),
        catalogue=CATALOG,
    )
    source.cap, source.asked = 900, []
    (item,) = run(GROWTH, source).inconclusive
    assert item.reason == "control-mismatch"


rows_strategy = st.lists(
    st.builds(
        lambda key, name, usd, tokens: row(
            api_key_id=f"k{key}",
            api_key_hash=hash_of(key),
            model=f"x/m{name}",
            total_usage=usd,
            tokens_total=tokens,
        ),
        st.integers(0, 6),
        st.integers(0, 6),
        st.floats(0.01, 100, allow_nan=False).map(lambda usd: round(usd, 2)),
        st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(rows_strategy, st.integers(1, 50), st.sampled_from([0, 5, 40]))
def test_any_cap_gives_the_same_verdicts_or_none(rows: list[dict[str, Any]], cap: int, floor: int) -> None:
    text = f"""
policies:
  - {{id: model, rule: blended-multiple, floor: {{spend: {floor}}}, fail_above: 1.5}}
  - {{id: both, rule: usd-per-mtok, by: [api_key_id, model], floor: {{spend: {floor}}}, fail_above: 100}}
  - {{id: ban, rule: model-ban, models: [x/m1, x/m2]}}
  - {{id: key, rule: spend-limit, where: {{model: "x/m[1-3]*"}}, allow_empty: true, fail_above: 20}}
"""
    whole = run(text, memory(rows, keys=listed(7), catalogue=CATALOG))
    parts = run(text, capped(cap, rows, listed(7)))
    judged = {policy.id: policy for policy in parts.policies if policy.verdict != "inconclusive"}
    for policy in whole.policies:
        if policy.id in judged:
            assert judged[policy.id].verdict == policy.verdict
    found = {(item.policy, item.fingerprint): item.measure.value for item in whole.findings}
    for item in parts.findings:
        assert item.measure.value == pytest.approx(found[item.policy, item.fingerprint], rel=1e-9)
    assert {name for name in found if name[0] in judged} == {
        (item.policy, item.fingerprint) for item in parts.findings
    }
