"""What a pull request weakens: its policies held against those of its base."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from action.console import data, orpolicy, say

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_WEAKER, EXIT_USAGE = 1, 2
SHOWN = 12
"""So many digits of a commit are named."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How it went.

    Attributes:
        code: the exit code that it asks for.
        markdown: for the job's summary.
        missing: why nothing was compared, or "".
    """

    code: int
    markdown: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Sides:
    """What is held against what.

    Attributes:
        base: the commit's hash; "" where the event names none.
        policies: paths; none: those that orpolicy finds.
        packs: options that add packs.
        options: further ones.
    """

    base: str
    policies: Sequence[str]
    packs: Sequence[str]
    options: Sequence[str]


def compare(sides: Sides, *, is_gate: bool) -> Comparison:
    """Hold the policies here against those of a base.

    Args:
        sides: which ones.
        is_gate: whether what weakens fails the step; what cannot be compared then fails it as well.
    """
    if sides.packs and not sides.policies:
        return Comparison(0)  # a pack is the same on both sides
    if missing := _missing(sides.base):
        return Comparison(EXIT_USAGE if is_gate else 0, missing=missing)
    options = ("--format=markdown", "--allow-no-base", *sides.packs, *sides.options)
    arguments = ["diff-policy", sides.base, *options, "--", *sides.policies]
    ended = orpolicy(arguments, {}, is_kept=True)
    if ended.code not in (0, EXIT_WEAKER):
        why = ended.complaint.strip() or f"orpolicy diff-policy ended with exit code {ended.code}"
        return Comparison(EXIT_USAGE if is_gate else 0, missing=why)
    if ended.code:
        headline = ended.said.partition("\n")[0].removeprefix("### orpolicy: ")
        level = "error" if is_gate else "warning"
        say(f"::{level} title=orpolicy%3A policies weakened::{data(headline)}. The job's summary says which.")
    return Comparison(ended.code if is_gate else 0, ended.said)


def _missing(base: str) -> str:
    """Why the base cannot be read, or ""."""
    if not _COMMIT.fullmatch(base):
        return "the event names no base commit"
    try:
        found = subprocess.run(  # noqa: S603 - no shell, and the hash is one
            ["git", "cat-file", "-e", f"{base}^{{commit}}"],  # noqa: S607 - the runner's own git
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return "there is no git here"
    if b"dubious ownership" in found.stderr:
        return "git takes the checkout for somebody else's: name it in git's setting safe.directory"
    if found.returncode:
        return f"the checkout lacks the base commit {base[:SHOWN]}: give actions/checkout fetch-depth: 0"
    return ""
