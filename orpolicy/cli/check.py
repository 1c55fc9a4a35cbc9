"""``orpolicy check``: the main job."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.options import (
    color_option,
    load_policies,
    no_cache_option,
    opened,
    parse_now,
    policy_arguments,
    redact_option,
    source_options,
    wants_color,
)
from orpolicy.cli.width import terminal_columns
from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.baseline import Ratchet
    from orpolicy.report import Report
    from orpolicy.reporters.base import Style

EXIT_PASSED, EXIT_FAILED, EXIT_INCONCLUSIVE = 0, 1, 3
MIN_WIDTH, MAX_WIDTH, FILE_WIDTH = 60, 140, 100


@dataclass(frozen=True, slots=True)
class Output:
    """One ``--format``.

    Attributes:
        name: of the format.
        path: where it goes; None is the terminal.
    """

    name: str
    path: Path | None


@click.command(
    epilog="Exit codes: 0 passed, 1 a policy failed, 2 files or command line wrong, "
    "3 nothing failed but something could not be judged."
)
@policy_arguments
@source_options
@no_cache_option
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Findings that are accepted while they get no worse, as `orpolicy baseline write` keeps them. "
    "No file is used unasked, whatever its name.",
)
@redact_option
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append what the run came to, a line of JSON without names, and show what changed since earlier "
    "windows in it.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="Output format, to the terminal (also as FORMAT=-) or to a file. Repeatable. [default: text]",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option(
    "--on-inconclusive",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="Whether policies that could not be judged make the exit code 3.",
)
@color_option
@click.option("-q", "--quiet", is_flag=True, help="The verdict alone.")
@click.option("-v", "--verbose", is_flag=True, help="The proof of every policy and query as well.")
def command(
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    source: str,
    window: str | None,
    now: str | None,
    catalog: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    no_cache: bool,
    baseline: Path | None,
    redact: bool,
    history: Path | None,
    formats: tuple[str, ...],
    fail_on: str,
    on_inconclusive: str,
    color: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Evaluate policies: ./policies or ./orpolicy.yaml where no PATH is given."""
    from orpolicy.cli.progress import progress
    from orpolicy.lint import lint
    from orpolicy.reporters.base import Style
    from orpolicy.staging import Choice

    outputs = parse_formats(formats)
    policies = load_policies(paths, packs, source)
    ratchet = _ratchet(baseline) if baseline else None
    clock = parse_now(now)
    with (
        progress(quiet=quiet) as listener,
        opened(source, clock, catalog, use_cache=not no_cache, listener=listener, quiet=quiet) as figures,
    ):
        report = lint(policies, figures, Choice(window, select, ignore), ratchet=ratchet, redact=redact)
    if history:
        report = _remembered(report, history)
    style = Style(width=width(), color=wants_color(color), verbosity=-1 if quiet else int(verbose))
    for output in outputs:
        write(report, output, style)
    return exit_code(report, fail_on, on_inconclusive)


def _remembered(report: Report, path: Path) -> Report:
    """The report with what a history knows of earlier windows; the run is in the history from now on.

    Raises:
        UsageError: if the file cannot be read or written.
    """
    from dataclasses import replace

    from orpolicy.history.file import append, read
    from orpolicy.history.record import Record
    from orpolicy.history.trend import trend_of

    known = read(path)
    for problem in known.problems:
        click.echo(problem, err=True)
    append(path, Record.of(report))
    return replace(report, trend=trend_of(report, known.records))


def width() -> int:
    """The terminal's columns, within what reads well."""
    return min(max(terminal_columns(FILE_WIDTH), MIN_WIDTH), MAX_WIDTH)


def _ratchet(path: Path) -> Ratchet:
    from orpolicy.baseline_file import read

    return read(path)


def parse_formats(texts: Sequence[str], known: Sequence[str] = ()) -> tuple[Output, ...]:
    """The outputs that ``--format`` names; text to the terminal where nothing else goes there.

    Args:
        texts: as given.
        known: the formats that there are; empty: those of reports.

    Raises:
        UsageError: for an unknown format, two formats for one place, or no file after ``=``.
    """
    outputs = [_parse_format(text, known) for text in texts]
    if all(output.path is not None for output in outputs):
        outputs.append(Output("text", None))
    places = [output.path for output in outputs]
    if len(set(places)) < len(places):
        raise UsageError("--format: two formats go to one place; give each a file, as in --format json=FILE")
    return tuple(outputs)


def _parse_format(text: str, known: Sequence[str]) -> Output:
    from orpolicy.plugins import REPORTERS
    from orpolicy.policy.validation import near_miss

    known = known or REPORTERS.names
    name, equals, file = text.partition("=")
    if name not in known:
        hint = near_miss(name, known) or f"formats: {', '.join(known)}"
        raise UsageError(f"--format: there is no format {name!r} ({hint})", code=Code.UNKNOWN_NAME)
    if equals and not file:
        raise UsageError(f"--format {text}: a file name must follow the equals sign")
    return Output(name, Path(file) if file and file != "-" else None)


def write(report: Report, output: Output, style: Style) -> None:
    """Render one format and put it where it goes; files never depend on the terminal.

    Raises:
        UsageError: if the file cannot be written.
    """
    from orpolicy.plugins import REPORTERS

    reporter = REPORTERS[output.name]()
    put(lambda wanted: reporter.render(report, wanted), output, style)


def put(render: Callable[[Style], str], output: Output, style: Style) -> None:
    """Put what a style gives where an output goes; errors as for ``write``."""
    from orpolicy.reporters.base import Style

    if output.path is None:
        _print(render(style))
        return
    text = render(Style(width=FILE_WIDTH, verbosity=style.verbosity))
    try:
        output.path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise UsageError(
            f"--format: cannot write {output.path}: {error.strerror}", code=Code.NOT_WRITTEN
        ) from error


def _print(text: str) -> None:
    """Show a report; one that nobody could see is no report.

    Raises:
        UsageError: if standard output is closed or full.
    """
    if sys.stdout is None:
        raise UsageError(
            "standard output is closed: send the report to a file, as in --format json=FILE",
            code=Code.NOT_WRITTEN,
        )
    encoding = sys.stdout.encoding or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False, color=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left has nowhere to go
        raise UsageError(
            f"cannot write to standard output: {error.strerror}", code=Code.NOT_WRITTEN
        ) from error


def exit_code(report: Report, fail_on: str, on_inconclusive: str) -> int:
    """The exit code of a run: failures first, then what could not be judged; no format has a say."""
    from orpolicy.verdict import Severity, Status, Verdict

    verdicts = {policy.verdict for policy in report.policies}
    warned = any(
        finding.status is Status.OPEN and finding.severity is not Severity.NOTE for finding in report.findings
    )
    if fail_on != "never" and (Verdict.FAIL in verdicts or (fail_on == "warning" and warned)):
        return EXIT_FAILED
    if Verdict.INCONCLUSIVE in verdicts and on_inconclusive == "fail":
        return EXIT_INCONCLUSIVE
    return EXIT_PASSED
