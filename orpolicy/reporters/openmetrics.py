"""The format for Prometheus: gauges for the textfile collector of its node exporter."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from orpolicy.report import WaiverState
from orpolicy.reporters._metric_family import Family, Labels
from orpolicy.reporters._words import name, subject
from orpolicy.reporters.base import Reporter
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.report import Baseline, Report
    from orpolicy.reporters.base import Style

SECONDS_A_DAY = 86_400


class Openmetrics(Reporter):
    """OpenMetrics 1.0 text that is Prometheus' older text format as well: gauges, without timestamps.

    What is not known has no sample; it is never 0.
    """

    summary = "Prometheus: a textfile of gauges for the node exporter"

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - machines have no style
        """Every family in a fixed order, its samples in the report's."""
        families = [
            *_run(report),
            *(_baseline(report.baseline) if report.baseline else ()),
            *_coverage(report),
            *_savings(report),
            *_policies(report),
            *_findings(report),
            *_waivers(report),
        ]
        return "".join(family.text() for family in families) + "# EOF\n"


def _run(report: Report) -> list[Family]:
    source = report.source
    about = {"version": report.version, "source": source.kind, "host": source.host}
    worst = Family("orpolicy_run_verdict", "1 for the verdict of the run, 0 for the others.", combine=max)
    for verdict in Verdict:
        worst.put({"verdict": verdict}, report.verdict is verdict)
    return [
        Family("orpolicy_run", "Always 1; what ran, and on which figures.").put(about, 1),
        Family("orpolicy_run_timestamp_seconds", "The clock of the run, in Unix time.", "seconds").put(
            {}, int(report.generated_at.timestamp())
        ),
        worst,
        Family("orpolicy_source_requests", "Requests that the run sent.").put({}, source.requests),
        Family("orpolicy_source_cached_requests", "Answers read from the local cache instead.").put(
            {}, source.cached_requests
        ),
    ]


def _baseline(baseline: Baseline) -> list[Family]:
    blended = Family(
        "orpolicy_blended_usd_per_mtok", "All spend by all tokens, USD per million.", "usd_per_mtok"
    )
    if baseline.blended_usd_per_mtok is not None:
        blended.put({}, baseline.blended_usd_per_mtok)
    return [
        Family("orpolicy_window_start_seconds", "First moment of the window, in Unix time.", "seconds").put(
            {}, int(baseline.window.start.timestamp())
        ),
        Family("orpolicy_window_end_seconds", "First moment after the window, in Unix time.", "seconds").put(
            {}, int(baseline.window.end.timestamp())
        ),
        Family("orpolicy_spend_usd", "All spend of the window.", "usd").put({}, baseline.spend_usd),
        Family("orpolicy_usage_tokens", "All tokens of the window.", "tokens").put({}, baseline.tokens_total),
        Family("orpolicy_usage_requests", "All requests of the window.", "requests").put(
            {}, baseline.request_count
        ),
        blended,
    ]


def _coverage(report: Report) -> list[Family]:
    part = Family(
        "orpolicy_judged_spend_ratio", "Part of the spend that some policy judged, 0 to 1.", "ratio"
    )
    if report.coverage.share is not None:
        part.put({}, report.coverage.share)
    return [
        Family("orpolicy_judged_spend_usd", "Spend that some policy judged.", "usd").put(
            {}, report.coverage.judged_spend_usd
        ),
        part,
    ]


def _savings(report: Report) -> list[Family]:
    total = report.savings
    monthly = "usd_per_month"
    net = Family("orpolicy_net_savings_usd_per_month", "What open findings could save together.", monthly)
    net.put({"scenario": "low"}, total.net_low)
    net.put({"scenario": "expected"}, total.net_expected)
    net.put({"scenario": "high"}, total.net_high)
    return [
        net,
        Family("orpolicy_gross_savings_usd_per_month", "Plain sum, overlaps counted twice.", monthly).put(
            {}, total.gross
        ),
        Family("orpolicy_waived_savings_usd_per_month", "What waived findings would save.", monthly).put(
            {}, total.waived
        ),
        Family(
            "orpolicy_baselined_savings_usd_per_month", "What baselined findings would save.", monthly
        ).put({}, total.baselined),
    ]


