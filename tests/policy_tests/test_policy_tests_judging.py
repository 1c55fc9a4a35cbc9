"""Which rows a test's policies see, and what is held against what."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.policy.document import parse
from orpolicy.policy_tests.model import Amount
from orpolicy.policy_tests.pairing import paired
from orpolicy.policy_tests.thresholds import Coverage
from orpolicy.policy_tests.words import covered, scalar

if TYPE_CHECKING:
    from policy_tests.case_files import Files

EU = "ab" * 32

LIMIT = "version: 1\npolicies:\n  - {id: budget, rule: spend-limit, fail_above: 100}\n"


def case(rows: str, expect: str, more: str = "") -> str:
    """The tests section with one test."""
    body = f"rows: [{rows}]\n    expect: [{expect}]\n"
    return f"tests:\n  - name: x\n    now: 2026-06-10\n{more}    {body}"


def ok(files: Files, text: str) -> bool:
    """Whether the only test of a file passes."""
    return bool(files.tested(text).outcomes == {"x": "ok"})


def test_a_row_without_a_date_is_of_the_last_day_of_the_default_window(files: Files) -> None:
    policies = (
        LIMIT
        + "  - {id: may, rule: spend-limit, window: {start: 2026-05-31, end: 2026-06-01}, fail_above: 9}\n"
    )
    expect = "{policy: may, verdict: fail, measure: {min: 1}}"
    assert ok(files, policies + case("{api_key_id: a, total_usage: 10}", expect))
    running = (
        policies
        + "  - {id: nine, rule: spend-limit, window: {start: 2026-06-09, end: 2026-06-10}, fail_above: 9}\n"
    )
    expect = "{policy: nine, verdict: fail}, {policy: may, verdict: inconclusive, reason: empty-window}"
    assert ok(
        files, running + "defaults: {window: this-month}\n" + case("{api_key_id: a, total_usage: 10}", expect)
    )


def test_windows_of_several_months_stand_side_by_side(files: Files) -> None:
    policies = LIMIT + "  - {id: running, rule: spend-limit, by: [], window: this-month, fail_above: 5}\n"
    rows = "{api_key_id: a, total_usage: 150}, {date: 2026-06-03, api_key_id: a, total_usage: 7}"
    expect = "{policy: budget, verdict: fail, measure: 150}, {policy: running, verdict: fail, measure: 7}"
    assert ok(files, policies + case(rows, expect))


def test_a_metric_or_dimension_that_no_row_has_makes_the_policy_inconclusive(files: Files) -> None:
    policies = LIMIT + "  - {id: rate, rule: usd-per-mtok, fail_above: 1}\n"
    rows = "{api_key_id: a, total_usage: 5, tokens_total: 9}"
    assert ok(files, policies + case(rows, ""))
    assert ok(
        files, policies + case(rows, "{policy: rate, verdict: inconclusive, reason: unknown-dimension}")
    )
    rows = "{api_key_id: a, model: m, total_usage: 5}"
    assert ok(files, policies + case(rows, "{policy: rate, verdict: inconclusive, reason: unknown-metric}"))


def test_surcharges_that_no_row_has_are_null_as_in_analytics(files: Files) -> None:
    policies = LIMIT + "  - {id: extras, rule: surcharge-share, components: [web, file], fail_above: 0.1}\n"
    assert ok(
        files,
        policies + case("{total_usage: 10, usage_web: 2}", "{policy: extras, verdict: fail, measure: 0.2}"),
    )
    assert ok(files, policies + case("{total_usage: 10}", "{policy: extras, verdict: pass, measure: 0}"))


def test_no_rows_are_no_usage(files: Files) -> None:
    assert ok(files, LIMIT + case("", "{policy: budget, verdict: inconclusive, reason: empty-window}"))


def test_variants_are_a_dimension_of_their_own(files: Files) -> None:
    policies = LIMIT + "  - {id: batch, rule: model-ban, by: [model], models: ['a/m:batch']}\n"
    rows = "{model: a/m, total_usage: 5}, {model: a/m, variant: batch, total_usage: 3}"
    assert ok(files, policies + case(rows, "{policy: batch, verdict: fail, model: a/m, measure: 3}"))


def test_keys_of_one_name_are_told_apart_by_workspace_and_hash(files: Files) -> None:
    policies = (
        LIMIT + f"  - {{id: one, rule: spend-limit, where: {{api_key_id: 'hash:{EU}'}}, fail_above: 10}}\n"
    )
    policies += "  - {id: rooms, rule: spend-limit, by: [workspace], fail_above: 155}\n"
    keys = (
        f"    keys: [{{name: k, hash: '{EU}', workspace: eu}}, {{name: k, workspace: us}}, {{name: web}}]\n"
    )
    rows = (
        f"{{api_key_id: k, workspace: eu, total_usage: 120}}, {{api_key_id: 'hash:{EU}', total_usage: 40}}, "
        "{api_key_id: k, workspace: us, total_usage: 90}, {api_key_id: web, total_usage: 5}, "
        "{api_key_id: unlisted, total_usage: 5}"
    )
    expect = (
        f"{{policy: one, verdict: fail, api_key_id: 'hash:{EU}', measure: 160}}, "
        "{policy: budget, verdict: fail, api_key_id: k, workspace: eu, measure: 160}, "
        "{policy: budget, verdict: pass, api_key_id: k, workspace: us, measure: 90}, "
        "{policy: rooms, verdict: fail, workspace: eu, measure: 160}"
    )
    assert ok(files, policies + case(rows, expect, keys))


def test_prices_are_per_million_tokens_or_as_the_api_writes_them(files: Files) -> None:
    policies = (
        "version: 1\npolicies:\n  - {id: dear, rule: usd-per-mtok, fail_above: 2, replacement: a/cheap}\n"
    )
    catalog = (
        "    catalog:\n      - {id: a/cheap, prompt: 1, completion: 2, description: not read}\n"
        "      - {id: a/rich, canonical_slug: a/rich-20260101,"
        " pricing: {prompt: '0.000004', completion: '0.000008'}}\n"
    )
    rows = (
        "{api_key_id: k, model: a/rich-20260101, total_usage: 48, tokens_total: 11e6, tokens_prompt: 10e6, "
        "tokens_completion: 1e6, cached_tokens: 0, reasoning_tokens: 0, request_count: 9}"
    )
    # 48 USD, less 10 Mtok at 1 USD and 1 Mtok at 2 USD, and 15 % more tokens of both.
    for savings in ("34.2", "{min: 34, max: 35}", "{expected: 34.2, low: {min: 32, max: 33}, high: 36}"):
        expect = f"{{policy: dear, verdict: fail, model: a/rich, savings: {savings}}}"
        assert ok(files, policies + case(rows, expect, catalog))
    wrong = "{policy: dear, verdict: fail, model: a/rich, savings: {max: 30, high: 36}}"
    lines = files.diff(policies + case(rows, wrong, catalog))
    assert "savings.expected: expected {max: 30}, got 34.2 (4.2 too high)" in lines
    assert not any("savings.high" in line and "got" in line for line in lines)


def test_without_a_catalogue_only_previews_are_known(files: Files) -> None:
    policies = (
        "version: 1\npolicies:\n  - {id: new, rule: model-ban, by: [model], models: ['@preview']}\n"
        "  - {id: grand, rule: model-ban, by: [model], models: ['@frontier']}\n"
    )
    rows = "{model: a/x-preview, total_usage: 5}, {model: a/y, total_usage: 5}"
    expect = (
        "{policy: new, verdict: fail, model: a/x-preview}, "
        "{policy: grand, verdict: inconclusive, reason: no-catalogue}"
    )
    assert ok(files, policies + case(rows, expect))
    shown = files.diff(policies + case(rows, "{policy: new, verdict: fail}, {policy: grand, verdict: pass}"))
    assert (
        "@frontier is made from the model catalogue, and this source has none (the test has no catalog:)"
        in shown
    )


def test_a_test_judges_its_own_file_what_that_overrides_and_what_it_names(files: Files) -> None:
    files.write(LIMIT.replace("budget", "other"), "other.yaml")
    files.write(
        "version: 1\npolicies:\n  - {id: changed, rule: spend-limit, fail_above: 1}\n"
        "  - {id: left, rule: spend-limit, fail_above: 1}\n",
        "base.yaml",
    )
    rows, expect = "{api_key_id: a, total_usage: 150}", "{policy: budget, verdict: fail}"
    files.write(
        LIMIT + "extends: [base.yaml]\noverride: {changed: {fail_above: 140}}\n"
        + case(rows, f"{expect}, {{policy: changed, verdict: fail}}")
    )  # fmt: skip
    tested = files.test("cost.yaml", "other.yaml", "--format", "json")
    (test,) = tested.document["tests"]
    assert (test["outcome"], [policy["id"] for policy in test["policies"]]) == ("ok", ["budget", "changed"])
    named = (
        "{policy: budget, verdict: fail}, {policy: changed, verdict: fail}, {policy: other, verdict: fail}"
    )
    files.write(LIMIT + "extends: [base.yaml]\noverride: {changed: {fail_above: 140}}\n" + case(rows, named))
    assert files.test("cost.yaml", "other.yaml", "-q").code == 0


def test_waived_findings_are_expected_as_such(files: Files) -> None:
    waived = LIMIT + "waivers: [{policy: budget, until: 2026-12-31, reason: agreed, owner: me}]\n"
    rows = "{api_key_id: a, total_usage: 150}"
    assert ok(files, waived + case(rows, "{policy: budget, verdict: fail, status: waived}"))
    assert ok(
        files,
        waived
        + case(rows, "{policy: budget, verdict: fail, status: waived}, {policy: budget, verdict: pass}"),
    )
    assert files.diff(waived + case(rows, "{policy: budget, verdict: fail}"))[1:] == [
        "- {policy: budget, verdict: fail}  cost.yaml:9",
        "+ {policy: budget, verdict: fail, api_key_id: a, status: waived, measure: 150}",
        "status: expected open, got waived",
    ]
    assert not ok(files, waived + case(rows, ""))


FAIL = "{policy: budget, verdict: fail}"
NOBODY = "+ no such subject of budget; 2 subjects judged, 1 under the floor: {api_key_id: a}, {api_key_id: b}"

PAIR = "{api_key_id: a, total_usage: 150}, {api_key_id: b, total_usage: 40}, {api_key_id: c, total_usage: 1}"


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        ("{policy: budget, verdict: fail}", []),
        ("{policy: budget, verdict: fail, api_key_id: a, measure: {min: 100, max: 200}}", []),
        ("{policy: budget, verdict: fail}, {policy: budget, verdict: pass, api_key_id: b}", []),
        (
            "{policy: budget, verdict: fail, measure: 149}",
            [
                "- {policy: budget, verdict: fail, measure: 149}",
                "+ {policy: budget, verdict: fail, api_key_id: a, measure: 150}",
                "measure: expected 149, got 150 (1 too high)",
            ],
        ),
        (
            f"{FAIL}, {{policy: budget, verdict: fail, api_key_id: b, measure: {{min: 50}}}}",
            [
                "- {policy: budget, verdict: fail, api_key_id: b, measure: {min: 50}}",
                "+ {policy: budget, verdict: pass, api_key_id: b, measure: 40}",
                "verdict: expected fail, got pass",
                "measure: expected {min: 50}, got 40 (10 too low)",
            ],
        ),
        (
            "{policy: budget, verdict: fail}, {policy: budget, verdict: fail, api_key_id: z}",
            [
                "- {policy: budget, verdict: fail, api_key_id: z}",
                NOBODY,
            ],
        ),
        (
            "{policy: budget, verdict: fail}, {policy: budget, verdict: pass, api_key_id: c}",
            [
                "- {policy: budget, verdict: pass, api_key_id: c}",
                NOBODY,
            ],
        ),
        (
            "{policy: budget, verdict: fail}, {policy: budget, verdict: pass, api_key_id: b, measure: 41}",
            [
                "- {policy: budget, verdict: pass, api_key_id: b, measure: 41}",
                "+ {policy: budget, verdict: pass, api_key_id: b, measure: 40}",
                "measure: expected 41, got 40 (1 too low)",
            ],
        ),
        (
            "{policy: budget, verdict: fail}, {policy: budget, verdict: pass}",
            [
                "- {policy: budget, verdict: pass}",
                "+ {policy: budget, verdict: fail, api_key_id: a, measure: 150}",
                "verdict: expected pass, got fail",
            ],
        ),
        (
            "{policy: budget, verdict: fail}, {policy: budget, verdict: inconclusive}",
            [
                "- {policy: budget, verdict: inconclusive}",
                "+ {policy: budget, verdict: fail}",
                "verdict: expected inconclusive, got fail",
            ],
        ),
        (
            "{policy: budget, verdict: fail, api_key_id: b}",
            [
                "- {policy: budget, verdict: fail, api_key_id: b}",
                "+ {policy: budget, verdict: fail, api_key_id: a, measure: 150}",
                "api_key_id: expected b, got a",
            ],
        ),
        ("", ["+ {policy: budget, verdict: fail, api_key_id: a, measure: 150} is not expected"]),
    ],
)
def test_what_differs_is_said_next_to_what_comes_nearest(files: Files, expect: str, lines: list[str]) -> None:
    policies = LIMIT.replace("fail_above", "floor: {spend: 10}, fail_above")
    found = [line.partition("  cost.yaml:")[0] for line in files.diff(policies + case(PAIR, expect))[1:]]
    assert found == lines


def test_only_some_of_many_subjects_are_named(files: Files) -> None:
    rows = ", ".join(f"{{api_key_id: k{number}, total_usage: 5}}" for number in range(9))
    files.write(LIMIT + case(rows, "{policy: budget, verdict: pass, api_key_id: z}"))
    shown = " ".join(files.test("cost.yaml", "-k", "").out.split())
    named = ", ".join(f"{{api_key_id: k{number}}}" for number in range(5))
    assert f"9 subjects judged: {named}, ... FAIL" in shown


def test_what_the_measure_does_not_apply_to_is_counted(files: Files) -> None:
    policies = "version: 1\npolicies:\n  - {id: rate, rule: usd-per-mtok, fail_above: 1}\n"
    rows = "{model: a, total_usage: 5, tokens_total: 0}, {model: b, total_usage: 5, tokens_total: 9e6}"
    shown = files.diff(policies + case(rows, "{policy: rate, verdict: pass, model: a}"))
    assert (
        shown[-1]
        == "+ no such subject of rate; 1 subject judged, 1 that the measure does not apply to: {model: b}"
    )


def test_an_inconclusive_policy_says_why(files: Files) -> None:
    rows = "{model: a, total_usage: 5}"
    expect = "{policy: budget, verdict: inconclusive, reason: empty-window}, {policy: budget, verdict: fail}"
    assert files.diff(LIMIT + case(rows, expect))[1:] == [
        "- {policy: budget, verdict: inconclusive, reason: empty-window}  cost.yaml:8",
        "+ {policy: budget, verdict: inconclusive, reason: unknown-dimension}",
        "the account's analytics does not list the dimension api_key_id (no row of the test has it)",
        "reason: expected empty-window, got unknown-dimension",
        "- {policy: budget, verdict: fail}  cost.yaml:8",
        "+ {policy: budget, verdict: inconclusive, reason: unknown-dimension}",
        "the account's analytics does not list the dimension api_key_id (no row of the test has it)",
    ]


def test_savings_that_nobody_knows_fit_no_amount(files: Files) -> None:
    policies = "version: 1\npolicies:\n  - {id: cap, rule: spend-limit, by: [], fail_above: 1}\n"
    shown = files.diff(policies + case("{total_usage: 5}", "{policy: cap, verdict: fail, savings: {min: 0}}"))
    assert shown[-1] == "savings.expected: expected {min: 0}, got no figure"


def test_a_member_that_is_not_there_is_null(files: Files) -> None:
    rows = "{api_key_id: null, total_usage: 150}"
    assert ok(files, LIMIT + case(rows, "{policy: budget, verdict: fail, api_key_id: null}"))
    assert files.diff(LIMIT + case(rows, "{policy: budget, verdict: fail, api_key_id: a}"))[-1] == (
        "api_key_id: expected a, got null"
    )


GROWTH = "version: 1\npolicies:\n  - {id: grow, rule: spend-growth, fail_above: 2}\n"


@pytest.mark.parametrize(
    ("now_usd", "sides"), [(4000, (True, False)), (1900, (False, True)), (2000, (True, False))]
)
def test_a_value_that_reaches_a_threshold_is_on_its_side(
    files: Files, now_usd: int, sides: tuple[bool, bool]
) -> None:
    months = [f"{{date: 2026-0{month}-15, api_key_id: a, total_usage: 1000}}" for month in range(1, 5)]
    rows = ", ".join([*months, f"{{date: 2026-05-15, api_key_id: a, total_usage: {now_usd}}}"])
    assert files.tested(GROWTH + case(rows, "")).sides == {("grow", "fail_above"): sides}


def test_a_value_that_may_not_breach_is_on_neither_side(files: Files) -> None:
    months = [f"{{date: 2026-0{month}-15, api_key_id: a, total_usage: 1}}" for month in range(1, 5)]
    rows = ", ".join([*months, "{date: 2026-05-15, api_key_id: a, total_usage: 9}"])  # 8 USD more are little
    expect = "{policy: grow, verdict: pass, api_key_id: a, measure: 9}"
    tested = files.tested(GROWTH + case(rows, expect))
    assert tested.outcomes == {"x": "ok"}
    assert tested.sides == {("grow", "fail_above"): (False, False)}


@pytest.mark.parametrize(
    ("models", "sides"),
    [("ab", (True, True)), ("a", (True, False)), ("b", (False, True)), ("", (False, False))],
)
def test_a_ban_needs_a_banned_model_and_another(files: Files, models: str, sides: tuple[bool, bool]) -> None:
    policies = "version: 1\npolicies:\n  - {id: ban, rule: model-ban, by: [model], models: [v/a]}\n"
    rows = ", ".join(f"{{model: v/{name}, total_usage: 1}}" for name in models)
    assert files.tested(policies + case(rows, "")).sides == {("ban", "fail_above"): sides}


def test_both_sides_of_every_threshold_count(files: Files) -> None:
    policies = (
        "version: 1\npolicies:\n  - {id: hit, rule: cache-hit-rate, "
        "prompt_heavy: {prompt_per_completion_above: 1}, fail_below: 0.2, warn_below: 0.5}\n"
    )
    rows = ", ".join(
        f"{{model: m{hit}, total_usage: 1, tokens_prompt: 100, tokens_completion: 1, cached_tokens: {hit}}}"
        for hit in (20, 50)
    )
    tested = files.tested(policies + case(rows, "{policy: hit, verdict: warn, measure: 0.2}"))
    assert tested.outcomes == {"x": "ok"}
    assert tested.sides == {("hit", "fail_below"): (False, True), ("hit", "warn_below"): (True, True)}


def test_all_of_nothing_is_covered(files: Files) -> None:
    files.write(
        "version: 1\npolicies:\n  - {id: extras, rule: surcharge-share, components: [web], fail_above: 1}\n"
    )
    assert files.test("cost.yaml", "--min-coverage", "100").code == 1


@settings(max_examples=200)
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), max_size=4))
def test_as_many_as_possible_are_paired(fits: list[list[bool]]) -> None:
    pairs = paired([[column for column, fit in enumerate(row) if fit] for row in fits])
    assert all(fits[row][column] for row, column in pairs.items())
    assert len(set(pairs.values())) == len(pairs)
    best = max(
        sum(fits[row][column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(4), len(fits))
    )
    assert len(pairs) == best


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_an_amount_says_how_far_a_figure_is_outside(one: float, other: float, value: float) -> None:
    amount = Amount(min(one, other), max(one, other))
    off = amount.off_by(value)
    if amount.least <= value <= amount.most:
        assert off == 0
    elif off:
        assert value - off == pytest.approx(amount.most if off > 0 else amount.least, abs=1e-3)
    else:
        edge = amount.most if value > amount.most else amount.least
        assert value == pytest.approx(edge, rel=1e-5, abs=1e-8)


@given(st.none() | st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_a_member_is_written_as_yaml_reads_it_back(text: str | None) -> None:
    assert parse(f"{{a: {scalar(text)}, b: 1}}".encode(), "x").data == {"a": text, "b": 1}


def test_savings_and_status_are_shown_as_they_were_written(files: Files) -> None:
    expect = (
        "{policy: budget, verdict: fail, status: waived, measure: {min: 1, max: 20000000}, savings: {low: 3}}"
    )
    rows = "{api_key_id: a, total_usage: 150}"
    assert files.diff(LIMIT + case(rows, expect))[1:] == [
        f"- {expect}  cost.yaml:8",
        "+ {policy: budget, verdict: fail, api_key_id: a, measure: 150}",
        "status: expected waived, got open",
        "savings.low: expected 3, got no figure",
    ]
    document = files.tested(LIMIT + case(rows, expect)).document
    (missing,) = document["tests"][0]["missing"]
    assert missing["expected"]["measure"] == {"min": 1.0, "max": 20000000.0}
    assert missing["expected"]["savings"] == {"low": {"min": 3.0, "max": 3.0}}
    assert missing["differences"][1] == {
        "field": "savings.low",
        "expected": {"min": 3.0, "max": 3.0},
        "got": None,
        "off_by": None,
    }


@pytest.mark.parametrize("word", ["true", "1", "1e999999", "0x" + "f" * 99, "a b", "- a", "{a}", "é"])
def test_words_that_yaml_reads_otherwise_are_quoted(word: str) -> None:
    assert parse(f"{{a: {scalar(word)}}}".encode(), "x").data == {"a": word}


def test_what_has_no_threshold_is_covered(files: Files) -> None:
    assert covered(Coverage(()), 100.0) == "no policy has a threshold"
    assert Coverage(()).percent == 100.0
    policies = LIMIT + case("{api_key_id: a, total_usage: 150}, {api_key_id: b, total_usage: 5}", FAIL)
    files.write(policies)
    assert "  cost.yaml:3  budget  fail_above 100  both sides\n" in files.test("cost.yaml", "-v").out
