"""Records in memory: a plain fold, and the reference that every other source is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from orpolicy.account import Directory
from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.nouns import dataclass
from orpolicy.period import stamp
from orpolicy.query.model import Answer, Granularity, Meta, Operator
from orpolicy.query.vocabulary import SPEND
from orpolicy.sources.base import Source, SourceInfo
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orpolicy.account import Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.period import Window
    from orpolicy.query.model import Filter, Query
    from orpolicy.sources.base import Setting
    from orpolicy.table import Member

IDENTITIES = {"api_key_id": "api_key_hash", "workspace": "workspace_id"}
"""Dimension -> the optional column of records that tells namesakes apart; never shown, only filtered by."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A filter in terms of a column of the records.

    Attributes:
        column: a dimension, or its identity column.
        values: what the filter's values mean in that column.
        warnings: one a value that means nothing.
    """

    column: str
    operator: Operator
    values: frozenset[str]
    warnings: tuple[str, ...] = ()

    def admits(self, member: Member) -> bool:
        """Whether a record may stay; one without a member is in no list."""
        return (member in self.values) == (self.operator is Operator.IN)


class Memory(Source):
    """Answers from a table of records.

    A record has a ``date`` (an ISO day), any dimensions and any metrics. It may also have the columns of
    ``IDENTITIES``. Where the directory lists keys (or workspaces), filters take their hashes (or UUIDs),
    and one that the directory lacks matches nothing and earns a warning, as the API does; where it lists
    none, filters take the names that answers show. Answers always show names.
    """

    kind: ClassVar[str] = "memory"

    def __init__(  # noqa: PLR0913 - all but the records and the clock have a natural default
        self,
        records: Table,
        *,
        now: datetime,
        directory: Directory | None = None,
        catalogue: Catalog | None = None,
        guardrails: tuple[Guardrail, ...] | None = None,
        kind: str = "",
        host: str = "",
    ) -> None:
        self._records = records
        self._now = now
        self._directory = directory or Directory()
        self._catalogue = catalogue
        self._guardrails = guardrails
        self._info = SourceInfo(kind or self.kind, host, requests=0)

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """Refuse: records in memory have no address.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"{setting.text!r} is not a source that can be opened: give files of records instead",
            code=Code.BAD_SOURCE,
        )

    @property
    def now(self) -> datetime:
        """The clock that the records were given with."""
        return self._now

    def info(self) -> SourceInfo:
        """Kind and host; no request is ever sent."""
        return self._info

    def meta(self) -> Meta:
        """The metrics and dimensions that the records have."""
        hidden = {DATE, *IDENTITIES.values()}
        return Meta(dict.fromkeys(self._records.metrics, False), frozenset(self._records.dimensions) - hidden)

    def directory(self) -> Directory:
        """The keys and workspaces that the records were given with."""
        return self._directory

    def guardrails(self) -> tuple[Guardrail, ...] | None:
        """The guardrails that the records were given with."""
        return self._guardrails

    def catalogue(self) -> Catalog | None:
        """The catalogue that the records were given with."""
        return self._catalogue

    def answer(self, query: Query) -> Answer:
        """The answer to one query.

        Raises:
            SourceError: if no record has one of the metrics or dimensions, or a filter on a key's hash
                cannot tell namesakes apart.
        """
        self._require(query)
        conditions = [self._condition(item) for item in query.filters]
        table = _grouped(query, self._selected(query, conditions))
        rows = sorted(range(len(table)), key=_order(table).__getitem__)
        warnings = tuple(line for condition in conditions for line in condition.warnings)
        return Answer(query, table.keep(rows[: query.limit]), len(rows) > query.limit, warnings)

    def _require(self, query: Query) -> None:
        meta = self.meta()
        asked = {*query.dimensions, *(item.field for item in query.filters)}
        absent = [f"metric {name}" for name in query.metrics if name not in meta.metrics]
        absent += [f"dimension {name}" for name in sorted(asked - meta.dimensions)]
        if absent:
            raise SourceError(Reason.NOT_ANSWERABLE, f"no record has the {', '.join(absent)}")

    def _condition(self, item: Filter) -> _Condition:
        known = self._names(item.field)
        if not known:
            return _Condition(item.field, item.operator, frozenset(item.values))
        resolved = [value for value in item.values if value in known]
        warnings = tuple(
            f"{item.field}: {value!r} does not resolve" for value in item.values if value not in known
        )
        column = IDENTITIES[item.field]
        if column in self._records.dimensions:
            return _Condition(column, item.operator, frozenset(resolved), warnings)
        names = list(known.values())
        ambiguous = sorted({known[value] for value in resolved if names.count(known[value]) > 1})
        if ambiguous:
            raise SourceError(
                Reason.AMBIGUOUS_KEY,
                f"the records know {item.field} by name only, and {ambiguous[0]!r} is not unique",
            )
        return _Condition(item.field, item.operator, frozenset(known[value] for value in resolved), warnings)

    def _names(self, dimension: str) -> Mapping[str, str]:
        """Identifier -> name, for a dimension that filters take identifiers of."""
        if dimension == "api_key_id":
            return {key.key_hash: key.name for key in self._directory.keys}
        if dimension == "workspace":
            return {uuid: name for name, uuids in self._directory.workspaces.items() for uuid in uuids}
        return {}

    def _selected(self, query: Query, conditions: list[_Condition]) -> Table:
        columns = dict.fromkeys((DATE, *query.dimensions, *(condition.column for condition in conditions)))
        table = self._records.only(tuple(columns), query.metrics).matching(
            {DATE: lambda day: _is_within(day, query.window)}
        )
        for condition in conditions:
            table = table.matching({condition.column: condition.admits})
        return table


def _is_within(day: Member, window: Window) -> bool:
    return stamp(window.start) <= f"{day}T00:00:00Z" < stamp(window.end)


def _grouped(query: Query, table: Table) -> Table:
    if query.granularity is None:
        return table.rollup(query.dimensions)
    days = table.dimensions[DATE]
    if query.granularity is Granularity.MONTH:
        days = [f"{str(day)[:7]}-01" for day in days]
    return Table({**table.dimensions, DATE: days}, table.metrics).rollup((DATE, *query.dimensions))


def _order(table: Table) -> list[tuple[object, ...]]:
    """What each row is sorted by: the dearest first, then by members, those without one first."""
    columns = [
        [(member is not None, member or "") for member in column] for column in table.dimensions.values()
    ]
    return list(zip([(usd is None, -(usd or 0)) for usd in table.metrics[SPEND]], *columns, strict=True))
