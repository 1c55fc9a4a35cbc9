"""Rules meet rows: what breaches, what passes, and the proof of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import eq
from typing import TYPE_CHECKING, TypeGuard

from orpolicy.columns import LazyColumn
from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import CONTROL_USD
from orpolicy.listed import listed_keys, with_unused
from orpolicy.nouns import dataclass
from orpolicy.period import stamp
from orpolicy.rules.base import Measured, Row, Skip, Traffic
from orpolicy.screening import Subjects, chosen, floored, screened, suspects
from orpolicy.table import DATE, Table
from orpolicy.totals import Totals
from orpolicy.turnover import enumerated, named
from orpolicy.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orpolicy.binding import Bound
    from orpolicy.gather import Gathered
    from orpolicy.period import Window
    from orpolicy.table import Member, Number


MIN_LOOKBACK_DAYS = 28
"""Usage must be known for so many days before the window, before anything counts as never seen."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One subject across one threshold.

    Attributes:
        verdict: fail or warn, by the threshold alone.
        value: the measure's.
        note: the measure's, likewise ``fix``.
        behind: the measure's: who is behind the value, where spend would not tell.
    """

    row: Row
    verdict: Verdict
    value: float
    threshold: float
    note: str
    behind: tuple[tuple[Mapping[str, Member], float], ...] | None = None
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judged policy with its proof.

    Attributes:
        judged: the subjects that were held against the thresholds.
        rows_seen: subjects that the selectors matched.
        rows_not_applicable: subjects that the measure does not apply to.
        notes: what a reader should know about the proof.
    """

    bound: Bound
    traffic: Traffic
    breaches: tuple[Breach, ...]
    judged: Subjects
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
    listed = listed_keys(bound)
    if not gathered.matched and not listed and not bound.policy.allow_empty:
        raise SourceError(Reason.NOTHING_MATCHED, "`where` matches nothing that was used in the window")
    subjects = subjects_of(bound, gathered)
    sides = floored(subjects.table, bound.policy.floor, traffic.totals.spend_usd)
    if sides.big:
        _check_reach(bound, gathered)
    measured = _measured(bound, subjects, sides.big, traffic)
    _check_judged(bound, gathered, len(measured.judged), measured.skipped)
    return Judgement(
        bound=bound,
        traffic=traffic,
        breaches=tuple(_breaches(bound, measured.rows)),
        judged=measured.judged,
        rows_seen=len(subjects.table),
        rows_under_floor=sides.small,
        rows_not_applicable=sum(measured.skipped.values()),
        judged_spend_usd=measured.judged.spend_usd,
        spend_under_floor_usd=sides.small_usd,
        notes=(
            *_notes(bound, gathered, measured.skipped),
            *_turnover(subjects, measured, bound.policy.floor.spend_usd),
        ),
    )


def measures_of(bound: Bound, gathered: Gathered) -> list[tuple[Row, Measured]]:
    """Every subject that ``judge`` holds against the thresholds, measured, however far from them it is."""
    traffic = traffic_of(bound, gathered)
    found = subjects_of(bound, gathered)
    big = floored(found.table, bound.policy.floor, traffic.totals.spend_usd).big
    rows = [(row, _measure(bound, row, traffic)) for row in (found.row(bound, number) for number in big.rows)]
    return [pair for pair in rows if _is_measured(pair)]


@dataclass(frozen=True, slots=True)
class _Found:
    """Every subject of a policy's window.

    Attributes:
        table: one row a subject, by the policy's ``by``, with the totals of the window.
        histories: the totals of the periods before it, oldest first, a subject each; None where the kind
            does not ask for them.
        gone: members and spend in the last period before the window of those without usage in it.
        earlier: what was used before the window, by all of the subject but what the kind follows.
        views: the policy's rows by other dimensions.
    """

    table: Table
    histories: Sequence[tuple[Totals, ...]] | None = None
    gone: Sequence[tuple[tuple[Member, ...], float]] = ()
    earlier: Mapping[tuple[Member, ...], Mapping[Member, Totals]] = field(default_factory=dict)
    views: Mapping[tuple[str, ...], Table] = field(default_factory=dict)

    def row(self, bound: Bound, number: int) -> Row:
        """One subject as kinds see it."""
        subject = dict(zip(bound.by, self.table.row_key(number), strict=True))
        return Row(
            subject,
            Totals.of_row(self.table, number),
            bound.window,
            self.histories[number] if self.histories is not None else (),
            self.earlier.get(_others(subject, bound.rule.follows), {}) if self.earlier else {},
            {by: _of_subject(table, subject) for by, table in self.views.items()},
        )


def _others(subject: Mapping[str, Member], followed: str) -> tuple[Member, ...]:
    return tuple(member for name, member in subject.items() if name != followed)


def _of_subject(table: Table, subject: Mapping[str, Member]) -> Table:
    return table.matching({name: partial(eq, member) for name, member in subject.items()})


