"""From drafts to findings: waivers and the baseline applied, the net shared out, the order fixed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.binding import waived_subjects
from orpolicy.errors import SourceError
from orpolicy.findings import settled
from orpolicy.gather import attempt
from orpolicy.nouns import dataclass
from orpolicy.report import SavingsTotal
from orpolicy.savings.net import combine
from orpolicy.verdict import Status
from orpolicy.waivers import Claim, ReadyWaiver, apply_waivers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from orpolicy.baseline import Ratchet
    from orpolicy.finding import Finding
    from orpolicy.findings import Draft
    from orpolicy.report import WaiverResult
    from orpolicy.savings.net import Net
    from orpolicy.staging import Stage


@dataclass(frozen=True, slots=True)
class Settlement:
    """The findings of a run with what they are worth together.

    Attributes:
        findings: by net expected savings, then spend, both descending, then fingerprint.
        savings: of the open ones, of the waived and of the baselined.
        waivers: of the chosen policies, in file order.
    """

    findings: tuple[Finding, ...]
    savings: SavingsTotal
    waivers: tuple[WaiverResult, ...]


def settle(drafts: Sequence[Draft], stage: Stage, ratchet: Ratchet | None = None) -> Settlement:
    """Set aside what is agreed on, and share the net of the rest among its findings.

    A finding that is both waived and accepted by the baseline counts as waived.
    """
    claims = _claims(drafts, stage)
    waived, waivers = apply_waivers(_ready(stage), claims, stage.scene.now.date(), stage.scene.account)
    drafts = [
        replace(item, finding=_set_aside(item.finding, claim, waived, ratchet))
        for item, claim in zip(drafts, claims, strict=True)
    ]
    nets = {status: _net(drafts, status) for status in Status}
    findings = [
        settled(item, nets[item.finding.status].shares.get(item.finding.fingerprint), item.finding.status)
        for item in drafts
    ]
    return Settlement(tuple(sorted(findings, key=_rank)), _total(nets), waivers)


def _net(drafts: Sequence[Draft], status: Status) -> Net:
    return combine(
        {item.finding.fingerprint: item.estimate for item in drafts if item.finding.status is status}
    )


def _set_aside(finding: Finding, claim: Claim, waived: Collection[str], ratchet: Ratchet | None) -> Finding:
    """The finding with its status, and with the reason if the baseline does not hold."""
    if claim.fingerprint in waived:
        return replace(finding, status=Status.WAIVED)
    if ratchet is None:
        return finding
    if not claim.locked and ratchet.holds(finding, claim.usd_per_month):
        return replace(finding, status=Status.BASELINED)
    objection = ratchet.objection(finding, claim.usd_per_month, locked=claim.locked)
    return replace(finding, beyond_baseline=objection)


def _total(nets: Mapping[Status, Net]) -> SavingsTotal:
    net = nets[Status.OPEN]
    return SavingsTotal(
        gross=net.gross,
        net_low=net.low,
        net_expected=net.expected,
        net_high=net.high,
        waived=nets[Status.WAIVED].expected,
        baselined=nets[Status.BASELINED].expected,
    )


def _rank(finding: Finding) -> tuple[float, float, str]:
    net = finding.savings.net
    return (-net if net is not None else math.inf, -finding.spend_usd, finding.fingerprint)


def _ready(stage: Stage) -> list[ReadyWaiver]:
    """The waivers of the chosen policies; one whose sets cannot be made here waives nothing."""
    chosen = {policy.id for policy in stage.policies}
    ready = []
    for waiver in stage.written.waivers:
        where = attempt(waived_subjects, waiver, stage.scene.sets)
        if waiver.policy in chosen and not isinstance(where, SourceError):
            ready.append(ReadyWaiver(waiver, where))
    return ready


def _claims(drafts: Sequence[Draft], stage: Stage) -> list[Claim]:
    locked = {policy.id: policy.locked for policy in stage.policies}
    return [
        Claim(
            fingerprint=item.finding.fingerprint,
            policy=item.finding.policy,
            subject=item.subject,
            spend_usd=item.finding.spend_usd,
            usd_per_month=item.usd_per_month,
            locked=locked[item.finding.policy],
        )
        for item in drafts
    ]
