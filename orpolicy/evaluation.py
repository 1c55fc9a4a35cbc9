"""Rules meet rows: what breaches, what passes, and the proof of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orpolicy.errors import Reason, SourceError
from orpolicy.rules.base import Measured, Row, Skip, Traffic
from orpolicy.table import DATE
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.binding import Bound
    from orpolicy.gather import Gathered
    from orpolicy.period import Window
    from orpolicy.table import Member, Table
    from orpolicy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Breach:
    """One subject across one threshold.

    Attributes:
        verdict: fail or warn, by the threshold alone.
        value: the measure's.
        note: the measure's.
    """

    row: Row
    verdict: Verdict
    value: float
    threshold: float
    note: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judged policy with its proof.

    Attributes:
        judged: members of the subjects that were held against the thresholds, in ``by``'s order.
        rows_seen: subjects that the selectors matched.
        rows_not_applicable: subjects that the measure does not apply to.
        notes: what a reader should know about the proof.
    """

    bound: Bound
    traffic: Traffic
    breaches: tuple[Breach, ...]
    judged: tuple[tuple[Member, ...], ...]
    rows_seen: int
    rows_under_floor: int
    rows_not_applicable: int
    judged_spend_usd: float
    spend_under_floor_usd: float
    notes: tuple[str, ...]


def judge(bound: Bound, gathered: Gathered) -> Judgement:
    """Hold every subject of a policy against its thresholds.

    Raises:
        SourceError: where nothing could be judged, and that is no answer: no usage at all, selectors that
            match nothing, too little history, or no row that the measure applies to.
    """
    traffic = traffic_of(bound, gathered)
    if traffic.totals.requests <= 0 and traffic.totals.spend_usd <= 0:
        raise SourceError(Reason.EMPTY_WINDOW, f"there was no usage at all in {bound.window}")
    if not gathered.matched and not bound.policy.allow_empty:
        raise SourceError(Reason.NOTHING_MATCHED, "`where` matches nothing that was used in the window")
    rows = rows_of(bound, gathered.selected)
    big = [row for row in rows if not under_floor(row, bound, traffic)]
    measured = [(row, _measure(bound, row, traffic)) for row in big]
    judged = [(row, value) for row, value in measured if isinstance(value, Measured)]
    skipped = Counter(value for _, value in measured if isinstance(value, Skip))
    _check_judged(len(judged), skipped)
    small = [row.totals.spend_usd for row in rows if under_floor(row, bound, traffic)]
    return Judgement(
        bound=bound,
        traffic=traffic,
        breaches=tuple(_breaches(bound, judged)),
        judged=tuple(tuple(row.subject.values()) for row, _ in judged),
        rows_seen=len(rows),
        rows_under_floor=len(small),
        rows_not_applicable=sum(skipped.values()),
        judged_spend_usd=sum(row.totals.spend_usd for row, _ in judged),
        spend_under_floor_usd=sum(small),
        notes=tuple(_notes(gathered, skipped)),
    )


def _check_judged(judged: int, skipped: Counter[Skip]) -> None:
    if skipped[Skip.IMPLAUSIBLE]:
        raise SourceError(
            Reason.MALFORMED_ANSWER,
            f"{skipped[Skip.IMPLAUSIBLE]} rows have {Skip.IMPLAUSIBLE}: cached_tokens above tokens_prompt, "
            "or reasoning_tokens above tokens_completion",
        )
    if judged:
        return
    if skipped[Skip.NEW]:
        raise SourceError(Reason.TOO_LITTLE_HISTORY, "no subject has four complete periods of history yet")
    if skipped[Skip.NOT_APPLICABLE]:
        raise SourceError(
            Reason.NOTHING_JUDGED,
            f"the measure applies to none of the {skipped[Skip.NOT_APPLICABLE]} subjects above the floor",
        )


def _notes(gathered: Gathered, skipped: Counter[Skip]) -> Iterable[str]:
    if gathered.missing_below_usd is not None:
        yield (
            f"rows are missing that spend at most {gathered.missing_below_usd:,.2f} USD each, "
            f"{gathered.missing_usd:,.2f} USD together: under the floor, so that they cannot matter"
        )
    for skip, count in sorted(skipped.items()):
        yield f"{count} not judged: {skip}"


def _measure(bound: Bound, row: Row, traffic: Traffic) -> Measured | Skip:
    if any(
        row.totals.values.get(name) is None for name in bound.rule.metrics if not name.startswith("usage_")
    ):
        return Skip.NOT_APPLICABLE
    return bound.rule.measure(row, traffic)


def _breaches(bound: Bound, judged: Sequence[tuple[Row, Measured]]) -> Iterable[Breach]:
    for row, measured in judged:
        crossed = bound.thresholds.crossed(measured.value, reaching=bound.rule.reaching)
        if crossed and measured.may_breach:
            yield Breach(row, crossed[0], measured.value, crossed[1], measured.note)


def under_floor(row: Row, bound: Bound, traffic: Traffic) -> bool:
    """Whether a row is too small for the policy, by any of its floors."""
    floor, totals = bound.policy.floor, row.totals
    return (
        totals.spend_usd < floor.spend_usd
        or totals.requests < floor.requests
        or totals.spend_usd < floor.share * traffic.totals.spend_usd
    )


def traffic_of(bound: Bound, gathered: Gathered) -> Traffic:
    """All traffic of the policy's window, and of the periods before it."""
    if not bound.periods:
        return Traffic(Totals.of_table(gathered.traffic))
    windows = (*bound.periods, bound.window)
    (sums,) = _by_period(gathered.traffic, (), windows).values() or ((Totals(),) * len(windows),)
    return Traffic(sums[-1], sums[:-1])


def rows_of(bound: Bound, selected: Table) -> list[Row]:
    """One row a subject, in the table's order."""
    if not bound.periods:
        table = selected.rollup(bound.by)
        return [
            Row(
                dict(zip(bound.by, table.row_key(number), strict=True)),
                Totals.of_row(table, number),
                bound.window,
            )
            for number in range(len(table))
        ]
    windows = (*bound.periods, bound.window)
    return [
        Row(dict(zip(bound.by, key, strict=True)), sums[-1], bound.window, sums[:-1])
        for key, sums in _by_period(selected, bound.by, windows).items()
        if sums[-1].values
    ]


def _by_period(
    table: Table, by: tuple[str, ...], windows: Sequence[Window]
) -> dict[tuple[Member, ...], tuple[Totals, ...]]:
    """The totals of each group in each window, by the day on which a bucket starts."""
    daily = table.rollup((DATE, *by))
    period = {
        day: next((index for index, window in enumerate(windows) if window.contains(_moment(day))), None)
        for day in set(daily.dimensions[DATE])
    }
    groups: dict[tuple[Member, ...], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, day in enumerate(daily.dimensions[DATE]):
        index = period[day]
        if index is not None:
            groups[daily.row_key(number)[1:]][index].append(number)
    return {
        key: tuple(
            Totals.of_table(daily.keep(numbers[index])) if index in numbers else Totals()
            for index in range(len(windows))
        )
        for key, numbers in groups.items()
    }


def _moment(day: str | None) -> datetime:
    return datetime.fromisoformat(day or "0001-01-01").replace(tzinfo=UTC)