@dataclass(frozen=True, slots=True)
class _Measured:
    """What became of the subjects above the floor.

    Attributes:
        judged: those that were held against the thresholds.
        skipped: how many were not, by reason.
        rows: those of the judged that may have crossed a threshold, measured one by one.
        new: those that were not judged as they are new.
    """

    judged: Subjects
    skipped: Mapping[Skip, int]
    rows: Sequence[tuple[Row, Measured]]
    new: Sequence[Row] = ()


def _measured(bound: Bound, found: _Found, big: Subjects, traffic: Traffic) -> _Measured:
    ratio = bound.rule.ratio(bound.window, traffic) if found.histories is None else None
    if ratio is not None and all(map(found.table.is_whole, bound.rule.metrics)):
        screen = screened(big, ratio)
        numbers = suspects(screen, ratio.times, bound.thresholds)
        rows = [
            (row, _measure(bound, row, traffic)) for row in (found.row(bound, number) for number in numbers)
        ]
        return _Measured(screen.judged, screen.skipped, [pair for pair in rows if _is_measured(pair)])
    rows = [(row, _measure(bound, row, traffic)) for row in (found.row(bound, number) for number in big.rows)]
    kept = [number for number, pair in zip(big.rows, rows, strict=True) if _is_measured(pair)]
    skipped = Counter(value for _, value in rows if isinstance(value, Skip))
    new = [row for row, value in rows if value is Skip.NEW]
    return _Measured(chosen(found.table, kept), skipped, [pair for pair in rows if _is_measured(pair)], new)


def _turnover(found: _Found, measured: _Measured, least_usd: float) -> list[str]:
    """Who came and who left, of those above the floor."""
    new = [(tuple(row.subject.values()), row.totals.spend_usd) for row in measured.new]
    gone = [(members, usd) for members, usd in found.gone if usd >= max(least_usd, CONTROL_USD)]
    return [*named("new", new, "in the window"), *named("vanished", gone, "in the period before")]


def _is_measured(pair: tuple[Row, Measured | Skip]) -> TypeGuard[tuple[Row, Measured]]:
    return isinstance(pair[1], Measured)


def _first_day(gathered: Gathered) -> datetime:
    """The first day with usage that is known, of all traffic by day, of which there is some."""
    return min(map(_moment, gathered.traffic.rows_by(DATE)))


def _check_reach(bound: Bound, gathered: Gathered) -> None:
    """What was never seen is only known of what was looked at long enough."""
    if not bound.rule.lookback_days:
        return
    least_days = min(MIN_LOOKBACK_DAYS, bound.rule.lookback_days)
    first = _first_day(gathered)
    if bound.window.start - first < timedelta(days=least_days):
        raise SourceError(
            Reason.TOO_LITTLE_HISTORY,
            f"usage is known from {first:%Y-%m-%d} on, and {least_days} days before "
            f"{stamp(bound.window.start)} are needed",
        )


def _check_judged(bound: Bound, gathered: Gathered, judged: int, skipped: Mapping[Skip, int]) -> None:
    if skipped.get(Skip.IMPLAUSIBLE):
        raise SourceError(
            Reason.MALFORMED_ANSWER,
            f"{skipped[Skip.IMPLAUSIBLE]} rows have {Skip.IMPLAUSIBLE}: cached_tokens above tokens_prompt, "
            "or reasoning_tokens above tokens_completion",
        )
    if judged:
        return
    if skipped.get(Skip.NEW):
        lacking = (
            "any usage before the window"
            if bound.rule.lookback_days
            else "four complete periods of history yet"
        )
        raise SourceError(Reason.TOO_LITTLE_HISTORY, f"no subject has {lacking}")
    if gathered.unlisted and not len(gathered.selected) and len(gathered.unlisted) == gathered.models:
        raise SourceError(Reason.NOTHING_JUDGED, "the catalogue lists none of the models that were used")
    if skipped.get(Skip.UNSAID):
        raise SourceError(
            Reason.NOTHING_JUDGED,
            f"{Skip.UNSAID} it of any of the {skipped[Skip.UNSAID]} subjects above the floor",
        )
    if skipped.get(Skip.UNLISTED):
        raise SourceError(Reason.NOTHING_JUDGED, f"{skipped[Skip.UNLISTED]} subjects are {Skip.UNLISTED}")
    if skipped.get(Skip.NOT_APPLICABLE):
        raise SourceError(
            Reason.NOTHING_JUDGED,
            f"the measure applies to none of the {skipped[Skip.NOT_APPLICABLE]} subjects above the floor",
        )


def _notes(bound: Bound, gathered: Gathered, skipped: Mapping[Skip, int]) -> Iterable[str]:
    if gathered.unlisted:
        yield f"not in the catalogue, so not judged: {enumerated(gathered.unlisted)}"
    first = _first_day(gathered) if bound.rule.lookback_days else None
    if first is not None and first > bound.periods[0].start:
        yield f"usage is known from {first:%Y-%m-%d} on"
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
            verdict = Verdict.WARN if measured.at_most_warns else crossed[0]
            yield Breach(
                row, verdict, measured.value, crossed[1], measured.note, measured.behind, measured.fix
            )


