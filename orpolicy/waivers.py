"""Agreed exceptions: which findings they cover, and whether they still hold."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.report import WaiverResult, WaiverState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from orpolicy.account import Account
    from orpolicy.policy.model import Waiver
    from orpolicy.policy.patterns import Matcher
    from orpolicy.table import Member

EXPIRING_WITHIN = timedelta(days=14)

ROUNDING = 1e-9
"""Part of a bound by which dollars that were scaled to a month may seem to be above it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A breach as a waiver sees it.

    Attributes:
        fingerprint: of the finding.
        subject: dimension -> member.
        spend_usd: in the finding's window.
        usd_per_month: the same as a month's.
        locked: whether its policy refuses waivers.
    """

    fingerprint: str
    policy: str
    subject: Mapping[str, Member]
    spend_usd: float
    usd_per_month: float
    locked: bool


@dataclass(frozen=True, slots=True)
class ReadyWaiver:
    """A waiver with its selectors made ready."""

    waiver: Waiver
    where: Mapping[str, Matcher]


def apply_waivers(
    waivers: Sequence[ReadyWaiver], claims: Sequence[Claim], today: date, account: Account
) -> tuple[frozenset[str], tuple[WaiverResult, ...]]:
    """The fingerprints of waived findings, and how each waiver fared, in the waivers' order."""
    waived: set[str] = set()
    results = []
    for ready in waivers:
        covered = [claim for claim in claims if _covers(ready, claim, account)]
        state = _state(ready.waiver, covered, today)
        if state in {WaiverState.ACTIVE, WaiverState.EXPIRING, WaiverState.EXCEEDED}:
            waived |= {claim.fingerprint for claim in covered if not _exceeds(ready.waiver, claim)}
        results.append(_result(ready.waiver, state, covered))
    return frozenset(waived), tuple(results)


def _covers(ready: ReadyWaiver, claim: Claim, account: Account) -> bool:
    """Whether the claim is of the waiver's policy and its subject is meant by every selector."""
    return ready.waiver.policy == claim.policy and all(
        dimension in claim.subject and matcher.matches(account.names(dimension, claim.subject[dimension]))
        for dimension, matcher in ready.where.items()
    )


def _exceeds(waiver: Waiver, claim: Claim) -> bool:
    bound = waiver.max_spend_usd_per_month
    return bound is not None and claim.usd_per_month > bound * (1 + ROUNDING)


def _state(waiver: Waiver, covered: Sequence[Claim], today: date) -> WaiverState:
    if today > waiver.until:
        return WaiverState.EXPIRED
    if not covered:
        return WaiverState.UNUSED
    if covered[0].locked:
        return WaiverState.REFUSED
    if any(_exceeds(waiver, claim) for claim in covered):
        return WaiverState.EXCEEDED
    return WaiverState.EXPIRING if waiver.until - today <= EXPIRING_WITHIN else WaiverState.ACTIVE


def _result(waiver: Waiver, state: WaiverState, covered: Sequence[Claim]) -> WaiverResult:
    return WaiverResult(
        policy=waiver.policy,
        state=state,
        until=waiver.until,
        reason=waiver.reason,
        owner=waiver.owner,
        findings=len(covered),
        spend_usd=math.fsum(claim.spend_usd for claim in covered),
        location=waiver.location,
    )
