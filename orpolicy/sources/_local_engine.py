"""Records in DuckDB: files in, checked rows out, with no way to the network or to other files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.sources._local_columns import CREATED, GENERATION, check_header, layout, quoted
from orpolicy.sources._local_files import Format
from orpolicy.sources._local_json import batches, unmarked, word
from orpolicy.sources._local_relations import (
    checked,
    csv_relation,
    literal,
    parquet_header,
    parquet_relation,
    pattern,
    united,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orpolicy.sources._local_columns import Layout
    from orpolicy.sources._local_files import RecordFile
    from orpolicy.sources._local_json import Batch
    from orpolicy.sources._local_sql import Statement

_SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "1GB",
}
_MESSAGE_LINES = 3


class Loaded(NamedTuple):
    """What the files turned out to hold.

    Attributes:
        columns: what every file has, the moment aside.
        copies: how many records were there before and count once.
    """

    columns: frozenset[str]
    copies: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One file's relation: ``record``, ``bad``, and the layout's columns."""

    relation: str
    layout: Layout


class Engine:
    """The records of some files: the view ``records``, once loaded."""

    def __init__(self, files: Sequence[RecordFile]) -> None:
        """Look at the files' headers.

        Raises:
            UsageError: if DuckDB is not installed, or a file's columns are not records' columns.
        """
        try:
            import duckdb  # noqa: PLC0415 - an extra, imported on use
        except ImportError as error:
            raise UsageError(
                "files of records need DuckDB, which is not installed: pip install 'orpolicy[local]'",
                code=Code.BAD_SOURCE,
            ) from error
        self._failure: type[Exception] = duckdb.Error
        self._folder = tempfile.TemporaryDirectory(prefix="orpolicy-", ignore_cleanup_errors=True)
        self._db = duckdb.connect(":memory:", config={**_SETTINGS, "temp_directory": self._folder.name})
        try:
            self._files = {file: self._header(file) for file in files}
        except UsageError:
            self.close()
            raise

    def close(self) -> None:
        """Give back the memory, and what was spilled to disk past its limit."""
        self._db.close()
        self._folder.cleanup()

    def rows(self, statement: Statement) -> list[tuple[object, ...]]:
        """A statement's rows.

        Raises:
            SourceError: if the engine or a file fails.
        """
        return self._run(statement.sql, statement.values)

    def load(self) -> Loaded:
        """Make the view ``records`` out of all files.

        Raises:
            SourceError: at the first record that cannot be trusted.
        """
        parts = [self._part(number, file) for number, file in enumerate(self._files)]
        self._lock()
        return self._united(parts)

    def _header(self, file: RecordFile) -> Mapping[str, str]:
        """Column -> type; empty for JSON, whose columns only its records tell."""
        if file.format is Format.CSV:
            names = file.csv_header()
            check_header(file, names)
            return dict.fromkeys(names, "VARCHAR")
        if file.format is not Format.PARQUET:
            return {}
        try:
            types = {str(row[0]): str(row[1]) for row in self._run(parquet_header(file))}
        except SourceError as error:
            raise UsageError(
                f"{file}: cannot be read as Parquet: {error.detail}", code=Code.BAD_SOURCE
            ) from error
        check_header(file, list(types))
        return types

    def _part(self, number: int, file: RecordFile) -> _Part:
        part = self._created(number, file)
        bad = self._run(
            f"SELECT record, bad FROM {part.relation} WHERE bad IS NOT NULL ORDER BY record LIMIT 1",  # noqa: S608 - a name of ours
            where=f"{file}: ",
        )
        if bad:
            ((record, column),) = bad
            unit = word(file) if file.format in (Format.JSON, Format.JSONL) else "record"
            expected = next(item.expected for item in part.layout.readings if item.column == column)
            raise SourceError(Reason.MALFORMED_ANSWER, f"{file}: {unit} {record}: {column} is not {expected}")
        return part

    def _created(self, number: int, file: RecordFile) -> _Part:
        relation, kind, is_marked = f"part_{number}", "TABLE", False
        types = self._files[file]
        if file.format is Format.CSV:
            source = csv_relation(file, list(types))
        elif file.format is Format.PARQUET:
            kind, source = "VIEW", parquet_relation(file, types)
        else:
            source, is_marked = f"raw_{number}", True
            types = self._parsed(source, file)
        plan = layout(types, is_marked=is_marked)
        self._run(f"CREATE {kind} {relation} AS {checked(source, plan)}", where=f"{file}: ")
        if is_marked:
            self._run(f"DROP TABLE {source}")
        return _Part(relation, plan)

    def _parsed(self, table: str, file: RecordFile) -> Mapping[str, str]:
        """A JSON file's records as a table of texts; its columns."""
        types = {CREATED: "VARCHAR"}
        self._run(f"CREATE TABLE {table} (record BIGINT, {quoted(CREATED)} VARCHAR)")
        for batch in batches(file):
            for name in sorted(batch.columns.keys() - types.keys()):
                self._run(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} VARCHAR")
                types[name] = "VARCHAR"
            self._insert(table, batch)
        return types

    def _insert(self, table: str, batch: Batch) -> None:
        names = ", ".join(["record", *map(quoted, batch.columns)])
        texts = "".join(f", unnest(${index}::VARCHAR[])" for index in range(2, len(batch.columns) + 2))
        self._run(
            f"INSERT INTO {table} ({names}) SELECT unnest($1::BIGINT[]){texts}",
            [batch.numbers, *batch.columns.values()],
        )

    def _lock(self) -> None:
        """From here on no file but the Parquet ones can be read, and nothing changes that."""
        parquet = [file for file in self._files if file.format is Format.PARQUET]
        paths = sorted({text for file in parquet for text in (str(file.path), pattern(file))})
        self._run(f"SET allowed_paths = [{', '.join(map(literal, paths))}]")
        self._run("SET enable_external_access = false")
        self._run("SET lock_configuration = true")

    def _united(self, parts: list[_Part]) -> Loaded:
        full = [part for part in parts if self._number(f"SELECT count(*) FROM {part.relation}")] or parts  # noqa: S608 - a name of ours
        common = frozenset.intersection(*(frozenset(part.layout.values) for part in full)) - {CREATED}
        select = united([(part.relation, part.layout) for part in full], sorted(common - {GENERATION}))
        self._run(f"CREATE VIEW everything AS {select}")
        copies = self._number("SELECT count(generation_id) - count(DISTINCT generation_id) FROM everything")
        if copies:
            self._keep_one_of_each()
        else:
            self._run("CREATE VIEW records AS FROM everything")
        return Loaded(common, copies)

    def _keep_one_of_each(self) -> None:
        self._run(
            "CREATE TABLE records AS SELECT DISTINCT * FROM everything WHERE generation_id IS NOT NULL"
            " UNION ALL FROM everything WHERE generation_id IS NULL"
        )
        disputed = self._run(
            "SELECT generation_id FROM records WHERE generation_id IS NOT NULL"
            " GROUP BY generation_id HAVING count(*) > 1 ORDER BY generation_id LIMIT 1"
        )
        if disputed:
            raise SourceError(
                Reason.MALFORMED_ANSWER,
                f"generation_id {unmarked(str(disputed[0][0]))!r} is there twice with different figures",
            )

    def _number(self, sql: str) -> int:
        ((number,),) = self._run(sql)
        return int(str(number))

    def _run(self, sql: str, values: Iterable[object] = (), where: str = "") -> list[tuple[object, ...]]:
        """Run one statement; the one place where the engine's errors become ours."""
        try:
            return list(self._db.execute(sql, list(values)).fetchall())
        except self._failure as error:
            raise SourceError(Reason.MALFORMED_ANSWER, where + _message(error)) from error


def _message(error: Exception) -> str:
    """The telling lines of the engine's message, without the file's own text or its proposals."""
    lines = [line for line in str(error).splitlines() if line and not line.startswith("Original Line")]
    return "; ".join(lines[:_MESSAGE_LINES]).partition("; Possible")[0]
