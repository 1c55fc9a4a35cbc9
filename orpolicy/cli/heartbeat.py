"""``orpolicy heartbeat``: whether runs still happen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orpolicy.cli.options import now_option, parse_now
from orpolicy.codes import Code
from orpolicy.errors import UsageError

EXIT_ALIVE, EXIT_DEAD = 0, 1
FILE = Path("orpolicy.history.jsonl")


@click.command(
    name="heartbeat",
    epilog="Exit codes: 0 the last good run is young enough; 1 it is too old or in the future, or there is "
    "none: no file, an empty one, or inconclusive runs alone; 2 the command line is wrong, or the file "
    "cannot be read.",
)
@click.argument("file", type=click.Path(path_type=Path), required=False, metavar="[FILE]")
@click.option("--max-age", metavar="DURATION", required=True, help="How old it may be: 90m, 36h, 2d or 1w.")
@now_option
def command(file: Path | None, max_age: str, now: str | None) -> int:
    """Fail when the last good run in a history is too old, as schedules die silently.

    FILE is what `orpolicy check --history FILE` appends to; orpolicy.history.jsonl where none is given. A run
    is good if it judged: it passed, warned or failed. Let another schedule than that of the check call it.
    """
    from orpolicy.history.file import read
    from orpolicy.history.heartbeat import beat, parse_duration

    try:
        most = parse_duration(max_age)
    except ValueError as error:
        raise UsageError(f"--max-age: {error}", code=Code.BAD_CLOCK) from error
    clock = parse_now(now) or datetime.now(UTC)
    path = file or FILE
    if not path.exists():
        click.echo(f"{path}: no such history")
        return EXIT_DEAD
    history = read(path)
    for problem in history.problems:
        click.echo(problem, err=True)
    found = beat(history.records, clock, most)
    click.echo(f"{path}: {found.words}")
    return EXIT_ALIVE if found.is_alive else EXIT_DEAD
