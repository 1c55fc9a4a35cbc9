"""The command lines of a page, run in order in a folder of the page's own."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 88
ELLIPSIS = "..."
"""A line of its own that stands for any number of lines."""

_BLOCK = re.compile(
    r"^(?P<head>(?P<indent> *)```(?P<kind>[a-z]+)(?P<rest>[^\n]*)\n)(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_TITLE = re.compile(r'title="([^"]+)"')
_UNSET = ("GITHUB_", "OPENROUTER_", "ORPOLICY_", "FORCE_COLOR", "CI", "XDG_")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page.

    Attributes:
        kind: the word behind the fence, such as ``console`` or ``yaml``.
        file: the file that it is, relative to the page's folder, or "".
        text: its lines without the indentation of the fence.
        line: of the fence, counted from 1.
        start: where its lines begin in the page, and ``end`` where they end; in characters.
        indent: how far the fence stands to the right.
    """

    kind: str
    file: str
    text: str
    line: int
    start: int
    end: int
    indent: str


@dataclass(frozen=True, slots=True)
class Step:
    """A command line of a page, and what the page says that it prints."""

    command: str
    shown: tuple[str, ...]


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    for found in _BLOCK.finditer(page):
        title = _TITLE.search(found["rest"])
        indent = found["indent"]
        text = "".join(line.removeprefix(indent) for line in found["text"].splitlines(keepends=True))
        line = page.count("\n", 0, found.start()) + 1
        yield Block(
            found["kind"],
            title[1] if title else "",
            text,
            line,
            found.start("text"),
            found.end("text"),
            indent,
        )


def steps(block: Block) -> Iterator[Step]:
    """The command lines of a block.

    Raises:
        ValueError: if it does not begin with one.
    """
    commands: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif commands:
            commands[-1][1].append(line)
        else:
            raise ValueError(f"line {block.line}: a console block begins with a command")
    for command, shown in commands:
        while shown and not shown[-1]:
            shown.pop()
        yield Step(command, tuple(shown))


@contextmanager
def page_folder() -> Iterator[Session]:
    """A session in a new folder, without the caller's environment, key or cache."""
    kept, here = dict(os.environ), Path.cwd()
    with TemporaryDirectory() as name:
        folder = Path(name) / "work"
        folder.mkdir()
        for variable in kept:
            if variable.startswith(_UNSET):
                del os.environ[variable]
        os.environ |= {
            "COLUMNS": str(COLUMNS),
            "NO_COLOR": "1",
            "ORPOLICY_CACHE_DIR": str(Path(name) / "cache"),
        }
        os.chdir(folder)
        try:
            yield Session(folder)
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ |= kept


class Session:
    """A folder, and the exit code of what ran in it last."""

    def __init__(self, folder: Path) -> None:
        """Begin in an empty folder."""
        self.folder = folder
        self._code = 0

    def write(self, block: Block) -> None:
        """Keep a block as the file that it is."""
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def ran(self, command: str) -> tuple[str, ...]:
        """What a command line prints, on both streams, without trailing blanks and empty last lines.

        ``orpolicy`` may end in ``> FILE``; beside it there are ``cat FILE``, ``cp FROM TO`` and ``echo $?``.

        Raises:
            ValueError: for any other.
        """
        words = shlex.split(command, comments=True)
        match words:
            case ["orpolicy", *arguments, ">", target]:
                (self.folder / target).write_text(self._orpolicy(arguments), encoding="utf-8")
                text = ""
            case ["orpolicy", *arguments]:
                text = self._orpolicy(arguments)
            case ["cat", name]:
                text = (self.folder / name).read_text(encoding="utf-8")
            case ["cp", source, target]:
                shutil.copyfile(self.folder / source, self.folder / target)
                text = ""
            case ["echo", "$?"]:
                text = str(self._code)
            case _:
                raise ValueError(f"a page cannot run {command!r}")
        return tuple(line.rstrip() for line in text.rstrip().splitlines())

    def _orpolicy(self, arguments: list[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            self._code = run(arguments)
        return printed.getvalue()


def agrees(shown: tuple[str, ...], printed: tuple[str, ...]) -> bool:
    """Whether a page shows what was printed; an ellipsis stands for any lines."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == ELLIPSIS else re.escape(line) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def redone(shown: tuple[str, ...], printed: tuple[str, ...]) -> tuple[str, ...]:
    """What a page shows, brought up to date; what an ellipsis left out stays out."""
    if ELLIPSIS not in map(str.strip, shown):
        return printed
    lines: list[str] = []
    for tag, low, high, start, end in SequenceMatcher(None, shown, printed, autojunk=False).get_opcodes():
        old, new = shown[low:high], printed[start:end]
        gaps = [index for index, line in enumerate(old) if line.strip() == ELLIPSIS]
        if tag == "insert" or not gaps:
            lines += new
        else:
            behind = len(old) - gaps[-1] - 1
            lines += [*new[: gaps[0]], old[gaps[0]], *new[max(gaps[0], len(new) - behind) :][:behind]]
    return tuple(lines)


def recorded(page: str) -> str:
    """A page with every command line run, and what it prints in the place of what the page showed."""
    made, done = [], 0
    with page_folder() as session:
        for block in blocks(page):
            if block.file:
                session.write(block)
            if block.kind != "console":
                continue
            lines: list[str] = []
            for step in steps(block):
                printed = session.ran(step.command)
                shown = printed if agrees(step.shown, printed) and ELLIPSIS not in step.shown else step.shown
                fresh = shown if agrees(shown, printed) else redone(shown, printed)
                lines += [f"$ {step.command}", *fresh]
            text = "".join(f"{block.indent}{line}".rstrip() + "\n" for line in lines)
            made += [page[done : block.start], text]
            done = block.end
    return "".join([*made, page[done:]])
