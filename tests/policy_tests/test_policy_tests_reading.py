"""What makes no sense in a test, each at its own place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from policy_tests.case_files import Files

HASH = "ab" * 32

POLICIES = """\
version: 1
policies:
  - {id: budget, rule: spend-limit, fail_above: 100}
  - {id: extras, rule: surcharge-share, components: [web], fail_above: 0.1}
tests:
"""


def case(**parts: str) -> str:
    """One test with some of its keys replaced, each on a line of its own from line 6 on."""
    keys = {"name": "x", "now": "2026-06-10", "rows": "[]", "expect": "[]", **parts}
    return POLICIES + "".join(
        f"  {'- ' if number == 0 else '  '}{key}: {value}\n"
        for number, (key, value) in enumerate(keys.items())
    )


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"now": "2026-13-01"}, "7:10: now: '2026-13-01' is not in the calendar"),
        ({"rows": "[{total_usag: 1}]"}, "8:13: unknown key 'total_usag' (did you mean total_usage?)"),
        ({"rows": "[{api_kay_id: a}]"}, "8:13: unknown key 'api_kay_id' (did you mean api_key_id?)"),
        ({"rows": "[{request_count: 1.5}]"}, "8:28: rows[0].request_count must be a whole number or nothing"),
        ({"rows": "[{request_count: -1}]"}, "8:28: rows[0].request_count must be at least 0, not -1"),
        ({"rows": "[{total_usage: '1'}]"}, "8:26: rows[0].total_usage must be a number or nothing, not '1'"),
        (
            {"rows": "[{total_usage: true}]"},
            "8:26: rows[0].total_usage must be a number or nothing, not true",
        ),
        ({"rows": "[{total_usage: .inf}]"}, "8:26: .inf is not a finite number"),
        ({"rows": "[{model: 4}]"}, "8:20: rows[0].model must be text or nothing, not 4"),
        ({"rows": "[{}]"}, "8:12: rows[0] is empty"),
        ({"rows": "[3]"}, "8:12: rows[0] must be a mapping, not 3"),
        (
            {"rows": "{}"},
            "8:11: rows must be a list, not a mapping (as in rows: [{model: ..., total_usage: 9}])",
        ),
        (
            {"rows": "web"},
            "8:11: rows must be a list, not 'web' (as in rows: [{model: ..., total_usage: 9}])",
        ),
        ({"rows": "[{date: 2026-5-1}]"}, "8:19: rows[0].date must be a UTC day, such as 2026-05-31"),
        ({"rows": "[{date: 2026-02-30}]"}, "8:19: date: day is out of range for month"),
        (
            {"rows": "[{model: 'a/b:free'}]"},
            "8:20: analytics shows no model with a variant in its name, as in a/b:free (write model: a/b, ",
        ),
        (
            {"expect": "[{policy: budgit, verdict: pass}]"},
            "9:23: there is no policy 'budgit' (did you mean budget?)",
        ),
        (
            {"expect": "[{policy: budget, verdict: fails}]"},
            "9:40: expect[0].verdict cannot be 'fails' (did you mean fail?)",
        ),
        ({"expect": "[{verdict: fail}]"}, "9:14: policy is missing"),
        (
            {"expect": "[{policy: budget, verdict: fail, mesure: 3}]"},
            "9:46: unknown key 'mesure' (did you mean measure?)",
        ),
        (
            {"expect": "[{policy: budget, verdict: fail, measure: x}]"},
            "9:55: expect[0].measure must be a number or a mapping, not 'x'",
        ),
        ({"expect": "[{policy: budget, verdict: fail, measure: {}}]"}, "9:55: expect[0].measure is empty"),
        (
            {"expect": "[{policy: budget, verdict: fail, measure: {mn: 1}}]"},
            "9:56: unknown key 'mn' (did you mean min?)",
        ),
        (
            {"expect": "[{policy: budget, verdict: fail, measure: {min: 2, max: 1}}]"},
            "9:55: measure: min is above max, so that nothing fits",
        ),
        (
            {"expect": "[{policy: budget, verdict: fail, savings: {low: {min: 2, max: 1}}}]"},
            "9:61: low: min is above max, so that nothing fits",
        ),
        (
            {"expect": "[{policy: budget, verdict: fail, savings: {min: 2, expected: 1}}]"},
            "9:55: savings: min and max are of the expected figure, which is given as well",
        ),
        (
            {"expect": "[{policy: budget, verdict: fail, reason: empty-window}]"},
            "9:54: reason goes with the verdict inconclusive, not with fail",
        ),
        (
            {"expect": "[{policy: budget, verdict: inconclusive, reason: emptywindow}]"},
            "9:62: expect[0].reason cannot be 'emptywindow' (did you mean empty-window?)",
        ),
        (
            {"expect": "[{policy: budget, verdict: inconclusive, api_key_id: a}]"},
            "9:66: api_key_id says nothing here: an inconclusive policy judges no subject",
        ),
        (
            {"expect": "[{policy: budget, verdict: inconclusive, measure: 3}]"},
            "9:63: measure says nothing here: an inconclusive policy judges no subject",
        ),
        (
            {"expect": "[{policy: budget, verdict: pass, status: waived}]"},
            "9:54: status goes with a finding, and pass is none",
        ),
        (
            {"expect": "[{policy: budget, verdict: pass, savings: 3}]"},
            "9:55: savings goes with a finding, and pass is none",
        ),
        (
            {"expect": "[{policy: budget, verdict: fail, model: a}]"},
            "9:53: budget judges by api_key_id, so that its findings have no model",
        ),
        (
            {"expect": "[{policy: extras, verdict: fail, key_hash: '" + HASH + "'}]"},
            "9:56: extras judges all traffic as one, so that its findings have no key_hash",
        ),
        ({"keys": "[{hash: abc}]"}, "10:12: name is missing"),
        (
            {"keys": "[{name: a, hash: abc}]"},
            "10:28: keys[0].hash must be a key's hash: 64 hex digits in lower case",
        ),
        (
            {"keys": "[{name: a, hash: '" + HASH + "'}, {name: b, hash: '" + HASH + "'}]"},
            "10:113: another key has this hash",
        ),
        (
            {"rows": "[{api_key_id: a}]", "keys": "[{name: a}, {name: a}]"},
            "8:25: 2 keys have the name 'a': name one as hash:..., or add its workspace",
        ),
        (
            {"rows": "[{api_key_id: 'hash:" + HASH + "'}]", "keys": "[{name: a}]"},
            "8:25: no key under keys: has this hash",
        ),
        ({"rows": "[{api_key_id: 'hash:x'}]"}, "8:25: no key under keys: has this hash"),
        ({"catalog": "[{prompt: 1}]"}, "10:15: id is missing"),
        ({"catalog": "[{id: m, promt: 1}]"}, "10:23: unknown key 'promt' (did you mean prompt?)"),
        ({"catalog": "[{id: m}, {id: m}]"}, "10:24: the model 'm' is listed twice"),
        ({"catalog": "[{id: m, prompt: -1}]"}, "10:31: catalog[0].prompt must be at least 0, not -1"),
        (
            {"catalog": "[{id: m, expiration_date: soon}]"},
            "10:15: no model of GET /models: expiration_date: 'soon' is not a day such as 2026-08-24",
        ),
        ({"catalog": "[]"}, "10:14: catalog is empty"),
        ({"todo": "yes"}, "10:11: todo must be true or false, not 'yes' (write true)"),
        ({"only": "true"}, "10:5: unknown key 'only'"),
    ],
)
def test_what_makes_no_sense_is_told_at_its_place(files: Files, parts: dict[str, str], problem: str) -> None:
    files.write(case(**parts))
    tested = files.test("cost.yaml")
    assert (tested.code, tested.out) == (2, "")
    assert f"cost.yaml:{problem}" in tested.err


def test_everything_is_told_at_once(files: Files) -> None:
    files.write(
        case(expect="[{policy: budget, verdict: fail, model: a}]")
        + case(now="2026-06-11", rows="[{date: 2026-02-30}]").removeprefix(POLICIES)
    )
    tested = files.test("cost.yaml")
    assert [line.partition(" [")[0] for line in tested.err.splitlines()] == [
        "cost.yaml:9:53: budget judges by api_key_id, so that its findings have no model",
        "cost.yaml:10:11: another test of this file is named 'x' (first at cost.yaml:6:11)",
        "cost.yaml:12:19: date: day is out of range for month",
    ]


def test_two_files_may_use_one_name(files: Files) -> None:
    files.write(case())
    files.write(case().replace("budget", "cap").replace("extras", "other"), "more.yaml")
    assert files.test("cost.yaml", "more.yaml", "-q").out == "PASS  2 tests: 2 ok\n"


def test_a_clock_that_no_window_fits_is_told(files: Files) -> None:
    files.write(case(now="2026-06-01") + "defaults: {window: this-month}\n")
    assert "cost.yaml:7:10: now: this-month has only just begun" in files.test("cost.yaml").err
    files.write(case() + "defaults: {window: {start: 2026-06-01, end: 2026-07-01}}\n")
    assert "cost.yaml:7:10: now: the window 2026-06-01..2026-07-01 ends after" in files.test("cost.yaml").err


def test_a_test_that_judges_nothing_is_told(files: Files) -> None:
    files.write(case())
    files.write("version: 1\ntests: [{name: x, now: 2026-06-10, rows: [], expect: []}]\n", "more.yaml")
    assert "more.yaml:2:9: the test judges nothing: its file has no policy" in files.test(".").err


def test_a_disabled_policy_cannot_be_expected(files: Files) -> None:
    files.write("version: 1\npolicies:\n- {id: gone, rule: spend-limit, fail_above: 1}\n", "base.yaml")
    files.write(
        case(expect="[{policy: gone, verdict: pass}]")
        + "extends: [base.yaml]\noverride: {gone: {disabled: true}}\n"
    )
    assert "cost.yaml:9:23: gone is disabled" in files.test("cost.yaml").err


def test_unknown_metrics_of_policies_are_told_at_their_line(files: Files) -> None:
    files.write(case().replace("fail_above: 100", "where: {api_kay: a}, fail_above: 100"))
    assert "cost.yaml:3:" in files.test("cost.yaml").err
