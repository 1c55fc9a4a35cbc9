"""What a finding is worth, and why the total may hold less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.reporters._figures import cents, days, significant
from orpolicy.reporters._words import name, prose, subject
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.finding import Finding, Savings
    from orpolicy.report import PolicyResult, Report

MOST_OTHERS = 3
NEARLY = 0.995

ASSUMED = {
    "swap-model": (
        "no cache hit on the other model, 30 % more tokens, at its dearest hours",
        "today's cache rate and 15 % more tokens, as tokenisers and verbosity differ",
        "today's cache rate and tokens, at its cheapest hours",
    ),
    "enable-caching": (
        "the hit rate rises to the threshold, two reads for each write",
        "the hit rate rises to the threshold, five reads for each write",
        "the best rate of any other key on the model, at most 80 %, and nothing written",
    ),
    "cut-reasoning": (
        "nothing is promised: nobody said that the thinking can go",
        "nothing is promised",
        "all reasoning above the allowed share goes",
    ),
}
"""Action -> what low, expected and high assume; ``swap-model`` without a price has other words."""

UNPRICED = ("no model to swap to could be priced", "the same", "all spend above the threshold goes")

SURENESS = {
    Confidence.EXACT: "exact: the bill itself says it",
    Confidence.PRICED: "priced: catalogue prices times your own tokens",
    Confidence.BOUNDED: "bounded: between nothing and the upper end",
    Confidence.UNKNOWN: "unknown: there is no figure, which is not the same as nothing",
}


def worth_words(finding: Finding, policy: PolicyResult | None) -> Iterator[str]:
    """The formula, then low, expected and high with what each assumes."""
    savings = finding.savings
    if finding.exposure_usd_per_month is not None:
        yield (
            f"exposure, not savings: {cents(finding.exposure_usd_per_month)} a month lie above the "
            "threshold, and nobody knows how much of it can be saved"
        )
    else:
        yield from _formula(finding)
    yield from _ends(finding)
    window = policy.window if policy else None
    if window is not None and not window.is_calendar_month and savings.expected is not None:
        factor = significant(window.monthly_factor, 4)
        yield f"a month is {factor} times the window of {days(window)}"
    yield SURENESS[savings.confidence]


def _formula(finding: Finding) -> Iterator[str]:
    equation, _, legend = prose(finding.savings.formula).partition("; ")
    yield equation
    if legend:
        yield f"that is: {legend}"


def _ends(finding: Finding) -> Iterator[str]:
    """Low, expected and high, with what each assumes."""
    low, expected, high = finding.savings.low, finding.savings.expected, finding.savings.high
    if low is None or expected is None or high is None:
        return
    if finding.savings.confidence is Confidence.EXACT and low == high:
        yield (
            f"low, expected and high are one: {cents(high)} a month, "
            "if all that is above the allowed share goes"
        )
        return
    ends = (("low", low), ("expected", expected), ("high", high))
    for (end, usd), assumed in zip(ends, _assumed(finding), strict=True):
        yield f"{end} {cents(usd)} a month: {assumed}"


def _assumed(finding: Finding) -> tuple[str, str, str]:
    action = finding.recommendation.action
    if action == "swap-model" and finding.savings.confidence is Confidence.BOUNDED:
        return UNPRICED
    return ASSUMED.get(action, ("the least", "as the formula says", "the most"))


def net_words(finding: Finding, report: Report) -> Iterator[str]:
    """What the finding adds to the net, and who else claims the same dollars."""
    savings = finding.savings
    if savings.expected is None or savings.net is None:
        yield "nothing: it has no savings figure"
        return
    if finding.status is not Status.OPEN:
        yield f"nothing: it is {finding.status}; alone it would save {_alone(savings)} a month"
        return
    if not savings.expected:
        yield "nothing: only the upper end of its range has a figure"
        return
    whole = f"{cents(savings.net)} of the net {cents(report.savings.net_expected)} a month"
    if savings.net >= savings.expected * NEARLY:
        yield f"{whole}: all that it is expected to save"
        return
    yield f"{whole}, though alone it would save {cents(savings.expected)}: no dollar counts twice"
    others = _rivals(finding, report)
    for other in others[:MOST_OTHERS]:
        yield (
            f"the same traffic is in {name(other.policy)}: {subject(other.subject)} "
            f"({other.fingerprint[:12]}), which adds {cents(other.savings.net or 0.0)}"
        )
    if len(others) > MOST_OTHERS:
        yield f"and in {len(others) - MOST_OTHERS:,} more"
    yield (
        "levers apply in this order to what is left: model, batch, cache, reasoning, surcharge; "
        "of one kind the largest counts"
    )


def _alone(savings: Savings) -> str:
    return f"up to {cents(savings.high or 0.0)}" if not savings.expected else cents(savings.expected)


def _rivals(finding: Finding, report: Report) -> list[Finding]:
    """Open findings with a share of the net on traffic that may be the same, the largest share first."""
    found = [
        other
        for other in report.findings
        if other.fingerprint != finding.fingerprint
        and other.status is Status.OPEN
        and (other.savings.net or 0.0) > 0
        and all(other.subject.get(key, member) == member for key, member in finding.subject.items())
    ]
    return sorted(found, key=lambda other: (-(other.savings.net or 0.0), other.fingerprint))
