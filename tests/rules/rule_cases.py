"""Cases of the rule kinds as files: policies, records and what must come of them.

A file ``cases/<kind>.yaml`` holds ``cases``; what stands beside them (``now``, ``base``, ``catalogue``,
``policies``, ``records``) holds for every case that does not say otherwise. A record is ``base`` with the
fields that it names; a field that neither names is null. ``keys`` are rows of ``GET /keys``, ``guardrails``
of ``GET /guardrails`` with ``assigned`` beside. ``expect`` has one entry a policy:

    verdict: fail
    rows: {seen: 3, judged: 2, under_floor: 1, not_applicable: 0}      # those left out are 0
    findings: [...]                                                    # all of them; none if absent
    reason: nothing-matched                                            # of an inconclusive policy

A finding names any of the keys of ``finding_facts``. A case with ``refused`` instead of ``expect`` lists a
part of each problem that loading its policies must report, in order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from orpolicy.account import Directory
from orpolicy.catalog.load import parse_catalog
from orpolicy.lint import lint
from orpolicy.period import parse_moment
from orpolicy.policy import document
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds
from orpolicy.query.vocabulary import DIMENSIONS
from orpolicy.sources._listings import decode_guardrail, decode_key
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.account import Guardrail
    from orpolicy.finding import Finding
    from orpolicy.policy.model import Json, PolicySet
    from orpolicy.report import PolicyResult, Report
    from orpolicy.table import Member, Number

CASES = Path(__file__).parent / "cases"
SHARED = {"now", "base", "catalogue", "policies", "records", "keys", "guardrails"}
OWN = SHARED | {"name", "expect", "refused", "window"}


@dataclass(frozen=True, slots=True)
class Case:
    """One case with what it shares with its file filled in."""

    kind: str
    name: str
    fields: Mapping[str, Json]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"

    def policies(self) -> PolicySet:
        return load_texts({f"{self.kind}.yaml": text(self.fields["policies"]).encode()}, Kinds())

    def run(self) -> Report:
        now = parse_moment(text(self.fields["now"]))
        catalogue = parse_catalog(self.fields["catalogue"], None) if "catalogue" in self.fields else None
        window = text(self.fields["window"]) if "window" in self.fields else None
        account = Memory(
            self.records(),
            now=now,
            catalogue=catalogue,
            directory=self.directory(),
            guardrails=self.guardrails(),
        )
        return lint(self.policies(), account, Choice(window=window))

    def directory(self) -> Directory:
        listed = [mapping(row) for row in items(self.fields.get("keys", []))]
        return Directory(tuple(sorted(decode_key({**row}, {}) for row in listed)))

    def guardrails(self) -> tuple[Guardrail, ...] | None:
        if "guardrails" not in self.fields:
            return None
        listed = [mapping(row) for row in items(self.fields["guardrails"])]
        assigned = frozenset(text(row["id"]) for row in listed if row["assigned"])
        return tuple(decode_guardrail({**row}, assigned) for row in listed)

    def records(self) -> Table:
        base = mapping(self.fields["base"])
        rows = [{**base, **mapping(row)} for row in items(self.fields["records"])]
        names = dict.fromkeys(chain(base, *rows))
        is_dimension = {DATE, *DIMENSIONS}
        return Table(
            {name: [member(row.get(name)) for row in rows] for name in names if name in is_dimension},
            {name: [number(row.get(name)) for row in rows] for name in names if name not in is_dimension},
        )


def cases_of(path: Path) -> list[Case]:
    """The cases of one file, in its order."""
    content = mapping(document.parse(path.read_bytes(), path.name).data)
    assert set(content) <= SHARED | {"cases"}, path.name
    shared = {name: value for name, value in content.items() if name != "cases"}
    kind = path.stem
    cases = [
        Case(kind, text(mapping(entry)["name"]), {**shared, **mapping(entry)})
        for entry in items(content["cases"])
    ]
    for case in cases:
        assert set(case.fields) <= OWN, str(case)
        assert ("expect" in case.fields) != ("refused" in case.fields), str(case)
    return cases


def every_case() -> list[Case]:
    """All cases of all files."""
    return [case for path in sorted(CASES.glob("*.yaml")) for case in cases_of(path)]


def mismatches(found: Json, expected: Json, where: str) -> list[str]:
    """Where what was found is not what was expected; a mapping may have more keys than expected."""
    if isinstance(expected, dict) and isinstance(found, dict):
        lines = [f"{where}.{key}: there is no such figure" for key in expected if key not in found]
        return lines + [
            line
            for key, value in expected.items()
            if key in found
            for line in mismatches(found[key], value, f"{where}.{key}")
        ]
    if isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            return [f"{where}: {len(found)} instead of {len(expected)}: {found}"]
        pairs = zip(found, expected, strict=True)
        return [
            line
            for index, (one, other) in enumerate(pairs)
            for line in mismatches(one, other, f"{where}[{index}]")
        ]
    return [] if _equal(found, expected) else [f"{where}: {found!r}, expected {expected!r}"]


def _equal(found: Json, expected: Json) -> bool:
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, int | float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    return found == expected


def outcome(report: Report, policy: PolicyResult) -> dict[str, Json]:
    """What came of one policy, in the words of ``expect``."""
    findings = [finding for finding in report.findings if finding.policy == policy.id]
    detail = next((entry.detail for entry in report.inconclusive if entry.policy == policy.id), None)
    return {
        "verdict": policy.verdict.value,
        "rows": {
            "seen": policy.rows_seen,
            "judged": policy.rows_judged,
            "under_floor": policy.rows_under_floor,
            "not_applicable": policy.rows_not_applicable,
        },
        "findings": [finding_facts(finding) for finding in sorted(findings, key=_rank)],
        "reason": policy.reason.value if policy.reason else None,
        "detail": detail,
        "notes": list(policy.notes),
        "judged_usd": policy.judged_spend_usd,
        "under_floor_usd": policy.spend_under_floor_usd,
    }


def _rank(finding: Finding) -> list[str]:
    return [f"{name} {value}" for name, value in finding.subject.items()]


def finding_facts(finding: Finding) -> dict[str, Json]:
    """Everything that a case may expect of a finding; findings are listed by subject."""
    savings = finding.savings
    subject: dict[str, Json] = {**finding.subject}
    return {
        "subject": subject,
        "only": [*sorted(finding.subject)],
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "value": finding.measure.value,
        "threshold": finding.measure.threshold,
        "measure": finding.measure.name,
        "unit": finding.measure.unit,
        "note": finding.measure.note,
        "spend_usd": finding.spend_usd,
        "usd_per_mtok": finding.usd_per_mtok,
        "savings": [savings.low, savings.expected, savings.high],
        "net": savings.net,
        "confidence": savings.confidence.value,
        "exposure": finding.exposure_usd_per_month,
        "drivers": [[*driver.subject.values(), driver.spend_usd, driver.share] for driver in finding.drivers],
        "action": finding.recommendation.action,
        "replacement": finding.recommendation.replacement,
        "advice": finding.recommendation.text,
        "fix": finding.verify.expect,
    }


def mapping(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict), value
    return value


def items(value: Json) -> Sequence[Json]:
    assert isinstance(value, list), value
    return value


def text(value: Json) -> str:
    assert isinstance(value, str), value
    return value


def member(value: Json) -> Member:
    assert value is None or isinstance(value, str), value
    return value


def number(value: Json) -> Number | None:
    assert value is None or (isinstance(value, int | float) and not isinstance(value, bool)), value
    return value
