"""Lines for a terminal: wrapped by display width, coloured, and safe whatever is put on them."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.reporters._words import char_columns, columns, visible
from orpolicy.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orpolicy.location import Location

STICKY = "\u00a0"
"""A space at which no line breaks; printed as a plain one."""

GAP = f"{STICKY} "
"""Two spaces, after which a line may break."""

GUTTER = 6
"""Columns left of everything that belongs to a heading."""

PROSE = 110
"""Columns of running text: longer lines are hard to read."""

NARROWEST = 60
WIDEST = 200


class Ink(Enum):
    """What a piece of text is; the value is its ANSI code."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    FAIL = "1;31"
    WARN = "1;33"
    PASS = "1;32"  # noqa: S105 - a colour
    HOLD = "1;35"
    MONEY = "32"
    PLACE = "36"
    """A place in a file, or a command: never broken, so that it can be clicked or copied."""


VERDICT_INK = {
    Verdict.FAIL: Ink.FAIL,
    Verdict.WARN: Ink.WARN,
    Verdict.PASS: Ink.PASS,
    Verdict.INCONCLUSIVE: Ink.HOLD,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one ink."""

    text: str
    ink: Ink = Ink.PLAIN


Word = tuple[Piece, ...]
"""What stays together on a line."""


def sticky(text: str) -> str:
    """The text as one word."""
    return text.replace(" ", STICKY)


def place(location: Location) -> Piece:
    """``file:line``, for people and their terminals to open."""
    return Piece(sticky(f"{location.file}:{location.line}"), Ink.PLACE)


@dataclass(slots=True)
class Page:
    """A growing output.

    Attributes:
        width: columns that no line exceeds, but for places.
        color: whether to emit ANSI codes.
    """

    width: int
    color: bool
    _lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.width = min(max(self.width, NARROWEST), WIDEST)

    def text(self) -> str:
        """All lines, each ended."""
        return "".join(f"{line}\n" for line in self._lines)

    def blank(self) -> None:
        """An empty line, never two in a row."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def put(self, *parts: Piece | str, indent: int = 0, hang: int | None = None, most: int = WIDEST) -> None:
        """One paragraph.

        Args:
            *parts: joined as they are; lines break at plain spaces. Controls come out as escapes.
            indent: columns before the first line.
            hang: columns before the other lines; None: as the first.
            most: columns to use where the page is wider.
        """
        rest = indent if hang is None else hang
        words = _words(part if isinstance(part, Piece) else Piece(part) for part in parts)
        lines = _fill(words, min(self.width, most), indent, rest)
        for number, line in enumerate(lines):
            if painted := self._paint(line):
                self._lines.append(" " * (rest if number else indent) + painted)

    def _paint(self, words: Sequence[Word]) -> str:
        pieces = [Piece(piece.text.replace(STICKY, " "), piece.ink) for piece in _merged(words)]
        while pieces and not pieces[-1].text.strip(" "):
            pieces.pop()
        painted: list[str] = []
        for number, piece in enumerate(pieces, start=1):
            text = piece.text.rstrip(" ") if number == len(pieces) else piece.text
            plain = not self.color or piece.ink is Ink.PLAIN
            painted.append(text if plain else f"\x1b[{piece.ink.value}m{text}\x1b[0m")
        return "".join(painted)


def _words(pieces: Iterable[Piece]) -> list[Word]:
    """The pieces cut at spaces; a word may span pieces."""
    words: list[Word] = []
    word: list[Piece] = []
    for piece in pieces:
        first, *others = visible(piece.text).split(" ")
        word.append(Piece(first, piece.ink))
        for text in others:
            words.append(tuple(word))
            word = [Piece(text, piece.ink)]
    words.append(tuple(word))
    return [word for word in words if any(piece.text for piece in word)]


def _columns(word: Word) -> int:
    return sum(columns(piece.text) for piece in word)


def _fill(words: Sequence[Word], width: int, indent: int, hang: int) -> Iterator[list[Word]]:
    """Words by line, greedily."""
    line: list[Word] = []
    used, room = 0, width - indent
    for whole in words:
        for word in _cut(whole, width - max(indent, hang)):
            need = _columns(word)
            if line and used + 1 + need > room and need <= width - hang:
                yield line
                line, used, room = [], 0, width - hang
            used += need + (1 if line else 0)
            line.append(word)
    if line:
        yield line


def _cut(word: Word, room: int) -> Iterator[Word]:
    """A word in parts that fit; a place stays whole."""
    if _columns(word) <= room or any(piece.ink is Ink.PLACE for piece in word):
        yield word
        return
    part: list[Piece] = []
    used = 0
    for piece in word:
        start = 0
        for index, char in enumerate(piece.text):
            need = char_columns(char)
            if used + need > room:
                yield (*part, Piece(piece.text[start:index], piece.ink))
                part, used, start = [], 0, index
            used += need
        part.append(Piece(piece.text[start:], piece.ink))
    yield tuple(part)


def _merged(words: Sequence[Word]) -> Iterator[Piece]:
    """The pieces of a line, spaces between words included, neighbours of one ink joined."""
    flat: list[Piece] = []
    for word in words:
        if flat:
            flat.append(Piece(" ", word[0].ink if flat[-1].ink is word[0].ink else Ink.PLAIN))
        flat.extend(word)
    for ink, pieces in groupby((piece for piece in flat if piece.text), key=lambda piece: piece.ink):
        yield Piece("".join(piece.text for piece in pieces), ink)
