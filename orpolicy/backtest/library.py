"""What is asked of the source for all weeks together, and kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeVar, cast

from orpolicy.backtest.record import Piece, Record, can_be_cut
from orpolicy.binding import MAX_MEMBERS
from orpolicy.errors import Reason, SourceError
from orpolicy.gather import attempt
from orpolicy.period import Window
from orpolicy.query.fuse import fuse
from orpolicy.query.halve import halves
from orpolicy.query.model import Context, Granularity, Need
from orpolicy.query.vocabulary import RAW_MAX_DAYS, SPEND, SURCHARGES, max_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orpolicy.account import Directory
    from orpolicy.catalog.model import Catalog
    from orpolicy.query.model import Answer, Filter, Meta, Query
    from orpolicy.sources.base import Source

MOST_QUERIES = 200
"""Analytics queries of one study, past which what is not known yet stays unknown."""

WEEK_DAYS = 7
"""Answers by day that are cut off are asked in halves down to this; below, week by week is no dearer."""

STUDY = "(backtest)"
"""Stands for the study where a policy's id would."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a question has no answer.

    Attributes:
        without: metrics without which it would have one; empty if that would not help.
    """

    error: SourceError
    without: frozenset[str] = frozenset()


class Library:
    """Questions of all weeks, answered from as few questions about days as can be.

    A question that several weeks ask in the same words but for the window, and but for the members of
    dimensions that the answer shows, is asked once, by day, for the whole span. What a record by day
    cannot hold, as it would be cut off, and what only one week asks is asked as it is.
    """

    def __init__(self, source: Source) -> None:
        """Ask this source."""
        self._source = source
        self._required: dict[Window, frozenset[str]] = {}
        self._records: list[Record] = []
        self._direct: dict[Query, Answer | SourceError] = {}
        self._account: dict[str, object] = {}
        self.queries_asked = 0

    def meta(self) -> Meta:
        """As the source says, asked once."""
        return self._once(self._source.meta)

    def directory(self) -> Directory:
        """As the source says, asked once."""
        return self._once(self._source.directory)

    def catalogue(self) -> Catalog | None:
        """As the source says, asked once."""
        return self._once(self._source.catalogue)

    def require(self, window: Window, metrics: frozenset[str]) -> None:
        """Say that some policy measures these in a window.

        A surcharge that the API keeps for days only, and that no policy measures in a question's window, is
        left unknown where asking for it would take more questions.
        """
        self._required[window] = self._required.get(window, frozenset()) | metrics

    def look_up(self, query: Query) -> Answer | Refusal | None:
        """What the source says to a question; None: it must be asked first."""
        if query in self._direct:
            found = self._direct[query]
            return Refusal(found) if isinstance(found, SourceError) else found
        needed = replace(query, metrics=self._needed(query))
        record = next((item for item in self._records if item.holds(needed)), None)
        if record is not None:
            return _refusal(record.errors(needed)) or record.answer(query)
        return Refusal(_exhausted()) if self.queries_asked >= MOST_QUERIES else None

    def ask(self, wanted: Iterable[Query]) -> None:
        """Ask what several weeks want to know, fused; what fits no record is asked as it is."""
        singles: dict[Query, None] = {}
        groups: dict[tuple[object, ...], list[Query]] = defaultdict(list)
        for query in wanted:
            if _is_by_day(query) and not self._was_cut(query):
                groups[self._kind(query)].append(query)
            else:
                singles[query] = None
        needs: dict[object, list[Need]] = defaultdict(list)
        for (kind, *_), group in groups.items():
            if len({query.window for query in group}) == 1:
                singles |= dict.fromkeys(group)
            else:
                needs[kind].append(self._need(group))
        asked = frozenset(chain.from_iterable(query.metrics for group in groups.values() for query in group))
        for alike in needs.values():
            for shape in fuse(_of_one_span(alike), _SPARED & asked):
                self._keep(shape.queries)
        self._direct.update(self._answers(list(singles)))

    def _kind(self, query: Query) -> tuple[object, ...]:
        """What questions must have in common to be asked as one."""
        filters = [
            replace(item, values=()) if self._can_be_cut(item, query) else item for item in query.filters
        ]
        kind = "all traffic" if not query.dimensions else "window" if query.granularity is None else "history"
        return kind, query.dimensions, tuple(filters)

    def _can_be_cut(self, item: Filter, query: Query) -> bool:
        return can_be_cut(item, query.dimensions, self.directory())

    def _need(self, group: Sequence[Query]) -> Need:
        """The question by day that holds all of a group's."""
        first = group[0]
        filters: list[Filter] = []
        for place, item in enumerate(first.filters):
            values = {value for query in group for value in query.filters[place].values}
            if len(values) <= MAX_MEMBERS or not self._can_be_cut(item, first):
                filters.append(replace(item, values=tuple(sorted(values))))
        window = Window(min(query.window.start for query in group), max(query.window.end for query in group))
        metrics = frozenset[str]().union(*(self._needed(query) for query in group))
        return Need(
            STUDY,
            Context(window, tuple(filters), Granularity.DAY),
            first.dimensions,
            metrics,
            checked=False,
        )

    def _needed(self, query: Query) -> tuple[str, ...]:
        spared = _SPARED - self._required.get(query.window, frozenset())
        return tuple(name for name in query.metrics if name not in spared)

    def _was_cut(self, query: Query) -> bool:
        """Whether the question's own record was asked, and does not hold it."""
        needed = replace(query, metrics=self._needed(query))
        return any(record.is_about(needed) and not record.holds(needed) for record in self._records)

    def _keep(self, queries: Sequence[Query]) -> None:
        """Ask one shape by day, in halves where it is cut off or too heavy, and keep it."""
        with_spend = queries[0].metrics
        pieces: list[Piece] = []
        waiting = list(queries)
        while waiting:
            asked = [
                Piece(query, _read_from(query, with_spend), outcome)
                for query, outcome in self._answers(waiting)
            ]
            waiting = []
            for piece in asked:
                parts = halves(piece.query) if _may_be_halved(piece) else ()
                waiting += parts
                if not parts:
                    pieces.append(piece)
            if not waiting and (edge := _edge(pieces)):
                pieces.remove(edge)
                waiting += halves(edge.query)
        self._records.append(Record(pieces, self.directory()))

    def _answers(self, queries: Sequence[Query]) -> list[tuple[Query, Answer | SourceError]]:
        room = max(MOST_QUERIES - self.queries_asked, 0)
        self.queries_asked += len(queries[:room])
        outcomes = self._source.answers(queries[:room]) if queries[:room] else []
        return list(zip(queries, [*outcomes, *[_exhausted()] * len(queries[room:])], strict=True))

    def _once(self, ask: Callable[[], T]) -> T:
        """What a method of the source gives, or raises, whoever asks."""
        name = ask.__name__
        if name not in self._account:
            self._account[name] = attempt(ask)
        found = self._account[name]
        if isinstance(found, SourceError):
            raise found
        return cast("T", found)


