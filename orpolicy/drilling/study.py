"""Asking for the requests behind a finding, and what the source tells of each."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from orpolicy.account import Account
from orpolicy.drilling.model import Drill, Request, Unanswered
from orpolicy.drilling.question import GENERATION, find, question_of, window_of
from orpolicy.errors import Reason, SourceError
from orpolicy.gather import attempt
from orpolicy.query.generation import Generation
from orpolicy.query.vocabulary import SPEND
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from orpolicy.drilling.question import Question
    from orpolicy.finding import Subject
    from orpolicy.query.model import Answer
    from orpolicy.report import Report
    from orpolicy.sources.base import Source


def drill(source: Source, report: Report, fingerprint: str, file: str, top: int) -> Drill:
    """The dearest requests behind a finding.

    Args:
        source: where figures come from.
        report: which holds the finding.
        fingerprint: the finding's, or its first digits.
        file: the report's, for messages.
        top: so many requests.

    Raises:
        UsageError: if the report has no such finding, or it cannot be asked again.
        SourceError: if the source cannot answer.
    """
    finding = find(report, fingerprint, file)
    window = window_of(report, finding)
    account = _account(source)
    question = question_of(finding, window, account, top)
    answer = source.answer(question.query)
    rows = _rows(question, _checked(answer), account)[:top]
    if not rows:
        raise SourceError(Reason.EMPTY_WINDOW, f"no request behind the finding in {question.query.window}")
    told = source.generations([name for name, _, _ in rows])
    details = {found.generation_id: found for found in told if isinstance(found, Generation)}
    errors = [found for found in told if isinstance(found, SourceError)]
    return Drill(
        now=source.now,
        source=source.info().kind,
        finding=finding,
        window=question.query.window,
        requests=tuple(Request(name, members, totals, details.get(name)) for name, members, totals in rows),
        unanswered=Unanswered(len(errors), errors[0].reason, errors[0].detail) if errors else None,
        notices=(*question.notices, *_cut_off(question, answer, len(rows), top)),
    )


def _account(source: Source) -> Account:
    """What can be asked, and who is who; a missing catalogue only costs the names of models."""
    catalogue = attempt(source.catalogue)
    known = None if isinstance(catalogue, SourceError) else catalogue
    return Account(source.meta(), source.directory(), known, source.pseudonyms)


def _checked(answer: Answer) -> Answer:
    """The answer, if it is to be trusted.

    Raises:
        SourceError: if a filter did not resolve, or rows that were cut off did not come the dearest first.
    """
    if answer.warnings:
        raise SourceError(Reason.UNRESOLVED_FILTER, "; ".join(answer.warnings))
    spend = [float(usd or 0.0) for usd in answer.table.metrics[SPEND]]
    if answer.truncated and any(after > before for before, after in pairwise(spend)):
        raise SourceError(Reason.TRUNCATED, "rows are missing, and those that came are not ordered by spend")
    return answer


def _rows(question: Question, answer: Answer, account: Account) -> list[tuple[str, Subject, Totals]]:
    """The finding's own requests, the dearest first."""
    table = answer.table
    found = [
        (name, account.display({question.beside: member}), Totals.of_row(table, row))
        for row, (name, member) in enumerate(
            zip(table.dimensions[GENERATION], table.dimensions[question.beside], strict=True)
        )
        if name and (not question.is_matched or member == question.member)
    ]
    return sorted(found, key=lambda row: (-row[2].spend_usd, row[0]))


def _cut_off(question: Question, answer: Answer, number: int, top: int) -> list[str]:
    """What is said where more of the finding's requests may lie beyond the rows that came."""
    if not (question.is_matched and answer.truncated and number < top):
        return []
    return [f"only the {len(answer.table):,} dearest requests of all were looked through"]
