"""``orpolicy backtest``: what the policies would have said in past weeks."""

from __future__ import annotations

import sys
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
from orpolicy.cli.width import terminal_columns

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.backtest.model import Study

EXIT_DONE, EXIT_INCONCLUSIVE = 0, 3
DEFAULT_WEEKS, MOST_WEEKS = 8, 52
MIN_WIDTH, MAX_WIDTH, USUAL_WIDTH = 60, 140, 100


@click.command(
    name="backtest",
    epilog="Exit codes: 0 done, whatever fired: it is a study, not a gate; 2 files or command line wrong, "
    "3 nothing could be judged in any week.",
)
@policy_arguments
@source_options
@click.option(
    "--weeks",
    type=click.IntRange(1, MOST_WEEKS),
    default=DEFAULT_WEEKS,
    show_default=True,
    help="How many complete weeks, Monday to Sunday UTC, before --now.",
)
@no_cache_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="markdown is for a comment on a pull request.",
)
def command(
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    source: str,
    window: str | None,
    now: str | None,
    catalog: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    weeks: int,
    no_cache: bool,
    form: str,
) -> int:
    """Replay the policies over past weeks: when each fires, on whom, how often it flaps.

    Every week is judged as `orpolicy check` would have on the Monday after it, 00:00 UTC, by the keys and
    prices of today. A policy looks at its own window from there, so that the weeks of a month share
    last-month; --window last-week judges each week by itself. All weeks are judged from the same queries
    by day. `orpolicy schema backtest` describes the JSON.
    """
    from orpolicy.backtest.study import study
    from orpolicy.cli.progress import progress
    from orpolicy.staging import Choice

    policies = load_policies(paths, packs, source)
    clock = parse_now(now)
    with (
        progress(quiet=False) as listener,
        opened(source, clock, catalog, use_cache=not no_cache, listener=listener) as figures,
    ):
        found = study(policies, figures, Choice(window, select, ignore), weeks)
    _print(found, form)
    return EXIT_DONE if found.is_judged else EXIT_INCONCLUSIVE


def _print(study: Study, form: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    text = _rendered(study, form, ascii_only=not _can_show("·", encoding))
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False)


def _rendered(study: Study, form: str, *, ascii_only: bool) -> str:
    from orpolicy.backtest.json import as_json
    from orpolicy.backtest.markdown import as_markdown
    from orpolicy.backtest.text import as_text

    if form == "json":
        return as_json(study)
    if form == "markdown":
        return as_markdown(study)
    columns = terminal_columns(USUAL_WIDTH)
    return as_text(study, min(max(columns, MIN_WIDTH), MAX_WIDTH), ascii_only=ascii_only)


def _can_show(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
