"""Reports as files, and the command that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import samples

from orpolicy.cli.main import run
from orpolicy.errors import Reason
from orpolicy.finding import Inconclusive
from orpolicy.location import Location
from orpolicy.plugins import REPORTERS
from orpolicy.reporters.base import Style
from orpolicy.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orpolicy.finding import Finding
    from orpolicy.report import Report


def breach(number: int, spend_usd: float = 1000.0, **changes: object) -> Finding:
    """An open finding of the policy ``p`` with the subject ``key-<number>``."""
    base: dict[str, object] = {
        "policy": "p",
        "subject": {"api_key_id": f"key-{number}"},
        "spend_usd": spend_usd,
        "owner": "data",
    }
    return samples.finding(number, **{**base, **changes})


def judged(
    *findings: Finding, owners: Mapping[str, str] | None = None, unjudged: tuple[str, ...] = ()
) -> Report:
    """A report on May 2026.

    Args:
        findings: its findings.
        owners: policy -> owner; those of the findings where None.
        unjudged: which of the policies are inconclusive.
    """
    owners = {finding.policy: finding.owner for finding in findings} if owners is None else owners
    failed = {finding.policy for finding in findings}
    policies = tuple(
        samples.policy(
            name,
            Verdict.INCONCLUSIVE if name in unjudged else Verdict.FAIL if name in failed else Verdict.PASS,
            owner=owner,
        )
        for name, owner in owners.items()
    )
    inconclusive = tuple(
        Inconclusive(name, Reason.TRUNCATED, "rows are missing", "narrow it", Location("p.yaml", 3, 1))
        for name in unjudged
    )
    return samples.report(
        verdict=Verdict.FAIL if findings else Verdict.PASS,
        policies=policies,
        findings=findings,
        inconclusive=inconclusive,
    )


def written(path: Path, report: Report) -> Path:
    """The report in a file, as ``check`` writes it."""
    path.write_text(REPORTERS["json"]().render(report, Style()), encoding="utf-8")
    return path


def notify(folder: Path, report: Report, *arguments: str) -> int:
    """The exit code of ``orpolicy notify`` with that report."""
    return run(["notify", str(written(folder / "report.json", report)), *arguments])
