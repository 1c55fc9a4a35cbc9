"""The outcome for machines, as ``orpolicy/data/test.schema.json`` describes it."""

from __future__ import annotations

import math
from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.policy_tests.model import Amount
from orpolicy.policy_tests.outcome import Ending
from orpolicy.reporters._json_value import Value, json_text
from orpolicy.verdict import Verdict
from orpolicy.version import __version__

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.location import Location
    from orpolicy.policy_tests.matching import Difference, Missing
    from orpolicy.policy_tests.model import Expectation
    from orpolicy.policy_tests.outcome import Outcome, Result
    from orpolicy.policy_tests.thresholds import Coverage

SCHEMA_VERSION = "1.0"
"""Grows its second number when fields are added, its first when any changes its meaning or goes."""


def outcome_schema() -> str:
    """The JSON Schema (draft 2020-12) of this format, as published."""
    return files("orpolicy").joinpath("data", "test.schema.json").read_text(encoding="utf-8")


def as_json(outcome: Outcome) -> str:
    """The outcome as ASCII JSON; the same outcome gives the same bytes."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "orpolicy", "version": __version__},
            "verdict": (Verdict.PASS if outcome.passes else Verdict.FAIL).value,
            "counts": {ending.value: outcome.count(ending) for ending in Ending},
            "tests": [_result(result) for result in outcome.results],
            "coverage": _coverage(outcome.coverage, outcome.least_percent) if outcome.coverage else None,
        }
    )


def _place(location: Location) -> dict[str, Value]:
    return {"file": location.file, "line": location.line}


def _result(result: Result) -> dict[str, Value]:
    comparison = result.comparison
    return {
        "name": result.case.name,
        **_place(result.case.location),
        "outcome": result.ending.value,
        "missing": [_missing(missing) for missing in comparison.missing],
        "unexpected": [_finding(finding) for finding in comparison.unexpected],
        "policies": [
            {
                "id": judged.result.id,
                "verdict": judged.result.verdict.value,
                "reason": judged.result.reason.value if judged.result.reason else None,
                "rows_judged": judged.result.rows_judged,
            }
            for judged in result.trial.judged.values()
        ],
    }


def _missing(missing: Missing) -> dict[str, Value]:
    reason = missing.judged.result.reason
    return {
        "expected": _expectation(missing.expectation),
        **_place(missing.expectation.location),
        "nearest": _finding(missing.finding) if missing.finding else None,
        "policy_verdict": missing.judged.result.verdict.value,
        "policy_reason": reason.value if reason else None,
        "differences": [_difference(item) for item in missing.differences],
    }


def _difference(item: Difference) -> dict[str, Value]:
    wanted = _amount(item.expected) if isinstance(item.expected, Amount) else item.expected
    return {"field": item.field, "expected": wanted, "got": item.got, "off_by": item.off_by}


def _expectation(expectation: Expectation) -> dict[str, Value]:
    return {
        "policy": expectation.policy,
        "verdict": expectation.verdict.value,
        "subject": expectation.subject,
        "status": expectation.status.value if expectation.is_finding else None,
        "reason": expectation.reason.value if expectation.reason else None,
        "measure": _amount(expectation.measure) if expectation.measure else None,
        "savings": {level: _amount(amount) for level, amount in expectation.savings.items()},
    }


def _amount(amount: Amount) -> dict[str, Value]:
    limits = {"min": amount.least, "max": amount.most}
    return {key: limit if math.isfinite(limit) else None for key, limit in limits.items()}


def _finding(finding: Finding) -> dict[str, Value]:
    savings = finding.savings
    return {
        "policy": finding.policy,
        "verdict": finding.verdict.value,
        "status": finding.status.value,
        "subject": finding.subject,
        "measure": {"name": finding.measure.name, "value": finding.measure.value},
        "savings": {"low": savings.low, "expected": savings.expected, "high": savings.high},
    }


def _coverage(coverage: Coverage, least_percent: float | None) -> dict[str, Value]:
    return {
        "percent": coverage.percent,
        "least_percent": least_percent,
        "thresholds": [
            {
                "policy": each.policy,
                "key": each.key,
                "limit": each.limit,
                **_place(each.location),
                "breached": each.breached,
                "kept": each.kept,
            }
            for each in coverage.thresholds
        ],
    }
