"""The older policy files: of a git revision, read without a checkout, or of a folder."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.location import Fault
from orpolicy.policy.files import SUFFIXES, policy_files, read_file
from orpolicy.policy.library import PACK_PREFIX, Disk, not_there, read_pack
from orpolicy.policy_diff.git import FILE_MODES, Git, shown, why_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.policy.library import Library

DEFAULTS = ("policies", *(f"orpolicy{suffix}" for suffix in SUFFIXES))
"""Where the older policies are if nobody says; the first that is there counts."""

MOST_FILE_BYTES = 32 * 1024 * 1024
"""Of a file that is no policy file."""


@dataclass(frozen=True, slots=True)
class Base:
    """The older files.

    Attributes:
        contents: what each holds, by the name that problems show; empty where there are none.
        lacking: paths of the command line that the base does not have.
        library: where the files that they extend come from.
    """

    contents: Mapping[str, bytes]
    lacking: tuple[str, ...] = ()
    library: Library = field(default_factory=Disk)


def read_base(base: str, paths: Sequence[Path]) -> Base:
    """The older files.

    Args:
        base: a git revision, else a path to a file or folder.
        paths: where the newer files are; none: the places where policies are by default.

    Raises:
        UsageError: if the base is neither, or it cannot be read.
    """
    git = Git.at(Path())
    commit = git.commit(base) if git else ""
    if git and commit:
        return _of_revision(git, base, commit, paths)
    if Path(base).exists():
        return Base({str(path): read_file(path) for path in policy_files([Path(base)])})
    where = "" if git else f"; {why_none(Path())}"
    raise UsageError(
        f"{base!r} is neither a git revision nor a path here{where} "
        "(in CI, fetch it first: a shallow checkout has no other revisions)",
        code=Code.BAD_BASE,
    )


def read_base_file(base: str, path: Path) -> tuple[str, bytes] | None:
    """One file of the base, which is no policy file: its name and content; None where the base lacks it.

    Args:
        base: as for ``read_base``; below a path the file is looked for under its own name.
        path: where the newer file is.

    Raises:
        UsageError: if it cannot be read.
    """
    git = Git.at(Path())
    commit = git.commit(base) if git else ""
    if git and commit:
        inside = git.inside(path)
        modes = {file: mode for mode, file in git.listed(commit, inside)}
        if inside not in modes:
            return None
        if modes[inside] not in FILE_MODES:
            raise UsageError(
                f"{shown(base)}:{inside} is a link or a submodule: name the file behind it",
                code=Code.BAD_BASE,
            )
        return f"{shown(base)}:{inside}", git.content(commit, inside, MOST_FILE_BYTES)
    beside = (Path(base) if Path(base).is_dir() else Path(base).parent) / path.name
    if not beside.is_file():
        return None
    try:
        with beside.open("rb") as file:
            return str(beside), file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {beside}: {error.strerror}", code=Code.BAD_BASE) from error


def _of_revision(git: Git, base: str, commit: str, paths: Sequence[Path]) -> Base:
    base = shown(base)
    contents: dict[str, bytes] = {}
    lacking: list[str] = []
    for path in paths or map(Path, DEFAULTS):
        inside = git.inside(path)
        files = list(_policy_files(git.listed(commit, inside), inside, base))
        if not files:
            _check_above(git, base, commit, inside)
            lacking.append(str(path))
        contents |= {f"{base}:{file}": git.content(commit, file) for file in files}
        if files and not paths:
            break
    return Base(contents, tuple(lacking) if paths else (), _Revision(git, base, commit))


@dataclass(frozen=True, slots=True)
class _Revision:
    """What the files of a revision extend: packs of this orpolicy, and files of the same revision."""

    git: Git
    base: str
    commit: str

    def named(self, entry: str, file: str) -> str:
        """A pack as it is written; a path with the revision in front, as the files themselves have."""
        if entry.startswith(PACK_PREFIX):
            return entry
        folder = PurePosixPath(self._path(file)).parent
        return f"{self.base}:{posixpath.normpath(folder / entry)}"

    def identity(self, name: str) -> str:
        """The name; links are not followed."""
        return name

    def read(self, name: str) -> bytes | Fault:
        """A file's content, or why there is none."""
        if name.startswith(PACK_PREFIX):
            return read_pack(name)
        path = PurePosixPath(self._path(name))
        if path.parts[0] == os.pardir:
            return Fault(Code.EXTENDS_NOTHING, f"{path} is not in the repository")
        listed = {file: mode for mode, file in self.git.listed(self.commit, str(path.parent))}
        if listed.get(str(path)) in FILE_MODES:
            return self.git.content(self.commit, str(path))
        return not_there(name, (PurePosixPath(file).name for file in listed))

    def _path(self, name: str) -> str:
        return name.removeprefix(f"{self.base}:")


def _policy_files(listed: Sequence[tuple[str, str]], inside: str, base: str) -> Iterator[str]:
    """The policy files among what lies under a path, as ``policy_files`` would choose them.

    Raises:
        UsageError: for a link that may lead to policies.
    """
    for mode, file in listed:
        below = PurePosixPath(file).relative_to(inside)
        is_named = file == inside
        if not is_named and not _may_matter(below):
            continue
        if mode not in FILE_MODES:
            raise _behind(base, file)
        if is_named or below.suffix:
            yield file


def _check_above(git: Git, base: str, commit: str, inside: str) -> None:
    """That nothing is hidden behind a folder on the way to a path.

    Raises:
        UsageError: for a link or a submodule, in which policies may lie that the revision does not hold.
    """
    for parent in map(str, PurePosixPath(inside).parents):
        listed = git.listed(commit, parent) if parent != os.curdir else ()
        if any(file == parent and mode not in FILE_MODES for mode, file in listed):
            raise _behind(base, parent)


def _behind(base: str, file: str) -> UsageError:
    message = f"{base}:{file} is a link or a submodule: name the file or folder behind it"
    return UsageError(message, code=Code.BAD_BASE)


def _may_matter(below: PurePosixPath) -> bool:
    """Whether an entry is a policy file, or could be a link to a folder of them."""
    is_hidden = any(part.startswith(".") for part in below.parts)
    return not is_hidden and below.suffix in {"", *SUFFIXES}
