"""``orpolicy schema``: the JSON Schemas that are published."""

from __future__ import annotations

from importlib import import_module

import click

SCHEMAS = {
    "policies": "orpolicy.starting.editors:schema_text",
    "report": "orpolicy.reporters.json:report_schema",
    "test": "orpolicy.policy_tests.json:outcome_schema",
    "backtest": "orpolicy.backtest.json:backtest_schema",
    "compare": "orpolicy.comparing.json:compare_schema",
    "drill": "orpolicy.drilling.json:drill_schema",
    "policy-diff": "orpolicy.policy_diff.json:diff_schema",
    "verify": "orpolicy.verifying.json:verify_schema",
}
"""Name -> the function that gives the text; its module is imported only when it is asked for."""


@click.command(name="schema")
@click.argument("name", metavar="[NAME]", type=click.Choice(list(SCHEMAS)), default="policies")
def command(name: str) -> None:
    """Print the JSON Schema of the policy language, or of what a command writes as JSON.

    Save the former beside the policies and begin each file with
    `# yaml-language-server: $schema=./orpolicy.schema.json`; editors then complete it.

    NAME is policies (the default), report (what check writes), test, backtest, compare, drill, policy-diff
    (diff-policy) or verify.
    """
    module, _, function = SCHEMAS[name].partition(":")
    text: str = getattr(import_module(module), function)()
    click.echo(text.rstrip("\n"))
