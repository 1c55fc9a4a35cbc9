"""``orpolicy baseline``: what is accepted as it is, kept in a file that only tightens."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click
from click.core import ParameterSource

from orpolicy.cli.options import load_policies, opened, parse_now, policy_arguments, source_options
from orpolicy.codes import Code
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.baseline import Accepted, Figures, Ratchet
    from orpolicy.baseline_update import Step, Update
    from orpolicy.report import Report

P = ParamSpec("P")

EXIT_DONE, EXIT_INCONCLUSIVE = 0, 3
DEFAULT_FILE = Path("orpolicy.baseline")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The run that a baseline is held against; the attributes are the options of ``check``."""

    paths: tuple[Path, ...]
    packs: tuple[str, ...]
    source: str
    window: str | None
    now: str | None
    catalog: Path | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    no_cache: bool
    redact: bool

    def run(self) -> tuple[Report, frozenset[str]]:
        """The run's report, without any baseline, and the ids of the locked policies.

        Raises:
            UsageError: as ``check``.
            PolicyError: as ``check``.
        """
        from orpolicy.baseline_update import locked_policies
        from orpolicy.lint import lint
        from orpolicy.staging import Choice

        policies = load_policies(self.paths, self.packs, self.source)
        choice = Choice(self.window, self.select, self.ignore)
        now = parse_now(self.now)
        with opened(self.source, now, self.catalog, use_cache=not self.no_cache) as figures:
            return lint(policies, figures, choice, redact=self.redact), locked_policies(policies)


