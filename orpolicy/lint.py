"""The run on one screen: load > bind > plan > fetch > evaluate > save > report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.confirming import confirm
from orpolicy.coverage import with_covered
from orpolicy.errors import SourceError
from orpolicy.evaluation import judge
from orpolicy.fetch import Desk
from orpolicy.findings import drafts
from orpolicy.gather import Gathered, attempt, gather
from orpolicy.lay_out import lay_out
from orpolicy.reporting import Run, make_report
from orpolicy.settling import settle
from orpolicy.staging import set_stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.baseline import Ratchet
    from orpolicy.binding import Bound
    from orpolicy.evaluation import Judgement
    from orpolicy.policy.model import PolicySet
    from orpolicy.report import Report
    from orpolicy.sources.base import Source
    from orpolicy.staging import Choice


def lint(
    policies: PolicySet,
    source: Source,
    choice: Choice,
    *,
    ratchet: Ratchet | None = None,
    redact: bool = False,
) -> Report:
    """Judge every chosen policy by a source's figures.

    Args:
        policies: what the files say.
        source: where figures come from.
        choice: which of the policies, and when.
        ratchet: the findings that are accepted, or None.
        redact: whether pseudonyms stand for the names of keys, users, apps and workspaces.

    Raises:
        UsageError: for a policy id or a window of the command line that makes no sense.
        PolicyError: for metrics and dimensions that neither orpolicy nor the account knows.
    """
    run = examine(policies, source, choice, ratchet)
    report = make_report(run)
    if ratchet is not None:
        from orpolicy.baseline_update import locked_policies, with_notices  # noqa: PLC0415 - few runs have one

        report = with_notices(report, ratchet, locked_policies(policies))
    if not redact:
        return report
    from orpolicy.redaction import names_of, redacted  # noqa: PLC0415 - few runs ask for it

    return redacted(report, names_of(run.stage.scene.account.directory, run.desk.members()))


def examine(policies: PolicySet, source: Source, choice: Choice, ratchet: Ratchet | None = None) -> Run:
    """Everything that a run finds out, before it becomes a report.

    Raises:
        UsageError: as ``lint``.
        PolicyError: as ``lint``.
    """
    stage = set_stage(policies, source, choice)
    account, now = stage.scene.account, stage.scene.now
    desk = Desk(source, stage.base_metrics)
    gathered = gather(stage.bounds, desk, account, also=(stage.total,) if stage.bounds else ())
    last = tuple(bound for bound in stage.bounds if bound.rule.judges_policies)
    judged = _judged([bound for bound in stage.bounds if bound not in last], gathered)
    judged |= confirm([one for one in judged.values() if not isinstance(one, SourceError)], desk, account)
    if last:
        gathered |= with_covered(last, gathered, [*stage.failed.values(), *judged.values()], account)
        judged |= _judged(last, gathered)
    rows = [
        (judgement, found)
        for name, judgement in judged.items()
        if isinstance(found := gathered[name], Gathered) and not isinstance(judgement, SourceError)
    ]
    layouts = lay_out(rows, desk, account)
    drafted = [
        draft
        for judgement, found in rows
        if judgement.breaches
        for draft in drafts(judgement, found, layouts[judgement.bound.policy.id], account, now)
    ]
    settlement = settle(drafted, stage, ratchet)
    return Run(stage, desk, source.info(), gathered, judged, settlement)


def _judged(
    bounds: Sequence[Bound], gathered: Mapping[str, Gathered | SourceError]
) -> dict[str, Judgement | SourceError]:
    return {
        bound.policy.id: found if isinstance(found := gathered[bound.policy.id], SourceError)
        else attempt(judge, bound, found)
        for bound in bounds
    }  # fmt: skip
