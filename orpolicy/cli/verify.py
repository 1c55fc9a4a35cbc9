"""``orpolicy verify``: what a report found, looked at again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.check import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_PASSED, parse_formats, put, width
from orpolicy.cli.options import color_option, no_cache_option, opened, parse_now, source_options, wants_color
from orpolicy.codes import Code
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from orpolicy.finding import Finding
    from orpolicy.report import Report
    from orpolicy.reporters.base import Style
    from orpolicy.verifying.model import Verification

FORMATS = ("text", "json", "markdown")
FAIL_ON = ("partly", "unchanged", "worse", "never")


@click.command(
    name="verify",
    epilog="Exit codes: 0 everything is fixed or gone, 1 a finding that was open is partly fixed, unchanged "
    "or worse (--fail-on), 2 the report or the command line is wrong, 3 nothing of that, but something could "
    "not be judged.",
)
@click.argument("report", type=click.Path(path_type=Path), metavar="REPORT.json")
@source_options
@no_cache_option
@click.option(
    "--deployed",
    metavar="DATE",
    help="The day on which the fix went live, to be marked in the charts. Without it the greatest step of "
    "each is marked, as a guess.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="text, json or markdown, to the terminal or to a file. Repeatable. [default: text]",
)
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default=FAIL_ON[0],
    show_default=True,
    help="The least that makes the exit code 1.",
)
@click.option(
    "--on-inconclusive",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="Whether findings that could not be judged make the exit code 3.",
)
@color_option
@click.option("-q", "--quiet", is_flag=True, help="The counts alone.")
@click.option("-v", "--verbose", is_flag=True, help="The arithmetic of what was realised as well.")
def command(
    report: Path,
    source: str,
    window: str | None,
    now: str | None,
    catalog: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    no_cache: bool,
    deployed: str | None,
    formats: tuple[str, ...],
    fail_on: str,
    on_inconclusive: str,
    color: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Look at a report's findings again: fixed, gone, partly, unchanged or worse, and what that was worth.

    REPORT.json is what `orpolicy check --format json=REPORT.json` wrote. Each finding's own query is asked
    for the report's window, which must give the report's figure again, and for the latest complete window
    like it that begins afterwards, or --window. Keys are found by their hash, also where they were renamed.
    No policy file is needed.
    """
    from orpolicy.cli.progress import progress
    from orpolicy.report_file import read_report
    from orpolicy.reporters.base import Style
    from orpolicy.verdict import Verdict
    from orpolicy.verifying.verify import verify

    outputs = parse_formats(formats, FORMATS)
    found = read_report(report)
    findings = _chosen(found, select, ignore)
    day = _day(deployed)
    clock = parse_now(now)
    with (
        progress(quiet=quiet) as listener,
        opened(source, clock, catalog, use_cache=not no_cache, listener=listener, quiet=quiet) as figures,
    ):
        verification = verify(found, figures, findings, window=window, deployed=day)
    style = Style(width=width(), color=wants_color(color), verbosity=-1 if quiet else int(verbose))
    for output in outputs:
        put(_renderer(verification, output.name, is_file=output.path is not None), output, style)
    if not findings and found.verdict is Verdict.INCONCLUSIVE and on_inconclusive == "fail":
        return EXIT_INCONCLUSIVE
    return exit_code(verification, fail_on, on_inconclusive)


def _day(text: str | None) -> date | None:
    from orpolicy.period import parse_day

    try:
        return None if text is None else parse_day(text)
    except ValueError as error:
        raise UsageError(f"--deployed: {error}", code=Code.BAD_CLOCK) from error


def _chosen(report: Report, select: Sequence[str], ignore: Sequence[str]) -> tuple[Finding, ...]:
    """The findings of the chosen policies.

    Raises:
        UsageError: for a policy that the report does not know, or if none is left.
    """
    from orpolicy.policy.validation import near_miss

    known = [policy.id for policy in report.policies]
    for name in (*select, *ignore):
        if name not in known:
            hint = near_miss(name, known)
            more = f" ({hint})" if hint else ""
            raise UsageError(f"the report has no policy {name!r}{more}", code=Code.UNKNOWN_NAME)
    chosen = tuple(
        finding
        for finding in report.findings
        if finding.policy not in ignore and (not select or finding.policy in select)
    )
    if report.findings and not chosen:
        raise UsageError("--select and --ignore leave no finding to verify", code=Code.NO_POLICIES)
    return chosen


def _renderer(verification: Verification, name: str, *, is_file: bool) -> Callable[[Style], str]:
    from orpolicy.verifying.json import as_json
    from orpolicy.verifying.markdown import as_markdown
    from orpolicy.verifying.text import as_text

    if name == "json":
        return lambda _style: as_json(verification)
    if name == "markdown":
        return lambda _style: as_markdown(verification)
    ascii_only = not is_file and not _can_show("█")
    return lambda style: as_text(verification, style, ascii_only=ascii_only)


def _can_show(character: str) -> bool:
    """Whether standard output has a character."""
    encoding = (sys.stdout.encoding if sys.stdout else None) or "utf-8"
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def exit_code(verification: Verification, fail_on: str, on_inconclusive: str) -> int:
    """The exit code: what fails, then what could not be judged; what the report set aside does not count."""
    from orpolicy.verdict import Status
    from orpolicy.verifying.model import Standing

    failing = () if fail_on == "never" else [Standing(word) for word in FAIL_ON[FAIL_ON.index(fail_on) : -1]]
    standings = {item.standing for item in verification.checked if item.finding.status is Status.OPEN}
    if not standings.isdisjoint(failing):
        return EXIT_FAILED
    if Standing.INCONCLUSIVE in standings and on_inconclusive == "fail":
        return EXIT_INCONCLUSIVE
    return EXIT_PASSED
