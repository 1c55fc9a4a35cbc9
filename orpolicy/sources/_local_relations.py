# ruff: noqa: S608 - identifiers are quoted, paths are literals, and values are bound elsewhere
"""The SQL that turns one file into checked records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orpolicy.sources._local_columns import CREATED, GENERATION, KNOWN, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orpolicy.sources._local_columns import Layout
    from orpolicy.sources._local_files import RecordFile

_CSV = (
    "header=true, auto_detect=false, delim=',', quote='\"', escape='\"', nullstr='',"
    " allow_quoted_nulls=false, strict_mode=true, null_padding=false"
)


def literal(text: str) -> str:
    """An SQL text literal, for statements that take no bound values."""
    return "'" + text.replace("'", "''") + "'"


def csv_relation(file: RecordFile, header: Sequence[str]) -> str:
    """The known columns of a CSV file as text, with ``record`` counting its rows from 1.

    An empty field is NULL, a quoted empty field is an empty text.
    """
    types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(header)))
    known = [f"c{index} AS {quoted(name)}" for index, name in enumerate(header) if name in KNOWN]
    packing = "gzip" if file.is_gzip else "none"
    return (
        f"(SELECT row_number() OVER () AS record, {', '.join(known)} FROM"
        f" read_csv({_path(file)}, columns={{{types}}}, compression='{packing}', {_CSV}))"
    )


def parquet_relation(file: RecordFile, header: Collection[str]) -> str:
    """The known columns of a Parquet file, with ``record`` counting its rows from 1."""
    known = [quoted(name) for name in header if name in KNOWN]
    return (
        f"(SELECT file_row_number + 1 AS record, {', '.join(known)} FROM"
        f" read_parquet({_path(file)}, file_row_number=true))"
    )


def parquet_header(file: RecordFile) -> str:
    """The statement whose rows are the columns of a Parquet file and their types."""
    return f"DESCRIBE FROM read_parquet({_path(file)})"


def checked(source: str, layout: Layout) -> str:
    """A SELECT of a relation's records by our names, with the first column that is bad, or NULL."""
    tests = [f"WHEN NOT ({item.is_good}) THEN {literal(item.column)}" for item in layout.readings]
    values = [f"{value} AS {quoted(name)}" for name, value in layout.values.items()]
    return f"SELECT record, CASE {' '.join(tests)} END AS bad, {', '.join(values)} FROM {source}"


def united(parts: Sequence[tuple[str, Layout]], columns: Sequence[str]) -> str:
    """A SELECT of the moment, the generation and some columns of all relations."""
    selects = []
    for relation, layout in parts:
        generation = quoted(GENERATION) if GENERATION in layout.values else "NULL::VARCHAR"
        names = ", ".join([quoted(CREATED), f"{generation} AS {quoted(GENERATION)}", *map(quoted, columns)])
        selects.append(f"SELECT {names} FROM {relation}")
    return " UNION ALL ".join(selects)


def pattern(file: RecordFile) -> str:
    """The pattern that matches the file alone, as the engine takes no plain paths."""
    return re.sub(r"([\[*?])", r"[\1]", str(file.path))


def _path(file: RecordFile) -> str:
    return literal(pattern(file))
