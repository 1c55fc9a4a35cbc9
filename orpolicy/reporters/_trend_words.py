"""What a run says of those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import money, share, span
from orpolicy.reporters._headline import CENT

if TYPE_CHECKING:
    from orpolicy.report import Report

MOST_SHOWN = 6
"""So many windows, the last one among them."""


def trend_sentence(report: Report) -> str:
    """``Against April 2026: spend +$1,234 (+6 %), net savings -$200 a month.``; "" without a trend."""
    if report.trend is None or report.baseline is None:
        return ""
    before = report.trend.points[-1]
    change = report.baseline.spend_usd - before.spend_usd
    part = f" ({_signed(share(abs(change) / before.spend_usd), change)})" if before.spend_usd >= CENT else ""
    net = report.savings.net_expected - before.net_usd_per_month
    return (
        f"Against {span(before.window)}: spend {_dollars(change)}{part}, net savings {_dollars(net)} a month."
    )


def trend_rows(report: Report) -> tuple[tuple[str, float, float], ...]:
    """Window, spend and net savings a month of the last windows, this run's last; () without a trend."""
    if report.trend is None or report.baseline is None:
        return ()
    before = [(span(item.window), item.spend_usd, item.net_usd_per_month) for item in report.trend.points]
    now = (span(report.baseline.window), report.baseline.spend_usd, report.savings.net_expected)
    return (*before[-(MOST_SHOWN - 1) :], now)


def _dollars(change: float) -> str:
    return "unchanged" if abs(change) < CENT else _signed(money(abs(change)), change)


def _signed(text: str, change: float) -> str:
    return f"{'-' if change < 0 else '+'}{text}"
