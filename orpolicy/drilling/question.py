"""From a finding of a report to the query for the requests behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.binding import ID_ONLY_DIMENSIONS, MODEL, filter_values
from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.period import Window
from orpolicy.query.model import Filter, Operator, Query
from orpolicy.query.vocabulary import BASE_METRICS, MAX_FILTERS, MAX_ROWS, RAW_MAX_DAYS, SPEND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.account import Account
    from orpolicy.finding import Finding
    from orpolicy.report import Report

GENERATION = "generation_id"
SHORTEST = 6
"""Digits of a fingerprint that are taken for the whole."""

_MOST_NAMED = 3
_PSEUDONYM = re.compile(r"hash-[0-9a-f]{10}")


_CUT = "single requests are asked over {} days at most: only the last {} of {:g} days are looked at"
_SELECTED = "the policy also selects by {}, which the report does not hold: some of these may not be its own"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and which of its rows are the finding's.

    Attributes:
        beside: the other dimension of the rows.
        member: the one that the finding's rows have there; "" where all rows are the finding's.
        is_matched: whether only rows with this member are.
        notices: what the reader should know.
    """

    query: Query
    beside: str
    member: str | None
    is_matched: bool
    notices: tuple[str, ...]


def find(report: Report, fingerprint: str, file: str) -> Finding:
    """The finding of a fingerprint, or of its first digits where that is one.

    Raises:
        UsageError: if there is none, or more than one.
    """
    wanted = fingerprint.lower()
    found = [item for item in report.findings if item.fingerprint == wanted]
    if not found and len(wanted) >= SHORTEST:
        found = [item for item in report.findings if item.fingerprint.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{file} has {len(found)} findings whose fingerprint begins with {fingerprint}",
            code=Code.UNKNOWN_NAME,
        )
    listed = [item.fingerprint for item in report.findings[:_MOST_NAMED]]
    more = " and others" if len(report.findings) > len(listed) else ""
    known = f"it has {', '.join(listed)}{more}" if listed else "it has none at all"
    raise UsageError(f"{file} has no finding {fingerprint[:80]}; {known}", code=Code.UNKNOWN_NAME)


def window_of(report: Report, finding: Finding) -> Window:
    """The window that the finding was judged by.

    Raises:
        UsageError: if the report does not say.
    """
    found = next((item.window for item in report.policies if item.id == finding.policy), None)
    if found is None:
        raise UsageError(f"the report has no window of the policy {finding.policy}", code=Code.NO_REPORT)
    return found


def question_of(finding: Finding, window: Window, account: Account, top: int) -> Question:
    """The query for the requests behind a finding.

    Raises:
        UsageError: if the report's own query cannot be read, or has pseudonyms in it.
        SourceError: NOT_ANSWERABLE, if the source has no single requests, or too much is to be matched here.
    """
    if GENERATION not in account.meta.dimensions:
        raise SourceError(
            Reason.NOT_ANSWERABLE,
            f"this source holds sums, no single requests: it does not list {GENERATION}",
        )
    filters, dimensions = _read(finding.verify.query)
    filtered = {item.field for item in filters}
    matched: list[str] = []
    for name in dimensions:
        if name in finding.subject and name not in filtered:
            member = finding.subject[name]
            if member is None or name in ID_ONLY_DIMENSIONS:
                matched.append(name)
            else:
                filters.append(Filter(name, Operator.IN, tuple(sorted(filter_values(name, member, account)))))
    if len(matched) > 1:
        raise SourceError(
            Reason.NOT_ANSWERABLE,
            f"{' and '.join(matched)} cannot be filtered by name, and only one can be matched",
        )
    selected = [name for name in dimensions if name not in finding.subject]
    narrowed = sorted(filtered - set(finding.subject))
    beside = (matched + selected + narrowed + [MODEL])[0]
    cut, notices = _cut(window)
    if selected:
        notices = (*notices, _SELECTED.format(" and ".join(selected)))
    query = Query(
        metrics=tuple(sorted({SPEND, *BASE_METRICS} & {SPEND, *account.meta.metrics})),
        dimensions=tuple(sorted((GENERATION, beside))),
        window=cut,
        filters=tuple(sorted(filters)),
        limit=MAX_ROWS if matched else top,
    )
    return Question(query, beside, finding.subject[matched[0]] if matched else "", bool(matched), notices)


def _cut(window: Window) -> tuple[Window, tuple[str, ...]]:
    """The last days of a window that single requests can be asked of, and what to say of it."""
    if window.days <= RAW_MAX_DAYS:
        return window, ()
    cut = Window(window.end - timedelta(days=RAW_MAX_DAYS), window.end, window.to_date)
    return cut, (_CUT.format(RAW_MAX_DAYS, RAW_MAX_DAYS, window.days),)


def _read(query: Mapping[str, object]) -> tuple[list[Filter], tuple[str, ...]]:
    """The filters and the dimensions of a report's query.

    Raises:
        UsageError: if they are not what a report holds, or hold pseudonyms.
    """
    dimensions, filters = query.get("dimensions", []), query.get("filters", [])
    if not isinstance(dimensions, list) or not isinstance(filters, list) or len(filters) > MAX_FILTERS:
        raise UsageError(
            "the finding's own query cannot be read: its dimensions and filters are no lists",
            code=Code.NO_REPORT,
        )
    return [_filter(item) for item in filters], tuple(str(name) for name in dimensions)


def _filter(item: object) -> Filter:
    fields = item if isinstance(item, dict) else {}
    name, operator, values = fields.get("field"), fields.get("operator"), fields.get("value")
    texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    is_known = isinstance(operator, str) and operator in set(Operator)
    if not isinstance(name, str) or not is_known or not texts:
        raise UsageError(
            "the finding's own query cannot be read: a filter is not one that a report holds",
            code=Code.NO_REPORT,
        )
    if any(_PSEUDONYM.fullmatch(text) for text in texts):
        raise UsageError(
            "the report holds pseudonyms: drill needs one that was written without --redact",
            code=Code.NO_REPORT,
        )
    return Filter(name, Operator(str(operator)), tuple(sorted(texts)))
