"""Where the files that others pull in come from."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.location import Fault
from orpolicy.policy.files import SUFFIXES, read_file
from orpolicy.policy.packs import find_pack, other_packs
from orpolicy.policy.validation import near_miss

if TYPE_CHECKING:
    from collections.abc import Iterable

PACK_PREFIX = "pack:"


class Library(Protocol):
    """What an entry of ``extends`` stands for."""

    def named(self, entry: str, file: str) -> str:
        """The name under which problems show an entry.

        Args:
            entry: as written.
            file: the name of the file that says it.
        """

    def identity(self, name: str) -> str:
        """What two names of one file have in common."""

    def read(self, name: str) -> bytes | Fault:
        """A file's content, or why there is none."""


class Disk:
    """Packs, and files beside the one that names them."""

    def named(self, entry: str, file: str) -> str:
        """A pack as it is written; a path from the working directory."""
        if entry.startswith(PACK_PREFIX):
            return entry
        joined = Path(file).parent / entry
        plain = os.path.normpath(joined)
        return plain if os.path.realpath(plain) == os.path.realpath(joined) else str(joined)

    def identity(self, name: str) -> str:
        """What the disk knows the file by, whatever links lead to it and however its name is spelt."""
        pack = find_pack(name.removeprefix(PACK_PREFIX)) if name.startswith(PACK_PREFIX) else None
        path = pack or name
        with suppress(OSError):
            found = os.stat(path)  # noqa: PTH116 - a text, where a Path would be made for this alone
            return f"{found.st_dev}:{found.st_ino}" if found.st_ino else os.path.realpath(path)
        return os.path.realpath(path)

    def read(self, name: str) -> bytes | Fault:
        """A file's content, or why there is none."""
        if name.startswith(PACK_PREFIX):
            return read_pack(name)
        path = Path(name)
        if path.is_dir():
            return Fault(Code.EXTENDS_NOTHING, f"{name} is a folder", "name a file in it")
        try:
            return read_file(path)
        except UsageError as error:
            if path.exists():
                return Fault(Code.EXTENDS_NOTHING, str(error))
            return not_there(name, (item.name for item in _siblings(path)))


def read_pack(name: str) -> bytes | Fault:
    """A pack's content, or why there is none.

    Args:
        name: with its prefix.
    """
    plain = name.removeprefix(PACK_PREFIX)
    path = find_pack(plain)
    if path is None:
        return Fault(Code.EXTENDS_NOTHING, f"there is no pack {plain!r}", other_packs(plain))
    return read_file(path)


def not_there(name: str, siblings: Iterable[str]) -> Fault:
    """That a file is missing, with a near miss among the policy files of its folder."""
    known = [sibling for sibling in siblings if sibling.endswith(SUFFIXES)]
    return Fault(Code.EXTENDS_NOTHING, f"{name} does not exist", near_miss(Path(name).name, known))


def _siblings(path: Path) -> list[Path]:
    try:
        return sorted(path.parent.iterdir())
    except OSError:
        return []
