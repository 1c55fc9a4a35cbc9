"""``orpolicy schema``: the JSON Schemas that are published."""

from __future__ import annotations

import click

WHAT = ("policies", "report", "policy-diff", "compare", "verify")


@click.command(name="schema")
@click.argument("what", type=click.Choice(WHAT), default=WHAT[0])
def command(what: str) -> None:
    """Print the JSON Schema of the policy language, for editors; else of what a command writes as JSON.

    Save it beside the policies and begin each file with
    `# yaml-language-server: $schema=./orpolicy.schema.json`. `report` is what `check --format json` writes,
    `policy-diff` what `diff-policy --format json` does, `compare` and `verify` what these commands do.
    """
    schemas = {
        "policies": _policies,
        "report": _report,
        "policy-diff": _policy_diff,
        "compare": _compare,
        "verify": _verify,
    }
    click.echo(schemas[what]().rstrip("\n"))


def _policies() -> str:
    from orpolicy.starting.editors import schema_text

    return schema_text()


def _report() -> str:
    from orpolicy.reporters.json import report_schema

    return report_schema()


def _policy_diff() -> str:
    from orpolicy.policy_diff.json import diff_schema

    return diff_schema()


def _compare() -> str:
    from orpolicy.comparing.json import compare_schema

    return compare_schema()


def _verify() -> str:
    from orpolicy.verifying.json import verify_schema

    return verify_schema()
