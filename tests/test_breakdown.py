"""Where the spend went, as the report says it: from the run's own answers, without another question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from world import catalog, hash_of, memory, model, row, run

from orpolicy.account import ApiKey
from orpolicy.redaction import redacted
from orpolicy.report import SpendBreakdown, SubjectSpend
from orpolicy.table import DATE

ROWS = [
    row(api_key_id="a", model="x/dear-20260101", total_usage=90.0, tokens_total=6_000_000),
    row(api_key_id="b", model="x/dear-20260101", total_usage=10.0, tokens_total=4_000_000),
    row(api_key_id="b", model="x/cheap-20260101", total_usage=20.0, tokens_total=20_000_000),
    row(api_key_id=None, model="x/image", total_usage=5.0, tokens_total=0),
]
CATALOG = catalog(model("x/dear", 10, 50, canonical_slug="x/dear-20260101"))


def written(name: str, kind: str, more: str) -> str:
    return f"  - {{id: {name}, rule: {kind}, {more}}}\n"


BY_MODEL = written("rate", "usd-per-mtok", "fail_above: 1000")
BY_KEY = written("cap", "spend-limit", "fail_above: 1000")


def test_models_and_keys_by_their_names_largest_first() -> None:
    report = run("policies:\n" + BY_MODEL + BY_KEY, memory(ROWS, catalogue=CATALOG))
    assert report.spend.by_model == (
        SubjectSpend({"model": "x/dear"}, 100.0, 10_000_000, 10.0),
        SubjectSpend({"model": "x/cheap-20260101"}, 20.0, 20_000_000, 1.0),
        SubjectSpend({"model": "x/image"}, 5.0, 0, None),
    )
    assert report.spend.by_key == (
        SubjectSpend({"api_key_id": "a"}, 90.0, 6_000_000, 15.0),
        SubjectSpend({"api_key_id": "b"}, 30.0, 24_000_000, 1.25),
        SubjectSpend({"api_key_id": None}, 5.0, 0, None),
    )
    assert (report.spend.models, report.spend.keys, report.spend.by_period) == (3, 3, ())


def test_what_no_policy_asked_is_not_asked_for_the_report() -> None:
    report = run("policies:\n" + BY_MODEL, memory(ROWS))
    assert len(report.spend.by_model) == 3
    assert (report.spend.by_key, report.spend.keys) == ((), 0)
    assert [query.request["dimensions"] for query in report.queries] == [[], ["model"]]


def test_a_policy_of_another_window_tells_nothing() -> None:
    other = written("rate", "usd-per-mtok", "fail_above: 1000, window: last-7d")
    late = [row(**{DATE: "2026-06-05"}, model="x/y", total_usage=3.0)]
    assert run("policies:\n" + other, memory(ROWS + late)).spend == SpendBreakdown()


def test_a_selector_does_not_narrow_the_account() -> None:
    some = written("cap", "spend-limit", "fail_above: 1000, where: {api_key_id: b}")
    report = run("policies:\n" + some, memory(ROWS))
    assert [item.spend_usd for item in report.spend.by_key] == [90.0, 30.0, 5.0]


def test_a_selector_that_was_pushed_into_the_question_does() -> None:
    pushed = written("cap", "spend-limit", "by: [api_key_id, model], fail_above: 1000, where: {provider: p}")
    rows = [{**each, "provider": "p" if each["api_key_id"] == "b" else "q"} for each in ROWS]
    report = run("policies:\n" + pushed, memory(rows))
    assert report.policies[0].rows_seen == 2
    assert report.spend == SpendBreakdown()


def test_namesakes_stay_two() -> None:
    keys = (ApiKey("bot", hash_of(1), "w1", "one"), ApiKey("bot", hash_of(2), "w2", "two"))
    rows = [
        row(api_key_id="bot", api_key_hash=hash_of(1), workspace_id="w1", model="m", total_usage=7.0),
        row(api_key_id="bot", api_key_hash=hash_of(2), workspace_id="w2", model="m", total_usage=9.0),
    ]
    report = run("policies:\n" + BY_KEY, memory(rows, keys=keys))
    assert [(item.subject, item.spend_usd) for item in report.spend.by_key] == [
        ({"api_key_id": "bot", "workspace": "two"}, 9.0),
        ({"api_key_id": "bot", "workspace": "one"}, 7.0),
    ]


def test_fifty_are_listed_and_all_are_counted() -> None:
    rows = [row(api_key_id=f"key-{at:03}", model="m", total_usage=float(at)) for at in range(1, 81)]
    spend = run("policies:\n" + BY_KEY, memory(rows)).spend
    assert (spend.keys, len(spend.by_key)) == (80, 50)
    assert [spend.by_key[0].spend_usd, spend.by_key[-1].spend_usd] == [80.0, 31.0]


def daily(first: datetime, days: int, usd: float) -> list[dict[str, object]]:
    return [
        row(
            **{DATE: f"{first + timedelta(days=at):%Y-%m-%d}"},
            api_key_id="a",
            model="m",
            total_usage=usd,
            tokens_total=1_000_000,
        )
        for at in range(days)
    ]


def test_weeks_come_from_the_longest_look_back_and_begin_with_the_first_spend() -> None:
    rows = daily(datetime(2026, 4, 27, tzinfo=UTC), 42, 2.0)  # six weeks up to Sunday 7 June
    text = (
        "policies:\n"
        + written("short", "spend-growth", "window: last-week, baseline_periods: 4")
        + written("long", "spend-growth", "window: last-week, baseline_periods: 10")
        + written("months", "spend-growth", "window: last-month, baseline_periods: 12")
    )
    periods = run(text, memory(rows)).spend.by_period
    assert [f"{period.window.start:%m-%d}" for period in periods] == [
        "04-27",
        "05-04",
        "05-11",
        "05-18",
        "05-25",
        "06-01",
    ]
    assert {(item.spend_usd, item.tokens_total, item.usd_per_mtok) for item in periods} == {
        (14.0, 7_000_000, 2.0)
    }


def test_months_where_no_policy_looked_at_weeks() -> None:
    rows = daily(datetime(2026, 1, 1, tzinfo=UTC), 151, 1.0)  # up to 31 May
    text = "policies:\n" + written("months", "spend-growth", "window: last-month, baseline_periods: 4")
    periods = run(text, memory(rows)).spend.by_period
    assert [item.spend_usd for item in periods] == [31.0, 28.0, 31.0, 30.0, 31.0]
    assert str(periods[-1].window) == "2026-05-01T00:00:00Z..2026-06-01T00:00:00Z"


def test_the_whole_is_the_baseline() -> None:
    report = run("policies:\n" + BY_MODEL + BY_KEY, memory(ROWS))
    assert report.baseline is not None
    for items in (report.spend.by_model, report.spend.by_key):
        assert sum(item.spend_usd for item in items) == pytest.approx(report.baseline.spend_usd, abs=0.005)


def test_pseudonyms_replace_the_names_of_keys() -> None:
    report = run("policies:\n" + BY_MODEL + BY_KEY, memory(ROWS, catalogue=CATALOG))
    hidden = redacted(report).spend
    assert hidden.by_model[0].subject == {"model": "x/dear"}
    assert [(item.subject["api_key_id"] or "")[:4] for item in hidden.by_key] == ["key-", "key-", ""]
    assert [item.spend_usd for item in hidden.by_key] == [90.0, 30.0, 5.0]
