"""The findings of a run as SARIF results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.report import WaiverState
from orpolicy.reporters._json_finding import finding_json
from orpolicy.reporters._places import path
from orpolicy.reporters._plain_finding import level, sentences
from orpolicy.reporters._sarif_rules import rule_id
from orpolicy.reporters._sarif_words import LEVEL, message, physical, plain_message
from orpolicy.reporters._words import name, prose
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orpolicy.finding import Finding
    from orpolicy.location import Location
    from orpolicy.report import WaiverResult
    from orpolicy.reporters._json_value import Value

_FIGURES = (
    "verdict",
    "status",
    "spend_usd",
    "tokens_total",
    "request_count",
    "usd_per_mtok",
    "savings_usd_per_month",
    "exposure_usd_per_month",
)
"""What a result's properties have in common with the JSON format, under the same names."""

_HOLDING = frozenset({WaiverState.ACTIVE, WaiverState.EXPIRING, WaiverState.EXCEEDED})
"""States in which a waiver still covers findings; an exceeded one those below its limit."""


@dataclass(frozen=True, slots=True)
class Background:
    """What results refer to.

    Attributes:
        rules: rule id -> its place in the list of rules.
        waivers: policy id -> the waivers that cover findings of it.
        prices_of: when the catalogue was taken.
    """

    rules: Mapping[str, int]
    waivers: Mapping[str, tuple[WaiverResult, ...]]
    prices_of: datetime | None


def holding(waivers: tuple[WaiverResult, ...]) -> dict[str, tuple[WaiverResult, ...]]:
    """Policy id -> its waivers that cover findings."""
    by_policy: dict[str, tuple[WaiverResult, ...]] = {}
    for waiver in waivers:
        if waiver.findings and waiver.state in _HOLDING:
            by_policy[waiver.policy] = (*by_policy.get(waiver.policy, ()), waiver)
    return by_policy


def result_json(finding: Finding, background: Background) -> dict[str, Value]:
    """A finding as a result; its own fingerprint keeps the keys of one policy line apart on GitHub."""
    others = finding.locations[1:]
    id_ = rule_id(finding.policy)
    return {
        "ruleId": id_,
        "ruleIndex": background.rules[id_],
        "level": LEVEL[level(finding)],
        "message": {"text": _text(finding, others, background.prices_of)},
        "locations": [physical(finding.locations[0])],
        "relatedLocations": [
            {"id": number, **physical(location), "message": message(_place(location))}
            for number, location in enumerate(others, start=1)
        ],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint},
        "suppressions": _suppressions(finding, background.waivers.get(finding.policy, ())),
        "properties": _properties(finding),
    }


def _text(finding: Finding, others: tuple[Location, ...], prices_of: datetime | None) -> str:
    """The sentences, then links to the other places (3.11.6)."""
    text = plain_message(" ".join(sentences(finding, prices_of)))
    links = [f"[{_link_text(location)}]({number})" for number, location in enumerate(others, start=1)]
    return f"{text} See also {', '.join(links)}." if links else text


def _place(location: Location) -> str:
    return f"{prose(path(location.file))}:{location.line}"


def _link_text(location: Location) -> str:
    text = plain_message(_place(location))
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _properties(finding: Finding) -> dict[str, Value]:
    whole = finding_json(finding)
    return {
        **{key: whole[key] for key in _FIGURES},
        "measure": {
            "name": name(finding.measure.name),
            "value": float(finding.measure.value),
            "threshold": float(finding.measure.threshold),
            "unit": name(finding.measure.unit),
        },
        "subject": {
            name(dimension): None if member is None else name(member)
            for dimension, member in finding.subject.items()
        },
        "owner": name(finding.owner),
        "replacement": name(finding.recommendation.replacement or ""),
    }


def _suppressions(finding: Finding, waivers: tuple[WaiverResult, ...]) -> list[Value]:
    """None for an open finding; which of several waivers covers it is not known, so all are named."""
    if finding.status is Status.OPEN:
        return []
    accepted: dict[str, Value] = {"kind": "external", "status": "accepted"}
    if finding.status is Status.BASELINED:
        return [{**accepted, "justification": "Accepted in the baseline."}]
    why = "; or: ".join(f"{name(each.owner)}, until {each.until}: {prose(each.reason)}" for each in waivers)
    justified = {**accepted, "justification": why or "Waived."}
    return [{**justified, "location": physical(waivers[0].location)} if len(waivers) == 1 else justified]
