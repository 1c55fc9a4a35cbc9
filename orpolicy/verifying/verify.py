"""A report's findings, looked at again in a later window."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.account import Account, Directory
from orpolicy.binding import KEY, WORKSPACE, closed_window
from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.fetch import MAX_QUERIES, Desk
from orpolicy.gather import ask_for_namesakes, attempt
from orpolicy.period import Window
from orpolicy.query.vocabulary import BASE_METRICS, SURCHARGES
from orpolicy.verifying.cases import Case, Judge
from orpolicy.verifying.days import Wanted, days_of, needs_of
from orpolicy.verifying.model import Checked, Standing, Verification
from orpolicy.verifying.question import question_of
from orpolicy.verifying.realised import ACTED_ON, calibration
from orpolicy.verifying.rule import rule_of
from orpolicy.verifying.windows import check_apart, later_window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from orpolicy.finding import Finding
    from orpolicy.query.model import Need
    from orpolicy.report import Report
    from orpolicy.sources.base import Source
    from orpolicy.verifying.model import Days

Cases = list[tuple["Finding", "Case | SourceError"]]


def verify(
    report: Report, source: Source, findings: Sequence[Finding], *, window: str | None, deployed: date | None
) -> Verification:
    """Look at findings of a report again.

    Args:
        report: that has them.
        source: where figures come from.
        findings: which of them.
        window: the later window's text; None: the latest complete one like each finding's own.
        deployed: when the fix went live, or None.

    Raises:
        UsageError: for a window that is none, is not over yet or overlaps all that the report looked at; for
            a day of the deploy that lies outside of what is looked at.
    """
    later = _fixed(window, source.now)
    account = attempt(_meet, source, findings)
    cases: Cases = [
        (finding, attempt(_case, finding, report, account, later, source.now)) for finding in findings
    ]
    _check_windows(cases, later)
    desk = Desk(source, _base_metrics(account))
    asked = [case for _, case in cases if isinstance(case, Case)]
    notices = [*_unknown(report), *_notices(asked, deployed)]
    checked: list[Checked] = []
    if isinstance(account, SourceError):
        checked = [_unjudged(finding, account, report, later) for finding in findings]
    else:
        _ask(asked, desk, account)
        checked = [_look(finding, case, report, later, Judge(desk, account)) for finding, case in cases]
        checked, lost = _with_days(checked, cases, desk, account)
        notices += lost
    info = source.info()
    return Verification(
        now=source.now,
        source=(info.kind, info.host),
        report_at=report.generated_at,
        deployed=deployed,
        checked=tuple(checked),
        overall=calibration(checked),
        acted_on=calibration(item for item in checked if item.standing in ACTED_ON),
        queries_asked=desk.queries_asked,
        notices=(*notices, *source.info().notes),
    )


def _fixed(window: str | None, now: datetime) -> Window | None:
    if window is None:
        return None
    try:
        return closed_window(window, now)
    except (ValueError, SourceError) as error:
        message = error.detail if isinstance(error, SourceError) else str(error)
        raise UsageError(f"--window: {message}", code=Code.BAD_CLOCK) from error


def _meet(source: Source, findings: Sequence[Finding]) -> Account:
    """What is known of the account; without prices nothing is lost but a model's other names."""
    names_keys = any(not {KEY, WORKSPACE}.isdisjoint(finding.subject) for finding in findings)
    catalogue = attempt(source.catalogue)
    return Account(
        source.meta(),
        source.directory() if names_keys else Directory(),
        None if isinstance(catalogue, SourceError) else catalogue,
        source.pseudonyms,
    )


def _base_metrics(account: Account | SourceError) -> tuple[str, ...]:
    if isinstance(account, SourceError):
        return ()
    return tuple(name for name in (*BASE_METRICS, *SURCHARGES) if name in account.meta.metrics)


def _case(
    finding: Finding, report: Report, account: Account | SourceError, later: Window | None, now: datetime
) -> Case:
    if isinstance(account, SourceError):
        raise account
    own = _own_window(finding, report)
    question = question_of(finding, to_date=own is not None and own.to_date)
    rule = rule_of(finding, question)
    lacking = sorted(rule.metrics - set(account.meta.metrics))
    if lacking:
        raise SourceError(Reason.UNKNOWN_METRIC, f"the account does not list {', '.join(lacking)}")
    fields = {*question.dimensions, *(item.field for item in question.filters)}
    if absent := sorted(fields - account.meta.dimensions):
        raise SourceError(Reason.UNKNOWN_DIMENSION, f"the account does not list {', '.join(absent)}")
    if later is None:
        later = later_window(question.window, now)
    check_apart(question.window, later)
    return Case(finding, question, rule, later)


