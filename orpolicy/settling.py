"""From drafts to findings: waivers applied, the net shared out, the order fixed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.binding import waived_subjects
from orpolicy.errors import SourceError
from orpolicy.findings import settled
from orpolicy.gather import attempt
from orpolicy.report import SavingsTotal
from orpolicy.savings.net import combine
from orpolicy.verdict import Status
from orpolicy.waivers import Claim, ReadyWaiver, apply_waivers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.finding import Finding
    from orpolicy.findings import Draft
    from orpolicy.report import WaiverResult
    from orpolicy.staging import Stage


@dataclass(frozen=True, slots=True)
class Settlement:
    """The findings of a run with what they are worth together.

    Attributes:
        findings: by net expected savings, then spend, both descending, then fingerprint.
        waivers: of the chosen policies, in file order.
    """

    findings: tuple[Finding, ...]
    savings: SavingsTotal
    waivers: tuple[WaiverResult, ...]


def settle(drafts: Sequence[Draft], stage: Stage) -> Settlement:
    """Waive what is agreed on, and share the net of the rest among its findings."""
    waived, waivers = apply_waivers(
        _ready(stage), _claims(drafts, stage), stage.scene.now.date(), stage.scene.account
    )
    net = combine({d.finding.fingerprint: d.estimate for d in drafts if d.finding.fingerprint not in waived})
    beside = combine({d.finding.fingerprint: d.estimate for d in drafts if d.finding.fingerprint in waived})
    findings = [
        settled(
            item,
            (beside if item.finding.fingerprint in waived else net).shares.get(item.finding.fingerprint),
            Status.WAIVED if item.finding.fingerprint in waived else Status.OPEN,
        )
        for item in drafts
    ]
    return Settlement(
        findings=tuple(sorted(findings, key=_rank)),
        savings=SavingsTotal(
            gross=net.gross,
            net_low=net.low,
            net_expected=net.expected,
            net_high=net.high,
            waived=beside.expected,
        ),
        waivers=waivers,
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
