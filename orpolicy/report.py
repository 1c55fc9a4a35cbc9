"""The report: computed once, shown by every format."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from orpolicy.errors import Reason
    from orpolicy.finding import Finding, Inconclusive, Subject
    from orpolicy.location import Location
    from orpolicy.period import Window
    from orpolicy.verdict import Severity, Verdict


@dataclass(frozen=True, slots=True)
class ReportSource:
    """Where the figures come from; see ``sources.base.SourceInfo``."""

    kind: str
    host: str
    requests: int
    cached_requests: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """All traffic of one window.

    Attributes:
        blended_usd_per_mtok: ``spend_usd / tokens_total * 1e6``, or None without tokens.
    """

    window: Window
    spend_usd: float
    tokens_total: int
    request_count: int
    blended_usd_per_mtok: float | None


@dataclass(frozen=True, slots=True)
class SavingsTotal:
    """USD a month over all open findings.

    Attributes:
        gross: plain sum of expected savings; not additive, as findings overlap.
        net_low: no dollar twice; likewise ``net_expected`` and ``net_high``.
        waived: what waived findings would add, expected.
        baselined: likewise those that the baseline accepts.
    """

    gross: float
    net_low: float
    net_expected: float
    net_high: float
    waived: float
    baselined: float = 0.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the baseline's spend some policy judged; share is None without spend."""

    judged_spend_usd: float
    share: float | None


@dataclass(frozen=True, slots=True)
class SubjectSpend:
    """What one key or model spent in the baseline's window.

    Attributes:
        usd_per_mtok: ``spend_usd / tokens_total * 1e6``, or None without tokens.
    """

    subject: Subject
    spend_usd: float
    tokens_total: int
    usd_per_mtok: float | None


@dataclass(frozen=True, slots=True)
class PeriodSpend:
    """All traffic of one complete week or month; ``usd_per_mtok`` as in ``SubjectSpend``."""

    window: Window
    spend_usd: float
    tokens_total: int
    usd_per_mtok: float | None


@dataclass(frozen=True, slots=True)
class SpendBreakdown:
    """Where the baseline's spend went, as far as the run's own queries tell; empty where they do not.

    Attributes:
        by_model: the models that spend most, largest first; may be fewer than ``models``.
        by_key: the keys that spend most, largest first; may be fewer than ``keys``.
        by_period: weeks, or months where no policy looked at weeks, oldest first.
        models: how many models were used.
        keys: how many keys were used.
    """

    by_model: tuple[SubjectSpend, ...] = ()
    by_key: tuple[SubjectSpend, ...] = ()
    by_period: tuple[PeriodSpend, ...] = ()
    models: int = 0
    keys: int = 0


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One policy's verdict with its proof.

    Attributes:
        rows_seen: subjects in the answer that the selectors matched.
        rows_judged: those measured against the thresholds.
        rows_under_floor: those left out as too small.
        rows_not_applicable: those the measure does not apply to (out of scope, or without tokens).
        spend_under_floor_usd: spend of the rows under the floor.
        findings: how many breaches, waived ones included.
        reason: why it is inconclusive, or None.
        notes: what a reader should know about the proof, such as why truncation was safe.
    """

    id: str
    rule: str
    verdict: Verdict
    severity: Severity
    location: Location
    owner: str
    title: str
    window: Window | None
    rows_seen: int
    rows_judged: int
    rows_under_floor: int
    rows_not_applicable: int
    judged_spend_usd: float
    spend_under_floor_usd: float
    findings: int
    reason: Reason | None
    queries: tuple[str, ...]
    notes: tuple[str, ...] = ()


class WaiverState(StrEnum):
    """How a waiver fared in this run."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    EXCEEDED = "exceeded"
    UNUSED = "unused"
    REFUSED = "refused"
    """Its policy is locked."""


@dataclass(frozen=True, slots=True)
class WaiverResult:
    """One waiver and what it covers.

    Attributes:
        findings: breaches that it matches.
        spend_usd: their spend in their windows.
    """

    policy: str
    state: WaiverState
    until: date
    reason: str
    owner: str
    findings: int
    spend_usd: float
    location: Location


@dataclass(frozen=True, slots=True)
class OverrideResult:
    """One thing that a policy file changed of what it extends.

    Attributes:
        policy: the id, or "" for a set or a default.
        key: such as ``fail_above``, ``disabled``, ``key_sets.batch`` or ``defaults.owner``.
        before: JSON of what held before; None where nothing did.
        after: JSON of what holds instead; None where the key is taken away.
        location: of the change.
    """

    policy: str
    key: str
    before: object
    after: object
    location: Location


@dataclass(frozen=True, slots=True)
class QueryRecord:
    """One query as it was asked.

    Attributes:
        complete_because: why the rows may be trusted to be enough, or why not.
        error: the source's error, or "".
    """

    id: str
    policies: tuple[str, ...]
    request: Mapping[str, object]
    rows: int
    truncated: bool
    complete_because: str
    cached_at: datetime | None
    from_cache: bool
    elapsed_ms: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """What an earlier run said of its window.

    Attributes:
        at: the run's clock.
        net_usd_per_month: net expected savings of its open findings.
    """

    at: datetime
    window: Window
    spend_usd: float
    net_usd_per_month: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Earlier windows of the baseline's kind and length, from the history of runs.

    Attributes:
        points: the latest run of each window that ended before the baseline's, oldest first; never empty.
    """

    points: tuple[TrendPoint, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a run found out.

    Attributes:
        generated_at: the run's clock.
        baseline: None where the source could not even say how much was spent.
        policies: in file order.
        findings: by net expected savings, then spend, both descending, then fingerprint.
        inconclusive: in policy order.
        waivers: in file order.
        queries: in the order asked.
        catalogue_taken_at: age of the prices behind every priced figure, or None.
        catalogue_models: how many models the catalogue lists, 0 without one.
        notices: what the reader should know about the run as a whole.
        spend: the baseline's spend by model, key and time.
        overrides: what policy files change of those that they extend, the innermost of each first.
        trend: what came before, where a history is given and knows something like it.
    """

    version: str
    verdict: Verdict
    source: ReportSource
    generated_at: datetime
    baseline: Baseline | None
    savings: SavingsTotal
    coverage: Coverage
    policies: tuple[PolicyResult, ...]
    findings: tuple[Finding, ...]
    inconclusive: tuple[Inconclusive, ...]
    waivers: tuple[WaiverResult, ...]
    queries: tuple[QueryRecord, ...]
    catalogue_taken_at: datetime | None = None
    catalogue_models: int = 0
    notices: tuple[str, ...] = ()
    spend: SpendBreakdown = SpendBreakdown()
    overrides: tuple[OverrideResult, ...] = ()
    trend: Trend | None = None