def _own_window(finding: Finding, report: Report) -> Window | None:
    return next((policy.window for policy in report.policies if policy.id == finding.policy), None)


def _check_windows(cases: Cases, later: Window | None) -> None:
    """A window that suits no finding at all is the command line's fault."""
    errors = [case for _, case in cases if isinstance(case, SourceError)]
    unsuitable = [error for error in errors if error.reason is Reason.UNSUITABLE_WINDOW]
    if later is not None and unsuitable and len(unsuitable) == len(cases):
        raise UsageError(f"--window: {unsuitable[0].detail}", code=Code.BAD_CLOCK)


def _ask(cases: Sequence[Case], desk: Desk, account: Account) -> None:
    """One round for all, one for keys that share a name, one for subjects among missing rows."""
    needs = list(dict.fromkeys(case.need(window) for case in cases for window in case.windows))
    desk.ask([*(case.traffic_need() for case in cases), *needs])
    ask_for_namesakes(needs, frozenset(), desk, account)
    judge = Judge(desk, account)
    lacking = list(dict.fromkeys(chain.from_iterable(map(judge.lacking, cases))))
    desk.ask(lacking[: max(MAX_QUERIES - desk.queries_asked, 0) // 2])


def _look(
    finding: Finding, case: Case | SourceError, report: Report, later: Window | None, judge: Judge
) -> Checked:
    found = case if isinstance(case, SourceError) else attempt(judge.checked, case)
    if isinstance(found, Checked):
        return found
    at = case.later if isinstance(case, Case) else later
    return _unjudged(finding, found, report, at)


def _unjudged(finding: Finding, error: SourceError, report: Report, later: Window | None) -> Checked:
    return Checked(
        finding,
        _own_window(finding, report),
        later,
        Standing.INCONCLUSIVE,
        reason=error.reason,
        detail=error.detail,
    )


def _with_days(
    checked: Sequence[Checked], cases: Cases, desk: Desk, account: Account
) -> tuple[list[Checked], list[str]]:
    """Each that was judged with its days, where they can be had; and what to say where they cannot."""
    judged = {
        number: Wanted(case.question, case.rule, Window(case.question.window.start, case.later.end))
        for number, ((_, case), item) in enumerate(zip(cases, checked, strict=True))
        if isinstance(case, Case) and item.standing is not Standing.INCONCLUSIVE
    }
    needs = needs_of(list(judged.values()), account)
    desk.ask(list(dict.fromkeys(needs)))
    found = list(checked)
    lost: dict[str, None] = {}
    for (number, item), need in zip(judged.items(), needs, strict=True):
        days = attempt(_days, found[number].finding, item, need, desk, account)
        if isinstance(days, SourceError):
            lost[f"no chart by day: {days.detail}"] = None
        else:
            found[number] = replace(found[number], days=days)
    return found, list(lost)


def _days(finding: Finding, wanted: Wanted, need: Need, desk: Desk, account: Account) -> Days:
    return days_of(finding, wanted, desk.evidence(need).table, account)


def _unknown(report: Report) -> list[str]:
    """What the report itself could not judge: there is no finding that could be verified."""
    names = ", ".join(item.policy for item in report.inconclusive)
    return [f"the report could not judge {names}: nothing of that is verified"] if names else []


def _notices(cases: Sequence[Case], deployed: date | None) -> list[str]:
    """What the day of a deploy means for the windows.

    Raises:
        UsageError: if it lies outside of all of them.
    """
    if deployed is None or not cases:
        return []
    first = min(case.question.window.start for case in cases).date()
    last = max(case.later.end for case in cases).date()
    if not first <= deployed < last:
        raise UsageError(
            f"--deployed {deployed}: not between {first} and {last}, which is what is looked at",
            code=Code.BAD_CLOCK,
        )
    if any(case.later.start.date() < deployed < case.later.end.date() for case in cases):
        within = f"the fix went live on {deployed}, within the window that is judged"
        return [f"{within}: days before it count as well; --window can begin after it"]
    return []
