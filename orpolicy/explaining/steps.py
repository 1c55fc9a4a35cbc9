"""One finding from rows to dollars: each step with the report's own numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.explaining.arithmetic import arithmetic
from orpolicy.explaining.worth import net_words, worth_words
from orpolicy.plugins import RULES
from orpolicy.reporters._figures import cents, count, rate, share, significant
from orpolicy.reporters._waiver_words import waiver_sentence
from orpolicy.reporters._words import measured, name, plural, proof, prose, remark, subject
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.finding import Finding
    from orpolicy.report import PolicyResult, Report


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation.

    Attributes:
        title: a few words.
        lines: a sentence each.
        commands: to be copied as they are.
    """

    title: str
    lines: tuple[str, ...]
    commands: tuple[str, ...] = ()


def headline(finding: Finding) -> str:
    """``WARN  review-outlier-keys: batch-pipeline on northwind/atlas-3-pro-preview``."""
    word = finding.verdict if finding.status is Status.OPEN else finding.status
    return f"{word.upper()}  {name(finding.policy)}: {subject(finding.subject)}"


def steps(finding: Finding, report: Report) -> tuple[Step, ...]:
    """The steps, from what was looked at to how a fix is verified."""
    policy = next((item for item in report.policies if item.id == finding.policy), None)
    return (
        Step("What was looked at", tuple(_rows(finding, policy, report))),
        Step("What was measured", tuple(_measure(finding, policy, report))),
        Step("What that is held against", tuple(_threshold(finding))),
        Step("Who is behind it", tuple(_drivers(finding))),
        Step("What it is worth", tuple(worth_words(finding, policy))),
        Step("What it adds to the total", tuple(net_words(finding, report))),
        Step("Where it stands", tuple(_state(finding, report))),
        Step("What to do", tuple(_advice(finding))),
        Step("How to see that it worked", (prose(finding.verify.expect),), (finding.verify.curl,)),
    )


def _rows(finding: Finding, policy: PolicyResult | None, report: Report) -> Iterator[str]:
    if policy is not None:
        yield proof(policy)
    asked = [query for query in report.queries if policy is not None and query.id in policy.queries]
    for query in asked:
        dimensions = ", ".join(map(str, _list(query.request.get("dimensions")))) or "all traffic"
        yield f"{query.id}: {dimensions}, {plural(query.rows, 'row')}; {prose(query.complete_because)}"
    rated = "no tokens" if finding.usd_per_mtok is None else rate(finding.usd_per_mtok)
    yield (
        f"this row: {cents(finding.spend_usd)}, {count(finding.tokens_total)} tokens, "
        f"{plural(finding.request_count, 'request')}, {rated}"
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _measure(finding: Finding, policy: PolicyResult | None, report: Report) -> Iterator[str]:
    known = finding.rule in RULES
    what = RULES[finding.rule].measures.replace("`", "") if known else finding.measure.name
    yield f"{finding.measure.name}: {what}"
    window = policy.window if policy else None
    yield from arithmetic(finding, report.baseline, window)
    if note := remark(finding):
        yield note


def _threshold(finding: Finding) -> Iterator[str]:
    yield measured(finding)
    value, limit = finding.measure.value, finding.measure.threshold
    if limit and value / limit >= 1:
        yield f"{significant(value / limit)} times the threshold"
    elif limit:
        yield f"{share(value / limit)} of the threshold"
    else:
        yield "the threshold is 0: any of it is a breach"


def _drivers(finding: Finding) -> Iterator[str]:
    for driver in finding.drivers:
        yield f"{subject(driver.subject)}: {cents(driver.spend_usd)}, {share(driver.share)}"
    if not finding.drivers:
        yield "nothing more is known: the traffic could not be laid out by key and model"
    elif {"api_key_id", "model"} <= set(finding.subject):
        yield "the share is that of all spend on the model"
    elif finding.recommendation.action == "cut-surcharge":
        yield "the dollars are those of the surcharge"


def _state(finding: Finding, report: Report) -> Iterator[str]:
    if finding.status is Status.OPEN:
        yield "open: it counts"
        if finding.beyond_baseline:
            yield prose(finding.beyond_baseline)
    elif finding.status is Status.BASELINED:
        yield "accepted by the baseline, while neither its measure nor its dollars get worse"
    else:
        yield "waived: it does not count, and stays in every report"
    for waiver in report.waivers:
        if waiver.policy == finding.policy:
            yield waiver_sentence(waiver)


def _advice(finding: Finding) -> Iterator[str]:
    advice = finding.recommendation
    yield prose(advice.text)
    yield f"Risk: {prose(advice.risk)}"
    places = [f"{name(place.file)}:{place.line}" for place in finding.locations]
    yield f"Where: {', '.join(places)}"
    if finding.owner:
        yield f"Whose: {name(finding.owner)}"
