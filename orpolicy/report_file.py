"""A report as ``check --format json=FILE`` wrote it, read again.

Whoever tells people, or looks later whether a fix landed, needs no more than the file: the step that writes
to GitHub no management key, and the step with the key no token of GitHub's.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from orpolicy.codes import Code
from orpolicy.errors import Reason, UsageError
from orpolicy.fields import Fields
from orpolicy.finding import (
    Confidence,
    Driver,
    Finding,
    Inconclusive,
    Measure,
    Recommendation,
    Savings,
    Verify,
)
from orpolicy.location import Location
from orpolicy.report import (
    Baseline,
    Coverage,
    PolicyResult,
    QueryRecord,
    Report,
    ReportSource,
    SavingsTotal,
    WaiverResult,
    WaiverState,
)
from orpolicy.reporters.json import report_schema
from orpolicy.sources._json import BrokenJson, parse_json
from orpolicy.sources._replies import one_line
from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.sources._json import Json


def read_report(path: Path) -> Report:
    """The report in a file, but for its overrides, trend and breakdown of spend.

    Raises:
        UsageError: if the file cannot be read, or is no report of this version of the format.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", code=Code.NO_REPORT) from error
    try:
        value = parse_json(raw)
    except BrokenJson:
        raise UsageError(
            f"{path} is no JSON; `orpolicy check --format json=FILE` writes a report", code=Code.NO_REPORT
        ) from None
    return _checked(path, value)


def _checked(path: Path, value: Json) -> Report:
    wrong = best_match(Draft202012Validator(json.loads(report_schema())).iter_errors(value))
    if wrong is not None:
        raise UsageError(
            f"{path} is no report: {one_line(f'{wrong.json_path}: {wrong.message}')}", code=Code.NO_REPORT
        )
    try:
        return _report(Fields(cast("dict[str, Json]", value)))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{path} is no report: {error}", code=Code.NO_REPORT) from error


def _report(report: Fields) -> Report:
    source, total, judged = (report.at(name) for name in ("source", "savings_usd_per_month", "coverage"))
    net, baseline = total.at("net"), report.perhaps("baseline")
    return Report(
        version=report.at("tool").text("version"),
        verdict=Verdict(report.text("verdict")),
        source=ReportSource(
            source.text("kind"),
            source.text("host"),
            source.integer("requests"),
            source.integer("cached_requests"),
        ),
        generated_at=report.moment("generated_at"),
        baseline=_baseline(baseline) if baseline else None,
        savings=SavingsTotal(
            total.number("gross"),
            net.number("low"),
            net.number("expected"),
            net.number("high"),
            total.number("waived"),
            total.number("baselined"),
        ),
        coverage=Coverage(judged.number("judged_spend_usd"), judged.perhaps_number("share")),
        policies=tuple(map(_policy, report.each("policies"))),
        findings=tuple(map(_finding, report.each("findings"))),
        inconclusive=tuple(map(_inconclusive, report.each("inconclusive"))),
        waivers=tuple(map(_waiver, report.each("waivers"))),
        queries=tuple(map(_query, report.each("queries"))),
        catalogue_taken_at=report.at("catalogue").perhaps_moment("taken_at"),
        catalogue_models=report.at("catalogue").integer("models"),
        notices=report.texts("notices"),
    )


def _baseline(baseline: Fields) -> Baseline:
    return Baseline(
        baseline.at("window").window(),
        baseline.number("spend_usd"),
        baseline.integer("tokens_total"),
        baseline.integer("request_count"),
        baseline.perhaps_number("blended_usd_per_mtok"),
    )


def _place(place: Fields) -> Location:
    column = place.integer("column") if "column" in place.members else 1
    return Location(place.text("file"), place.integer("line"), column)


