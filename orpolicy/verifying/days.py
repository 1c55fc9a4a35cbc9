"""Findings day by day: where the cliff is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import accumulate
from math import sqrt
from typing import TYPE_CHECKING

from orpolicy.binding import MAX_MEMBERS
from orpolicy.nouns import dataclass
from orpolicy.period import Window
from orpolicy.query.model import Context, Filter, Granularity, Need, Operator
from orpolicy.rules.base import Measured, Row, Traffic
from orpolicy.table import DATE
from orpolicy.totals import Totals
from orpolicy.verifying.identity import identities, rows_of
from orpolicy.verifying.model import Days

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.account import Account
    from orpolicy.finding import Finding
    from orpolicy.rules.base import Rule
    from orpolicy.table import Table
    from orpolicy.verifying.question import Question

BY_DAY = "(days)"
"""Stands for the chart among those who share a query."""

SPENT = "spend_usd"

LEAST_DAYS = 3
CLEAR_STEP = 3.0
CLEAR_CHANGE = 0.3
"""A step is clear from three standard deviations within its sides on, if it is 30 % of the higher side."""

_RATED = frozenset({"cache_hit_rate", "reasoning_share", "prompt_ratio"})
"""Measures that a fix moves. Of the others dollars tell more: where usage leaves, a price stays as it is."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A finding whose days are wanted.

    Attributes:
        span: from the start of the report's window to the end of the later one.
    """

    question: Question
    rule: Rule
    span: Window


def needs_of(wanted: Sequence[Wanted], account: Account) -> list[Need]:
    """What to ask by day for each: one question for all of the same dimensions and filters."""
    groups: dict[tuple[object, ...], list[Wanted]] = {}
    for item in wanted:
        groups.setdefault((item.question.dimensions, item.question.filters), []).append(item)
    needs = {shape: _need(group, account) for shape, group in groups.items()}
    return [needs[item.question.dimensions, item.question.filters] for item in wanted]


def _need(group: Sequence[Wanted], account: Account) -> Need:
    first = group[0].question
    span = Window(min(item.span.start for item in group), max(item.span.end for item in group))
    filters = list(first.filters)
    for name in first.dimensions:
        members = [item for one in group for item in identities(one.question) if item.dimension == name]
        values = {member.filter_value(account) for member in members}
        if "" not in values and len(values) <= MAX_MEMBERS:
            filters.append(Filter(name, Operator.IN, tuple(sorted(values))))
    metrics = frozenset().union(*(item.rule.metrics for item in group if item.rule.measure_name in _RATED))
    context = Context(span, tuple(sorted(filters)), Granularity.DAY)
    return Need(BY_DAY, context, first.dimensions, metrics, checked=False)


def days_of(finding: Finding, wanted: Wanted, table: Table, account: Account) -> Days:
    """The finding's own days.

    Args:
        finding: of the report.
        wanted: what is wanted of it.
        table: the answer by day.
        account: who is who.
    """
    rows = rows_of(table, identities(wanted.question), account).rollup((DATE,))
    totals = {day: Totals.of_row(rows, number) for number, day in enumerate(rows.dimensions[DATE])}
    first = wanted.span.start.date()
    count = (wanted.span.end - datetime.combine(first, datetime.min.time(), wanted.span.start.tzinfo)) // _DAY
    days = [first + number * _DAY for number in range(count)]
    found = [totals.get(day.isoformat()) for day in days]
    if wanted.rule.measure_name in _RATED:
        name, unit = finding.measure.name, finding.measure.unit
        values = [_measured(finding, wanted.rule, day, item) for day, item in zip(days, found, strict=True)]
    else:
        name, unit = SPENT, "USD"
        values = [item.spend_usd if item else 0.0 for item in found]
    step = _step(values)
    return Days(name, unit, first, tuple(values), None if step is None else days[step])


def _measured(finding: Finding, rule: Rule, day: date, totals: Totals | None) -> float | None:
    if totals is None or any(totals.values.get(name) is None for name in rule.metrics):
        return None
    start = datetime.combine(day, datetime.min.time())
    measured = rule.measure(Row(dict(finding.subject), totals, Window(start, start + _DAY)), Traffic(totals))
    return measured.value if isinstance(measured, Measured) else None


def _step(values: Sequence[float | None]) -> int | None:
    """Where the greatest step is, if it is clear: the split with the least squares around two means."""
    known = [(number, value) for number, value in enumerate(values) if value is not None]
    sums = [0.0, *accumulate(value for _, value in known)]
    squares = [0.0, *accumulate(value * value for _, value in known)]
    best: tuple[float, int] | None = None
    for cut in range(LEAST_DAYS, len(known) - LEAST_DAYS + 1):
        rest = _around(sums, squares, 0, cut) + _around(sums, squares, cut, len(known))
        if best is None or rest < best[0]:
            best = rest, cut
    if best is None:
        return None
    rest, cut = best
    left, right = sums[cut] / cut, (sums[-1] - sums[cut]) / (len(known) - cut)
    spread = sqrt(max(rest, 0.0) / len(known))
    step = abs(left - right)
    clear = step > CLEAR_STEP * spread and step >= CLEAR_CHANGE * max(abs(left), abs(right)) and step > 0
    return known[cut][0] if clear else None


def _around(sums: Sequence[float], squares: Sequence[float], start: int, end: int) -> float:
    """The squares around the mean of a stretch."""
    whole = sums[end] - sums[start]
    return squares[end] - squares[start] - whole * whole / (end - start)
