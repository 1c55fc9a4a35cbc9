"""The study for machines, as ``orpolicy/data/backtest.schema.json`` describes it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.period import stamp
from orpolicy.reporters._json_finding import place_json
from orpolicy.reporters._json_value import Value, json_text, plain
from orpolicy.version import __version__

if TYPE_CHECKING:
    from orpolicy.backtest.model import Dollars, PolicyLine, Study, SubjectLine, Verdict
    from orpolicy.period import Window

SCHEMA_VERSION = "1.0"
"""Grows its second number when fields are added, its first when any changes its meaning or goes."""


def as_json(study: Study) -> str:
    """The study as ASCII JSON; the same study gives the same bytes."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "orpolicy", "version": __version__},
            "generated_at": stamp(study.now),
            "source": study.source,
            "weeks": [_window(week) for week in study.weeks],
            "queries_asked": study.queries_asked,
            "net_savings_usd": {
                "low": study.net.low,
                "expected": study.net.expected,
                "high": study.net.high,
                "unknown_findings": study.net.unknown,
            },
            "policies": [_policy(policy) for policy in study.policies],
            "notices": list(study.notices),
        }
    )


def backtest_schema() -> str:
    """The JSON Schema (draft 2020-12) of this format, as published."""
    return files("orpolicy").joinpath("data", "backtest.schema.json").read_text(encoding="utf-8")


def _policy(policy: PolicyLine) -> dict[str, Value]:
    return {
        "id": policy.id,
        "rule": policy.rule,
        **place_json(policy.location),
        "owner": policy.owner,
        "title": policy.title,
        "measure": policy.measure,
        "unit": policy.unit,
        "weeks": [_verdict(week) for week in policy.weeks],
        "weeks_judged": policy.judged,
        "weeks_fired": policy.fired,
        "windows_judged": policy.windows,
        "first_fired": policy.edge(last=False),
        "last_fired": policy.edge(last=True),
        "flaps": policy.flaps,
        "usd": _dollars(policy.dollars),
        "noise": policy.noise,
        "subjects": [_subject(item) for item in policy.subjects],
    }


def _verdict(verdict: Verdict) -> dict[str, Value]:
    return {
        "verdict": verdict.mark.value,
        "window": _window(verdict.window) if verdict.window else None,
        "reason": verdict.reason.value if verdict.reason else None,
        "detail": verdict.detail,
    }


def _subject(item: SubjectLine) -> dict[str, Value]:
    return {
        "fingerprint": item.fingerprint,
        "subject": plain(item.subject),
        "verdicts": [mark.value for mark in item.marks],
        "values": plain([None if value is None else float(value) for value in item.values]),
        "threshold": float(item.threshold),
        "weeks_fired": item.fired,
        "flaps": item.flaps,
        "spend_usd": item.spend_usd,
    }


def _dollars(dollars: Dollars) -> dict[str, Value]:
    return {
        "spend": dollars.spend,
        "savings": {"low": dollars.low, "expected": dollars.expected, "high": dollars.high},
        "net": dollars.net,
        "exposure": dollars.exposure,
        "unknown_findings": dollars.unknown,
    }


def _window(window: Window) -> dict[str, Value]:
    return {"start": stamp(window.start), "end": stamp(window.end)}
