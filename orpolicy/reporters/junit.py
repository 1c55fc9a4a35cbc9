"""The format for the test tabs of CI: JUnit XML as Jenkins reads it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from orpolicy.reporters._figures import span
from orpolicy.reporters._headline import beside_net, ended, net, sentence
from orpolicy.reporters._places import path
from orpolicy.reporters._plain_finding import breach, sentences, stopped
from orpolicy.reporters._waiver_words import waiver_sentence
from orpolicy.reporters._words import name, proof, prose, subject, visible
from orpolicy.reporters.base import Reporter
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.finding import Finding, Inconclusive
    from orpolicy.report import PolicyResult, Report
    from orpolicy.reporters.base import Style

_WHOLE = "all subjects"
"""The name of the case that is about a policy as a whole."""


class Outcome(StrEnum):
    """How a test case ended; the value is the element that says so, "" where there is none."""

    PASSED = ""
    FAILED = "failure"
    ERRORED = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One test case.

    Attributes:
        message: one line; for a failure or an error only.
        text: lines for whoever opens the case.
    """

    name: str
    outcome: Outcome
    text: tuple[str, ...]
    kind: str = ""
    message: str = ""


@dataclass(slots=True)
class Suite:
    """What there is about one policy id."""

    results: list[PolicyResult] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    inconclusive: list[Inconclusive] = field(default_factory=list)


class Junit(Reporter):
    """One test suite a policy, one test case a policy and subject."""

    summary = "CI test tabs: a test case a policy and subject, inconclusive policies as errors"

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - machines have no style
        """The report as XML 1.0.

        A warning is a passed case with its words in ``system-out``: JUnit has no warnings, the schema
        has no properties in a case, and CI servers show what a case printed.
        """
        suites = [_run(report)]
        for policy, suite in _suites(report).items():
            suites.append(_suite(report, policy, suite))
        root = ET.Element("testsuites", name="orpolicy")
        for key in ("tests", "failures", "errors"):
            root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
        root.extend(suites)
        ET.indent(root)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suites(report: Report) -> dict[str, Suite]:
    """By policy id, in the order of the policies; what has no result of its own comes last."""
    suites: dict[str, Suite] = {}
    for result in report.policies:
        suites.setdefault(result.id, Suite()).results.append(result)
    for finding in report.findings:
        suites.setdefault(finding.policy, Suite()).findings.append(finding)
    for item in report.inconclusive:
        suites.setdefault(item.policy, Suite()).inconclusive.append(item)
    return suites


def _run(report: Report) -> ET.Element:
    """The run as a suite without cases: its totals, notices and waivers."""
    total, baseline = report.savings, report.baseline
    facts: dict[str, object] = {
        "verdict": report.verdict.value,
        "version": name(report.version),
        "spend_usd": baseline.spend_usd if baseline else "",
        "net_savings_usd_per_month": total.net_expected,
        "gross_savings_usd_per_month": total.gross,
        "waived_savings_usd_per_month": total.waived,
        "baselined_savings_usd_per_month": total.baselined,
        "judged_spend_usd": report.coverage.judged_spend_usd,
    }
    words = [", ".join(ended(report)), net(report), *beside_net(report)]
    lines = [sentence(text) for text in words if text]
    lines += [stopped(prose(notice)) for notice in report.notices]
    lines += [f"{name(each.policy)}: {waiver_sentence(each)}" for each in report.waivers]
    return _suite_element(report, "orpolicy", facts, [], lines)


def _suite(report: Report, policy: str, suite: Suite) -> ET.Element:
    cases = [_inconclusive(item) for item in suite.inconclusive]
    cases += _of_findings(report, suite.findings)
    cases += [_passed(result) for result in suite.results if result.verdict is Verdict.PASS]
    facts = _facts(suite.results[0]) if suite.results else {}
    return _suite_element(report, policy, facts, cases, [])


def _facts(result: PolicyResult) -> dict[str, object]:
    return {
        "rule": result.rule,
        "verdict": result.verdict.value,
        "severity": result.severity.value,
        "file": path(result.location.file),
        "line": result.location.line,
        "owner": name(result.owner),
        "window": span(result.window) if result.window else "",
        "judged_spend_usd": result.judged_spend_usd,
        "spend_under_floor_usd": result.spend_under_floor_usd,
    }


def _of_findings(report: Report, findings: list[Finding]) -> list[Case]:
    """One case a finding; subjects that look alike are told apart by their fingerprints."""
    shown = [subject(finding.subject) for finding in findings]
    times = Counter(shown)
    return [
        _of_finding(report, finding, text if times[text] == 1 else f"{text} ({finding.fingerprint[:8]})")
        for finding, text in zip(findings, shown, strict=True)
    ]


def _of_finding(report: Report, finding: Finding, title: str) -> Case:
    lines = (*sentences(finding, report.catalogue_taken_at), *_places(finding))
    if finding.status is not Status.OPEN:
        return Case(title, Outcome.SKIPPED, (f"{finding.status.upper()}.", *lines))
    if finding.verdict is Verdict.FAIL:
        return Case(title, Outcome.FAILED, lines, prose(finding.rule), breach(finding))
    return Case(title, Outcome.PASSED, (f"{finding.severity.upper()}.", *lines))


def _places(finding: Finding) -> list[str]:
    return [f"{path(each.file)}:{each.line}" for each in finding.locations]


def _inconclusive(item: Inconclusive) -> Case:
    lines = [stopped(prose(text)) for text in (item.detail, item.advice) if text]
    place = f"{path(item.location.file)}:{item.location.line}"
    return Case(_WHOLE, Outcome.ERRORED, (*lines, place), item.reason, prose(item.detail))


def _passed(result: PolicyResult) -> Case:
    return Case(_WHOLE, Outcome.PASSED, (stopped(proof(result)),))


def _suite_element(
    report: Report, title: str, facts: Mapping[str, object], cases: list[Case], lines: list[str]
) -> ET.Element:
    outcomes = Counter(case.outcome for case in cases)
    element = ET.Element(
        "testsuite",
        name=visible(name(title)),
        tests=str(len(cases)),
        failures=str(outcomes[Outcome.FAILED]),
        errors=str(outcomes[Outcome.ERRORED]),
        skipped=str(outcomes[Outcome.SKIPPED]),
        time="0",
        timestamp=f"{report.generated_at:%Y-%m-%dT%H:%M:%S}",
    )
    if facts:
        properties = ET.SubElement(element, "properties")
        for key, value in facts.items():
            ET.SubElement(properties, "property", name=key, value=visible(prose(str(value))))
    for case in cases:
        _add_case(element, title, case)
    if lines:
        ET.SubElement(element, "system-out").text = _text(lines)
    return element


def _add_case(suite: ET.Element, title: str, case: Case) -> None:
    element = ET.SubElement(
        suite, "testcase", classname=visible(name(title)), name=visible(case.name), time="0"
    )
    inner = ET.SubElement(element, case.outcome or "system-out")
    inner.text = _text(case.text)
    if case.message:
        inner.set("message", visible(case.message))
        inner.set("type", visible(case.kind))


def _text(lines: list[str] | tuple[str, ...]) -> str:
    return "\n".join(map(visible, lines))
