"""One run in a line of its own: figures and policy ids, and nobody's name."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.report import Report


class Kind(StrEnum):
    """What windows are alike."""

    MONTH = "month"
    TO_DATE = "to-date"
    WEEK = "week"
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """How one policy fared.

    Attributes:
        findings: how many, those set aside included.
        measure: of the finding that lies furthest beyond its threshold; "" without findings. So are
            ``value`` and ``threshold``.
    """

    verdict: Verdict
    findings: int
    measure: str = ""
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Net:
    """Net savings of open findings, USD a month."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class Record:
    """What one run came to.

    Attributes:
        at: the run's clock.
        source: its kind and host.
        window: of all traffic; None where nobody could say how much was spent. So are the next two.
        blended_usd_per_mtok: also None without tokens.
        findings: how many there are of each status.
        policies: id -> how it fared.
    """

    at: datetime
    verdict: Verdict
    source: tuple[str, str]
    window: Window | None
    spend_usd: float | None
    blended_usd_per_mtok: float | None
    net: Net
    findings: dict[Status, int]
    policies: dict[str, PolicyRecord]

    @classmethod
    def of(cls, report: Report) -> Record:
        """A report's record."""
        baseline, savings = report.baseline, report.savings
        counted = Counter(finding.status for finding in report.findings)
        return cls(
            at=report.generated_at,
            verdict=report.verdict,
            source=(report.source.kind, report.source.host),
            window=baseline.window if baseline else None,
            spend_usd=baseline.spend_usd if baseline else None,
            blended_usd_per_mtok=baseline.blended_usd_per_mtok if baseline else None,
            net=Net(savings.net_low, savings.net_expected, savings.net_high),
            findings={status: counted[status] for status in Status},
            policies={
                policy.id: _policy(
                    policy.verdict, [one for one in report.findings if one.policy == policy.id]
                )
                for policy in report.policies
            },
        )

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same run: clock, source, window and policies, whatever it found."""
        return self.at, self.source, self.window, tuple(sorted(self.policies))

    @property
    def is_good(self) -> bool:
        """Whether the run judged: it passed, warned or failed."""
        return self.verdict is not Verdict.INCONCLUSIVE


def _policy(verdict: Verdict, findings: list[Finding]) -> PolicyRecord:
    if not findings:
        return PolicyRecord(verdict, 0)
    worst = max((finding.measure for finding in findings), key=lambda one: abs(one.value - one.threshold))
    return PolicyRecord(verdict, len(findings), worst.name, worst.value, worst.threshold)


def kind_of(window: Window) -> tuple[Kind, float]:
    """What kind of window it is, and how long where that is not said by the kind: those alike compare."""
    if window.to_date:
        return Kind.TO_DATE, window.days
    if window.is_calendar_month:
        return Kind.MONTH, 0.0
    return (Kind.WEEK, 0.0) if window.is_calendar_week else (Kind.SPAN, window.days)
