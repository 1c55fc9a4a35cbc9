"""A git repository that is only read: commits, what lies in them, and why one cannot be had."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.policy.document import MAX_BYTES
from orpolicy.reporters._words import prose

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRETS = frozenset({"OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_API_KEY", "GITHUB_TOKEN"})
"""Variables that git has no use for."""

FILE_MODES = frozenset({"100644", "100755"})

SHOWN = 12
"""So many digits of a commit are shown."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PLACES = frozenset({"GIT_DIR", "GIT_INDEX_FILE"})
"""Set by git for its hooks; below the root of a work tree they git would take the folder for the root."""


def shown(revision: str) -> str:
    """A revision for people: a commit's whole hash, which alone no tag or branch can stand for, is cut."""
    return revision[:SHOWN] if _COMMIT.fullmatch(revision) else revision


@dataclass(frozen=True, slots=True)
class Git:
    """A repository that is only read.

    Attributes:
        root: of the work tree, without links.
    """

    root: str

    @classmethod
    def at(cls, folder: Path) -> Git | None:
        """The repository around a folder; None where there is none, or no git."""
        found = _run(["rev-parse", "--show-toplevel"], folder)
        return cls(os.path.realpath(os.fsdecode(found.said.rstrip(b"\n")))) if found.is_done else None

    def commit(self, revision: str) -> str:
        """The commit's hash, or "" where no commit has that name."""
        asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        found = _run(asked, Path(self.root))
        return found.said.decode("ascii").strip() if found.is_done else ""

    def inside(self, path: Path) -> str:
        """A path as the repository names it; a link at its end is not followed.

        Raises:
            UsageError: if it lies elsewhere.
        """
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the last link
        real = os.path.join(os.path.realpath(whole.parent), whole.name)  # noqa: PTH118 - as above
        inside = os.path.relpath(real, self.root)
        if inside == os.pardir or inside.startswith(os.pardir + os.sep):
            raise UsageError(
                f"{path} is not in the repository: compare it with a path instead of a revision",
                code=Code.BAD_BASE,
            )
        return PurePosixPath(*Path(inside).parts).as_posix()

    def listed(self, commit: str, path: str) -> list[tuple[str, str]]:
        """Mode and path of everything at or below a path, sorted.

        Raises:
            UsageError: if the repository cannot be read.
        """
        asked = ["--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit]
        asked += [] if path == os.curdir else ["--", path]
        entries = os.fsdecode(self._read(asked)).split("\0")[:-1]
        return sorted(
            ((entry.partition(" ")[0], entry.partition("\t")[2]) for entry in entries),
            key=lambda entry: entry[1],
        )

    def content(self, commit: str, path: str, most_bytes: int = MAX_BYTES) -> bytes:
        """A file's content, as far as its size may be judged by it.

        Raises:
            UsageError: if it cannot be read.
        """
        return self._read(["cat-file", "blob", f"{commit}:{path}"])[: most_bytes + 1]

    def _read(self, arguments: Sequence[str]) -> bytes:
        found = _run(arguments, Path(self.root))
        if found.is_done:
            return found.said
        message = f"git could not read the base: git {' '.join(arguments)}: {found.why}"
        raise UsageError(message, code=Code.BAD_BASE)


def why_none(folder: Path) -> str:
    """Why there is no repository around a folder, as far as git says more than that."""
    why = _run(["rev-parse", "--show-toplevel"], folder).why
    return "this folder is in no git repository" if "not a git repository" in why else f"git says: {why}"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What git answered.

    Attributes:
        said: on standard output.
        why: in one line, why it failed; "" where it did not.
    """

    said: bytes
    why: str = ""

    @property
    def is_done(self) -> bool:
        """Whether git did what it was asked for."""
        return not self.why


def _run(arguments: Sequence[str], folder: Path) -> _Answer:
    """What git says, in its own language; that it fails or is not installed is an answer as well."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and a revision cannot become an option
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environ(),
            check=False,
        )
    except OSError as error:
        return _Answer(b"", f"git cannot be run: {error.strerror}")
    if done.returncode == 0:
        return _Answer(done.stdout)
    said = " ".join(done.stderr.decode(errors="backslashreplace").split())
    return _Answer(b"", prose(said) or f"exit code {done.returncode}")


def _environ() -> dict[str, str]:
    """The environment without secrets, and without places unless all of them are given."""
    unwanted = SECRETS if "GIT_WORK_TREE" in os.environ else SECRETS | _PLACES
    environ = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**environ, "LC_ALL": "C"}
