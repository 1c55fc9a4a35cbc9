"""One finding as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._json_value import Value, plain

if TYPE_CHECKING:
    from orpolicy.finding import Finding, Savings
    from orpolicy.location import Location


def finding_json(finding: Finding) -> dict[str, Value]:
    """A finding with its fields in the contract's order."""
    advice = finding.recommendation
    return {
        "fingerprint": finding.fingerprint,
        "policy": finding.policy,
        "rule": finding.rule,
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "beyond_baseline": finding.beyond_baseline,
        "subject": plain(finding.subject),
        "measure": {
            "name": finding.measure.name,
            "value": float(finding.measure.value),
            "threshold": float(finding.measure.threshold),
            "unit": finding.measure.unit,
            "note": finding.measure.note,
            **({"label": finding.measure.label} if finding.measure.label else {}),
        },
        "spend_usd": float(finding.spend_usd),
        "tokens_total": finding.tokens_total,
        "request_count": finding.request_count,
        "usd_per_mtok": plain(finding.usd_per_mtok),
        "savings_usd_per_month": _savings(finding.savings),
        "exposure_usd_per_month": plain(finding.exposure_usd_per_month),
        "recommendation": {
            "action": advice.action,
            "replacement": advice.replacement,
            "text": advice.text,
            "risk": advice.risk,
        },
        "drivers": [
            {
                "subject": plain(driver.subject),
                "spend_usd": float(driver.spend_usd),
                "share": float(driver.share),
            }
            for driver in finding.drivers
        ],
        "locations": [place_json(location) for location in finding.locations],
        "verify": {
            "query": plain(finding.verify.query),
            "curl": finding.verify.curl,
            "expect": finding.verify.expect,
        },
        "owner": finding.owner,
        "title": finding.title,
        "why": finding.why,
        "link": finding.link,
    }


def place_json(location: Location) -> dict[str, Value]:
    """A place by file and line."""
    return {"file": location.file, "line": location.line}


def _savings(savings: Savings) -> dict[str, Value]:
    return {
        "low": plain(savings.low),
        "expected": plain(savings.expected),
        "high": plain(savings.high),
        "net": plain(savings.net),
        "confidence": savings.confidence.value,
        "formula": savings.formula,
    }
