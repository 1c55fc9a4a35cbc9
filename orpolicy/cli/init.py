"""``orpolicy init``: the first files, from the account's own figures where a source is given."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.options import catalog_option, no_cache_option, now_option, opened, parse_now
from orpolicy.errors import UsageError
from orpolicy.reporters._words import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.report import Report
    from orpolicy.starting.files import Draft
    from orpolicy.starting.proposal import Proposal

EXIT_DONE, EXIT_INCONCLUSIVE = 0, 3
BASELINE = "orpolicy.baseline"
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to start from; the attributes are the options."""

    folder: Path
    source: str | None
    window: str | None
    now: str | None
    catalog: Path | None
    no_cache: bool
    baseline: Path | None

    @property
    def label(self) -> str:
        """The source for people: of a URL, which may hold a password, the scheme alone."""
        return visible((self.source or "").partition("://")[0])

    @property
    def run_options(self) -> str:
        """The options that make another command ask the same source about the same time."""
        given = {
            "--source": None if self.source == "openrouter" else self.label,
            "--now": self.now,
            "--catalog": self.catalog,
        }
        words = [
            word for option, value in given.items() if value for word in (option, shlex.quote(str(value)))
        ]
        return "".join(f" {word}" for word in words)


@click.command(
    name="init",
    epilog="Exit codes: 0 written, 2 refused, 3 written, but the account could not be asked everything.",
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--source",
    metavar="SOURCE",
    help="Propose thresholds from its figures: openrouter, demo, or a file, folder or glob of records.",
)
@click.option(
    "--window",
    metavar="WINDOW",
    help="Look at this window instead of last-month: this-month, last-week, last-30d, or "
    "2026-05-01..2026-06-01 (half-open). A window with a name becomes the policies' own.",
)
@now_option
@catalog_option
@no_cache_option
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also accept what would fail today, in this file: only what is new or worse then fails.",
)
@click.option("--force", is_flag=True, help="Replace files that are here already.")
@click.option(
    "--dry-run", "--print", "dry_run", is_flag=True, help="Print the files instead of writing them."
)
def command(
    folder: Path,
    source: str | None,
    window: str | None,
    now: str | None,
    catalog: Path | None,
    no_cache: bool,
    baseline: Path | None,
    force: bool,
    dry_run: bool,
) -> int:
    """Write a starter policy file and a scheduled workflow into DIR.

    With --source the thresholds come from the account's own figures, each with a comment that says which;
    keys that look like batch traffic are named, and what would fail today is shown. Without it nothing is
    asked and the thresholds are the usual ones. Files that are here already are left alone.
    """
    from orpolicy.starting.files import check_together, refuse_existing, refuse_twice, write

    wanted = Wanted(folder, source, window, now, catalog, no_cache, baseline)
    _check(wanted)
    proposal = _proposal(wanted)
    drafts = _drafts(wanted, proposal)
    refuse_twice(drafts)
    if dry_run:
        _print(drafts)
    else:
        if not force:
            refuse_existing(drafts)
        check_together(drafts[0])
        write(drafts)
    for line in (*_found(wanted, proposal), *([] if dry_run else _written(wanted, proposal, drafts))):
        click.echo(line, err=dry_run)
    return EXIT_DONE if proposal is None or proposal.is_whole else EXIT_INCONCLUSIVE


def _check(wanted: Wanted) -> None:
    """Refuse what only means something with a source."""
    if wanted.source is not None:
        return
    given = {
        "--window": wanted.window,
        "--now": wanted.now,
        "--catalog": wanted.catalog,
        "--baseline": wanted.baseline,
        "--no-cache": wanted.no_cache or None,
    }
    lost = [option for option, value in given.items() if value is not None]
    if lost:
        raise UsageError(f"{', '.join(lost)}: nothing is asked without --source")


def _policy_path(wanted: Wanted) -> Path:
    from orpolicy.starting.files import policy_file

    return wanted.folder / policy_file(wanted.folder)


def _proposal(wanted: Wanted) -> Proposal | None:
    if wanted.source is None:
        return None
    from orpolicy.cli.progress import progress
    from orpolicy.starting.proposal import propose

    clock = parse_now(wanted.now)
    with (
        progress(quiet=False) as listener,
        opened(
            wanted.source, clock, wanted.catalog, use_cache=not wanted.no_cache, listener=listener
        ) as figures,
    ):
        return propose(figures, wanted.label, wanted.window, str(_policy_path(wanted)))


