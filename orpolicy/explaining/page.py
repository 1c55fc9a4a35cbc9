"""Explanations as lines of text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from orpolicy.explaining.policy import paragraph
from orpolicy.explaining.queries import condition
from orpolicy.explaining.steps import headline, steps
from orpolicy.reporters._words import name, plural, prose, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.planning import Plan
    from orpolicy.policy.model import Policy, PolicySet
    from orpolicy.report import Report

_INDENT = "   "


def policy_page(
    policy: Policy, written: PolicySet, window: Window | None, plan: Plan, width: int
) -> Iterator[str]:
    """A policy: where it stands, what it says, what it asks."""
    yield f"{policy.id}: a policy of kind {policy.rule}, {name(policy.location.file)}:{policy.location.line}"
    if policy.title:
        yield prose(policy.title)
    yield ""
    yield from _wrapped(paragraph(policy, written, window), width, "")
    yield ""
    total = len(plan.queries) + plan.account_requests
    queries = plural(len(plan.queries), "query", "queries")
    yield from _wrapped(
        f"It costs at least {total} requests if it runs alone: {queries}, and {plan.account_requests} about "
        "the account. With others it shares what they ask alike.",
        width,
        "",
    )
    for number, item in enumerate(plan.queries, 1):
        query = item.query
        dimensions = ", ".join(query.dimensions) or "all traffic"
        bucket = f" by {query.granularity}" if query.granularity else ""
        yield f"{_INDENT}q{number}  {dimensions}{bucket}, {query.window}"
        if query.filters:
            yield from _wrapped(f"where {' and '.join(map(condition, query.filters))}", width, _INDENT * 2)
        yield from _wrapped(f"metrics {', '.join(query.metrics)}", width, _INDENT * 2)
    for policy_id, why in plan.unasked:
        yield from _wrapped(f"cannot be asked: {policy_id}: {why}", width, _INDENT)
    for line in plan.later:
        yield from _wrapped(f"later: {line}", width, _INDENT)
    yield f"`orpolicy plan --select {policy.id}` prints the queries in full."


def finding_page(finding: Finding, report: Report, width: int) -> Iterator[str]:
    """A finding, step by step."""
    yield headline(finding)
    yield f"{finding.fingerprint}, a finding of kind {name(finding.rule)}"
    for text in (finding.title, finding.why):
        if text:
            yield from _wrapped(prose(text), width, "")
    for number, step in enumerate(steps(finding, report), 1):
        yield ""
        yield f"{number}. {step.title}"
        for line in step.lines:
            yield from _wrapped(line, width, _INDENT)
        yield from (f"{_INDENT}{visible(line)}" for line in step.commands)


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    hang = indent + "  " if indent else ""
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
