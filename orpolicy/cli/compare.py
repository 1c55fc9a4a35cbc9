"""``orpolicy compare``: why the bill changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from orpolicy.cli.options import (
    catalog_option,
    color_option,
    no_cache_option,
    now_option,
    opened,
    parse_now,
    redact_option,
    wants_color,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orpolicy.comparing.model import Comparison
    from orpolicy.reporters.base import Style

EXIT_DONE, EXIT_INCONCLUSIVE = 0, 3
FORMATS = ("text", "json", "markdown", "html")
DEFAULT_TOP, MOST_TOP = 10, 1000


@click.command(
    name="compare",
    epilog="Exit codes: 0 compared, whatever changed; 2 command line wrong, or a window is not over; "
    "3 a part could not be known.",
)
@click.option(
    "--from",
    "before",
    metavar="WINDOW",
    help="The earlier window: last-month, last-week, last-30d, this-month, or 2026-05-01..2026-06-01 "
    "(half-open). [default: the month, week or as many days before --to]",
)
@click.option("--to", "after", metavar="WINDOW", help="The later window, likewise. [default: last-month]")
@click.option(
    "--source",
    default="openrouter",
    show_default=True,
    metavar="SOURCE",
    help="openrouter, demo, a snapshot, or a file, folder or glob of request records.",
)
@now_option
@catalog_option
@no_cache_option
@redact_option
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="text, json, markdown or html, to the terminal (also as FORMAT=-) or to a file. Repeatable. "
    "[default: text]",
)
@click.option(
    "--top",
    type=click.IntRange(1, MOST_TOP),
    default=DEFAULT_TOP,
    show_default=True,
    help="So many models, keys and pairs in the formats for people; json has all.",
)
@color_option
@click.option("-q", "--quiet", is_flag=True, help="The change alone.")
def command(
    before: str | None,
    after: str | None,
    source: str,
    now: str | None,
    catalog: Path | None,
    no_cache: bool,
    redact: bool,
    formats: tuple[str, ...],
    top: int,
    color: str,
    quiet: bool,
) -> int:
    """Say why the bill changed: two windows by model and key, split into requests, size, price and mix.

    The change in all spend is split by cause, and the parts add up to it: more requests, requests that moved
    to other models, tokens per request, price per token, new and vanished models. No policies are needed.
    `orpolicy schema compare` describes the JSON.
    """
    from orpolicy.cli.check import parse_formats, put, width
    from orpolicy.cli.progress import progress
    from orpolicy.comparing.masking import masked
    from orpolicy.comparing.study import compare
    from orpolicy.comparing.windows import two_windows
    from orpolicy.reporters.base import Style

    outputs = parse_formats(formats, FORMATS)
    clock = parse_now(now)
    with (
        progress(quiet=quiet) as listener,
        opened(source, clock, catalog, use_cache=not no_cache, listener=listener, quiet=quiet) as figures,
    ):
        found = compare(figures, *two_windows(before, after, figures.now))
    found = masked(found) if redact else found
    style = Style(width=width(), color=wants_color(color), verbosity=-1 if quiet else 0)
    for output in outputs:
        ascii_only = output.path is None and not _can_show("█")
        put(_renderer(found, output.name, top, ascii_only=ascii_only), output, style)
    return EXIT_INCONCLUSIVE if found.unknown else EXIT_DONE


def _renderer(found: Comparison, name: str, top: int, *, ascii_only: bool) -> Callable[[Style], str]:
    if name == "json":
        from orpolicy.comparing.json import as_json

        return lambda _: as_json(found)
    if name == "markdown":
        from orpolicy.comparing.markdown import as_markdown

        return lambda _: as_markdown(found, top)
    if name == "html":
        from orpolicy.comparing.html import as_html

        return lambda _: as_html(found, top)
    from orpolicy.comparing.text import as_text

    return lambda style: as_text(found, style, top, ascii_only=ascii_only)


def _can_show(character: str) -> bool:
    try:
        character.encode((sys.stdout and sys.stdout.encoding) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
