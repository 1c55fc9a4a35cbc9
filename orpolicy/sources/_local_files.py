"""Which files hold the records, and what is in their first row."""

from __future__ import annotations

import csv
import glob
import gzip
import io
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from orpolicy.codes import Code
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_GZIP_MAGIC = b"\x1f\x8b"


class Format(Enum):
    """How records are written; the values are file suffixes."""

    JSON = (".json",)
    JSONL = (".jsonl", ".ndjson")
    CSV = (".csv",)
    PARQUET = (".parquet",)


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One file of records.

    Attributes:
        path: as the user gave it, or below the folder that the user gave.
        format: by its suffix.
        is_gzip: by its first bytes.
    """

    path: Path
    format: Format
    is_gzip: bool = False

    def __str__(self) -> str:
        return str(self.path)

    def text(self, errors: str = "strict") -> TextIO:
        """The file opened as UTF-8 text with its line ends kept; the caller closes it.

        Args:
            errors: what becomes of bytes that are no text, as ``open`` has it.
        """
        stream = gzip.open(self.path) if self.is_gzip else self.path.open("rb")  # noqa: SIM115 - the caller does
        return io.TextIOWrapper(stream, encoding="utf-8-sig", errors=errors, newline="")

    def csv_header(self) -> list[str]:
        """The names in the first row of a CSV file.

        Raises:
            UsageError: if there is no such row.
        """
        try:
            with self.text(errors="replace") as stream:  # the engine refuses such bytes, with their line
                header = next(csv.reader(stream, strict=True), [])
        except (OSError, EOFError, csv.Error) as error:
            raise UsageError(f"{self}: cannot be read as CSV: {error}", code=Code.BAD_SOURCE) from error
        if not header:
            raise UsageError(f"{self}: there is no header: the file is empty", code=Code.BAD_SOURCE)
        return header


def record_files(text: str) -> tuple[RecordFile, ...]:
    """The files behind a path, a folder (searched with its subfolders) or a glob, in order of their paths.

    A folder's and a glob's files of other kinds, and hidden ones, are not records and left out.

    Raises:
        UsageError: if there is no such file, or none that holds records.
    """
    path = Path(text)
    if path.is_file():
        found = _readable([path])
        if not found:
            raise UsageError(
                f"{text}: not a file of records: use {_suffixes()}, the text ones also with .gz",
                code=Code.BAD_SOURCE,
            )
        return found
    names = path.rglob("*") if path.is_dir() else map(Path, glob.glob(text, recursive=True))  # noqa: PTH207 - takes absolute patterns
    found = _readable(sorted(names))
    if not found:
        raise UsageError(
            f"{text!r} is no source: no such file, and no folder or pattern with records ({_suffixes()})",
            code=Code.BAD_SOURCE,
        )
    return found


def _suffixes() -> str:
    return ", ".join(suffix for item in Format for suffix in item.value)


def _readable(paths: Iterable[Path]) -> tuple[RecordFile, ...]:
    files = (_record_file(path) for path in paths if path.is_file() and not path.name.startswith("."))
    return tuple(file for file in files if file is not None)


def _record_file(path: Path) -> RecordFile | None:
    name = path.name.lower().removesuffix(".gz")
    for item in Format:
        if name.endswith(item.value):
            try:
                with path.open("rb") as stream:
                    return RecordFile(path, item, stream.read(2) == _GZIP_MAGIC)
            except OSError as error:
                raise UsageError(
                    f"{path}: cannot be read: {error.strerror or error}", code=Code.BAD_SOURCE
                ) from error
    return None
