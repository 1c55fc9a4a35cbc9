"""``orpolicy test``: the policies' own unit tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from orpolicy.cli.check import EXIT_FAILED, EXIT_PASSED, parse_formats, put, width
from orpolicy.cli.options import color_option, load_policies, policy_arguments, wants_color
from orpolicy.codes import Code
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from orpolicy.policy_tests.model import Case
    from orpolicy.policy_tests.outcome import Outcome
    from orpolicy.reporters.base import Style

FORMATS = ("text", "json", "junit")


def _a_number(_ctx: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse "nan", which no range keeps out as it compares with nothing."""
    if value is not None and math.isnan(value):
        raise click.BadParameter(f"{value} is no percentage.")
    return value


@click.command(
    name="test",
    epilog="Exit codes: 0 all tests passed, 1 a test failed or the coverage is too low, "
    "2 files or command line wrong.",
)
@policy_arguments
@click.option(
    "-k",
    "parts",
    multiple=True,
    metavar="TEXT",
    help="Only tests whose name contains this, in any case; no coverage then. Repeatable.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    callback=_a_number,
    metavar="PERCENT",
    help="Fail if tests cross fewer of the thresholds from both sides.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="text, json or junit, to the terminal (also as FORMAT=-) or to a file. Repeatable. [default: text]",
)
@color_option
@click.option("-q", "--quiet", is_flag=True, help="The verdict alone.")
@click.option("-v", "--verbose", is_flag=True, help="What came as expected, and every threshold, as well.")
def command(
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    parts: tuple[str, ...],
    min_coverage: float | None,
    formats: tuple[str, ...],
    color: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run the policies' own unit tests: the tests: of the files, without key or network.

    PATH is as in check: ./policies or ./orpolicy.yaml where none is given. A test judges the policies of its
    own file, those its file overrides and those it names under expect, by its rows, as check would. Every
    finding must be expected; a policy that cannot be judged by the rows matters only where it is named.
    `orpolicy schema test` describes the JSON.
    """
    from orpolicy.policy_tests.outcome import run_tests
    from orpolicy.policy_tests.reading import read_cases
    from orpolicy.reporters.base import Style

    outputs = parse_formats(formats, FORMATS)
    if parts and min_coverage is not None:
        raise UsageError("--min-coverage is about all tests: leave out -k")
    policies = load_policies(paths, packs, check_names=True)
    cases = _chosen(read_cases(policies), parts)
    outcome = run_tests(cases, policies, min_coverage, partial=bool(parts))
    style = Style(width=width(), color=wants_color(color), verbosity=-1 if quiet else int(verbose))
    for output in outputs:
        put(_renderer(output.name, outcome), output, style)
    return EXIT_PASSED if outcome.passes else EXIT_FAILED


def _chosen(cases: Sequence[Case], parts: Sequence[str]) -> tuple[Case, ...]:
    """The tests that the command line means; none is no mistake, but for the coverage.

    Raises:
        UsageError: if no test has a name that is asked for.
    """
    if not parts:
        return tuple(cases)
    wanted = [part.casefold() for part in parts]
    chosen = tuple(case for case in cases if any(part in case.name.casefold() for part in wanted))
    if not chosen:
        raise UsageError(f"-k: no test has such a name ({len(cases)} were looked at)", code=Code.UNKNOWN_NAME)
    return chosen


def _renderer(name: str, outcome: Outcome) -> Callable[[Style], str]:
    if name == "text":
        from orpolicy.policy_tests.text import as_text

        return lambda style: as_text(outcome, style)
    if name == "json":
        from orpolicy.policy_tests.json import as_json

        return lambda _style: as_json(outcome)
    from orpolicy.policy_tests.junit import as_junit

    return lambda _style: as_junit(outcome)
