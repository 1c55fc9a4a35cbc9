"""Asking: fused queries to the source, and tables that have been checked before anybody judges them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from orpolicy.errors import Reason, SourceError
from orpolicy.nouns import dataclass
from orpolicy.period import stamp
from orpolicy.query.fuse import Shape, fuse
from orpolicy.query.halve import halves
from orpolicy.query.vocabulary import SPEND
from orpolicy.report import QueryRecord
from orpolicy.table import DATE, Table, concatenate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.query.model import Answer, Context, Need, Query
    from orpolicy.sources.base import Source

CONTROL_SHARE = 0.005
CONTROL_USD = 0.01
"""A grouped answer agrees with its control total within 0.5 % or a cent, whichever is larger."""

MAX_QUERIES = 100
"""Analytics queries of one run, past which nothing is asked in smaller parts."""

Key = tuple["Context", tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A table that may be judged.

    Attributes:
        table: rows rolled up to the dimensions of the need (and ``date`` with a time bucket).
        queries: the ids of the queries behind it.
        missing_below_usd: rows may be missing, each of which spends at most this; None: none is missing.
        missing_usd: what the missing rows spend together.
    """

    table: Table
    queries: tuple[str, ...]
    missing_below_usd: float | None = None
    missing_usd: float = 0.0


@dataclass(slots=True)
class _Asked:
    """One query with what came of it."""

    id: str
    query: Query
    policies: tuple[str, ...]
    outcome: Answer | SourceError
    complete_because: str = ""


