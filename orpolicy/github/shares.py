"""A report by owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.github.told import open_findings

if TYPE_CHECKING:
    from orpolicy.finding import Finding, Inconclusive
    from orpolicy.report import Report


@dataclass(frozen=True, slots=True)
class Share:
    """One owner's part of a report.

    Attributes:
        owner: "" for policies without one.
        findings: the open ones.
        inconclusive: policies that could not be judged.
    """

    owner: str
    findings: tuple[Finding, ...]
    inconclusive: tuple[Inconclusive, ...]


def shares(report: Report) -> tuple[Share, ...]:
    """The report by owner, in the order of their names; those of policies without one come first."""
    owner_of = {policy.id: policy.owner for policy in report.policies}
    findings = open_findings(report)
    owners = {*owner_of.values(), *(finding.owner for finding in findings)}
    return tuple(
        Share(
            owner,
            tuple(finding for finding in findings if finding.owner == owner),
            tuple(item for item in report.inconclusive if owner_of.get(item.policy, "") == owner),
        )
        for owner in sorted(owners)
    )
