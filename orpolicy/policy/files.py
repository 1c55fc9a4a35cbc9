"""Which files a run reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.policy.document import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIXES = (".yaml", ".yml")


def default_paths(folder: Path) -> tuple[Path, ...]:
    """Where the policies are if nobody says: ``policies/``, else ``orpolicy.yaml`` or ``orpolicy.yml``.

    Raises:
        UsageError: if there is neither.
    """
    if (folder / "policies").is_dir():
        return (folder / "policies",)
    for suffix in SUFFIXES:
        if (folder / f"orpolicy{suffix}").is_file():
            return (folder / f"orpolicy{suffix}",)
    raise UsageError(
        "no policies here: there is neither a folder policies/ nor a file orpolicy.yaml "
        "(name a file or folder, or try a pack with --pack)",
        code=Code.NO_POLICIES,
    )


def policy_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files that the paths stand for, each once; folders give their YAML files, sorted.

    Raises:
        UsageError: if a path is missing or a folder holds no YAML file.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for file in _files(path):
            found.setdefault(os.path.realpath(file), file)
    return tuple(found.values())


def read_file(path: Path) -> bytes:
    """A file's content, as far as its size may be judged by it.

    Raises:
        UsageError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        _unreadable(error)


def _files(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        if not path.exists():
            raise UsageError(f"{path} does not exist", code=Code.UNREADABLE)
        return [path]
    files = sorted(_walk(path))
    if not files:
        raise UsageError(f"the folder {path} holds no .yaml or .yml file", code=Code.NO_POLICIES)
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """The YAML files under a folder; hidden names are skipped, linked folders entered once.

    A link to nothing is given too: it is a policy file that is missing, and reading it says so.
    """
    entered = {os.path.realpath(folder)}
    for parent, folders, files in os.walk(folder, followlinks=True, onerror=_unreadable):
        visible = [name for name in sorted(folders) if not name.startswith(".")]
        folders.clear()
        for name in visible:
            real = os.path.realpath(os.path.join(parent, name))  # noqa: PTH118 - os.walk gives text
            if real not in entered:
                entered.add(real)
                folders.append(name)
        for name in files:
            path = Path(parent, name)
            is_there = path.is_file() or not path.exists()
            if path.suffix in SUFFIXES and not name.startswith(".") and is_there:
                yield path


def _unreadable(error: OSError) -> NoReturn:
    message = f"cannot read {error.filename}: {error.strerror}"
    raise UsageError(message, code=Code.UNREADABLE) from error
