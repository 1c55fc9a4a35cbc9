"""The format for spreadsheets: a row a finding, a policy that could not be judged, and a waiver."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from orpolicy.period import stamp
from orpolicy.reporters._figures import share
from orpolicy.reporters._words import subject, visible
from orpolicy.reporters.base import Reporter
from orpolicy.verdict import Verdict

if TYPE_CHECKING:
    from orpolicy.finding import Finding, Inconclusive, Subject
    from orpolicy.location import Location
    from orpolicy.report import PolicyResult, Report, WaiverResult
    from orpolicy.reporters.base import Style

COLUMNS = (
    "verdict",
    "status",
    "severity",
    "policy",
    "rule",
    "title",
    "owner",
    "subject",
    "api_key_id",
    "model",
    "other_dimensions",
    "measure",
    "value",
    "threshold",
    "unit",
    "note",
    "window_start",
    "window_end",
    "spend_usd",
    "tokens_total",
    "request_count",
    "usd_per_mtok",
    "savings_low_usd_per_month",
    "savings_expected_usd_per_month",
    "savings_high_usd_per_month",
    "savings_net_usd_per_month",
    "confidence",
    "formula",
    "exposure_usd_per_month",
    "action",
    "replacement",
    "recommendation",
    "risk",
    "drivers",
    "expect",
    "reason",
    "detail",
    "file",
    "line",
    "why",
    "link",
    "fingerprint",
    "beyond_baseline",
    "waiver_state",
    "waiver_until",
    "waiver_reason",
    "waiver_findings",
    "waiver_spend_usd",
)
"""In this order; new ones are added at the end."""

FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet take text for a formula, where it comes first; the last four are full-width."""

_AFTER_SEMICOLON = re.compile(r"(;[\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where the locale writes decimals with a comma, spreadsheets begin a cell after each semicolon."""

Cell = str | int | float | None
Row = dict[str, Cell]


class Csv(Reporter):
    """Comma-separated values as RFC 4180 has them, with a header."""

    summary = (
        "spreadsheets: a row a finding, waived ones included, a policy that was not judged, and a waiver"
    )

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - spreadsheets have no style
        """The findings in the report's order, what is inconclusive, the waivers; text is never a formula.

        A waiver's row has figures in columns of its own alone, so that no sum over a column counts twice.
        """
        results = {policy.id: policy for policy in report.policies}
        rows = [
            *(_finding(finding, results.get(finding.policy)) for finding in report.findings),
            *(_inconclusive(item, results.get(item.policy)) for item in report.inconclusive),
            *(_waiver(waiver, results.get(waiver.policy)) for waiver in report.waivers),
        ]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})
        return text.getvalue()


def _cell(value: Cell) -> str | int | float:
    """Numbers as they are; text visible, and behind an apostrophe where it would be a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    safe = _AFTER_SEMICOLON.sub(r"\1'", visible(value))
    return f"'{safe}" if value[:1] in FORMULA or value.lstrip()[:1] in FORMULA else safe


def _finding(finding: Finding, policy: PolicyResult | None) -> Row:
    measure, advice = finding.measure, finding.recommendation
    return {
        "verdict": finding.verdict.value,
        "status": finding.status.value,
        "severity": finding.severity.value,
        "policy": finding.policy,
        "rule": finding.rule,
        "title": finding.title,
        "owner": finding.owner,
        **_subject(finding.subject),
        "measure": measure.name,
        "value": float(measure.value),
        "threshold": float(measure.threshold),
        "unit": measure.unit,
        "note": measure.note,
        **_window(policy),
        **_money(finding),
        "action": advice.action,
        "replacement": advice.replacement,
        "recommendation": advice.text,
        "risk": advice.risk,
        "drivers": "; ".join(f"{subject(each.subject)} {share(each.share)}" for each in finding.drivers),
        "expect": finding.verify.expect,
        **_place(finding.locations[0]),
        "why": finding.why,
        "link": finding.link,
        "fingerprint": finding.fingerprint,
        "beyond_baseline": finding.beyond_baseline,
    }


def _money(finding: Finding) -> Row:
    savings = finding.savings
    return {
        "spend_usd": float(finding.spend_usd),
        "tokens_total": finding.tokens_total,
        "request_count": finding.request_count,
        "usd_per_mtok": finding.usd_per_mtok,
        "savings_low_usd_per_month": savings.low,
        "savings_expected_usd_per_month": savings.expected,
        "savings_high_usd_per_month": savings.high,
        "savings_net_usd_per_month": savings.net,
        "confidence": savings.confidence.value,
        "formula": savings.formula,
        "exposure_usd_per_month": finding.exposure_usd_per_month,
    }


def _subject(members: Subject) -> Row:
    """The subject in words, and by dimension."""
    others = [
        f"{dimension}={'' if member is None else member}"
        for dimension, member in members.items()
        if dimension not in {"api_key_id", "model"}
    ]
    return {
        "subject": subject(members),
        "api_key_id": members.get("api_key_id"),
        "model": members.get("model"),
        "other_dimensions": "; ".join(others),
    }


def _inconclusive(item: Inconclusive, policy: PolicyResult | None) -> Row:
    return {
        "verdict": Verdict.INCONCLUSIVE.value,
        "policy": item.policy,
        **_policy(policy),
        "recommendation": item.advice,
        "reason": item.reason.value,
        "detail": item.detail,
        **_place(item.location),
    }


def _waiver(waiver: WaiverResult, policy: PolicyResult | None) -> Row:
    return {
        "policy": waiver.policy,
        **_policy(policy),
        "owner": waiver.owner,
        **_place(waiver.location),
        "waiver_state": waiver.state.value,
        "waiver_until": waiver.until.isoformat(),
        "waiver_reason": waiver.reason,
        "waiver_findings": waiver.findings,
        "waiver_spend_usd": float(waiver.spend_usd),
    }


def _policy(policy: PolicyResult | None) -> Row:
    """What a policy's result knows of it; nothing where there is none."""
    if policy is None:
        return {}
    return {
        "severity": policy.severity.value,
        "rule": policy.rule,
        "title": policy.title,
        "owner": policy.owner,
        **_window(policy),
    }


def _window(policy: PolicyResult | None) -> Row:
    if policy is None or policy.window is None:
        return {}
    return {"window_start": stamp(policy.window.start), "window_end": stamp(policy.window.end)}


def _place(location: Location) -> Row:
    return {"file": location.file, "line": location.line}
