"""JSON records, one at a time, as rows of text for the engine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from orpolicy.errors import Reason, SourceError
from orpolicy.query.vocabulary import DIMENSIONS
from orpolicy.sources._local_columns import ACTIVITY, CREATED, KNOWN, MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.sources._local_files import RecordFile

MOST_CHARACTERS = 2**24
"""The longest record."""

_CHUNK = 2**16
_BATCH = 5_000
_SPACE = " \t\r\n"
_TEXTS = {CREATED, *DIMENSIONS, *(name for ours in DIMENSIONS for name in ACTIVITY.get(ours, ()))}
_SURROGATE = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder()

Texts = list[str | None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records as columns of one length.

    Attributes:
        numbers: each record's line, or its number in an array, counted from 1.
        columns: known column -> texts; every column that any of the records has.
    """

    numbers: list[int]
    columns: dict[str, Texts]


def marked(text: str) -> str:
    """The text as the engine holds it: itself, unless it has lone surrogates or begins with the mark."""
    if not text.startswith(MARK) and not _SURROGATE.search(text):
        return text
    return MARK + text.encode("utf-8", "surrogatepass").hex()


def unmarked(text: str | None) -> str | None:
    """The text that ``marked`` was given."""
    if text is None or not text.startswith(MARK):
        return text
    return bytes.fromhex(text[1:]).decode("utf-8", "surrogatepass")


def batches(file: RecordFile) -> Iterator[Batch]:
    """The records of a file, some thousands at a time.

    Raises:
        SourceError: at the first record that is none.
    """
    try:
        unit = word(file)
        place = f"{file}: {unit}"
        with file.text() as stream:
            records = _lines(place, stream) if unit == "line" else _elements(place, stream)
            while some := list(islice(records, _BATCH)):
                yield _batch(place, some)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(Reason.MALFORMED_ANSWER, f"{file}: cannot be read to its end: {error}") from error


def word(file: RecordFile) -> str:
    """What the numbers of a file's records count: ``line``, or ``record`` of an array."""
    with file.text() as stream:
        return "record" if _skipped(stream, "").startswith("[") else "line"


def _lines(place: str, stream: TextIO) -> Iterator[tuple[int, object]]:
    number = 0
    while line := stream.readline(MOST_CHARACTERS):
        number += 1
        if line.strip(_SPACE):
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _refused(place, number, f"not JSON: {error}") from error


def _elements(place: str, stream: TextIO) -> Iterator[tuple[int, object]]:
    """The elements of one array, without reading it whole."""
    text = _skipped(stream, _skipped(stream, "")[1:])
    number = 0
    while number or not text.startswith("]"):
        number += 1
        value, text = _element(place, stream, text, number)
        yield number, value
        text = _skipped(stream, text)
        if text.startswith("]"):
            break
        if not text.startswith(","):
            raise _refused(place, number, "a comma or the end of the array is expected after it")
        text = _skipped(stream, text[1:])
    if _skipped(stream, text[1:]):
        raise _refused(place, number, "something follows the array")


def _element(place: str, stream: TextIO, text: str, number: int) -> tuple[object, str]:
    """The value that the text begins with, and the text after it."""
    while True:
        try:
            value, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError) as error:
            more = stream.read(max(_CHUNK, len(text))) if len(text) < MOST_CHARACTERS else ""
            if not more:
                raise _refused(place, number, f"not JSON: {error}") from error
            text += more
        else:
            return value, text[end:]


def _skipped(stream: TextIO, text: str) -> str:
    """The text, or what follows it in the stream, without the white space in front."""
    text = text.lstrip(_SPACE)
    while not text and (more := stream.read(_CHUNK)):
        text = more.lstrip(_SPACE)
    return text


def _batch(place: str, some: list[tuple[int, object]]) -> Batch:
    columns: dict[str, Texts] = {}
    for position, (number, record) in enumerate(some):
        if not isinstance(record, dict):
            raise _refused(place, number, "an object is expected")
        for name in KNOWN & record.keys():
            if name not in columns:
                columns[name] = [None] * len(some)
            try:
                columns[name][position] = _text(name, record[name])
            except ValueError as error:
                raise _refused(place, number, f"{name}: {error}") from error
    return Batch([number for number, _ in some], columns)


def _text(name: str, value: object) -> str | None:
    """A member or number as text; the engine is strict about numbers later."""
    is_text = name in _TEXTS
    if value is None or isinstance(value, str):
        return value if value is None else marked(value)
    if isinstance(value, bool) and is_text:
        return "true" if value else "false"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and not is_text:
        return repr(value)
    raise ValueError(f"{'a text' if is_text else 'a number'} is expected, not {json.dumps(value)[:40]}")


def _refused(place: str, number: int, why: str) -> SourceError:
    return SourceError(Reason.MALFORMED_ANSWER, f"{place} {number}: {why}")
