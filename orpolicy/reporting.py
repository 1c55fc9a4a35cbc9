"""The report put together from what a run found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.advice import inconclusive
from orpolicy.binding import KEY, MODEL
from orpolicy.breakdown import breakdown_of
from orpolicy.coverage import coverage_of
from orpolicy.errors import SourceError
from orpolicy.gather import Gathered, attempt
from orpolicy.nouns import dataclass
from orpolicy.report import Baseline, Coverage, OverrideResult, PolicyResult, Report, ReportSource
from orpolicy.totals import Totals
from orpolicy.verdict import Status, Verdict, worst
from orpolicy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.evaluation import Judgement
    from orpolicy.fetch import Desk
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy
    from orpolicy.settling import Settlement
    from orpolicy.sources.base import SourceInfo
    from orpolicy.staging import Stage
    from orpolicy.table import Table


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a run found.

    Attributes:
        gathered: rows, or why there are none, by policy id.
        judged: judgements, or why there are none, by policy id.
    """

    stage: Stage
    desk: Desk
    info: SourceInfo
    gathered: Mapping[str, Gathered | SourceError]
    judged: Mapping[str, Judgement | SourceError]
    settlement: Settlement

    def outcome(self, policy: Policy) -> Judgement | SourceError:
        """How a chosen policy went."""
        return self.stage.failed.get(policy.id) or self.judged[policy.id]


def make_report(run: Run) -> Report:
    """The report of a run."""
    stage, catalogue = run.stage, run.stage.scene.account.catalogue
    policies = tuple(_policy_result(run, policy) for policy in stage.policies)
    baseline = _baseline(run)
    return Report(
        version=__version__,
        verdict=worst([policy.verdict for policy in policies]),
        source=ReportSource(run.info.kind, run.info.host, run.info.requests, run.info.cached_requests),
        generated_at=stage.scene.now,
        baseline=baseline,
        savings=run.settlement.savings,
        coverage=_coverage(run, baseline),
        policies=policies,
        findings=run.settlement.findings,
        inconclusive=tuple(
            inconclusive(policy, outcome)
            for policy in stage.policies
            if isinstance(outcome := run.outcome(policy), SourceError)
        ),
        waivers=run.settlement.waivers,
        queries=run.desk.records(),
        catalogue_taken_at=catalogue.taken_at if catalogue else None,
        catalogue_models=len(catalogue.models) if catalogue else 0,
        notices=(*stage.notices, *run.info.notes),
        overrides=tuple(
            OverrideResult(item.policy, item.key, item.before, item.after, item.location)
            for item in stage.written.overrides
        ),
        spend=breakdown_of(stage.bounds, run.gathered, stage.scene.window, stage.scene.account),
    )


def _policy_result(run: Run, policy: Policy) -> PolicyResult:
    outcome = run.outcome(policy)
    found = run.gathered.get(policy.id)
    queries = found.queries if isinstance(found, Gathered) else ()
    window = next((bound.window for bound in run.stage.bounds if bound.policy.id == policy.id), None)
    if isinstance(outcome, SourceError):
        return _unjudged(policy, outcome, window, queries)
    open_verdicts = [
        finding.verdict
        for finding in run.settlement.findings
        if finding.policy == policy.id and finding.status is Status.OPEN
    ]
    return PolicyResult(
        id=policy.id,
        rule=policy.rule,
        verdict=worst(open_verdicts),
        severity=policy.severity,
        location=policy.location,
        owner=policy.owner,
        title=policy.title,
        window=window,
        rows_seen=outcome.rows_seen,
        rows_judged=len(outcome.judged),
        rows_under_floor=outcome.rows_under_floor,
        rows_not_applicable=outcome.rows_not_applicable,
        judged_spend_usd=outcome.judged_spend_usd,
        spend_under_floor_usd=outcome.spend_under_floor_usd,
        findings=len(outcome.breaches),
        reason=None,
        queries=queries,
        notes=outcome.notes,
    )


def _unjudged(
    policy: Policy, error: SourceError, window: Window | None, queries: tuple[str, ...]
) -> PolicyResult:
    return PolicyResult(
        id=policy.id,
        rule=policy.rule,
        verdict=Verdict.INCONCLUSIVE,
        severity=policy.severity,
        location=policy.location,
        owner=policy.owner,
        title=policy.title,
        window=window,
        rows_seen=0,
        rows_judged=0,
        rows_under_floor=0,
        rows_not_applicable=0,
        judged_spend_usd=0.0,
        spend_under_floor_usd=0.0,
        findings=0,
        reason=error.reason,
        queries=queries,
    )


def _baseline(run: Run) -> Baseline | None:
    """All traffic of the run's window."""
    if not run.stage.bounds:
        return None
    evidence = attempt(run.desk.evidence, run.stage.total)
    if isinstance(evidence, SourceError):
        return None
    totals = Totals.of_table(evidence.table)
    return Baseline(
        window=run.stage.scene.window,
        spend_usd=totals.spend_usd,
        tokens_total=totals.tokens,
        request_count=totals.requests,
        blended_usd_per_mtok=totals.usd_per_mtok,
    )


def _coverage(run: Run, baseline: Baseline | None) -> Coverage:
    if baseline is None:
        return Coverage(0.0, None)
    judged = [outcome for outcome in run.judged.values() if not isinstance(outcome, SourceError)]
    cells, account = _cells(run, baseline.window), run.stage.scene.account
    return coverage_of(judged, baseline.window, baseline.spend_usd, cells, account)


def _cells(run: Run, window: Window) -> Table | None:
    """All traffic of a window by key and model, if some policy asked for it."""
    for bound in run.stage.bounds:
        found = run.gathered[bound.policy.id]
        whole = bound.window == window and not bound.periods and len(bound.slices) == 1
        if whole and isinstance(found, Gathered) and {KEY, MODEL} <= set(found.everything.dimensions):
            return found.everything
    return None