def _run_options(function: Callable[Concatenate[Wanted, P], int]) -> Callable[..., int]:
    """The options of a run, handed over as one value, and ``--file``."""

    @functools.wraps(function)
    def wrapped(
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
        *args: P.args,
        **own: P.kwargs,
    ) -> int:
        wanted = Wanted(paths, packs, source, window, now, catalog, select, ignore, no_cache, redact)
        return function(wanted, *args, **own)

    for option in (
        click.option("--redact", is_flag=True, help="Pseudonyms for names, in the file and on the terminal."),
        click.option("--no-cache", is_flag=True, help="Ask everything again, and keep nothing on disk."),
        click.option(
            "--file", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True,
            metavar="FILE", help="The baseline.",
        ),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return policy_arguments(source_options(wrapped))


@click.group()
def command() -> None:
    """Accept findings as they are, and keep what is accepted from growing.

    `orpolicy check --baseline FILE` passes over the findings of the file while neither their measure nor
    their dollars a month get worse; rounding alone is forgiven, a cent and 1e-8 of the measure. No file
    is used unasked, whatever its name. Findings of locked policies cannot be accepted.

    The file is meant for git and for review. Where branches often accept findings at the same time, let
    .gitattributes say: orpolicy.baseline merge=union
    """


@command.command(
    name="write", epilog="Exit codes: 0 written, 2 refused, 3 written, but not all could be judged."
)
@_run_options
@click.option("--force", is_flag=True, help="Replace a baseline that says something else.")
def write_command(wanted: Wanted, file: Path, force: bool) -> int:
    """Write the baseline anew: every open finding, as bad as it is now.

    What the file accepts of policies that this run does not judge stays as it is.
    """
    from orpolicy.baseline import Ratchet
    from orpolicy.baseline_file import read
    from orpolicy.baseline_update import Change, anew

    before = read(file) if file.exists() else None
    report, locked = wanted.run()
    done = anew(before or Ratchet(), report, locked)
    if before is not None and before != done.ratchet and not force:
        raise UsageError(
            f"{file} says something else: `update` tightens it, --force replaces it", code=Code.IN_THE_WAY
        )
    _save(file, done.ratchet)
    click.echo(f"{_total(file, done.ratchet)}")
    _tell(done.of(Change.REFUSED, Change.NOT_JUDGED))
    return _exit_code(report)


@command.command(name="update", epilog="Exit codes: 0 done, 2 refused, 3 done, but not all could be judged.")
@_run_options
@click.option("--accept-new", is_flag=True, help="Accept findings that the baseline does not have.")
@click.option(
    "--accept-worse", is_flag=True, help="Accept findings that are worse than the baseline has them."
)
def update_command(wanted: Wanted, file: Path, accept_new: bool, accept_worse: bool) -> int:
    """Tighten the baseline: what is fixed goes, what improved falls, nothing is added or raised unasked.

    Entries of policies that this run does not judge stay as they are. Use the same --window as check.
    """
    from orpolicy.baseline_file import read
    from orpolicy.baseline_update import update

    before = read(file)
    report, locked = wanted.run()
    done = update(before, report, locked, accept_new=accept_new, accept_worse=accept_worse)
    _save(file, done.ratchet)
    click.echo(f"{_total(file, done.ratchet)}")
    _tell(_changes(done))
    return _exit_code(report)


@command.command(name="show", epilog="Exit codes: 0 shown, 2 the file is broken, 3 not all could be judged.")
@_run_options
def show_command(wanted: Wanted, file: Path) -> int:
    """Print the baseline, dearest policies first; with --source also what `update` would do now."""
    from orpolicy.baseline_file import read
    from orpolicy.baseline_update import update

    ratchet = read(file)
    click.echo(_total(file, ratchet))
    for line in _listed(ratchet):
        click.echo(line)
    if click.get_current_context().get_parameter_source("source") is not ParameterSource.COMMANDLINE:
        return EXIT_DONE
    report, locked = wanted.run()
    changes = _changes(update(ratchet, report, locked))
    click.echo("\nHeld against a run:" if changes else "\nHeld against a run: nothing changed.")
    _tell(changes)
    return _exit_code(report)


def _save(file: Path, ratchet: Ratchet) -> None:
    from orpolicy.baseline_file import text_of

    try:
        file.write_text(text_of(ratchet), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"--file: cannot write {file}: {error.strerror}", code=Code.NOT_WRITTEN) from error


def _exit_code(report: Report) -> int:
    """3 where something could not be judged; it is named."""
    for item in report.inconclusive:
        click.echo(f"not judged: {item.policy}: {item.reason}", err=True)
    return EXIT_INCONCLUSIVE if report.inconclusive else EXIT_DONE


def _total(file: Path, ratchet: Ratchet) -> str:
    count = len(ratchet.entries)
    return f"{file}: {count} {'finding' if count == 1 else 'findings'} accepted, {_usd(ratchet.entries)}"


def _usd(entries: Sequence[Accepted]) -> str:
    return f"{math.fsum(entry.figures.usd_per_month for entry in entries):,.2f} USD a month"


def _listed(ratchet: Ratchet) -> list[str]:
    """The entries by policy, dearest first; dollars of overlapping findings count in each."""
    by_policy = [
        list(entries)
        for _, entries in groupby(
            sorted(ratchet.entries, key=lambda entry: entry.policy), lambda entry: entry.policy
        )
    ]
    by_policy.sort(key=lambda entries: -math.fsum(entry.figures.usd_per_month for entry in entries))
    lines: list[str] = []
    for entries in by_policy:
        lines += ["", f"{entries[0].policy}: {len(entries)}, {_usd(entries)}"]
        ranked = sorted(entries, key=lambda entry: (-entry.figures.usd_per_month, entry.fingerprint))
        lines += [f"  {_words(entry)}: {_bounds(entry.figures)}" for entry in ranked]
    return lines


def _changes(done: Update) -> tuple[Step, ...]:
    from orpolicy.baseline_update import Change

    return tuple(step for step in done.steps if step.change is not Change.SAME)


def _tell(steps: Sequence[Step]) -> None:
    """One line a step, grouped by what becomes of it."""
    for step in sorted(steps, key=lambda step: (step.change, step.entry.policy, step.entry.fingerprint)):
        known = (step.before, None if step.entry is step.before else step.entry)
        figures = [entry.figures for entry in known if entry is not None]
        click.echo(
            f"{step.change}: {step.entry.policy}: {_words(step.entry)}: {' -> '.join(map(_bounds, figures))}"
        )


def _words(entry: Accepted) -> str:
    from orpolicy.reporters._words import prose

    return prose(entry.words)


def _bounds(figures: Figures) -> str:
    from orpolicy.baseline import bound

    return f"{bound(figures)}, {figures.usd_per_month:,.2f} USD a month"
