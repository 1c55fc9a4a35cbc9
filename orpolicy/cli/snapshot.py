"""``orpolicy snapshot``: a run written down, to be judged again offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.options import (
    load_policies,
    no_cache_option,
    opened,
    parse_now,
    policy_arguments,
    source_options,
)

if TYPE_CHECKING:
    from orpolicy.recording import Recorded

EXIT_DONE, EXIT_INCONCLUSIVE = 0, 3


@click.command(
    epilog="\b\n  orpolicy snapshot may.orpolicy\n  orpolicy check --source may.orpolicy\n"
    "  orpolicy diff-policy main --source may.orpolicy\n\n"
    "Exit codes: 0 recorded, 2 policy files or command line wrong, 3 recorded, but not every policy "
    "could be judged, or nothing could be recorded."
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@policy_arguments
@source_options
@no_cache_option
@click.option(
    "--redact",
    is_flag=True,
    help="Record pseudonyms for keys, users, apps and workspaces. Selectors by name then only work in the "
    "policies recorded here.",
)
@click.option(
    "--only-asked",
    is_flag=True,
    help="Ask no more than these policies need: fewer requests, and fewer other policies to answer.",
)
@click.option("--force", is_flag=True, help="Replace FILE also where it is no snapshot.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing where all is recorded.")
def command(
    file: Path,
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    source: str,
    window: str | None,
    now: str | None,
    catalog: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    no_cache: bool,
    redact: bool,
    only_asked: bool,
    force: bool,
    quiet: bool,
) -> int:
    """Record in FILE what a check learns, so that `check --source FILE` repeats it offline, byte for byte.

    PATH is as in check, and so are the options: give --window and --select to both. FILE also answers other
    policies as far as that follows from what it holds; what does not is inconclusive, never a guess. It holds
    names, figures and prices, no key, and is checked for damage when it is read.
    """
    from orpolicy.cli.progress import progress
    from orpolicy.recording import record
    from orpolicy.sources._snapshot_file import check_target, write_file
    from orpolicy.sources._snapshot_json import encode
    from orpolicy.sources._snapshot_read import decode
    from orpolicy.staging import Choice

    check_target(file, force=force)
    policies = load_policies(paths, packs, source)
    clock = parse_now(now)
    with (
        progress(quiet=quiet) as listener,
        opened(source, clock, catalog, use_cache=not no_cache, listener=listener, quiet=quiet) as figures,
    ):
        chosen = Choice(window, select, ignore)
        recorded = record(policies, figures, chosen, only_asked=only_asked, redact=redact)
    content = encode(recorded.recording)
    decode(content, str(file))
    size = write_file(file, content)
    if not quiet:
        click.echo(_told(recorded, file, size))
    for item in recorded.report.inconclusive:
        click.echo(f"not judged: {item.policy}: {item.reason}", err=True)
    return EXIT_INCONCLUSIVE if recorded.report.inconclusive else EXIT_DONE


def _told(recorded: Recorded, file: Path, size: int) -> str:
    from orpolicy.period import stamp
    from orpolicy.reporters._words import prose

    recording = recorded.recording
    beyond = len(recording.answers) - recorded.asked
    more = f" and {beyond} beyond" if beyond else ""
    where = f" of {recording.info.host}" if recording.info.host else ""
    hidden = ", names as pseudonyms" if recording.pseudonyms else ""
    return (
        f"{file}: {recorded.asked} answers that the run asked for{more}, {_bytes(size)}{hidden}\n"
        f"{prose(recording.info.kind + where)} at {stamp(recording.now)}; verdict: {recorded.report.verdict}"
    )


def _bytes(size: int) -> str:
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1000:,.0f} kB"  # noqa: PLR2004 - legible
