"""The outcome for the test tabs of CI: JUnit XML as Jenkins reads it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from orpolicy.policy_tests import words
from orpolicy.policy_tests.outcome import Ending
from orpolicy.policy_tests.text import diff_lines
from orpolicy.reporters._places import path
from orpolicy.reporters._words import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.policy_tests.outcome import Outcome, Result

_ELEMENTS = {Ending.FAILED: "failure", Ending.FIXED: "failure", Ending.TODO: "skipped"}
"""What says how a case ended; a case that is well has none."""

_COVERAGE = "threshold coverage"


def as_junit(outcome: Outcome) -> str:
    """One test suite a file, one test case a test, and one more where coverage is asked for."""
    suites = [
        _suite(file, list(results))
        for file, results in groupby(outcome.results, key=lambda result: path(result.case.location.file))
    ]
    if outcome.coverage is not None and outcome.least_percent is not None:
        suites.append(_coverage(outcome))
    root = ET.Element("testsuites", name="orpolicy test")
    for key in ("tests", "failures"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    root.set("errors", "0")
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(file: str, results: Sequence[Result]) -> ET.Element:
    elements = [_ELEMENTS.get(result.ending, "") for result in results]
    suite = ET.Element(
        "testsuite",
        name=file,
        tests=str(len(results)),
        failures=str(elements.count("failure")),
        errors="0",
        skipped=str(elements.count("skipped")),
        time="0",
    )
    for result, element in zip(results, elements, strict=True):
        case = ET.SubElement(
            suite, "testcase", classname=file, name=visible(result.case.name), time="0"
        )  # fmt: skip
        if element:
            message = f"{file}:{result.case.location.line}: {words.gist(result)}"
            _add(case, element, list(diff_lines(result)), message)
    return suite


def _coverage(outcome: Outcome) -> ET.Element:
    """The coverage as a case of its own, as it can fail alone."""
    failures = "0" if outcome.is_covered else "1"
    suite = ET.Element("testsuite", name=_COVERAGE, tests="1", failures=failures, errors="0", time="0")
    case = ET.SubElement(suite, "testcase", classname=_COVERAGE, name="all policies", time="0")
    if not outcome.is_covered and outcome.coverage is not None:
        lines = [
            f"{path(each.location.file)}:{each.location.line} {each.policy} {each.key}: {words.gap(each)}"
            for each in outcome.coverage.thresholds
            if not each.is_crossed
        ]
        _add(case, "failure", lines, words.covered(outcome.coverage, outcome.least_percent))
    return suite


def _add(case: ET.Element, element: str, lines: Sequence[str], message: str) -> None:
    """Say how a case ended; Jenkins' schema has no attributes on what is skipped."""
    inner = ET.SubElement(case, element)
    if element == "failure":
        inner.attrib |= {"message": visible(message), "type": "orpolicy test"}
    else:
        lines = (message, *lines)
    inner.text = "\n".join(map(visible, lines))
