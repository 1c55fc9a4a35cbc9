"""A unit test of policies as a value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orpolicy.account import Directory
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orpolicy.account import Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.errors import Reason
    from orpolicy.location import Location
    from orpolicy.table import Member, Number

TOLERANCE = 1e-6
"""Relative: what a person writes as one number may differ by so much."""

SMALLEST = 1e-9
"""Absolute, for figures around 0."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Where a figure should lie.

    Attributes:
        least: -inf where there is no lower limit.
        most: inf where there is no upper limit.
    """

    least: float = -math.inf
    most: float = math.inf

    def off_by(self, value: float) -> float:
        """How far a figure lies outside, negative below; 0 inside and as near as makes no difference."""
        edge = min(max(value, self.least), self.most)
        is_near = math.isclose(value, edge, rel_tol=TOLERANCE, abs_tol=SMALLEST)
        return 0.0 if is_near else value - edge


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one policy should say.

    Attributes:
        policy: the policy's id.
        subject: dimension -> name; empty: whatever the subject.
        status: of a finding.
        reason: of an inconclusive policy, or None for any.
        measure: None for any.
        savings: ``low``, ``expected`` or ``high`` -> USD a month.
    """

    policy: str
    verdict: Verdict
    location: Location
    subject: Mapping[str, str | None] = field(default_factory=dict)
    status: Status = Status.OPEN
    reason: Reason | None = None
    measure: Amount | None = None
    savings: Mapping[str, Amount] = field(default_factory=dict)

    @property
    def is_finding(self) -> bool:
        """Whether a finding is expected; else that there is none, or no judgement."""
        return self.verdict in {Verdict.FAIL, Verdict.WARN}


@dataclass(frozen=True, slots=True)
class Usage:
    """One row of a fixture.

    Attributes:
        day: ISO, or "" for the last one of the default window.
        members: as analytics shows them.
        metrics: additive ones; counts as int, dollars as float.
        key_hash: of the key where the fixture lists it, else None.
    """

    day: str
    members: Mapping[str, Member]
    metrics: Mapping[str, Number | None]
    key_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One test.

    Attributes:
        now: the clock, aware, UTC.
        now_place: where that stands.
        catalogue: None where the test lists no models.
        guardrails: None where the test lists none.
        todo: whether it is known to fail.
    """

    name: str
    location: Location
    now: datetime
    now_place: Location
    rows: tuple[Usage, ...]
    expectations: tuple[Expectation, ...]
    directory: Directory = field(default_factory=Directory)
    catalogue: Catalog | None = None
    guardrails: tuple[Guardrail, ...] | None = None
    todo: bool = False