def _policy(policy: Fields) -> PolicyResult:
    window, reason = policy.perhaps("window"), policy.perhaps_text("reason")
    return PolicyResult(
        id=policy.text("id"),
        rule=policy.text("rule"),
        verdict=Verdict(policy.text("verdict")),
        severity=Severity(policy.text("severity")),
        location=_place(policy),
        owner=policy.text("owner"),
        title=policy.text("title"),
        window=window.window() if window else None,
        rows_seen=policy.integer("rows_seen"),
        rows_judged=policy.integer("rows_judged"),
        rows_under_floor=policy.integer("rows_under_floor"),
        rows_not_applicable=policy.integer("rows_not_applicable"),
        judged_spend_usd=policy.number("judged_spend_usd"),
        spend_under_floor_usd=policy.number("spend_under_floor_usd"),
        findings=policy.integer("findings"),
        reason=Reason(reason) if reason else None,
        queries=policy.texts("queries"),
        notes=policy.texts("notes"),
    )


def _finding(finding: Fields) -> Finding:
    measure, advice, verify = (finding.at(name) for name in ("measure", "recommendation", "verify"))
    return Finding(
        fingerprint=finding.text("fingerprint"),
        policy=finding.text("policy"),
        rule=finding.text("rule"),
        verdict=Verdict(finding.text("verdict")),
        severity=Severity(finding.text("severity")),
        subject=finding.names("subject"),
        measure=Measure(
            measure.text("name"),
            measure.number("value"),
            measure.number("threshold"),
            measure.text("unit"),
            measure.text("note"),
            measure.text("label") if "label" in measure.members else "",
        ),
        spend_usd=finding.number("spend_usd"),
        tokens_total=finding.integer("tokens_total"),
        request_count=finding.integer("request_count"),
        usd_per_mtok=finding.perhaps_number("usd_per_mtok"),
        savings=_savings(finding.at("savings_usd_per_month")),
        recommendation=Recommendation(
            advice.text("action"),
            advice.perhaps_text("replacement"),
            advice.text("text"),
            advice.text("risk"),
        ),
        drivers=tuple(map(_driver, finding.each("drivers"))),
        locations=tuple(map(_place, finding.each("locations"))),
        verify=Verify(verify.at("query").members, verify.text("curl"), verify.text("expect")),
        owner=finding.text("owner"),
        title=finding.text("title"),
        why=finding.text("why"),
        link=finding.text("link"),
        exposure_usd_per_month=finding.perhaps_number("exposure_usd_per_month"),
        status=Status(finding.text("status")),
        beyond_baseline=finding.text("beyond_baseline"),
    )


def _savings(savings: Fields) -> Savings:
    low, expected, high, net = (savings.perhaps_number(name) for name in ("low", "expected", "high", "net"))
    return Savings(low, expected, high, net, Confidence(savings.text("confidence")), savings.text("formula"))


def _driver(driver: Fields) -> Driver:
    return Driver(driver.names("subject"), driver.number("spend_usd"), driver.number("share"))


def _inconclusive(item: Fields) -> Inconclusive:
    reason = Reason(item.text("reason"))
    return Inconclusive(item.text("policy"), reason, item.text("detail"), item.text("advice"), _place(item))


def _query(query: Fields) -> QueryRecord:
    return QueryRecord(
        id=query.text("id"),
        policies=query.texts("policies"),
        request=query.at("request").members,
        rows=query.integer("rows"),
        truncated=query.members["truncated"] is True,
        complete_because=query.text("complete_because"),
        cached_at=query.perhaps_moment("cached_at"),
        from_cache=query.members["from_cache"] is True,
        elapsed_ms=query.integer("ms"),
        error=query.text("error"),
    )


def _waiver(waiver: Fields) -> WaiverResult:
    return WaiverResult(
        policy=waiver.text("policy"),
        state=WaiverState(waiver.text("state")),
        until=date.fromisoformat(waiver.text("until")),
        reason=waiver.text("reason"),
        owner=waiver.text("owner"),
        findings=waiver.integer("findings"),
        spend_usd=waiver.number("spend_usd"),
        location=_place(waiver),
    )
