"""``orpolicy validate``: the files alone, without key or network."""

from __future__ import annotations

from pathlib import Path

import click

from orpolicy.cli.options import load_policies
from orpolicy.errors import PolicyError

_EXIT_WRONG_FILES = 2


@click.command(name="validate")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--pack", "packs", metavar="NAME", multiple=True, help="A pack that ships with orpolicy.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], packs: tuple[str, ...]) -> None:
    """Check policy files and folders: no key, no network.

    Without PATH and --pack it reads ./policies or ./orpolicy.yaml. Every problem is reported, as
    path:line:column: message; the exit code is then 2.
    """
    try:
        found = load_policies(paths, packs, check_names=True)
        if found.tests:
            from orpolicy.policy_tests.reading import read_cases

            read_cases(found)
    except PolicyError as error:
        files = len({problem.location.file for problem in error.problems})
        click.echo(str(error), err=True)
        click.echo(f"{_count(len(error.problems), 'problem')} in {_count(files, 'file')}", err=True)
        ctx.exit(_EXIT_WRONG_FILES)
    policies, files = len(found.policies), len(found.files)
    click.echo(f"{_count(policies, 'policy', 'policies')} in {_count(files, 'file')}, no problems")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