def _drafts(wanted: Wanted, proposal: Proposal | None) -> tuple[Draft, ...]:
    """The files, the policies first."""
    from orpolicy.starting.editors import schema_text
    from orpolicy.starting.files import SCHEMA_NAME, WORKFLOW_FILE, Draft
    from orpolicy.starting.starter import starter
    from orpolicy.starting.workflow import workflow

    policies = _policy_path(wanted)
    baseline = _baseline_inside(wanted, proposal)
    text = proposal.text if proposal else starter(None, "")
    seed = text if proposal else wanted.folder.resolve().name
    drafts = [
        Draft(policies, text, "the policies"),
        Draft(policies.parent / SCHEMA_NAME, schema_text(), "completion in editors"),
        Draft(
            wanted.folder / WORKFLOW_FILE,
            workflow(seed, baseline),
            "judges them every Monday; pin the action in it",
        ),
    ]
    if wanted.baseline and proposal and proposal.report:
        about = "what is accepted as it is" + ("" if baseline else "; outside of DIR: not in the workflow")
        drafts.append(Draft(wanted.baseline, _accepted(proposal.report), about))
    return tuple(drafts)


def _accepted(report: Report) -> str:
    from orpolicy.baseline import Ratchet
    from orpolicy.baseline_file import text_of
    from orpolicy.baseline_update import anew

    return text_of(anew(Ratchet(), report).ratchet)


def _baseline_inside(wanted: Wanted, proposal: Proposal | None) -> str:
    """The baseline as the workflow names it: from DIR; "" where none is written, or outside of it."""
    if not (wanted.baseline and proposal and proposal.report):
        return ""
    path, root = wanted.baseline.resolve(), wanted.folder.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else ""


def _print(drafts: Sequence[Draft]) -> None:
    """Every file with its name above; the schema only by name, as `orpolicy schema` prints it."""
    from orpolicy.starting.files import SCHEMA_NAME

    for draft in drafts:
        is_schema = draft.path.name == SCHEMA_NAME
        click.echo(f"# ---- {draft.path}{' (as `orpolicy schema` prints it)' if is_schema else ''}")
        if not is_schema:
            click.echo(draft.text)


def _found(wanted: Wanted, proposal: Proposal | None) -> Iterator[str]:
    """What the account told, and what would fail today."""
    if proposal is None:
        return
    from orpolicy.reporters._figures import money, span
    from orpolicy.reporters._words import plural

    survey = proposal.survey
    asked = plural(proposal.queries, "query", "queries")
    told = (
        f"{money(survey.traffic.spend_usd)}, from {asked}"
        if survey.has_traffic
        else f"no figures, from {asked}; the thresholds are the usual ones"
    )
    yield f"{wanted.label}, {span(survey.window)}: {told}"
    for line in dict.fromkeys(str(error) for error in survey.unknown.values()):
        yield f"  not known: {line}"
    if proposal.report:
        yield from _today(proposal.report)


def _today(report: Report) -> Iterator[str]:
    from orpolicy.reporters._figures import money
    from orpolicy.reporters._headline import net
    from orpolicy.reporters._words import plural, subject
    from orpolicy.verdict import Verdict

    for item in report.inconclusive:
        yield f"  not judged: {item.policy}: {item.reason}"
    failing = sorted(
        (finding for finding in report.findings if finding.verdict is Verdict.FAIL),
        key=lambda finding: (-finding.spend_usd, finding.policy, finding.fingerprint),
    )
    if not failing:
        yield "nothing would fail today"
        return
    said = (f"{plural(len(failing), 'finding')} would fail today", net(report))
    yield f"{'; '.join(filter(None, said))}:"
    width = max(len(finding.policy) for finding in failing[:MOST_SHOWN])
    for finding in failing[:MOST_SHOWN]:
        yield f"  {money(finding.spend_usd):>10}  {finding.policy:{width}}  {subject(finding.subject, 60)}"
    if len(failing) > MOST_SHOWN:
        yield f"  and {len(failing) - MOST_SHOWN} more"


def _written(wanted: Wanted, proposal: Proposal | None, drafts: Sequence[Draft]) -> Iterator[str]:
    """What was written, and what to do next."""
    if proposal:
        yield ""
    width = max(len(str(draft.path)) for draft in drafts)
    for draft in drafts:
        yield f"wrote {draft.path!s:{width}}  {draft.about}"
    yield ""
    first, second = _next(wanted, proposal, drafts[0].path)
    yield f"next: {first}"
    yield f"      {second}"


def _next(wanted: Wanted, proposal: Proposal | None, policies: Path) -> tuple[str, str]:
    """Two commands."""
    place = "" if wanted.folder == Path() else f" {shlex.quote(str(policies.parent))}"
    check = f"orpolicy check{place}{wanted.run_options}"
    if wanted.baseline and proposal and proposal.report:
        return f"orpolicy validate{place}", f"{check} --baseline {shlex.quote(str(wanted.baseline))}"
    if proposal and proposal.report and proposal.report.findings:
        write = f"orpolicy baseline write{place}{wanted.run_options} --file {BASELINE}"
        return f"{write}   # accept what is there today", f"{check} --baseline {BASELINE}"
    return f"orpolicy validate{place}", check