class Desk:
    """Where questions are asked: each shape once, whoever needs it, in as many rounds as it takes."""

    def __init__(self, source: Source, base_metrics: Iterable[str]) -> None:
        """Ask this source; every grouped query carries the base metrics."""
        self._source = source
        self._base = tuple(base_metrics)
        self._asked: list[_Asked] = []
        self._shapes: dict[Key, Shape] = {}
        self._parts: dict[Key, list[_Asked]] = {}
        self._tables: dict[Key, Table] = {}

    def ask(self, needs: Sequence[Need]) -> None:
        """Ask what these needs lack, fused; needs left with a truncated roll-up are then asked exactly."""
        self._ask(fuse([need for need in needs if not self._known(need)], self._base))
        lacking = [need for need in needs if not self._known(need)]
        self._ask(fuse(lacking, self._base, roll_up=False))

    @property
    def queries_asked(self) -> int:
        """How many queries were asked so far."""
        return len(self._asked)

    def members(self) -> dict[str, frozenset[str]]:
        """Dimension -> every member that any answer names."""
        found: dict[str, set[str]] = {}
        for asked in self._asked:
            if not isinstance(asked.outcome, SourceError):
                for name, column in asked.outcome.table.dimensions.items():
                    found.setdefault(name, set()).update(member for member in set(column) if member)
        return {name: frozenset(members) for name, members in found.items()}

    def doubled(self, need: Need, dimension: str) -> frozenset[str]:
        """Members of a dimension that stand in two rows of one group of the answer to a need.

        Only in an answer of just these dimensions: a roll-up would hide it.
        """
        key = (need.context, need.dimensions)
        if key not in self._shapes:
            return frozenset()
        table = self._joined(key)
        if len(table.rollup(tuple(table.dimensions))) == len(table):
            return frozenset()
        groups = Counter(zip(*table.dimensions.values(), strict=True))
        place = list(table.dimensions).index(dimension)
        return frozenset(group[place] for group, rows in groups.items() if rows > 1 and group[place])

    def _ask(self, shapes: Sequence[Shape]) -> None:
        shapes = [shape for shape in shapes if not self._asked_before(shape)]
        if not shapes:
            return
        questions = [(shape, query) for shape in shapes for query in shape.queries]
        while questions:
            questions = self._ask_once(questions)
        for shape in shapes:
            self._shapes[shape.context, shape.dimensions] = shape

    def _ask_once(self, questions: Sequence[tuple[Shape, Query]]) -> list[tuple[Shape, Query]]:
        """Ask; what remains are the halves of those queries that were too heavy."""
        outcomes = self._source.answers([query for _, query in questions])
        room = MAX_QUERIES - len(self._asked) - len(questions)
        halved: list[tuple[Shape, Query]] = []
        for (shape, query), outcome in zip(questions, outcomes, strict=True):
            asked = _Asked(f"q{len(self._asked) + 1}", query, shape.policies, outcome)
            self._asked.append(asked)
            is_too_heavy = isinstance(outcome, SourceError) and outcome.is_too_heavy
            parts = halves(query) if is_too_heavy else ()
            if parts and len(halved) + len(parts) <= room:
                asked.complete_because = "too heavy for the source; asked again in two halves"
                halved += [(shape, part) for part in parts]
            else:
                self._parts.setdefault((shape.context, shape.dimensions), []).append(asked)
        return halved

    def _asked_before(self, shape: Shape) -> bool:
        known = self._shapes.get((shape.context, shape.dimensions))
        if known is None:
            return False
        if {metric for query in shape.queries for metric in query.metrics} <= _metrics(known):
            return True
        del self._shapes[shape.context, shape.dimensions]
        self._parts.pop((shape.context, shape.dimensions))
        self._tables.pop((shape.context, shape.dimensions), None)
        return False

    def has_all(self, need: Need) -> bool:
        """Whether the need can be answered, and completely, by what was asked already."""
        return (
            self._known(need)
            and (best := self._best(need)) is not None
            and not self._truncated((best.context, best.dimensions))
        )

    def _known(self, need: Need) -> bool:
        """Whether a shape is there from which the need can be answered, or which failed for good."""
        shape = self._best(need)
        if shape is None:
            return False
        if shape.dimensions == need.dimensions:
            return True
        return not self._truncated((shape.context, shape.dimensions))

    def _best(self, need: Need) -> Shape | None:
        """The shape with the fewest dimensions that holds the need; a complete one first."""
        fits = [
            shape
            for (context, dimensions), shape in self._shapes.items()
            if context == need.context
            and set(need.dimensions) <= set(dimensions)
            and need.metrics <= _metrics(shape)
        ]
        return min(
            fits,
            key=lambda shape: (
                self._truncated((shape.context, shape.dimensions)) and shape.dimensions != need.dimensions,
                len(shape.dimensions),
            ),
            default=None,
        )

    def _truncated(self, key: Key) -> bool:
        return any(
            isinstance(part.outcome, SourceError) or part.outcome.truncated for part in self._parts[key]
        )

    def evidence(self, need: Need) -> Evidence:
        """The checked table for a need that has been asked.

        Raises:
            SourceError: if a query behind it failed, its filters did not resolve, its rows do not add up to
                the control total, or rows are missing and more may hide behind them.
        """
        shape = self._best(need)
        if shape is None:
            raise SourceError(Reason.NOT_ANSWERABLE, f"nothing was asked for {', '.join(need.dimensions)}")
        key = (shape.context, shape.dimensions)
        table = self._joined(key)
        missing_below_usd, missing_usd = self._check(shape, table, checked=need.checked)
        if missing_below_usd is not None and shape.dimensions != need.dimensions:
            raise SourceError(
                Reason.TRUNCATED, "rows are missing from the answer that it would be rolled up from"
            )
        by = ((DATE,) if need.context.granularity else ()) + need.dimensions
        return Evidence(
            table.rollup(by), tuple(part.id for part in self._parts[key]), missing_below_usd, missing_usd
        )

    def _joined(self, key: Key) -> Table:
        if key not in self._tables:
            context, dimensions = key
            names = ((DATE,) if context.granularity else ()) + dimensions
            self._tables[key] = _join([self._answer(part) for part in self._parts[key]], names)
        return self._tables[key]

    def _answer(self, part: _Asked) -> Answer:
        if isinstance(part.outcome, SourceError):
            part.complete_because = f"not complete: {part.outcome.reason}"
            raise part.outcome
        if part.outcome.warnings:
            part.complete_because = "not complete: the source warns"
            raise SourceError(Reason.UNRESOLVED_FILTER, "; ".join(part.outcome.warnings))
        if not part.query.dimensions and not part.query.granularity and len(part.outcome.table) > 1:
            raise SourceError(
                Reason.MALFORMED_ANSWER, "more than one row in answer to a question without dimensions"
            )
        if not part.outcome.table.is_whole(SPEND):
            raise SourceError(Reason.MALFORMED_ANSWER, f"a row without {SPEND}")
        _check_age(part.outcome)
        return part.outcome

    def _check(self, shape: Shape, table: Table, *, checked: bool) -> tuple[float | None, float]:
        """What may be missing from a shape's table: (the most one missing row spends, all of them)."""
        parts = self._parts[shape.context, shape.dimensions]
        rows_usd = float(table.total(SPEND) or 0.0)
        if not (checked and (shape.dimensions or len(parts) > 1)):
            control_usd = rows_usd
        else:
            control_usd = float(self._joined((shape.context, ())).total(SPEND) or 0.0)
        tolerance_usd = max(CONTROL_SHARE * abs(control_usd), CONTROL_USD)
        truncated = [
            part for part in parts if isinstance(part.outcome, SourceError) or part.outcome.truncated
        ]
        if truncated:
            return self._tail(truncated, parts, control_usd - rows_usd, tolerance_usd)
        if abs(rows_usd - control_usd) > tolerance_usd:
            for part in parts:
                part.complete_because = "not complete: rows do not add up to the control total"
            raise SourceError(
                Reason.CONTROL_MISMATCH,
                f"the rows by {', '.join(shape.dimensions)} add up to {rows_usd:,.2f} USD, "
                f"the control total says {control_usd:,.2f} USD",
            )
        for part in parts:
            part.complete_because = "not truncated, rows add up to the control total"
        return None, 0.0

    def _tail(
        self, truncated: list[_Asked], parts: list[_Asked], missing_usd: float, tolerance_usd: float
    ) -> tuple[float, float]:
        """The spend-ordered tail argument: no missing row spends more than the last row that came."""
        answer = truncated[0].outcome
        if len(parts) > 1 or isinstance(answer, SourceError) or answer.query.granularity:
            raise SourceError(Reason.TRUNCATED, "rows are missing from an answer in several parts")
        spend = [float(usd or 0.0) for usd in answer.table.metrics[SPEND]]
        if not spend or any(after > before for before, after in pairwise(spend)):
            raise SourceError(
                Reason.TRUNCATED, "rows are missing, and those that came are not ordered by spend"
            )
        if missing_usd < -tolerance_usd:
            raise SourceError(
                Reason.CONTROL_MISMATCH,
                f"the rows spend {-missing_usd:,.2f} USD more than the control total allows",
            )
        truncated[0].complete_because = f"truncated; missing rows spend at most {spend[-1]:,.2f} USD each"
        return spend[-1], max(missing_usd, 0.0)

    def records(self) -> tuple[QueryRecord, ...]:
        """Every query as asked, for the report."""
        return tuple(_record(asked) for asked in self._asked)


