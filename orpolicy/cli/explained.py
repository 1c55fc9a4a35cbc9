"""What ``orpolicy explain`` looks for beside its own manuals: policies in files, findings in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orpolicy.cli.options import load_policies, opened, parse_now
from orpolicy.cli.width import page_width
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.policy.model import Policy, PolicySet
    from orpolicy.report import Report

REPORT = Path("orpolicy-report.json")
"""The report that is looked at if nobody names another, where it is there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a policy or a finding is looked for; the attributes are options."""

    paths: tuple[Path, ...]
    packs: tuple[str, ...]
    report: Path | None
    source: str | None
    now: str | None
    catalog: Path | None

    @property
    def names_files(self) -> bool:
        """Whether the command line names policy files, and no figures."""
        return bool(self.paths or self.packs) and not self.names_figures

    @property
    def names_figures(self) -> bool:
        """Whether the command line says where findings are."""
        return self.report is not None or self.source is not None

    def policies(self) -> PolicySet | None:
        """The policies, or None where there are none and nobody named any.

        Raises:
            UsageError: if a path or pack that was named does not exist.
            PolicyError: if the files are wrong.
        """
        try:
            return load_policies(self.paths, self.packs)
        except UsageError:
            if self.paths or self.packs:
                raise
            return None

    def findings(self) -> Report | None:
        """The report, from its file or from a run in memory; None where there is neither.

        Raises:
            UsageError: if both are named, the file is no report, or the source cannot be opened.
            PolicyError: if the files are wrong.
        """
        if self.source is not None and self.report is not None:
            raise UsageError("--report and --source: the finding is in one or the other")
        if self.source is not None:
            return self._run(self.source)
        file = self.report or (REPORT if REPORT.is_file() else None)
        if file is None:
            return None
        from orpolicy.report_file import read_report

        return read_report(file)

    def _run(self, source: str) -> Report:
        from orpolicy.lint import lint
        from orpolicy.staging import Choice

        policies = load_policies(self.paths, self.packs, source)
        with opened(source, parse_now(self.now), self.catalog) as figures:
            return lint(policies, figures, Choice())


def explained_policy(name: str, place: Place, seen: list[str]) -> Iterator[str] | None:
    """A policy in plain words, or None; the ids that there are go to ``seen``.

    Raises:
        UsageError: as ``Place.policies``.
        PolicyError: as ``Place.policies``.
    """
    policies = place.policies()
    if policies is None:
        return None
    seen += [policy.id for policy in policies.policies]
    policy = next((policy for policy in policies.policies if policy.id == name), None)
    return None if policy is None else _page(policy, policies, place)


def _page(policy: Policy, policies: PolicySet, place: Place) -> Iterator[str]:
    from orpolicy.catalog.load import load_catalog
    from orpolicy.explaining.page import policy_page
    from orpolicy.planning import Nobody, make_plan
    from orpolicy.staging import Choice, set_stage

    clock = parse_now(place.now) or datetime.now(UTC)
    nobody = Nobody(clock, load_catalog(place.catalog) if place.catalog else None)
    choice = Choice(select=(policy.id,))
    bounds = set_stage(policies, nobody, choice).bounds
    window = bounds[0].window if bounds else None
    return policy_page(policy, policies, window, make_plan(policies, nobody, choice), page_width())


def explained_finding(name: str, place: Place, seen: list[str]) -> Iterator[str] | None:
    """A finding step by step, or None; the fingerprints that there are go to ``seen``.

    Raises:
        UsageError: as ``Place.findings``, or if several fingerprints begin so.
        PolicyError: as ``Place.findings``.
    """
    from orpolicy.explaining.find import find, is_fingerprint

    if not (is_fingerprint(name) or place.names_figures):
        return None
    report = place.findings()
    if report is None:
        return None
    from orpolicy.explaining.page import finding_page

    seen += [finding.fingerprint for finding in report.findings]
    found = find(report, name) if is_fingerprint(name) else None
    return None if found is None else finding_page(found, report, page_width())
