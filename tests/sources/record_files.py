"""Records written as files of every format that the local source reads."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Record = dict[str, Any]


def _names(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record))


def jsonl_text(records: Sequence[Record]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def csv_text(records: Sequence[Record]) -> str:
    """Nothing for null, quotes around every text, so that an empty text stays one."""
    out = io.StringIO()
    names = _names(records)
    csv.writer(out).writerow(names)
    for record in records:
        fields = [record.get(name) for name in names]
        out.write(",".join("" if field is None else _field(field) for field in fields) + "\r\n")
    return out.getvalue()


def _field(value: object) -> str:
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)


def write_parquet(path: Path, records: Sequence[Record]) -> None:
    """Texts as VARCHAR, moments as TIMESTAMP, integers as BIGINT, the rest as DOUBLE."""
    names = ["created_at", *(name for name in _names(records) if name != "created_at")]
    kinds = {name: _kind(name, [record.get(name) for record in records]) for name in names}
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind in kinds.items())})")
        for record in records:
            texts = [record.get(name) for name in names if name != "created_at"]
            db.execute(
                f"INSERT INTO t VALUES ({', '.join('?' * len(names))})",  # noqa: S608 - placeholders
                [record["created_at"].removesuffix("Z"), *texts],
            )
        db.execute("COPY t TO ? (FORMAT parquet)", [str(path)])


def _kind(name: str, values: Sequence[object]) -> str:
    if name == "created_at":
        return "TIMESTAMP"
    if any(isinstance(value, str) for value in values):
        return "VARCHAR"
    return "DOUBLE" if any(isinstance(value, float) for value in values) else "BIGINT"


def _text(suffix: str, of: Callable[[Sequence[Record]], str]) -> Callable[[Path, Sequence[Record]], Path]:
    def write(folder: Path, records: Sequence[Record]) -> Path:
        path = folder / f"records.{suffix}"
        raw = of(records).encode()
        path.write_bytes(gzip.compress(raw) if suffix.endswith(".gz") else raw)
        return path

    return write


def _parquet(folder: Path, records: Sequence[Record]) -> Path:
    write_parquet(folder / "records.parquet", records)
    return folder / "records.parquet"


def _mixed(folder: Path, records: Sequence[Record]) -> Path:
    """A folder with a third of the records in each of three formats."""
    (folder / "deep").mkdir()
    (folder / "a.ndjson").write_text(jsonl_text(records[::3]))
    (folder / "deep" / "b.csv").write_bytes(csv_text(records[1::3]).encode())
    write_parquet(folder / "c.parquet", records[2::3])
    return folder


WRITERS: dict[str, Callable[[Path, Sequence[Record]], Path]] = {
    "json": _text("json", json.dumps),
    "jsonl": _text("jsonl", jsonl_text),
    "jsonl.gz": _text("jsonl.gz", jsonl_text),
    "csv": _text("csv", csv_text),
    "csv.gz": _text("csv.gz", csv_text),
    "parquet": _parquet,
    "folder": _mixed,
}