def _check_age(answer: Answer) -> None:
    """An answer that was computed before its window was over lacks the rest of it."""
    window, computed_at = answer.query.window, answer.cached_at
    if computed_at is not None and computed_at < window.end and not window.to_date:
        raise SourceError(
            Reason.STALE_ANSWER,
            f"computed at {stamp(computed_at)}, before the window's end at {stamp(window.end)}",
        )


def _metrics(shape: Shape) -> set[str]:
    return {metric for query in shape.queries for metric in query.metrics}


def _join(answers: Sequence[Answer], names: tuple[str, ...]) -> Table:
    """One table from the parts of a shape: windows are summed, groups of metrics laid side by side."""
    if len(answers) == 1:
        return answers[0].table
    first = answers[0].query.metrics
    tables = [
        answer.table
        if answer.query.metrics == first
        else Table(
            answer.table.dimensions,
            {name: column for name, column in answer.table.metrics.items() if name != SPEND},
        )
        for answer in answers
    ]
    return concatenate(tables, names).rollup(names)


def _record(asked: _Asked) -> QueryRecord:
    answer = None if isinstance(asked.outcome, SourceError) else asked.outcome
    return QueryRecord(
        id=asked.id,
        policies=asked.policies,
        request=asked.query.body(),
        rows=len(answer.table) if answer else 0,
        truncated=answer.truncated if answer else False,
        complete_because=asked.complete_because or ("not truncated" if answer else "not answered"),
        cached_at=answer.cached_at if answer else None,
        from_cache=answer.from_cache if answer else False,
        elapsed_ms=answer.elapsed_ms if answer else 0,
        error="" if answer else str(asked.outcome),
    )