def traffic_of(bound: Bound, gathered: Gathered) -> Traffic:
    """All traffic of the policy's window, and of the periods before it."""
    if not bound.periods:
        totals = Totals.of_table(gathered.traffic)
        return Traffic(
            totals, catalogue=bound.catalogue, now=bound.now, listing=bound.listing, covered=gathered.covered
        )
    (sums,) = _by_period(gathered.traffic, (), bound).values() or ((Totals(),) * (len(bound.periods) + 1),)
    return Traffic(sums[-1], sums[:-1], bound.catalogue, bound.now)


def subjects_of(bound: Bound, gathered: Gathered) -> _Found:
    """One subject a row, in the table's order; with a history only those that have usage in the window.

    Of a kind that lists keys: every listed key.
    """
    selected = gathered.selected
    if bound.rule.lists_keys:
        return _Found(with_unused(listed_keys(bound), selected.rollup(bound.by)))
    if not bound.periods:
        views = {by: found.selected.rollup(by) for by, found in gathered.views.items()}
        return _Found(selected.rollup(bound.by), views=views)
    groups = _by_period(selected, bound.by, bound)
    seen = [(key, sums) for key, sums in groups.items() if sums[-1].values]
    gone = [(key, sums[-2].spend_usd) for key, sums in groups.items() if not sums[-1].values]
    members = zip(*(key for key, _ in seen), strict=True) if seen else [()] * len(bound.by)
    metrics = {
        name: LazyColumn(len(seen), partial(_column, name, [sums[-1] for _, sums in seen]))
        for name in selected.metrics
    }
    table = Table(dict(zip(bound.by, members, strict=True)), metrics)
    histories = [sums[:-1] for _, sums in seen]
    if not bound.rule.lookback_days:
        return _Found(table, histories, gone)
    return _Found(table, histories, earlier=_earlier(bound, gathered.everything))


def _earlier(bound: Bound, everything: Table) -> Mapping[tuple[Member, ...], Mapping[Member, Totals]]:
    """What was used before the window, whatever ``where`` says of the dimension that the kind follows."""
    found: dict[tuple[Member, ...], dict[Member, Totals]] = defaultdict(dict)
    for key, (before, _) in _by_period(everything, bound.by, bound).items():
        subject = dict(zip(bound.by, key, strict=True))
        if before.values:
            found[_others(subject, bound.rule.follows)][subject.get(bound.rule.follows)] = before
    return found


def _column(metric: str, totals: Sequence[Totals]) -> list[Number | None]:
    return [one.values[metric] for one in totals]


def _by_period(
    table: Table, by: tuple[str, ...], bound: Bound
) -> dict[tuple[Member, ...], tuple[Totals, ...]]:
    """The totals of each group in each period and the window; policies that look back alike share them."""
    windows = (*bound.periods, bound.window)
    sums = _sums_with_days if bound.is_by_day else _sums_by_period
    return table.once(("by_period", by, windows), lambda: sums(table, by, windows))


def _sums_with_days(
    table: Table, by: tuple[str, ...], windows: Sequence[Window]
) -> dict[tuple[Member, ...], tuple[Totals, ...]]:
    """As ``_sums_by_period`` where the periods are days of the window: its totals hold theirs."""
    days = _sums_by_period(table, by, windows)
    rows = table.matching({DATE: lambda day: windows[-1].contains(_moment(day))}).rollup(by)
    return {
        rows.row_key(row): (*days[rows.row_key(row)][:-1], Totals.of_row(rows, row))
        for row in range(len(rows))
    }


def _sums_by_period(
    table: Table, by: tuple[str, ...], windows: Sequence[Window]
) -> dict[tuple[Member, ...], tuple[Totals, ...]]:
    """The totals of each group in each window, by the day on which a bucket starts."""
    period = {
        day: next((number for number, window in enumerate(windows) if window.contains(_moment(day))), None)
        for day in table.rows_by(DATE)
    }
    numbers = [period[day] for day in table.dimensions[DATE]]
    inside = [row for row, number in enumerate(numbers) if number is not None]
    dated = table.keep(inside)
    labels = [str(numbers[row]) for row in inside]
    sums = Table({**dated.dimensions, DATE: labels}, dated.metrics).rollup((DATE, *by))
    groups: dict[tuple[Member, ...], dict[str | None, Totals]] = defaultdict(dict)
    for row, (label, *key) in enumerate(zip(*sums.dimensions.values(), strict=True)):
        groups[tuple(key)][label] = Totals.of_row(sums, row)
    nothing = Totals()
    return {
        key: tuple(found.get(str(number), nothing) for number in range(len(windows)))
        for key, found in groups.items()
    }


def _moment(day: str | None) -> datetime:
    return datetime.fromisoformat(day or "0001-01-01").replace(tzinfo=UTC)
