"""A finding: who breaks which policy, by how much, what it costs and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.errors import Reason
    from orpolicy.location import Location
    from orpolicy.verdict import Severity, Verdict

Subject = dict[str, str | None]
"""Dimension name -> the name a person sees; empty for all traffic."""


class Confidence(StrEnum):
    """How a savings figure was come by."""

    EXACT = "exact"
    PRICED = "priced"
    BOUNDED = "bounded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Measure:
    """What the rule measured.

    Attributes:
        name: such as ``spend_usd``.
        value: finite.
        threshold: the one that was crossed.
        unit: for people: ``USD``, ``x``, ``USD/Mtok``, ``share``.
        note: more about the value, or "".
        label: what people call it instead of its name, or "".
    """

    name: str
    value: float
    threshold: float
    unit: str
    note: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Savings:
    """USD a month; low <= expected <= high, all None where confidence is unknown.

    Attributes:
        net: what this finding adds to the report's net, expected; None where unknown.
        formula: with its numbers filled in.
    """

    low: float | None
    expected: float | None
    high: float | None
    net: float | None
    confidence: Confidence
    formula: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to change.

    Attributes:
        action: a closed word such as ``swap-model``, ``enable-caching``.
        replacement: a model id, or None.
        text: one or two sentences for people.
        risk: what could be worse afterwards.
    """

    action: str
    replacement: str | None
    text: str
    risk: str


@dataclass(frozen=True, slots=True)
class Driver:
    """Who or what is behind a finding.

    Attributes:
        share: of the finding's spend, 0 to 1.
    """

    subject: Subject
    spend_usd: float
    share: float


@dataclass(frozen=True, slots=True)
class Verify:
    """How to see later whether it was fixed.

    Attributes:
        query: the body of the analytics query that shows the figure.
        curl: the same as a command line, with the key as an environment variable.
        expect: what the figure should fall to.
    """

    query: Mapping[str, object]
    curl: str
    expect: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach by one subject; money of the policy's window unless named otherwise.

    Attributes:
        fingerprint: 32 hex digits of policy id and subject identity; stable over time and renames.
        exposure_usd_per_month: spend above the threshold where it is no saving, else None.
        usd_per_mtok: None where there are no tokens.
        locations: where to change something, the most useful first; at least one.
        beyond_baseline: why a finding that was accepted is open again, or "".
    """

    fingerprint: str
    policy: str
    rule: str
    verdict: Verdict
    severity: Severity
    subject: Subject
    measure: Measure
    spend_usd: float
    tokens_total: int
    request_count: int
    usd_per_mtok: float | None
    savings: Savings
    recommendation: Recommendation
    drivers: tuple[Driver, ...]
    locations: tuple[Location, ...]
    verify: Verify
    owner: str = ""
    title: str = ""
    why: str = ""
    link: str = ""
    exposure_usd_per_month: float | None = None
    status: Status = Status.OPEN
    beyond_baseline: str = ""


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """A policy that could not be judged.

    Attributes:
        detail: what happened, with the source's own words where there are any.
        advice: what to do about it.
    """

    policy: str
    reason: Reason
    detail: str
    advice: str
    location: Location
