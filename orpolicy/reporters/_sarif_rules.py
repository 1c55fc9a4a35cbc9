"""The policies of a run as SARIF rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orpolicy.reporters._markdown_text import code, escaped
from orpolicy.reporters._plain_finding import stopped
from orpolicy.reporters._sarif_words import LEVEL, description, message, plain_message
from orpolicy.reporters._words import name, prose
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.report import PolicyResult, Report
    from orpolicy.reporters._json_value import Value

_PROBLEM = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "recommendation"}
"""GitHub's own word for a severity that is not about security."""

_WEB_LINK = re.compile(r"https?://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?(/[!-;=?-\[\]_a-z~]*)?")
"""An absolute link that is certainly an URI: nothing in it needs encoding."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """What a policy says of itself, made visible and bounded; "" where it says nothing."""

    id: str
    rule: str
    severity: Severity
    title: str
    why: str = ""
    owner: str = ""
    link: str = ""
    fix: str = ""


def policy_texts(report: Report) -> tuple[PolicyText, ...]:
    """Every policy once, in the report's order; those that only findings know come last."""
    texts: dict[str, PolicyText] = {}
    for result in report.policies:
        texts.setdefault(rule_id(result.id), _text(result, rule_id(result.id)))
    told: set[str] = set()
    for finding in report.findings:
        id_ = rule_id(finding.policy)
        if id_ not in told:
            told.add(id_)
            texts[id_] = _with_reasons(texts.get(id_) or _text(finding, id_), finding)
    return tuple(texts.values())


def rule_id(policy: str) -> str:
    """A policy's id as a rule's."""
    return name(policy)


def _text(source: PolicyResult | Finding, id_: str) -> PolicyText:
    return PolicyText(id_, name(source.rule), source.severity, prose(source.title), owner=name(source.owner))


def _with_reasons(text: PolicyText, finding: Finding) -> PolicyText:
    return replace(
        text,
        title=text.title or prose(finding.title),
        owner=text.owner or name(finding.owner),
        why=prose(finding.why),
        link=prose(finding.link),
        fix=prose(finding.recommendation.text),
    )


def rule_json(text: PolicyText) -> dict[str, Value]:
    """A policy as a reporting descriptor."""
    explain = f"orpolicy explain {text.rule}"
    short = text.title or f"Policy {text.id}, of kind {text.rule}"
    full = text.why or f"A policy of kind {text.rule}: {explain} says what it measures"
    rule: dict[str, Value] = {
        "id": text.id,
        "shortDescription": description(stopped(short)),
        "fullDescription": description(stopped(full)),
        "help": {**message(_help_text(text, explain)), "markdown": _help_markdown(text, explain)},
        "defaultConfiguration": {"level": LEVEL[text.severity]},
        "properties": {
            "tags": ["llm-cost", text.rule],
            "problem.severity": _PROBLEM[text.severity],
            "rule": text.rule,
            "owner": text.owner,
        },
    }
    return {**rule, "helpUri": text.link} if _WEB_LINK.fullmatch(text.link) else rule


def _help_text(text: PolicyText, explain: str) -> str:
    owner = f"Owner: {text.owner}" if text.owner else ""
    parts = [stopped(part) for part in (text.title, text.why, text.fix, owner) if part]
    more = [f"More: {text.link}"] if text.link else []
    return "\n".join((*parts, *more, f"What it measures: {explain}"))


def _help_markdown(text: PolicyText, explain: str) -> str:
    parts = (
        f"**{escaped(text.title)}**" if text.title else "",
        f"Why: {escaped(text.why)}" if text.why else "",
        f"What to do: {escaped(text.fix)}" if text.fix else "",
        f"Owner: {code(text.owner)}" if text.owner else "",
        f"More: {code(text.link)}" if text.link else "",
        f"What it measures: {code(explain)}",
    )
    return plain_message("\n\n".join(part for part in parts if part))
