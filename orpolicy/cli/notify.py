"""``orpolicy notify``: tell people on GitHub what a report found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.github.client import Client
    from orpolicy.sources._json import Json


@click.command(
    epilog="Exit codes: 0 done, whatever the report says; 2 the report or the command line is wrong; "
    "3 GitHub refused or could not be reached. So neither a failed policy nor a failed request exits with 1."
)
@click.argument("report", type=click.Path(path_type=Path), metavar="REPORT.json")
@click.option("--pull-request", type=click.IntRange(min=1), metavar="N", help="Whose comment to keep.")
@click.option("--repository", metavar="OWNER/NAME", help="[default: GITHUB_REPOSITORY]")
@click.option(
    "--comment/--no-comment",
    default=True,
    show_default=True,
    help="One comment on the pull request, edited in place.",
)
@click.option("--issues", is_flag=True, help="One issue for each owner of policies, closed when clean.")
@click.option(
    "--mention", is_flag=True, help="Mention owners that are GitHub handles, such as @org/team. Nobody else."
)
@click.option(
    "--author",
    metavar="LOGIN",
    help="Who wrote the comment and the issues. [default: the token's user; for an app's token any bot]",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Write nothing, and print what would be written. Without GITHUB_TOKEN it reads nothing either, "
    "and shows what a first run writes.",
)
def command(
    report: Path,
    pull_request: int | None,
    repository: str | None,
    comment: bool,
    issues: bool,
    mention: bool,
    author: str | None,
    dry_run: bool,
) -> None:
    """Keep a pull request's comment and the owners' issues up to date with a report.

    REPORT.json is what `orpolicy check --format json=REPORT.json` wrote. The token comes from GITHUB_TOKEN,
    the API's address from GITHUB_API_URL; no management key is needed. Comment and issues are edited in
    silence; a finding that is new, fails by now, or costs 10 % and 10 dollars a month more than people were
    told gets a short comment of its own. Issues are found by their label, orpolicy; those of owners who have
    no policy in the report are closed once it judges every policy that they were about.
    """
    if not issues and not (pull_request and comment):
        raise UsageError("nothing to do: give --pull-request N or --issues")
    from orpolicy.github.client import Client
    from orpolicy.github.comment import keep_comment
    from orpolicy.github.issues import Issues
    from orpolicy.github.site import read_site
    from orpolicy.github.thread import Author
    from orpolicy.report_file import read_report
    from orpolicy.sources._clock import SystemClock

    found = read_report(report)
    site = read_site(os.environ, repository, needs_token=not dry_run)
    client = Client(site, SystemClock(), dry_run=dry_run)
    try:
        us = Author.of(client, author)
        if pull_request and comment:
            keep_comment(client, us, pull_request, found, mention=mention)
        if issues:
            Issues(client, us, found, mention=mention).keep()
        if not client.writes:
            click.echo("nothing to tell")
    finally:
        _tell(client, dry_run=dry_run)
        client.close()


def _tell(client: Client, *, dry_run: bool) -> None:
    """Print every write; what it holds too where it was not sent."""
    for write in client.writes:
        click.echo(f"{'would send' if dry_run else 'sent'} {write.method} {write.path}")
        if dry_run:
            for line in _shown(write.body):
                click.echo(line)


def _shown(body: Mapping[str, Json]) -> Iterator[str]:
    """A key a line; Markdown as the lines that it has."""
    from orpolicy.reporters._words import visible

    for key, value in body.items():
        text = value if isinstance(value, str) else json.dumps(value)
        lines = text.split("\n")
        if len(lines) == 1:
            yield f"  {key}: {visible(text)}"
            continue
        yield f"  {key}:"
        yield from (f"    {visible(line)}".rstrip() for line in lines)
