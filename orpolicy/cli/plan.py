"""``orpolicy plan``: what a check would ask, without asking it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orpolicy.cli.options import load_policies, opened, parse_now, policy_arguments, source_options
from orpolicy.cli.width import page_width

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.planning import Plan
    from orpolicy.sources.base import Source

_INDENT = "    "


@click.command()
@policy_arguments
@source_options
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON.")
def command(
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    source: str,
    window: str | None,
    now: str | None,
    catalog: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    as_json: bool,
) -> int:
    """Print the compiled queries, what shares them and what they cost in requests.

    No analytics query is sent. With --source openrouter nothing is sent at all, and no key is needed:
    the plan then assumes the vocabulary that orpolicy ships with and key names that are unique.
    """
    from orpolicy.planning import make_plan
    from orpolicy.staging import Choice

    policies = load_policies(paths, packs, source)
    with _nobody(now, catalog) if source == "openrouter" else opened(source, parse_now(now), catalog) as met:
        plan = make_plan(policies, met, Choice(window, select, ignore))
    click.echo(json.dumps(plan.as_json(), indent=2) if as_json else text(plan, page_width()))
    return 0


def _nobody(now: str | None, catalog: Path | None) -> AbstractContextManager[Source]:
    from orpolicy.catalog.load import load_catalog
    from orpolicy.planning import Nobody

    clock = parse_now(now) or datetime.now(UTC)
    return nullcontext(Nobody(clock, load_catalog(catalog) if catalog else None))


def text(plan: Plan, width: int = 92) -> str:
    """The plan for people, on lines of at most so many columns where no single word is longer."""
    from orpolicy.explaining.queries import body_lines, listed

    lines = [plan.summary, ""]
    for number, query in enumerate(plan.queries, 1):
        dimensions = ", ".join(query.query.dimensions) or "(all traffic)"
        bucket = f" by {query.query.granularity}" if query.query.granularity else ""
        lines.append(f"q{number}  {dimensions}{bucket}  {query.query.window}")
        lines += listed("shared by", query.policies, width, _INDENT)
        lines += [*(f"{_INDENT}{line}" for line in body_lines(query.query.body(), width - len(_INDENT))), ""]
    lines += [f"not asked: {name}: {why}" for name, why in plan.unasked]
    lines += [f"later: {line}" for line in plan.later]
    return "\n".join(lines)
