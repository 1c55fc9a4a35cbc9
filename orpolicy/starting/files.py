"""Where the first files go, and what must not be written over."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import PolicyError, UsageError
from orpolicy.location import Location, Problem
from orpolicy.policy.files import SUFFIXES, policy_files, read_file
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

POLICIES = Path("policies")
POLICY_FILE = POLICIES / "cost.yaml"
SCHEMA_NAME = "orpolicy.schema.json"
WORKFLOW_FILE = Path(".github/workflows/orpolicy.yml")


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that is to be written.

    Attributes:
        path: where it goes.
        text: what it holds.
        about: what it is, in a few words.
    """

    path: Path
    text: str
    about: str


def policy_file(folder: Path) -> Path:
    """Where the policies go, from the folder: a file that is there already is not hidden by a new folder."""
    for suffix in SUFFIXES:
        if (folder / f"orpolicy{suffix}").is_file() and not (folder / POLICIES).is_dir():
            return Path(f"orpolicy{suffix}")
    return POLICY_FILE


def refuse_twice(drafts: Sequence[Draft]) -> None:
    """Leave no file to two drafts, of which only the last would stay.

    Raises:
        UsageError: if the baseline is named as another file is.
    """
    *others, last = drafts
    if last.path.resolve() in {draft.path.resolve() for draft in others}:
        raise UsageError(f"--baseline: {last.path} is written as something else already: name another file")


def refuse_existing(drafts: Sequence[Draft]) -> None:
    """Leave what is there alone; a file that already holds the same is no obstacle.

    Raises:
        UsageError: naming every file that is in the way.
    """
    there = [draft.path for draft in drafts if os.path.lexists(draft.path) and not _is_same(draft)]
    if there:
        names = ", ".join(map(str, there))
        what = "it" if len(there) == 1 else "them"
        raise UsageError(
            f"{names} {'is' if len(there) == 1 else 'are'} here already: nothing was written "
            f"(--force replaces {what}, --dry-run shows what would be written)",
            code=Code.IN_THE_WAY,
        )


def _is_same(draft: Draft) -> bool:
    try:
        return draft.path.read_bytes() == draft.text.encode()
    except OSError:
        return False


def check_together(draft: Draft) -> None:
    """Hold the new policy file against those that lie beside it.

    Raises:
        PolicyError: if they cannot be used together, as when a policy id is there already.
    """
    folder = draft.path.parent
    if draft.path.name != POLICY_FILE.name or not folder.is_dir():
        return
    try:
        beside = policy_files([folder])
    except UsageError:
        return  # a folder without any YAML file
    contents = {str(path): read_file(path) for path in beside if path != draft.path}
    try:
        load_texts({**contents, str(draft.path): draft.text.encode()}, Kinds())
    except PolicyError as error:
        message = "does not go with the files beside it: nothing was written"
        clash = Problem(Location(str(draft.path), 1, 1), message, code=Code.IN_THE_WAY)
        raise PolicyError([clash, *error.problems]) from error


def write(drafts: Sequence[Draft]) -> None:
    """Write every file, and the folders it needs.

    Raises:
        UsageError: if one cannot be written.
    """
    for draft in drafts:
        try:
            draft.path.parent.mkdir(parents=True, exist_ok=True)
            draft.path.write_text(draft.text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"cannot write {draft.path}: {error.strerror}", code=Code.NOT_WRITTEN) from error
