"""The older policy files: of a git revision, read without a checkout, or of a folder."""

from __future__ import annotations

import os
import posixpath
import subprocess
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.location import Fault
from orpolicy.policy.document import MAX_BYTES
from orpolicy.policy.files import SUFFIXES, policy_files, read_file
from orpolicy.policy.library import PACK_PREFIX, Disk, not_there, read_pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.policy.library import Library

DEFAULTS = ("policies", *(f"orpolicy{suffix}" for suffix in SUFFIXES))
"""Where the older policies are if nobody says; the first that is there counts."""

MOST_FILE_BYTES = 32 * 1024 * 1024
"""Of a file that is no policy file."""

SECRETS = frozenset({"OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_API_KEY", "GITHUB_TOKEN"})
"""Variables that git has no use for."""

_FILE_MODES = frozenset({"100644", "100755"})


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
    git = _Git.at(Path())
    commit = git.commit(base) if git else ""
    if git and commit:
        return _of_revision(git, base, commit, paths)
    if Path(base).exists():
        return Base({str(path): read_file(path) for path in policy_files([Path(base)])})
    where = "" if git else "; this folder is in no git repository"
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
    git = _Git.at(Path())
    commit = git.commit(base) if git else ""
    if git and commit:
        inside = git.inside(path)
        modes = {file: mode for mode, file in git.listed(commit, inside)}
        if inside not in modes:
            return None
        if modes[inside] not in _FILE_MODES:
            raise UsageError(
                f"{base}:{inside} is a link or a submodule: name the file behind it", code=Code.BAD_BASE
            )
        return f"{base}:{inside}", git.content(commit, inside, MOST_FILE_BYTES)
    beside = (Path(base) if Path(base).is_dir() else Path(base).parent) / path.name
    if not beside.is_file():
        return None
    try:
        with beside.open("rb") as file:
            return str(beside), file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {beside}: {error.strerror}", code=Code.BAD_BASE) from error


def _of_revision(git: _Git, base: str, commit: str, paths: Sequence[Path]) -> Base:
    contents: dict[str, bytes] = {}
    lacking: list[str] = []
    for path in paths or map(Path, DEFAULTS):
        inside = git.inside(path)
        files = list(_policy_files(git.listed(commit, inside), inside, base))
        if not files:
            lacking.append(str(path))
        contents |= {f"{base}:{file}": git.content(commit, file) for file in files}
        if files and not paths:
            break
    return Base(contents, tuple(lacking) if paths else (), _Revision(git, base, commit))


@dataclass(frozen=True, slots=True)
class _Revision:
    """What the files of a revision extend: packs of this orpolicy, and files of the same revision."""

    git: _Git
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
        if listed.get(str(path)) in _FILE_MODES:
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
        if mode not in _FILE_MODES:
            raise UsageError(
                f"{base}:{file} is a link or a submodule: name the file or folder behind it",
                code=Code.BAD_BASE,
            )
        if is_named or below.suffix:
            yield file


def _may_matter(below: PurePosixPath) -> bool:
    """Whether an entry is a policy file, or could be a link to a folder of them."""
    is_hidden = any(part.startswith(".") for part in below.parts)
    return not is_hidden and below.suffix in {"", *SUFFIXES}


@dataclass(frozen=True, slots=True)
class _Git:
    """A repository that is only read.

    Attributes:
        root: of the work tree, without links.
    """

    root: str

    @classmethod
    def at(cls, folder: Path) -> _Git | None:
        """The repository around a folder; None where there is none, or no git."""
        found = _run(["rev-parse", "--show-toplevel"], folder)
        return None if found is None else cls(os.path.realpath(os.fsdecode(found.rstrip(b"\n"))))

    def commit(self, revision: str) -> str:
        """The commit's hash, or "" where no commit has that name."""
        asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        found = _run(asked, Path(self.root))
        return "" if found is None else found.decode("ascii").strip()

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
        if found is None:
            raise UsageError(f"git could not read the base: git {' '.join(arguments)}", code=Code.BAD_BASE)
        return found


def _run(arguments: Sequence[str], folder: Path) -> bytes | None:
    """What git says, or None where it fails or is not installed."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and a revision cannot become an option
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={name: value for name, value in os.environ.items() if name not in SECRETS},
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
