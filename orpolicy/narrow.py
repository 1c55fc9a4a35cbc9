"""What to ask where an answer was too large: less at a time, and only what matters.

An answer of many rows comes cut off. It is still enough where its rows are the policy's own subjects,
ordered by spend, and the last one is below the policy's floor: whatever is missing is smaller. Where that
does not hold, selectors that the answer had room for become filters, and then the members of one
dimension are asked in lists, each a quarter of the one before, until every part is enough. Members that no
selector wants, or whose whole spend is below the floor, are not asked for at all. A history is asked period
by period where that takes fewer questions than lists, or where a key was deleted and cannot be in a list.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.binding import (
    ID_ONLY_DIMENSIONS,
    MAX_MEMBERS,
    MODEL,
    Slice,
    filter_values,
    filtered_to,
    variants_named,
)
from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import CONTROL_SHARE, CONTROL_USD, MAX_QUERIES
from orpolicy.period import Window, parse_moment
from orpolicy.query.model import Context, Granularity, Need
from orpolicy.query.vocabulary import MAX_ROWS, SPEND
from orpolicy.table import DATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.account import Account
    from orpolicy.binding import Bound
    from orpolicy.fetch import Desk, Evidence

PARTS = 4
"""Into how many lists a list of members is split."""


def floor_usd(bound: Bound, traffic_usd: float) -> float:
    """The spend in the window below which a row cannot matter to the policy."""
    share = 0.0 if bound.periods else bound.policy.floor.share
    return max(bound.policy.floor.spend_usd, share * traffic_usd)


def enough(bound: Bound, part: Slice, evidence: Evidence, traffic_usd: float) -> bool:
    """Whether the rows of a slice decide everything that the policy may ask of them.

    Raises:
        SourceError: if they do not add up to what is known of them.
    """
    check_expected(part, evidence)
    if evidence.missing_below_usd is None:
        return True
    own_subjects = set(part.need.dimensions) == set(bound.by) and not (part.variant or part.date)
    return own_subjects and evidence.missing_below_usd < floor_usd(bound, traffic_usd)


def check_expected(part: Slice, evidence: Evidence) -> None:
    """Hold a slice's rows against what they must add up to, where that is known.

    Raises:
        SourceError: CONTROL_MISMATCH.
    """
    if part.expected_usd is None:
        return
    rows_usd = float(evidence.table.total(SPEND) or 0.0)
    tolerance_usd = max(CONTROL_SHARE * part.expected_usd, CONTROL_USD)
    lacking_usd = part.expected_usd - rows_usd
    if lacking_usd < -tolerance_usd or (evidence.missing_below_usd is None and lacking_usd > tolerance_usd):
        raise SourceError(
            Reason.CONTROL_MISMATCH,
            f"rows asked in parts add up to {rows_usd:,.2f} USD, "
            f"where an earlier answer said {part.expected_usd:,.2f} USD",
        )


class Narrowing:
    """One policy's slices on their way to answers that are enough."""

    def __init__(
        self,
        bound: Bound,
        desk: Desk,
        account: Account,
        resolve: Callable[[Bound, Slice, Desk, Account], Slice],
    ) -> None:
        """Narrow this policy's slices.

        Args:
            bound: the policy.
            desk: where to ask.
            account: who is who.
            resolve: turns the pushed selectors of a slice into filters.
        """
        self._bound = bound
        self._desk = desk
        self._account = account
        self._resolve = resolve
        self._traffic = desk.evidence(bound.traffic).table
        self._traffic_usd = float(self._traffic.total(SPEND) or 0.0)

    def run(self, slices: Sequence[Slice]) -> tuple[Slice, ...]:
        """Slices that are enough together, at the price of more questions.

        Raises:
            SourceError: TRUNCATED where no narrower question is left, or the run's budget is spent.
        """
        done: list[Slice] = []
        waiting = list(slices)
        while waiting:
            narrower = []
            for part in waiting:
                if part.is_empty or self._is_enough(part):
                    done.append(part)
                else:
                    narrower += self._narrower(part)
            if self._desk.queries_asked + len(narrower) > MAX_QUERIES:
                raise SourceError(Reason.TRUNCATED, f"more than {MAX_QUERIES} queries would be needed")
            self._desk.ask([part.need for part in narrower if not part.is_empty])
            waiting = narrower
        return tuple(done)

    def _is_enough(self, part: Slice) -> bool:
        try:
            return enough(self._bound, part, self._desk.evidence(part.need), self._traffic_usd)
        except SourceError as error:
            if error.reason is Reason.TRUNCATED:
                return False
            raise

    def _narrower(self, part: Slice) -> list[Slice]:
        beside = tuple(sorted(set(part.need.dimensions) - set(self._bound.by)))
        if beside:
            pushed = replace(
                part,
                need=replace(part.need, dimensions=tuple(sorted(self._bound.by))),
                pushed=(*part.pushed, *beside),
                expected_usd=None,
            )
            self._desk.ask([members_need(pushed, dimension) for dimension in beside])
            return [self._resolve(self._bound, pushed, self._desk, self._account)]
        for dimension in self._ways(part):
            try:
                lists = self._lists(part, dimension)
            except SourceError as error:
                periods = self._periods(part, MAX_QUERIES)
                if error.reason is Reason.UNRESOLVED_FILTER and periods:
                    return periods
                raise
            if lists:
                return self._periods(part, len(lists)) or lists
        return self._days(part)

    def _ways(self, part: Slice) -> list[str]:
        """Dimensions whose members can be asked in lists, the most telling first.

        Not the one that the kind follows: a member without usage in the window would be in no list.
        """
        unusable = {*ID_ONLY_DIMENSIONS, self._bound.rule.follows}
        usable = [name for name in part.need.dimensions if name not in unusable]
        return sorted(usable, key=lambda name: (name != MODEL, name))

    def _lists(self, part: Slice, dimension: str) -> list[Slice]:
        """The slice for parts of a dimension's members; none where it is at one member already."""
        spend, others = self._members(part, dimension)
        chosen = [member for member in spend if self._is_in(part, dimension, member)]
        filtered = any(condition.field == dimension for condition in part.need.context.filters)
        if len(chosen) <= 1 and filtered:
            return []
        if not chosen:
            return [replace(part, is_empty=True)]
        values = sum(len(filter_values(dimension, member, self._account)) for member in chosen)
        room = min(MAX_MEMBERS - (values - len(chosen)), MAX_ROWS // self._buckets(part))
        count = -(-len(chosen) // max(room, 1))
        if filtered or (count == 1 and others < len(chosen)):
            count = PARTS
        lists = [chosen[start::count] for start in range(min(count, len(chosen)))]
        return [self._of_members(part, dimension, members, spend) for members in lists]

    def _of_members(
        self, part: Slice, dimension: str, members: Sequence[str], spend: dict[str, float]
    ) -> Slice:
        context = replace(
            part.need.context,
            filters=tuple(item for item in part.need.context.filters if item.field != dimension),
        )
        need = filtered_to(replace(part.need, context=context), dimension, members, self._account)
        alone = not self._bound.periods and not context.filters
        expected_usd = sum(spend[member] for member in members) if alone else None
        return replace(part, need=replace(need, checked=not alone), expected_usd=expected_usd)

    def _buckets(self, part: Slice) -> int:
        """How many rows one member may have, other dimensions aside."""
        if part.need.context.granularity is None:
            return 1
        if part.need.context.granularity is Granularity.MONTH:
            return len(self._bound.periods) + 1
        return math.ceil(part.need.context.window.days)

    def _members(self, part: Slice, dimension: str) -> tuple[dict[str, float], int]:
        """Members that matter, with their whole spend in the judged window, the dearest first.

        And how many others there are.
        """
        window = self._bound.window
        need = members_need(part, dimension, window)
        if self._bound.periods:
            need = replace(need, checked=False)
        self._desk.ask([need])
        evidence = self._desk.evidence(need)
        if self._bound.periods:
            check_expected(Slice(need, expected_usd=self._usd_of(window)), evidence)
        least_usd = floor_usd(self._bound, self._traffic_usd)
        if evidence.missing_below_usd is not None and evidence.missing_below_usd >= least_usd:
            raise SourceError(Reason.TRUNCATED, f"not even the members of {dimension} could be listed")
        spend: dict[str, float] = {}
        pairs = zip(evidence.table.dimensions[dimension], evidence.table.metrics[SPEND], strict=True)
        for member, usd in pairs:
            if float(usd or 0.0) < least_usd or not self._wanted(dimension, member):
                continue
            if member is None:
                raise SourceError(Reason.TRUNCATED, f"traffic without {dimension} has no filter")
            spend[member] = spend.get(member, 0.0) + float(usd or 0.0)
        return spend, len(evidence.table) - len(spend)

    def _wanted(self, dimension: str, member: str | None) -> bool:
        names = self._account.names(dimension, member)
        return all(
            matcher.matches(names) or variants_named(matcher) for matcher in self._bound.matchers(dimension)
        )

    def _is_in(self, part: Slice, dimension: str, member: str) -> bool:
        """Whether a slice that is filtered to some members holds this one."""
        values = [item.values for item in part.need.context.filters if item.field == dimension]
        return not values or set(filter_values(dimension, member, self._account)) <= set(values[0])

    def _usd_of(self, window: Window) -> float:
        """All traffic's spend in one of the policy's periods, by the answer with time buckets."""
        days = self._traffic.dimensions[DATE]
        inside = [
            row for row, day in enumerate(days) if day is not None and window.contains(parse_moment(day))
        ]
        return float(self._traffic.keep(inside).total(SPEND) or 0.0)

    def _periods(self, part: Slice, lists: int) -> list[Slice]:
        """The slice period by period, where that takes fewer questions than so many lists; else none.

        A list needs a control total, a period does not, and the judged one was asked for its members. Keys
        that share their name are asked for one by one, and in every period again.
        """
        context, windows = part.need.context, (*self._bound.periods, self._bound.window)
        has_periods = self._bound.periods and not self._bound.is_by_day
        if context.granularity is None or context.filters or not has_periods:
            return []
        directory = self._account.directory
        namesakes = sum(len(directory.by_name[name]) for name in directory.shared_names)
        if len(windows) * (1 + namesakes) - 1 >= 2 * lists + namesakes:
            return []
        return [self._period(part, window) for window in windows]

    def _period(self, part: Slice, window: Window) -> Slice:
        """One period; the answer with time buckets says what it must add up to."""
        need = replace(part.need, context=Context(window), checked=False)
        return replace(part, need=need, expected_usd=self._usd_of(window), date=f"{window.start:%Y-%m-%d}")

    def _days(self, part: Slice) -> list[Slice]:
        """The two halves of a slice by time bucket; sums over time would hide what each half cut off."""
        window = part.need.context.window
        days = int(window.days)
        if part.need.context.granularity is not Granularity.DAY or days <= 1:
            raise SourceError(Reason.TRUNCATED, "rows are missing, and no narrower question is left")
        middle = window.start + timedelta(days=days // 2)
        return [
            replace(
                part, need=replace(part.need, context=replace(part.need.context, window=half), checked=True)
            )
            for half in (Window(window.start, middle), Window(middle, window.end, window.to_date))
        ]


def members_need(part: Slice, dimension: str, window: Window | None = None) -> Need:
    """The members of one dimension in a slice's window, whatever else the slice is filtered by."""
    return Need(part.need.policy, Context(window or part.need.context.window), (dimension,))
