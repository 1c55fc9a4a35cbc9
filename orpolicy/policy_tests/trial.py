"""One test run: its policies judged on its own account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orpolicy.catalog.sets import is_preview_name
from orpolicy.codes import Code
from orpolicy.errors import PolicyError, SourceError, UsageError
from orpolicy.evaluation import measures_of
from orpolicy.lint import examine
from orpolicy.location import Problem
from orpolicy.period import parse_window
from orpolicy.policy_tests.fixture import account_of
from orpolicy.reporting import make_report
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.account import Account
    from orpolicy.binding import Bound
    from orpolicy.finding import Finding, Subject
    from orpolicy.policy.model import PolicySet
    from orpolicy.policy_tests.model import Case
    from orpolicy.report import PolicyResult
    from orpolicy.reporting import Run

PREVIEW = "preview"
DEFAULT_WINDOW = "last-month"


@dataclass(frozen=True, slots=True)
class Seen:
    """One subject that was held against the thresholds.

    Attributes:
        may_breach: False where the value alone breaches nothing.
    """

    subject: Subject
    value: float
    may_breach: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """What one policy said in one test.

    Attributes:
        detail: why it is inconclusive, or "".
        findings: of every status.
        seen: every judged subject.
        reaching: whether a value equal to a threshold breaches it.
        outsiders: whether there was usage under ``where`` that the kind is not about, such as models that
            are not banned.
    """

    result: PolicyResult
    detail: str
    findings: tuple[Finding, ...]
    seen: tuple[Seen, ...]
    reaching: bool = False
    outsiders: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A test with what its policies said.

    Attributes:
        judged: by policy id, in file order.
        account: whose names findings show.
    """

    case: Case
    judged: Mapping[str, Judged]
    account: Account


def try_out(case: Case, policies: PolicySet) -> Trial:
    """Judge a test's policies on its rows, exactly as ``check`` would.

    Raises:
        PolicyError: if the test leaves nothing to judge, or no window fits its clock.
    """
    if case.catalogue is None:
        policies = replace(policies, model_sets={PREVIEW: _previews(case), **policies.model_sets})
    try:
        window = parse_window(policies.window or DEFAULT_WINDOW, case.now)
        run = examine(policies, account_of(case, window), Choice(select=scope(case, policies)))
    except (UsageError, ValueError) as error:
        raise PolicyError([Problem(case.now_place, f"now: {error}", code=Code.BAD_TIME)]) from error
    bounds = {bound.policy.id: bound for bound in run.stage.bounds}
    judged = {result.id: _judged(run, result, bounds.get(result.id)) for result in make_report(run).policies}
    return Trial(case, judged, run.stage.scene.account)


def scope(case: Case, policies: PolicySet) -> tuple[str, ...]:
    """The policies that a test judges: those of its own file, those the file overrides, those it names.

    Raises:
        PolicyError: if there is none.
    """
    own = case.location.file
    named = {expectation.policy for expectation in case.expectations}
    named |= {override.policy for override in policies.overrides if override.location.file == own}
    found = tuple(
        policy.id for policy in policies.policies if policy.id in named or policy.location.file == own
    )
    if not found:
        message = "the test judges nothing: its file has no policy, and it expects nothing of any"
        raise PolicyError([Problem(case.location, message, code=Code.NOTHING_THERE)])
    return found


def _previews(case: Case) -> tuple[str, ...]:
    """The rows' models whose own names say preview: all that is known without a catalogue."""
    models = dict.fromkeys(row.members.get("model") for row in case.rows)
    return tuple(model for model in models if model and is_preview_name(model))


def _judged(run: Run, result: PolicyResult, bound: Bound | None) -> Judged:
    found, outcome = run.gathered.get(result.id), run.judged.get(result.id)
    if bound is None or isinstance(found, SourceError | None) or isinstance(outcome, SourceError | None):
        error = run.stage.failed.get(result.id) or outcome
        return Judged(result, error.detail if isinstance(error, SourceError) else "", (), ())
    display = run.stage.scene.account.display
    return Judged(
        result=result,
        detail="",
        findings=tuple(each for each in run.settlement.findings if each.policy == result.id),
        seen=tuple(
            Seen(display(row.subject), measured.value, measured.may_breach)
            for row, measured in measures_of(bound, found)
        ),
        reaching=bound.rule.reaching,
        outsiders=found.matched > len(found.selected),
    )
