"""``orpolicy schema``: the JSON Schema of the policy language."""

from __future__ import annotations

import json

import click

from orpolicy.policy.packs import pack_names
from orpolicy.policy.schema import build
from orpolicy.policy_kinds import Kinds


@click.command(name="schema")
def command() -> None:
    """Print the JSON Schema of the policy language, for editors.

    Save it beside the policies and begin each file with
    `# yaml-language-server: $schema=./orpolicy.schema.json`.
    """
    click.echo(json.dumps(build((kind.schema for kind in Kinds().values()), pack_names()), indent=2))
