"""How a measured value comes about, with the numbers filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import cents, count, significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.report import Baseline

_DIGITS = 6


def arithmetic(finding: Finding, baseline: Baseline | None, window: Window | None) -> Iterator[str]:
    """The division behind a value, where a report holds both of its sides; else nothing.

    Args:
        finding: whose value.
        baseline: all traffic of the report's window.
        window: the policy's; the baseline is only used where it is of the same.
    """
    if finding.rule in {"blended-multiple", "usd-per-mtok"}:
        yield _rate(finding.spend_usd, finding.tokens_total, "this row")
    if finding.rule == "blended-multiple" and baseline is not None and baseline.window == window:
        yield _rate(baseline.spend_usd, baseline.tokens_total, "all traffic")
        yield _blended(finding, baseline)
    if finding.rule == "cost-per-request" and finding.request_count:
        value = finding.spend_usd / finding.request_count
        yield (
            f"{cents(finding.spend_usd)} / {count(finding.request_count)} requests = "
            f"${significant(value, _DIGITS)} a request"
        )


def _rate(spend_usd: float, tokens: int, whose: str) -> str:
    if tokens <= 0:
        return f"{whose}: {cents(spend_usd)}, no tokens"
    value = significant(spend_usd / tokens * 1e6, _DIGITS)
    return f"{whose}: {cents(spend_usd)} / {count(tokens)} tokens x 1,000,000 = {value} $/Mtok"


def _blended(finding: Finding, baseline: Baseline) -> str:
    own, blended = finding.usd_per_mtok or 0.0, baseline.blended_usd_per_mtok or 0.0
    return (
        f"{significant(own, _DIGITS)} / {significant(blended, _DIGITS)} = "
        f"{significant(finding.measure.value, _DIGITS)}"
    )
