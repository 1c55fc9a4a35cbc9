"""The history as a file: a line a run, appended to by any number of writers.

Lines that hold no record stay as they are. A run that is there already is replaced in its place, so that
``merge=union`` in ``.gitattributes`` is enough for git: a run that two branches have counts once.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.file_lock import unlock, wait_for_lock
from orpolicy.history.line import NoRecord, line_of, record_of
from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orpolicy.history.record import Record

MAX_BYTES = 64 * 1024 * 1024
LOCK_SECONDS = 10.0
MOST_COMPLAINTS = 5


@dataclass(frozen=True, slots=True)
class History:
    """What a file holds.

    Attributes:
        records: in the order of their clocks, each run once: the line that comes last.
        problems: lines that hold no record, as ``path:line: what``.
    """

    records: tuple[Record, ...] = ()
    problems: tuple[str, ...] = ()


def read(path: Path) -> History:
    """The history in a file; an empty one where there is no file.

    Raises:
        UsageError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return History()
    except OSError as error:
        message = f"cannot read the history {path}: {error.strerror}"
        raise UsageError(message, code=Code.UNREADABLE) from error
    _check_size(path, content)
    return parse(content, str(path))


def _check_size(path: Path, content: bytes) -> None:
    if len(content) > MAX_BYTES:
        message = f"the history {path} is larger than {MAX_BYTES >> 20} MiB: begin a new one"
        raise UsageError(message, code=Code.UNREADABLE)


def parse(content: bytes, file: str) -> History:
    """The history in a file's content."""
    found: dict[tuple[object, ...], Record] = {}
    problems = []
    for number, raw in enumerate(content.split(b"\n"), 1):
        if not raw.strip():
            continue
        record = _read(raw)
        if record is None:
            problems.append(f"{file}:{number}: no record of a run; left as it is")
        else:
            found[record.key] = record
    return History(tuple(sorted(found.values(), key=lambda record: record.at)), _few(problems, file))


def _few(problems: list[str], file: str) -> tuple[str, ...]:
    """The first, and how many more."""
    more = len(problems) - MOST_COMPLAINTS
    told = problems[:MOST_COMPLAINTS]
    return (*told, f"{file}: {more:,} more lines like these") if more > 0 else tuple(told)


def _read(raw: bytes) -> Record | None:
    try:
        return record_of(raw.decode("utf-8-sig"))
    except (NoRecord, UnicodeDecodeError):
        return None


def append(path: Path, record: Record) -> None:
    """Keep a record: at the end, or in the place of the same run's; doing it twice changes nothing.

    One writer at a time has the file; whoever reads sees it before or after, and where this stops half-way
    at worst an incomplete last line, which later appends leave alone.

    Raises:
        UsageError: if it cannot be written.
    """
    line = line_of(record).encode()
    path = path.resolve()
    try:
        with _held(path) as descriptor:
            content = path.read_bytes()
            _check_size(path, content)
            kept = _without_same(content, record, line)
            if kept is None:
                _add(descriptor, content, line)
            elif kept != content:
                _replace(path, kept)
    except OSError as error:
        message = f"cannot write the history {path}: {error.strerror}"
        raise UsageError(message, code=Code.NOT_WRITTEN) from error


def _without_same(content: bytes, record: Record, line: bytes) -> bytes | None:
    """The content with the line in place of the same run's last, all others of it gone; None if it is new."""
    lines = content.split(b"\n")
    same = [number for number, raw in enumerate(lines) if (found := _read(raw)) and found.key == record.key]
    if not same:
        return None
    lines[same[-1]] = line
    return b"\n".join(raw for number, raw in enumerate(lines) if number not in same[:-1])


def _add(descriptor: int, content: bytes, line: bytes) -> None:
    before = b"" if not content or content.endswith(b"\n") else b"\n"
    rest = before + line + b"\n"
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Put another content in the file's place, all at once."""
    mode = path.stat().st_mode & 0o777
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - of two names
    except BaseException:
        os.unlink(name)  # noqa: PTH108 - as above
        raise


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """The file, made if need be, for this writer alone.

    Raises:
        OSError: if it cannot be had.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            wait_for_lock(descriptor, LOCK_SECONDS)
            try:
                if _is_current(descriptor, path):
                    yield descriptor
                    return
            finally:
                unlock(descriptor)
        finally:
            os.close(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether nobody has put another file in this one's place since it was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
