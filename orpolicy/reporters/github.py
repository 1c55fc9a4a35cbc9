"""The format for the log of a GitHub job: workflow commands that become annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.report import WaiverState
from orpolicy.reporters._figures import cents
from orpolicy.reporters._headline import ended
from orpolicy.reporters._places import path
from orpolicy.reporters._plain_finding import dollars, level, of_status, sentences, stopped
from orpolicy.reporters._waiver_words import waiver_sentence
from orpolicy.reporters._words import name, plural, prose, subject
from orpolicy.reporters.base import Reporter
from orpolicy.verdict import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.finding import Finding
    from orpolicy.location import Location
    from orpolicy.report import Report
    from orpolicy.reporters.base import Style

MOST_OF_A_LEVEL = 10
"""GitHub shows so many annotations of a level for a step, and drops the others in silence."""

MOST_CHARACTERS = 4_096
"""GitHub cuts longer messages."""

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """What GitHub shows beside a line.

    Attributes:
        location: None where it belongs to no file.
    """

    level: Severity
    title: str
    message: str
    location: Location | None


class Github(Reporter):
    """Workflow commands."""

    summary = "GitHub jobs: annotations for the dearest findings, as workflow commands"

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - GitHub has its own style
        """One plain line, at most ten commands of a level, and a line for what they leave out."""
        lines, rest = [_headline(report)], []
        for severity in Severity:
            findings = [each for each in of_status(report, Status.OPEN) if level(each) is severity]
            others = [each for each in _others(report) if each.level is severity]
            shown = findings[:MOST_OF_A_LEVEL]
            room = MOST_OF_A_LEVEL - len(shown)
            lines += [_command(_of_finding(each, report)) for each in shown]
            lines += map(_command, others[:room])
            rest += _left_out(severity, findings[MOST_OF_A_LEVEL:], others[room:])
        rest += _accepted(report)
        if rest:
            lines.append(f"orpolicy: not annotated: {', '.join(rest)}. See the full report.")
        return "".join(f"{line}\n" for line in lines)


def _headline(report: Report) -> str:
    spend = f"; spend {cents(report.baseline.spend_usd)}" if report.baseline else ""
    net = f"; net savings {cents(report.savings.net_expected)} a month"
    return f"orpolicy: {report.verdict.upper()}: {', '.join(ended(report))}{spend}{net}"


def _of_finding(finding: Finding, report: Report) -> Annotation:
    text = " ".join(sentences(finding, report.catalogue_taken_at))
    title = f"{name(finding.policy)}: {subject(finding.subject)}"
    return Annotation(level(finding), title, text, finding.locations[0])


def _others(report: Report) -> Iterator[Annotation]:
    """What needs somebody beside the findings."""
    for item in report.inconclusive:
        text = " ".join(stopped(prose(part)) for part in (item.detail, item.advice) if part)
        title = f"{name(item.policy)}: inconclusive, {item.reason}"
        yield Annotation(Severity.ERROR, title, text, item.location)
    for waiver in report.waivers:
        if waiver.state is not WaiverState.ACTIVE:
            title = f"{name(waiver.policy)}: waiver {waiver.state}"
            yield Annotation(Severity.WARNING, title, waiver_sentence(waiver), waiver.location)
    for notice in report.notices:
        yield Annotation(Severity.NOTE, "orpolicy", stopped(prose(notice)), None)


def _left_out(severity: Severity, findings: list[Finding], others: list[Annotation]) -> list[str]:
    """What a level has no room for, with its dollars."""
    parts = []
    if findings:
        parts.append(f"{plural(len(findings), f'more {severity} finding')} ({cents(dollars(findings))})")
    if others:
        parts.append(plural(len(others), f"other {_COMMAND[severity]}"))
    return parts


def _accepted(report: Report) -> list[str]:
    """Waived and baselined findings, with their dollars."""
    return [
        f"{plural(len(kept), f'{status} finding')} ({cents(dollars(kept))})"
        for status in (Status.WAIVED, Status.BASELINED)
        if (kept := of_status(report, status))
    ]


def _command(annotation: Annotation) -> str:
    """``::error file=policies/cost.yaml,line=20,title=Preview models::batch-pipeline...``."""
    properties = {"title": annotation.title}
    if annotation.location:
        properties = {
            "file": path(annotation.location.file),
            "line": str(annotation.location.line),
            **properties,
        }
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMAND[annotation.level]} {listed}::{_data(_cut(annotation.message))}"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _data(text: str) -> str:
    """As ``escapeData`` of GitHub's own toolkit."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As ``escapeProperty`` of GitHub's own toolkit."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
