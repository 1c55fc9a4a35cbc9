"""``orpolicy diff-policy``: what a change of the policy files weakens."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.options import (
    catalog_option,
    load_policies,
    no_cache_option,
    now_option,
    opened,
    parse_now,
    policy_arguments,
    redact_option,
)
from orpolicy.codes import Code
from orpolicy.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from orpolicy.policy.model import PolicySet
    from orpolicy.policy_diff.accepted import Baselines
    from orpolicy.policy_diff.choice import Compared
    from orpolicy.policy_diff.impact import Impact
    from orpolicy.policy_diff.outcome import Outcome

EXIT_SAME, EXIT_WEAKER, EXIT_INCONCLUSIVE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Figures:
    """The account that both sides are judged by; the attributes are the options of ``check``."""

    source: str
    window: str | None
    now: str | None
    catalog: Path | None
    no_cache: bool
    redact: bool

    def impact(self, compared: Compared, accepted: Baselines | None) -> Impact:
        """What the change does to the findings.

        Raises:
            UsageError: as ``check``.
            PolicyError: as ``check``.
        """
        from orpolicy.policy_diff.impact import measure
        from orpolicy.staging import Choice

        now = parse_now(self.now)
        with opened(self.source, now, self.catalog, use_cache=not self.no_cache) as source:
            return measure(
                compared.old,
                compared.new,
                compared.diff.renamed,
                source,
                Choice(self.window),
                ratchets=(accepted.old, accepted.new) if accepted else (None, None),
                redact=self.redact,
            )


@click.command(
    name="diff-policy",
    epilog="Exit codes: 0 nothing weakens, 1 something weakens or may, 2 files or command line wrong, "
    "3 nothing weakens but a policy could not be judged.",
)
@click.argument("base", metavar="BASE")
@policy_arguments
@click.option(
    "--source",
    metavar="SOURCE",
    help="Also judge these figures by both sides: openrouter, demo, or a file, folder or glob of request "
    "records. Without it no figures are looked at, and no key is needed.",
)
@click.option("--window", metavar="WINDOW", help="As in check, for both sides. Needs --source.")
@now_option
@catalog_option
@click.option("--select", multiple=True, metavar="ID", help="Only these policies. Repeatable.")
@click.option("--ignore", multiple=True, metavar="ID", help="All but these. Repeatable.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Findings that are accepted: whatever the file here accepts beyond the one of BASE weakens.",
)
@no_cache_option
@redact_option
@click.option(
    "--allow-no-base",
    is_flag=True,
    help="Where BASE has no policies, or broken ones, say so and take all as new; else that is an error.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="markdown is for a comment on a pull request.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["weaker", "never"]),
    default="weaker",
    show_default=True,
    help="Whether a change that weakens, or may, makes the exit code 1.",
)
def command(
    base: str,
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    source: str | None,
    window: str | None,
    now: str | None,
    catalog: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: Path | None,
    no_cache: bool,
    redact: bool,
    allow_no_base: bool,
    form: str,
    fail_on: str,
) -> int:
    """Say what the policies here catch less than those of BASE, a git revision or else a path.

    A revision is read without a checkout; a folder that has a revision's name is written ./NAME. PATH is
    as in check: ./policies or ./orpolicy.yaml where none is given. Loosened thresholds, raised floors,
    narrower scopes, more and longer waivers, a baseline that accepts more and policies that are gone
    weaken; what cannot be decided from the files alone may weaken, and counts. Let a CI ask for a second
    approval where the exit code is 1. `orpolicy schema policy-diff` describes the JSON.
    """
    from orpolicy.policy_diff.choice import Compared
    from orpolicy.policy_diff.compare import compare
    from orpolicy.policy_diff.git import shown
    from orpolicy.policy_diff.outcome import Outcome

    if packs and not paths:
        raise UsageError("--pack alone is the same on both sides: name the PATH of your own policies as well")
    new = load_policies(paths, packs, check_names=True)
    old, notes = _load_base(base, paths, packs, allow_no_base=allow_no_base)
    compared = Compared(old, new, compare(old, new))
    accepted = None
    if baseline:
        accepted, more = _load_baselines(base, baseline)
        notes += more
        compared = _with_baselines(compared, accepted)
    compared = compared.chosen(select, ignore)
    figures = Figures(source or "", window, now, catalog, no_cache, redact)
    impact = figures.impact(compared, accepted) if source else None
    outcome = Outcome(shown(base), (_masked(compared) if redact else compared).diff, notes, impact)
    _print(_rendered(outcome, form))
    if outcome.weakens and fail_on == "weaker":
        return EXIT_WEAKER
    return EXIT_INCONCLUSIVE if outcome.not_judged else EXIT_SAME


def _load_base(
    base: str, paths: tuple[Path, ...], packs: tuple[str, ...], *, allow_no_base: bool
) -> tuple[PolicySet, tuple[str, ...]]:
    """The older policies, with what the reader should know about them.

    Raises:
        UsageError: if there are none.
        PolicyError: if they are wrong.
    """
    from orpolicy.policy.files import read_file
    from orpolicy.policy.loader import load_texts
    from orpolicy.policy.model import PolicySet
    from orpolicy.policy.packs import pack_path
    from orpolicy.policy_diff.base import read_base
    from orpolicy.policy_diff.git import shown
    from orpolicy.policy_kinds import Kinds

    found, base = read_base(base, paths), shown(base)
    if not found.contents:
        if not allow_no_base:
            raise UsageError(
                f"{base} has no policies there: --allow-no-base takes all as new", code=Code.BAD_BASE
            )
        return PolicySet(()), (f"{base} has no policies there: all are new",)
    notes = tuple(f"{base} has no {path}" for path in found.lacking)
    contents = {**found.contents, **{f"pack:{name}": read_file(pack_path(name)) for name in packs}}
    try:
        return load_texts(contents, Kinds(), library=found.library), notes
    except PolicyError as error:
        if not allow_no_base:
            click.echo(f"the policies of {base} are broken: --allow-no-base takes all as new", err=True)
            raise
        click.echo(str(error), err=True)
        return PolicySet(()), (f"the policies of {base} are broken: all are taken as new",)


def _load_baselines(base: str, file: Path) -> tuple[Baselines, tuple[str, ...]]:
    """What both sides accept, with what the reader should know about the older one.

    Raises:
        UsageError: if neither side has the file, or one is broken.
    """
    from orpolicy.baseline import Ratchet
    from orpolicy.baseline_file import parse, read
    from orpolicy.location import Location
    from orpolicy.policy_diff.accepted import Baselines
    from orpolicy.policy_diff.base import read_base_file
    from orpolicy.policy_diff.git import shown
    from orpolicy.policy_diff.model import Places

    found = read_base_file(base, file)
    is_here = file.exists() or found is None  # where neither side has it, reading it says so
    new = read(file) if is_here else Ratchet()
    old = parse(found[1], found[0]) if found else Ratchet()
    places = Places(
        Location(found[0], 1, 1) if found else None, Location(str(file), 1, 1) if is_here else None
    )
    lacking = (f"{shown(base)} has no {file}: all that it accepts is new",) if found is None else ()
    return Baselines(old, new, places), lacking


def _with_baselines(compared: Compared, accepted: Baselines) -> Compared:
    from orpolicy.policy_diff.accepted import baseline_changes

    changes = baseline_changes(accepted, (compared.old, compared.new), compared.diff.renamed)
    return replace(compared, diff=compared.diff.joined(changes))


def _masked(compared: Compared) -> Compared:
    from orpolicy.policy_diff.masking import masked
    from orpolicy.policy_diff.model import PolicyDiff

    changes = masked(compared.diff.changes, (compared.old, compared.new))
    return replace(compared, diff=PolicyDiff(changes, compared.diff.renamed))


def _rendered(outcome: Outcome, form: str) -> str:
    from orpolicy.policy_diff.json import as_json
    from orpolicy.policy_diff.markdown import as_markdown
    from orpolicy.policy_diff.text import as_text

    return {"text": as_text, "json": as_json, "markdown": as_markdown}[form](outcome)


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False)
