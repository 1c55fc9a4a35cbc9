"""The options that several commands share, and what they stand for."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.period import parse_moment, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from orpolicy.policy.model import PolicySet
    from orpolicy.sources.base import Listener, Source
    from orpolicy.sources.snapshot import Snapshot

F = TypeVar("F", bound="Callable[..., Any]")

NAMED_SOURCES = ("openrouter", "demo")
DEMO_PACK = "starter"
"""What judges the demo account where a folder has no policies of its own."""

_SCHEME = "([A-Za-z][A-Za-z0-9+.-]*)://"


now_option = click.option("--now", metavar="TIME", help="Fix the clock: 2026-06-10 or 2026-06-10T00:00:00Z.")
catalog_option = click.option(
    "--catalog",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A saved /models answer, for sources without one.",
)
no_cache_option = click.option(
    "--no-cache", is_flag=True, help="Ask everything again, and keep nothing on disk."
)
redact_option = click.option(
    "--redact",
    is_flag=True,
    help="Pseudonyms for the names of keys, users, apps and workspaces, in every format.",
)
color_option = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True
)


def policy_arguments(command: F) -> F:
    """``[PATH...]`` and ``--pack``."""
    pack = click.option(
        "--pack", "packs", multiple=True, metavar="NAME", help="Policies that ship with orpolicy. Repeatable."
    )
    paths = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
    return paths(pack(command))


def source_options(command: F) -> F:
    """``--source``, ``--window``, ``--now``, ``--catalog``, ``--select`` and ``--ignore``."""
    for option in reversed(
        (
            click.option(
                "--source", default="openrouter", show_default=True, metavar="SOURCE",
                help="openrouter, demo, a snapshot, or a file, folder or glob of request records.",
            ),
            click.option(
                "--window", metavar="WINDOW",
                help="Judge this window instead of the policies' own: last-month, this-month, last-week, "
                "last-30d, or 2026-05-01..2026-06-01 (half-open).",
            ),
            now_option,
            catalog_option,
            click.option("--select", multiple=True, metavar="ID", help="Only these policies. Repeatable."),
            click.option("--ignore", multiple=True, metavar="ID", help="All but these. Repeatable."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def load_policies(
    paths: Sequence[Path], packs: Sequence[str], source: str = "", *, check_names: bool = False
) -> PolicySet:
    """The policies that a command line names, else those of the working directory.

    Args:
        paths: files and folders.
        packs: names of packs.
        source: what ``--source`` says; the demo needs no policies of one's own.
        check_names: whether metrics and dimensions must be the language's own: no account is asked.

    Raises:
        UsageError: if there are none, or a pack does not exist.
        PolicyError: if the files are wrong.
    """
    from orpolicy.policy.files import default_paths, policy_files, read_file
    from orpolicy.policy.loader import load_texts
    from orpolicy.policy.packs import pack_path
    from orpolicy.policy_kinds import Kinds

    if not paths and not packs:
        try:
            paths = default_paths(Path())
        except UsageError:
            if source != "demo":
                raise
            click.echo(f"no policies here: the demo is judged by the pack {DEMO_PACK}", err=True)
            packs = (DEMO_PACK,)
    contents = {str(path): read_file(path) for path in (policy_files(paths) if paths else ())}
    contents |= {f"pack:{name}": read_file(pack_path(name)) for name in packs}
    return load_texts(contents, Kinds(), check_names=check_names)


def parse_now(text: str | None) -> datetime | None:
    """The clock that ``--now`` fixes, or None.

    Raises:
        UsageError: if the text is no moment.
    """
    try:
        return None if text is None else parse_moment(text)
    except ValueError as error:
        raise UsageError(f"--now: {error}", code=Code.BAD_CLOCK) from error


@contextmanager
def opened(
    text: str,
    now: datetime | None,
    catalogue: Path | None,
    *,
    use_cache: bool = True,
    listener: Listener | None = None,
    quiet: bool = False,
) -> Iterator[Source]:
    """The source that ``--source`` names, closed afterwards; of a snapshot it is said that it is one.

    Raises:
        UsageError: if there is no such source, or it cannot be opened as asked.
    """
    from orpolicy.plugins import SOURCES
    from orpolicy.sources.base import Listener, Setting

    setting = Setting(text, os.environ, now, catalogue, use_cache, listener or Listener())
    name = source_name(text)
    source = SOURCES[name].open(setting)
    if name == "snapshot" and not quiet:
        recorded_at = cast("Snapshot", source).recorded_at
        of_when = "" if recorded_at == source.now else f" of {stamp(recorded_at)}"
        click.echo(f"{text}: a snapshot{of_when}; its clock stands at {stamp(source.now)}", err=True)
    try:
        yield source
    finally:
        source.close()


def source_name(text: str) -> str:
    """The registry's name of the source that a text stands for.

    Raises:
        UsageError: for a URL that no source takes.
    """
    from orpolicy.plugins import SOURCES

    if text in NAMED_SOURCES:
        return text
    scheme = re.match(_SCHEME, text)
    if scheme is None:
        return "snapshot" if _is_snapshot(text) else "local"
    name = scheme[1].lower()
    if name not in SOURCES:
        raise UsageError(
            f"--source {scheme[0]}…: no such source; use {', '.join(NAMED_SOURCES)} or a file",
            code=Code.BAD_SOURCE,
        )
    return name


def _is_snapshot(text: str) -> bool:
    """Whether a path is a snapshot's: by what it begins with, or by its name where that is no help."""
    from orpolicy.sources._snapshot_file import SUFFIX, is_snapshot

    path = Path(text)
    return is_snapshot(path) or (path.suffix == SUFFIX and not path.is_dir())


def wants_color(choice: str) -> bool:
    """Whether standard output gets colour: the flag, NO_COLOR, FORCE_COLOR, then the terminal decide."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
