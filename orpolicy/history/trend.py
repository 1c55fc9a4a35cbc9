"""What came before a run, as its report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.history.record import kind_of
from orpolicy.report import Trend, TrendPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.history.record import Record
    from orpolicy.period import Window
    from orpolicy.report import Report

MOST_POINTS = 12


def trend_of(report: Report, records: Sequence[Record]) -> Trend | None:
    """Earlier windows of the kind and length of a report's; None where none is known.

    Args:
        report: of this run.
        records: in the order of their clocks; of each window the latest run counts, and only those of the
            same source and the same policies, as net savings are theirs.
    """
    if report.baseline is None:
        return None
    window = report.baseline.window
    policies = {policy.id for policy in report.policies}
    points: dict[Window, TrendPoint] = {}
    for record in records:
        earlier = record.window is not None and _is_before(record.window, window)
        alike = record.source == (report.source.kind, report.source.host) and set(record.policies) == policies
        if earlier and alike and record.window is not None and record.spend_usd is not None:
            points[record.window] = TrendPoint(
                record.at, record.window, record.spend_usd, record.net.expected
            )
    ranked = sorted(points.values(), key=lambda point: (point.window.end, point.window.start))
    return Trend(tuple(ranked[-MOST_POINTS:])) if ranked else None


def _is_before(other: Window, window: Window) -> bool:
    return kind_of(other) == kind_of(window) and other.end < window.end
