"""Findings in Markdown: one row each, and the dearest at length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import cents
from orpolicy.reporters._markdown_text import code, escaped, fenced, row
from orpolicy.reporters._places import path
from orpolicy.reporters._plain_finding import drivers, of_status, saved, saves, traffic
from orpolicy.reporters._words import is_claimed, measured, name, prose, remark, state, subject
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.finding import Finding
    from orpolicy.location import Location
    from orpolicy.report import Report

TABLE_HEAD = (
    row("", "Policy", "Subject", "Measured", "Spend", "Saves a month", "Owner", "What to do"),
    row("---", "---", "---", "---", "---:", "---:", "---", "---"),
)

AT_LENGTH = 10
"""So many of the dearest open findings are explained."""

MOST_COMMAND_CHARACTERS = 2_000
"""Longer commands are left to the JSON format: one that is cut would be wrong."""


def finding_row(finding: Finding) -> str:
    """A finding as a row below ``TABLE_HEAD``."""
    return row(
        f"**{state(finding)}**",
        code(name(finding.policy)),
        code(subject(finding.subject)),
        escaped(prose(measured(finding))),
        escaped(cents(finding.spend_usd)),
        _worth(finding),
        code(name(finding.owner)) if finding.owner else "",
        escaped(prose(finding.recommendation.text)),
    )


def _worth(finding: Finding) -> str:
    exposure = finding.exposure_usd_per_month
    if finding.savings.expected is None and exposure is not None:
        return f"{escaped(cents(exposure))} exposed"
    return escaped(saved(finding.savings) + ("*" if is_claimed(finding) else ""))


def legend(findings: Iterable[Finding]) -> list[str]:
    """What the asterisks in a table of these findings mean; nothing where there are none."""
    words = "\\* adds nothing to net: another finding already claims these dollars."
    return ["", words] if any(map(is_claimed, findings)) else []


def explained(report: Report) -> list[str]:
    """The dearest open findings at length, a block each."""
    return [_explained(finding, report) for finding in of_status(report, Status.OPEN)[:AT_LENGTH]]


def _explained(finding: Finding, report: Report) -> str:
    facts = (
        ("", remark(finding)),
        ("Why", prose(finding.why)),
        ("Traffic", traffic(finding)),
        ("Behind it", drivers(finding)),
        ("Worth", saves(finding, report.catalogue_taken_at)),
        ("Formula", prose(finding.savings.formula)),
        ("Risk", prose(finding.recommendation.risk)),
        ("Check", prose(finding.verify.expect)),
    )
    lines = [f"**{state(finding)}** {code(name(finding.policy))}: {code(subject(finding.subject))}", ""]
    lines += [f"- {label or 'Measured'}: {escaped(text)}" for label, text in facts if text]
    lines.append(f"- Where: {', '.join(map(place, finding.locations))}")
    if finding.link:
        lines.append(f"- More: {code(prose(finding.link))}")
    if len(finding.verify.curl) <= MOST_COMMAND_CHARACTERS:
        lines += ["", fenced(finding.verify.curl)]
    return "\n".join((*lines, ""))


def place(location: Location) -> str:
    """``file:line`` as a code span."""
    return code(f"{prose(path(location.file))}:{location.line}")