_SPARED = frozenset(name for name in SURCHARGES if max_days((name,), ()) <= RAW_MAX_DAYS)


def _exhausted() -> SourceError:
    return SourceError(Reason.TRUNCATED, f"more than {MOST_QUERIES} queries would be needed")


def _refusal(pieces: Sequence[Piece]) -> Refusal | None:
    """What the pieces that were not answered mean to the question that needs them."""
    errors = [(piece, piece.outcome) for piece in pieces if isinstance(piece.outcome, SourceError)]
    if not errors:
        return None
    lost = frozenset[str]().union(*(piece.metrics for piece, _ in errors))
    return Refusal(errors[0][1], lost if _is_short(lost) else frozenset())


def _is_short(metrics: frozenset[str]) -> bool:
    """Whether the API keeps all of these for days, not for a year."""
    return all(max_days((name,), ()) <= RAW_MAX_DAYS for name in metrics)


def _edge(pieces: Sequence[Piece]) -> Piece | None:
    """The latest piece that was refused as a whole, though a later part of it may be kept still."""
    refused = [
        piece for piece in pieces if isinstance(piece.outcome, SourceError) and _is_short(piece.metrics)
    ]
    latest = max(refused, key=lambda piece: piece.query.window.end, default=None)
    return latest if latest and latest.query.window.days > WEEK_DAYS else None


def _read_from(query: Query, with_spend: tuple[str, ...]) -> frozenset[str]:
    """The metrics that a shape takes from one of its queries; every query asks for spend, one gives it."""
    return frozenset(query.metrics) - (frozenset() if query.metrics == with_spend else {SPEND})


def _is_by_day(query: Query) -> bool:
    """Whether answers by day can tell what happened in the question's window."""
    edges = (query.window.start, query.window.end)
    return all(moment == moment.replace(hour=0, minute=0, second=0, microsecond=0) for moment in edges)


def _of_one_span(needs: Sequence[Need]) -> list[Need]:
    """The needs over the longest span that any of the same filters has, so that they can be rolled up."""
    spans: dict[tuple[Filter, ...], Window] = {}
    for need in needs:
        window = need.context.window
        known = spans.get(need.context.filters, window)
        spans[need.context.filters] = Window(min(known.start, window.start), max(known.end, window.end))
    return [
        replace(need, context=replace(need.context, window=spans[need.context.filters])) for need in needs
    ]


def _may_be_halved(piece: Piece) -> bool:
    is_too_much = piece.is_cut or (isinstance(piece.outcome, SourceError) and piece.outcome.is_too_heavy)
    return is_too_much and piece.query.window.days > WEEK_DAYS
