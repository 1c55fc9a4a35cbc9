"""Files of request records, answered by DuckDB: the extra ``local``.

A record is one request (or several, with ``request_count``). Its fields bear the analytics API's own
metric and dimension names, with ``created_at`` for the UTC moment; the header of OpenRouter's activity
export is understood too. A metric or dimension that some file lacks is not answerable, never zero. Where
exports overlap, a ``generation_id`` counts once, and two that differ in a figure are refused.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Self, cast

from orpolicy.account import Directory
from orpolicy.errors import Reason, SourceError
from orpolicy.query.model import Answer, Meta
from orpolicy.query.vocabulary import METRICS
from orpolicy.sources._local_engine import Engine, Loaded
from orpolicy.sources._local_files import record_files
from orpolicy.sources._local_json import unmarked
from orpolicy.sources._local_sql import compiled
from orpolicy.sources.base import Source, SourceInfo
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from orpolicy.catalog.model import Catalog
    from orpolicy.query.model import Query
    from orpolicy.sources.base import Setting
    from orpolicy.table import Number


class Local(Source):
    """Answers from files of request records; keys and workspaces are known by name only."""

    kind: ClassVar[str] = "local"

    def __init__(self, engine: Engine, text: str, now: datetime, catalogue: Catalog | None) -> None:
        self._engine = engine
        self._text = text
        self._now = now
        self._catalogue = catalogue
        self._outcome: Loaded | SourceError | None = None

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """The files that the setting names; they are read when the first question comes.

        Raises:
            UsageError: if there is no such file, its header is unknown, or DuckDB is not installed.
        """
        catalogue = None
        if setting.catalogue is not None:
            from orpolicy.catalog.load import load_catalog  # noqa: PLC0415 - rarely needed here

            catalogue = load_catalog(setting.catalogue)
        now = setting.now or datetime.now(UTC).replace(microsecond=0)
        return cls(Engine(record_files(setting.text)), setting.text, now, catalogue)

    @property
    def now(self) -> datetime:
        """The run's clock; the real time unless it is fixed."""
        return self._now

    def info(self) -> SourceInfo:
        """The path as it was given, and a note where records were there more than once."""
        copies = self._outcome.copies if isinstance(self._outcome, Loaded) else 0
        notes = (f"{copies} records repeat a generation_id and are not counted again",) if copies else ()
        return SourceInfo(self.kind, self._text, requests=0, notes=notes)

    def meta(self) -> Meta:
        """The metrics and dimensions that every file has.

        Raises:
            SourceError: if a record cannot be trusted.
        """
        columns = self._loaded().columns
        metrics = {name: False for name in METRICS if name in columns}
        return Meta(metrics, columns - metrics.keys())

    def directory(self) -> Directory:
        """Nothing: records hold names."""
        return Directory()

    def catalogue(self) -> Catalog | None:
        """The catalogue that the run was given, if any."""
        return self._catalogue

    def answer(self, query: Query) -> Answer:
        """The answer to one query.

        Raises:
            SourceError: if a record cannot be trusted, or a file lacks what is asked for.
        """
        self._require(query)
        rows = self._engine.rows(compiled(query))
        names = [*([DATE] if query.granularity else []), *query.dimensions]
        width = len(names) + len(query.metrics)
        columns = [[row[index] for row in rows[: query.limit]] for index in range(width)]
        members = cast("list[list[str | None]]", columns[: len(names)])
        numbers = cast("list[list[Number | None]]", columns[len(names) :])
        table = Table(
            {
                name: [unmarked(member) for member in column]
                for name, column in zip(names, members, strict=True)
            },
            dict(zip(query.metrics, numbers, strict=True)),
        )
        return Answer(query, table, truncated=len(rows) > query.limit)

    def close(self) -> None:
        """Give back the memory, and what was spilled to disk."""
        self._engine.close()

    def _require(self, query: Query) -> None:
        meta = self.meta()
        asked = {*query.dimensions, *(item.field for item in query.filters)}
        absent = [f"metric {name}" for name in query.metrics if name not in meta.metrics]
        absent += [f"dimension {name}" for name in sorted(asked - meta.dimensions)]
        if absent:
            raise SourceError(
                Reason.NOT_ANSWERABLE, f"the records of {self._text} lack the {', '.join(absent)}"
            )

    def _loaded(self) -> Loaded:
        """What the files hold: they are read once, and a failure stays one."""
        if self._outcome is None:
            try:
                self._outcome = self._engine.load()
            except SourceError as error:
                self._outcome = error
        if isinstance(self._outcome, SourceError):
            raise self._outcome
        return self._outcome
