"""``orpolicy drill``: the dearest single requests behind a finding."""

from __future__ import annotations

from pathlib import Path

import click

from orpolicy.cli.options import (
    catalog_option,
    color_option,
    no_cache_option,
    now_option,
    opened,
    parse_now,
    wants_color,
)

EXIT_DONE, EXIT_INCONCLUSIVE = 0, 3
DEFAULT_TOP, MOST_TOP = 10, 200


@click.command(
    name="drill",
    epilog="Exit codes: 0 listed, 2 command line or report wrong, 3 the source has no single requests, "
    "or did not tell all of them.",
)
@click.argument("fingerprint", metavar="FINGERPRINT")
@click.option(
    "--report",
    "file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="What `orpolicy check --format json=FILE` wrote, without --redact.",
)
@click.option(
    "--source",
    default="openrouter",
    show_default=True,
    metavar="SOURCE",
    help="openrouter, or a file, folder or glob of request records.",
)
@now_option
@catalog_option
@no_cache_option
@click.option(
    "--top",
    type=click.IntRange(1, MOST_TOP),
    default=DEFAULT_TOP,
    show_default=True,
    help="So many requests; each is one more question to the API.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@color_option
def command(
    fingerprint: str,
    file: Path,
    source: str,
    now: str | None,
    catalog: Path | None,
    no_cache: bool,
    top: int,
    form: str,
    color: str,
) -> int:
    """List the dearest single requests behind a finding of a report, with tokens and cost of each.

    FINGERPRINT is the finding's, or its first six digits or more. Single requests can be asked of 31 days: of
    a longer window the last 31 are looked at. What was said in a request is never asked for, and never shown.
    `orpolicy schema drill` describes the JSON.
    """
    from orpolicy.cli.check import Output, put, width
    from orpolicy.cli.progress import progress
    from orpolicy.drilling.json import as_json
    from orpolicy.drilling.study import drill
    from orpolicy.drilling.text import as_text
    from orpolicy.report_file import read_report
    from orpolicy.reporters.base import Style

    report = read_report(file)
    clock = parse_now(now)
    with (
        progress(quiet=False) as listener,
        opened(source, clock, catalog, use_cache=not no_cache, listener=listener) as figures,
    ):
        found = drill(figures, report, fingerprint, str(file), top)
    style = Style(width=width(), color=wants_color(color))
    put(
        lambda wanted: as_json(found) if form == "json" else as_text(found, wanted), Output(form, None), style
    )
    return EXIT_INCONCLUSIVE if found.unanswered else EXIT_DONE
