"""The verification for machines, as ``orpolicy/data/verify.schema.json`` describes it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.period import stamp
from orpolicy.reporters._json_value import Value, json_text, plain
from orpolicy.verifying.model import Standing
from orpolicy.verifying.realised import at_later_volume
from orpolicy.version import __version__

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.verifying.model import Calibration, Checked, Days, Realised, Verification

SCHEMA_VERSION = "1.0"
"""Grows its second number when fields are added, its first when any changes its meaning or goes."""


def as_json(verification: Verification) -> str:
    """The verification as ASCII JSON; the same one gives the same bytes."""
    kind, host = verification.source
    checked = verification.checked
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "orpolicy", "version": __version__},
            "generated_at": stamp(verification.now),
            "report_generated_at": stamp(verification.report_at),
            "source": {"kind": kind, "host": host},
            "deployed": verification.deployed.isoformat() if verification.deployed else None,
            "counts": {
                standing.value: sum(item.standing is standing for item in checked) for standing in Standing
            },
            "calibration": {
                "all": _calibration(verification.overall),
                "acted_on": _calibration(verification.acted_on),
            },
            "findings": [_checked(item) for item in checked],
            "queries_asked": verification.queries_asked,
            "notices": list(verification.notices),
        }
    )


def verify_schema() -> str:
    """The JSON Schema (draft 2020-12) of this format, as published."""
    return files("orpolicy").joinpath("data", "verify.schema.json").read_text(encoding="utf-8")


def _checked(item: Checked) -> dict[str, Value]:
    finding = item.finding
    measure, savings = finding.measure, finding.savings
    scaled = at_later_volume(item)
    return {
        "fingerprint": finding.fingerprint,
        "policy": finding.policy,
        "rule": finding.rule,
        "subject": plain(finding.subject),
        "owner": finding.owner,
        "status": finding.status.value,
        "standing": item.standing.value,
        "reason": item.reason.value if item.reason else None,
        "detail": item.detail,
        "measure": {
            "name": measure.name,
            "unit": measure.unit,
            "threshold": float(measure.threshold),
            "before": float(measure.value),
            "after": None if item.value is None else float(item.value),
        },
        "before": {
            "window": _window(item.window) if item.window else None,
            "spend_usd": float(finding.spend_usd),
            "tokens_total": finding.tokens_total,
            "request_count": finding.request_count,
        },
        "after": {
            "window": _window(item.later) if item.later else None,
            "spend_usd": float(item.spend_usd),
            "tokens_total": item.tokens,
            "request_count": item.requests,
        },
        "estimate_usd_per_month": {
            "low": plain(savings.low),
            "expected": plain(savings.expected),
            "high": plain(savings.high),
            "at_later_volume": None
            if scaled is None
            else dict(zip(("low", "expected", "high"), scaled, strict=True)),
        },
        "realised": _realised(item.realised) if item.realised else None,
        "days": _days(item.days) if item.days else None,
    }


def _realised(found: Realised) -> dict[str, Value]:
    return {
        "usd_per_month": plain(found.usd_per_month),
        "stopped_usd_per_month": float(found.stopped_usd_per_month),
        "unit": found.unit.value,
        "usd_per_unit": float(found.usd_per_unit),
        "volume": float(found.volume),
        "moved": float(found.moved),
        "spend_usd": float(found.spend_usd),
        "moved_usd": float(found.moved_usd),
        "volume_ratio": float(found.volume_ratio),
        "formula": found.formula,
    }


def _days(days: Days) -> dict[str, Value]:
    return {
        "measure": days.name,
        "unit": days.unit,
        "first": days.first.isoformat(),
        "values": [None if value is None else float(value) for value in days.values],
        "step_guess": days.guess.isoformat() if days.guess else None,
    }


def _calibration(found: Calibration) -> dict[str, Value]:
    return {
        "findings": found.findings,
        "realised_usd_per_month": float(found.realised),
        "expected_usd_per_month": float(found.expected),
        "ratio": plain(found.ratio),
        "within_range": found.within,
    }


def _window(window: Window) -> dict[str, Value]:
    return {"start": stamp(window.start), "end": stamp(window.end)}
