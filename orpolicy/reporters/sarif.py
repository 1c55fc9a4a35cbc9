"""The format for code scanning: SARIF 2.1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.period import stamp
from orpolicy.report import WaiverState
from orpolicy.reporters._figures import cents
from orpolicy.reporters._json_value import Value, json_text
from orpolicy.reporters._override_words import override_json
from orpolicy.reporters._plain_finding import dollars, stopped
from orpolicy.reporters._sarif_results import Background, holding, result_json
from orpolicy.reporters._sarif_rules import policy_texts, rule_id, rule_json
from orpolicy.reporters._sarif_words import message, physical
from orpolicy.reporters._waiver_words import waiver_sentence
from orpolicy.reporters._words import name, plural, prose
from orpolicy.reporters.base import Reporter
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.finding import Finding, Inconclusive
    from orpolicy.report import Report
    from orpolicy.reporters.base import Style

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
INFORMATION_URI = "https://openrouter.ai/docs"
"""Where the figures and prices that policies are about are explained."""

MOST_RESULTS = 25_000
"""GitHub refuses a run with more."""

MOST_SHOWN = 5_000
"""GitHub shows no more of a run."""


class Sarif(Reporter):
    """SARIF as the OASIS schema describes it, within the limits of GitHub's code scanning."""

    summary = "code scanning: SARIF 2.1.0, a rule a policy, a place in a file for every finding"

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - machines have no style
        """The report as ASCII JSON; open findings come first, the dearest ahead.

        Raises:
            ValueError: if a figure is not finite.
        """
        return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]})


def _run(report: Report) -> dict[str, Value]:
    texts = policy_texts(report)
    index = {text.id: number for number, text in enumerate(texts)}
    background = Background(index, holding(report.waivers), report.catalogue_taken_at)
    findings = sorted(report.findings, key=lambda finding: finding.status is not Status.OPEN)
    return {
        "tool": {
            "driver": {
                "name": "orpolicy",
                "version": name(report.version),
                "informationUri": INFORMATION_URI,
                "rules": [rule_json(text) for text in texts],
            }
        },
        "automationDetails": {"id": "orpolicy/"},
        "invocations": [_invocation(report, findings, index)],
        "columnKind": "unicodeCodePoints",
        "results": [result_json(finding, background) for finding in findings[:MOST_RESULTS]],
        "properties": _properties(report),
    }


def _invocation(report: Report, findings: Sequence[Finding], index: Mapping[str, int]) -> dict[str, Value]:
    """How the run went: a policy that could not be judged means that the analysis is not whole."""
    execution = [_unjudged(item, index) for item in report.inconclusive]
    execution += [_notification("warning", text) for text in _left_out(findings)]
    execution += [_notification("note", stopped(prose(notice))) for notice in report.notices]
    configuration: list[Value] = [
        {
            **_notification("warning", f"{name(waiver.policy)}: {waiver_sentence(waiver)}"),
            "locations": [physical(waiver.location)],
        }
        for waiver in report.waivers
        if waiver.state is not WaiverState.ACTIVE
    ]
    return {
        "executionSuccessful": not report.inconclusive,
        "endTimeUtc": stamp(report.generated_at),
        "toolExecutionNotifications": execution,
        "toolConfigurationNotifications": configuration,
    }


def _unjudged(item: Inconclusive, index: Mapping[str, int]) -> dict[str, Value]:
    id_ = rule_id(item.policy)
    words = " ".join(stopped(prose(text)) for text in (item.detail, item.advice) if text)
    notification = {
        **_notification("error", f"{id_} is inconclusive ({item.reason}): {words}"),
        "locations": [physical(item.location)],
        "properties": {"reason": item.reason.value, "code": item.reason.code.value},
    }
    if id_ in index:
        notification["associatedRule"] = {"id": id_, "index": index[id_]}
    return notification


def _notification(level: str, text: str) -> dict[str, Value]:
    return {"level": level, "message": message(text)}


def _left_out(findings: Sequence[Finding]) -> Iterator[str]:
    """What the limits of code scanning keep from being seen."""
    missing = findings[MOST_RESULTS:]
    if missing:
        yield (
            f"{plural(len(missing), 'finding')} of {cents(dollars(missing))} left out: code scanning takes "
            f"{MOST_RESULTS:,} results, and these are the cheapest."
        )
    if len(findings) > MOST_SHOWN:
        unseen = findings[MOST_SHOWN:]
        yield (
            f"Code scanning shows {MOST_SHOWN:,} results; "
            f"{plural(len(unseen), 'finding')} of {cents(dollars(unseen))} lie beyond."
        )


def _properties(report: Report) -> dict[str, Value]:
    total, baseline = report.savings, report.baseline
    return {
        "verdict": report.verdict.value,
        "spend_usd": float(baseline.spend_usd) if baseline else None,
        "judged_spend_usd": float(report.coverage.judged_spend_usd),
        "savings_usd_per_month": {
            "gross": float(total.gross),
            "net_low": float(total.net_low),
            "net_expected": float(total.net_expected),
            "net_high": float(total.net_high),
            "waived": float(total.waived),
            "baselined": float(total.baselined),
        },
        "overrides": [override_json(item) for item in report.overrides],
    }
