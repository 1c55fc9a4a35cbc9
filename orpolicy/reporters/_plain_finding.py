"""A finding in plain sentences, for formats that have a title and a message."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.reporters._figures import cents, rate, share, tokens
from orpolicy.reporters._words import (
    how_sure,
    measured,
    name,
    plural,
    prose,
    remark,
    share_of_net,
    subject,
)
from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from orpolicy.finding import Finding, Savings
    from orpolicy.report import Report

MOST_DRIVERS = 3


def level(finding: Finding) -> Severity:
    """How loudly to say it: only what fails is an error."""
    if finding.severity is Severity.ERROR and finding.verdict is not Verdict.FAIL:
        return Severity.WARNING
    return finding.severity


def of_status(report: Report, status: Status) -> list[Finding]:
    """The report's findings of a status, dearest first."""
    return [finding for finding in report.findings if finding.status is status]


def breach(finding: Finding) -> str:
    """Who breaks the threshold, and by how much: ``batch-pipeline: spend $6,067 (fails above $0)``."""
    return f"{subject(finding.subject)}: {prose(measured(finding))}"


def sentences(finding: Finding, prices_of: datetime | None) -> tuple[str, ...]:
    """Everything people need, the most telling first; each on one line, with its full stop.

    Args:
        finding: what to tell.
        prices_of: when the catalogue behind priced figures was taken.
    """
    advice = finding.recommendation
    texts = (
        breach(finding),
        remark(finding),
        traffic(finding),
        prose(advice.text),
        saves(finding, prices_of),
        exposed(finding),
        _labelled("Behind it", drivers(finding)),
        _labelled("Risk", prose(advice.risk)),
        _labelled("Why", prose(finding.why)),
        _labelled("Owner", name(finding.owner)),
        _labelled("Check", prose(finding.verify.expect)),
    )
    return tuple(stopped(text) for text in texts if text)


def _labelled(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


def stopped(text: str) -> str:
    """The text with a full stop, where it has none."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def traffic(finding: Finding) -> str:
    """What was bought: ``Spent $6,067.00 on 127M tokens in 37,000 requests, 47.8 $/Mtok``."""
    bought = f"{tokens(finding.tokens_total)} tokens in {plural(finding.request_count, 'request')}"
    priced = "" if finding.usd_per_mtok is None else f", {rate(finding.usd_per_mtok)}"
    return f"Spent {cents(finding.spend_usd)} on {bought}{priced}"


def saves(finding: Finding, prices_of: datetime | None) -> str:
    """What the fix is worth: ``Saves $3,120.90 a month ($2,480.40 to $4,010.60), priced 2026-08-08``."""
    savings = finding.savings
    if savings.low is None or savings.high is None:
        return "Savings unknown"
    between = "" if savings.low == savings.high else f" ({cents(savings.low)} to {cents(savings.high)})"
    bounded = savings.confidence is Confidence.BOUNDED
    worth = f"Saves {saved(savings)} a month{'' if bounded else between}"
    adds = share_of_net(finding) if finding.status is Status.OPEN else ""
    return "; ".join(part for part in (worth, how_sure(savings.confidence, prices_of), adds) if part)


def saved(savings: Savings) -> str:
    """The figure alone, a month, to the cent: ``$3,120.90``, ``up to $4,010.60``, ``unknown``."""
    if savings.expected is None or savings.high is None:
        return "unknown"
    if savings.confidence is Confidence.BOUNDED:
        return f"up to {cents(savings.high)}"
    return cents(savings.expected)


def exposed(finding: Finding) -> str:
    """What lies above the threshold without being a saving, or ""."""
    usd = finding.exposure_usd_per_month
    return "" if usd is None else f"Exposed: {cents(usd)} a month above the threshold, not a saving"


def drivers(finding: Finding) -> str:
    """Who or what is behind it, largest first: ``batch-pipeline 98 %, web-app 2 % and 3 more``."""
    shown = [f"{subject(each.subject)} {share(each.share)}" for each in finding.drivers[:MOST_DRIVERS]]
    more = len(finding.drivers) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def dollars(findings: Iterable[Finding]) -> float:
    """What findings spent together; not additive where they overlap."""
    return math.fsum(finding.spend_usd for finding in findings)