def _policies(report: Report) -> list[Family]:
    verdicts = Family(
        "orpolicy_policy_verdict", "1 for the verdict of the policy, 0 for the others.", combine=max
    )
    judged = Family("orpolicy_policy_judged_spend_usd", "Spend that the policy judged.", "usd")
    found = Family("orpolicy_policy_findings", "Findings of the policy by status.")
    beyond = Family("orpolicy_policy_findings_beyond_baseline", "Open findings that were accepted as milder.")
    for policy in report.policies:
        about = {"policy": policy.id, "rule": policy.rule, "owner": policy.owner}
        for verdict in Verdict:
            verdicts.put({**about, "verdict": verdict}, policy.verdict is verdict)
        if policy.verdict is not Verdict.INCONCLUSIVE:
            judged.put({"policy": policy.id}, policy.judged_spend_usd)
            for status in Status:
                found.put({"policy": policy.id, "status": status}, 0)
            beyond.put({"policy": policy.id}, 0)
    for finding in report.findings:
        found.put({"policy": finding.policy, "status": finding.status}, 1)
        beyond.put({"policy": finding.policy}, int(bool(finding.beyond_baseline)))
    unjudged = Family("orpolicy_policy_inconclusive", "1 for a policy that could not be judged.", combine=max)
    for item in report.inconclusive:
        unjudged.put({"policy": item.policy, "reason": item.reason}, 1)
    return [verdicts, judged, found, beyond, unjudged]


def _findings(report: Report) -> list[Family]:
    monthly = "usd_per_month"
    spend = Family("orpolicy_finding_spend_usd", "Spend of the subject in the policy's window.", "usd")
    net = Family(
        "orpolicy_finding_net_savings_usd_per_month", "What the finding adds to the net, if known.", monthly
    )
    exposure = Family(
        "orpolicy_finding_exposure_usd_per_month", "Spend above the threshold that is no saving.", monthly
    )
    for finding in report.findings:
        labels = _labels(finding)
        spend.put(labels, finding.spend_usd)
        if finding.savings.net is not None:
            net.put(labels, finding.savings.net)
        if finding.exposure_usd_per_month is not None:
            exposure.put(labels, finding.exposure_usd_per_month)
    return [spend, net, exposure]


def _labels(finding: Finding) -> Labels:
    """The same labels for every finding; names are elided, and the fingerprint tells them apart."""
    members = finding.subject
    return {
        "policy": finding.policy,
        "fingerprint": finding.fingerprint,
        "verdict": finding.verdict,
        "status": finding.status,
        "owner": name(finding.owner),
        "subject": subject(members),
        "api_key_id": name(members.get("api_key_id") or ""),
        "model": name(members.get("model") or ""),
    }


def _waivers(report: Report) -> list[Family]:
    """How the waivers fared; those of one policy, state and owner share a sample, the earliest end first."""
    states = Family("orpolicy_waivers", "Waivers by how they fared.")
    until = Family(
        "orpolicy_waiver_end_seconds", "First moment after the waiver, in Unix time.", "seconds", combine=min
    )
    covered = Family("orpolicy_waiver_spend_usd", "Spend of the findings that the waiver matches.", "usd")
    for state in WaiverState:
        states.put({"state": state}, sum(waiver.state is state for waiver in report.waivers))
    for waiver in report.waivers:
        labels = {"policy": waiver.policy, "state": waiver.state, "owner": name(waiver.owner)}
        until.put(labels, _end_of(waiver.until))
        covered.put(labels, waiver.spend_usd)
    return [states, until, covered]


def _end_of(day: date) -> int:
    """When a UTC day is over, in Unix time; counted, as the calendar may have no day after it."""
    return (day.toordinal() + 1 - date(1970, 1, 1).toordinal()) * SECONDS_A_DAY
