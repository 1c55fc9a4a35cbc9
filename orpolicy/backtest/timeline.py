"""From the runs of the weeks to one line a policy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orpolicy.backtest.model import Dollars, Mark, PolicyLine, SubjectLine, Verdict
from orpolicy.backtest.noise import noise_of
from orpolicy.errors import SourceError
from orpolicy.evaluation import measures_of
from orpolicy.findings import fingerprint
from orpolicy.gather import Gathered
from orpolicy.period import DAYS_PER_MONTH
from orpolicy.plugins import RULES
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy
    from orpolicy.report import PolicyResult, Report
    from orpolicy.reporting import Run

WEEK_OF_A_MONTH = 7 / DAYS_PER_MONTH


@dataclass(frozen=True, slots=True)
class Week:
    """One replayed week.

    Attributes:
        window: Monday to Sunday.
        report: what a check at its end would have said, or why it would have said nothing.
        run: the same before it became a report.
        refused: metrics that the source did not give, with what it said.
    """

    window: Window
    report: Report | SourceError
    run: Run | SourceError
    refused: Mapping[str, SourceError]

    def findings(self, policy: str) -> list[Finding]:
        """The open findings of a policy."""
        if isinstance(self.report, SourceError):
            return []
        return [item for item in self.report.findings if item.policy == policy and item.status is Status.OPEN]


def trace(policy: Policy, weeks: Sequence[Week]) -> PolicyLine:
    """One policy over the weeks."""
    rule = RULES[policy.rule].read(policy)
    verdicts = tuple(_verdict(policy, week, rule.metrics) for week in weeks)
    subjects = _subjects(policy, weeks, verdicts)
    line = PolicyLine(
        id=policy.id,
        rule=policy.rule,
        location=policy.location,
        owner=policy.owner,
        title=policy.title,
        measure=rule.measure_name,
        unit=rule.value_unit,
        weeks=verdicts,
        subjects=subjects,
        dollars=_dollars((week, finding) for week in weeks for finding in week.findings(policy.id)),
    )
    return replace(line, noise=noise_of(line))


def total(weeks: Sequence[Week]) -> Dollars:
    """The net of every week, added up; what subjects of several policies spend is not."""
    reports = [week.report for week in weeks if not isinstance(week.report, SourceError)]
    still_open = [
        finding for report in reports for finding in report.findings if finding.status is Status.OPEN
    ]
    low, expected, high = (
        math.fsum(getattr(report.savings, f"net_{name}") for report in reports) * WEEK_OF_A_MONTH
        for name in ("low", "expected", "high")
    )
    unknown = sum(finding.savings.expected is None for finding in still_open)
    return Dollars(low=low, expected=expected, high=high, net=expected, unknown=unknown)


def _verdict(policy: Policy, week: Week, metrics: frozenset[str]) -> Verdict:
    report = week.report
    if isinstance(report, SourceError):
        return Verdict(Mark.NOT_JUDGED, None, report.reason, report.detail)
    result = next(item for item in report.policies if item.id == policy.id)
    if result.reason is None:
        return Verdict(Mark(result.verdict.value), result.window)
    refused = next((week.refused[name] for name in sorted(metrics) if name in week.refused), None)
    if refused is not None:
        return Verdict(Mark.NOT_JUDGED, result.window, refused.reason, refused.detail)
    detail = next(item.detail for item in report.inconclusive if item.policy == policy.id)
    return Verdict(Mark.NOT_JUDGED, result.window, result.reason, detail)


def _subjects(policy: Policy, weeks: Sequence[Week], verdicts: Sequence[Verdict]) -> tuple[SubjectLine, ...]:
    fired = [{finding.fingerprint: finding for finding in week.findings(policy.id)} for week in weeks]
    latest = {name: finding for findings in fired for name, finding in findings.items()}
    values = [_values(policy, week, latest) for week in weeks]
    lines = [
        SubjectLine(
            fingerprint=name,
            subject=finding.subject,
            marks=tuple(
                Mark(findings[name].verdict.value) if name in findings else _unfired(verdict)
                for findings, verdict in zip(fired, verdicts, strict=True)
            ),
            values=tuple(measured.get(name) for measured in values),
            threshold=finding.measure.threshold,
            spend_usd=_dollars(
                (week, findings[name])
                for week, findings in zip(weeks, fired, strict=True)
                if name in findings
            ).spend,
        )
        for name, finding in latest.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.spend_usd, line.fingerprint)))


def _unfired(verdict: Verdict) -> Mark:
    return Mark.NOT_JUDGED if verdict.mark is Mark.NOT_JUDGED else Mark.PASS


def _values(policy: Policy, week: Week, wanted: Mapping[str, Finding]) -> dict[str, float]:
    """What was measured of some subjects, fired or not, by fingerprint."""
    if isinstance(week.run, SourceError) or not wanted:
        return {}
    judgement, gathered = week.run.judged.get(policy.id), week.run.gathered.get(policy.id)
    if judgement is None or isinstance(judgement, SourceError) or not isinstance(gathered, Gathered):
        return {}
    account = week.run.stage.scene.account
    found = [
        (fingerprint(policy.id, row.subject, account), measured.value)
        for row, measured in measures_of(judgement.bound, gathered)
    ]
    return {name: value for name, value in found if name in wanted}


def _dollars(findings: Iterable[tuple[Week, Finding]]) -> Dollars:
    """The weekly parts of what some findings say of a month."""
    found = [(finding, _window(week, finding)) for week, finding in findings]
    savings = [finding.savings for finding, _ in found]

    def summed(figures: Iterable[float | None]) -> float:
        return math.fsum(figure or 0.0 for figure in figures) * WEEK_OF_A_MONTH

    return Dollars(
        spend=summed(finding.spend_usd * window.monthly_factor for finding, window in found),
        low=summed(item.low for item in savings),
        expected=summed(item.expected for item in savings),
        high=summed(item.high for item in savings),
        net=summed(item.net for item in savings),
        exposure=summed(finding.exposure_usd_per_month for finding, _ in found),
        unknown=sum(item.expected is None for item in savings),
    )


def _window(week: Week, finding: Finding) -> Window:
    """The window that a finding is about; a judged policy has one."""
    results: Sequence[PolicyResult] = () if isinstance(week.report, SourceError) else week.report.policies
    found = next((item.window for item in results if item.id == finding.policy), None)
    return found or week.window
