"""The baseline as a file: one line a finding, laid out so that git merges what two branches change."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from orpolicy.baseline import Accepted, Figures, Ratchet, Side, bound
from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.location import Location, Problem

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
MAX_BYTES = 32 * 1024 * 1024

_HEADER = f"orpolicy-baseline {VERSION}"
_ABOUT = (
    "# Findings that are accepted while their measure and dollars a month stay within these bounds.",
    "# `orpolicy baseline update` lowers them; nothing raises them unasked.",
)
_END = "# end"
_MONTH = "spend_usd_per_month"
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
_FIELDS = (
    (re.compile(r"[0-9a-f]{32}"), "a fingerprint of 32 hex digits"),
    (re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*"), "a policy id"),
    (re.compile(rf"([a-z][a-z0-9_]*)(<=|>=)({_NUMBER})"), "a bound such as spend_usd<=6067"),
    (re.compile(rf"{_MONTH}<=({_NUMBER})"), f"a bound such as {_MONTH}<=6067.00"),
)
_CONFLICT = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: .*)?")


def text_of(ratchet: Ratchet) -> str:
    """The file's content: the same baseline gives the same bytes.

    Above each line stands whom it is about, and below it a blank one, to the last line, which is always
    the same: git merges hunks only where an unchanged line lies between them, and so changes to
    neighbours never touch.
    """
    parts = [_HEADER, *_ABOUT, ""]
    for entry in ratchet.entries:
        parts += [f"# {entry.policy}: {entry.words}", _line(entry), ""]
    return "\n".join([*parts, _END, ""])


def _line(entry: Accepted) -> str:
    figures = entry.figures
    return f"{entry.fingerprint} {entry.policy} {bound(figures)} {_MONTH}<={figures.usd_per_month:.2f}"


def read(path: Path) -> Ratchet:
    """The baseline in a file.

    Raises:
        UsageError: if the file cannot be read or is broken; with every problem as path:line:col.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        message = f"there is no baseline {path}: `orpolicy baseline write` makes one"
        raise UsageError(message, code=Code.UNREADABLE) from error
    except OSError as error:
        message = f"cannot read the baseline {path}: {error.strerror}"
        raise UsageError(message, code=Code.UNREADABLE) from error
    return parse(content, str(path))


def parse(content: bytes, file: str) -> Ratchet:
    """The baseline that a file's content says, in whatever order its lines are.

    Raises:
        UsageError: if it is broken; with every problem as path:line:col.
    """
    if len(content) > MAX_BYTES:
        message = f"{Location(file, 1, 1)}: the file is larger than {MAX_BYTES >> 20} MiB"
        raise UsageError(message, code=Code.BROKEN_BASELINE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig").split("\n")
        place = Location(file, len(before), len(before[-1]) + 1)
        message = f"{place}: the file is not UTF-8 from here on"
        raise UsageError(message, code=Code.BROKEN_BASELINE) from None
    reader = _Reader(file)
    for number, line in enumerate(text.split("\n"), start=1):
        reader.feed(number, line.removesuffix("\r"))
    if reader.problems:
        lines = (f"{problem.location}: {problem.said}" for problem in sorted(reader.problems))
        raise UsageError("\n".join(lines), code=Code.BROKEN_BASELINE)
    return Ratchet.of(reader.entries.values())


class _Reader:
    """Lines in, entries and problems out."""

    def __init__(self, file: str) -> None:
        self.entries: dict[str, Accepted] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._lines: dict[str, int] = {}
        self._comment = ""

    def feed(self, number: int, line: str) -> None:
        """Take in the next line."""
        if number == 1:
            self._check_header(line)
        elif _CONFLICT.fullmatch(line):
            self._complain(number, 1, "an unresolved merge conflict", "keep one of the two sides")
        elif line.startswith("#"):
            self._comment = line[1:].strip()
        elif not line:
            self._comment = ""
        else:
            self._take(number, line)
            self._comment = ""

    def _check_header(self, line: str) -> None:
        if line == _HEADER:
            return
        word, _, version = line.partition(" ")
        if word == _HEADER.partition(" ")[0] and version.isdecimal():
            message, hint = f"baselines of version {version} are not known here", "update orpolicy"
        else:
            message, hint = "this is no baseline", f"its first line must be {_HEADER!r}"
        self._complain(1, 1, message, hint)

    def _take(self, number: int, line: str) -> None:
        fields = line.split(" ")
        column, matches = 1, []
        for text, (pattern, what) in zip(fields, _FIELDS, strict=False):
            match = pattern.fullmatch(text)
            if match is None:
                self._complain(number, column, f"{what} must stand here")
                return
            matches.append(match)
            column += len(text) + 1
        if len(fields) != len(_FIELDS):
            missing = len(fields) < len(_FIELDS)
            message = f"{_FIELDS[len(fields)][1]} is missing" if missing else "nothing more must stand here"
            self._complain(number, column - missing, message)
            return
        self._keep(number, matches)

    def _keep(self, number: int, matches: list[re.Match[str]]) -> None:
        name, policy, measured, dollars = matches
        figures = Figures(measured[1], Side(measured[2]), float(measured[3]), float(dollars[1]))
        if not (math.isfinite(figures.value) and math.isfinite(figures.usd_per_month)):
            column = len(name[0]) + len(policy[0]) + 3
            self._complain(number, column, "a bound is out of range")
        elif name[0] in self._lines:
            hint = "keep the stricter one"
            self._complain(number, 1, f"the same finding as in line {self._lines[name[0]]}", hint)
        else:
            words = self._comment.removeprefix(f"{policy[0]}: ")
            self._lines[name[0]] = number
            self.entries[name[0]] = Accepted(name[0], policy[0], figures, words)

    def _complain(self, number: int, column: int, message: str, hint: str = "") -> None:
        place = Location(self._file, number, column)
        self.problems.append(Problem(place, message, hint, code=Code.BROKEN_BASELINE))
