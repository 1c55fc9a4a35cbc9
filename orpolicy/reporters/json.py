"""The format for machines: a versioned contract, described by ``data/report.schema.json``."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.period import stamp
from orpolicy.reporters._json_finding import finding_json, place_json
from orpolicy.reporters._json_value import Value, json_text, plain
from orpolicy.reporters._override_words import override_json
from orpolicy.reporters.base import Reporter

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.report import (
        Baseline,
        PeriodSpend,
        PolicyResult,
        QueryRecord,
        Report,
        SubjectSpend,
        TrendPoint,
        WaiverResult,
    )
    from orpolicy.reporters.base import Style

SCHEMA_VERSION = "1.0"
"""Grows its second number when fields are added, its first when any changes its meaning or goes."""


class Json(Reporter):
    """JSON as ``orpolicy/data/report.schema.json`` describes it."""

    summary = "machines: everything the run found out, versioned, with a JSON Schema"

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - machines have no style
        """The report as ASCII JSON; the same report gives the same bytes.

        Raises:
            ValueError: if a figure is not finite.
        """
        return json_text(_report(report))


def report_schema() -> str:
    """The JSON Schema (draft 2020-12) of this format, as published."""
    return files("orpolicy").joinpath("data", "report.schema.json").read_text(encoding="utf-8")


def _report(report: Report) -> dict[str, Value]:
    total = report.savings
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "orpolicy", "version": report.version},
        "verdict": report.verdict.value,
        "source": {
            "kind": report.source.kind,
            "host": report.source.host,
            "requests": report.source.requests,
            "cached_requests": report.source.cached_requests,
        },
        "generated_at": stamp(report.generated_at),
        "baseline": _baseline(report.baseline) if report.baseline else None,
        "savings_usd_per_month": {
            "gross": float(total.gross),
            "net": {
                "low": float(total.net_low),
                "expected": float(total.net_expected),
                "high": float(total.net_high),
            },
            "waived": float(total.waived),
            "baselined": float(total.baselined),
        },
        "coverage": {
            "judged_spend_usd": float(report.coverage.judged_spend_usd),
            "share": plain(report.coverage.share),
        },
        "policies": [_policy(policy) for policy in report.policies],
        "findings": [finding_json(finding) for finding in report.findings],
        "inconclusive": [
            {
                "policy": item.policy,
                "reason": item.reason.value,
                "code": item.reason.code.value,
                "detail": item.detail,
                "advice": item.advice,
                **place_json(item.location),
            }
            for item in report.inconclusive
        ],
        "waivers": [_waiver(waiver) for waiver in report.waivers],
        "queries": [_query(query) for query in report.queries],
        "overrides": [override_json(item) for item in report.overrides],
        "catalogue": {
            "taken_at": stamp(report.catalogue_taken_at) if report.catalogue_taken_at else None,
            "models": report.catalogue_models,
        },
        "notices": list(report.notices),
        "spend": {
            "models": report.spend.models,
            "by_model": [_subject_spend(item) for item in report.spend.by_model],
            "keys": report.spend.keys,
            "by_key": [_subject_spend(item) for item in report.spend.by_key],
            "by_period": [_period_spend(item) for item in report.spend.by_period],
        },
        **({"trend": [_trend_point(point) for point in report.trend.points]} if report.trend else {}),
    }


def _trend_point(point: TrendPoint) -> dict[str, Value]:
    return {
        "generated_at": stamp(point.at),
        "window": _window(point.window),
        "spend_usd": float(point.spend_usd),
        "net_savings_usd_per_month": float(point.net_usd_per_month),
    }


def _window(window: Window) -> dict[str, Value]:
    whole = window.days.is_integer()
    return {
        "start": stamp(window.start),
        "end": stamp(window.end),
        "days": int(window.days) if whole else window.days,
        "to_date": window.to_date,
    }


def _baseline(baseline: Baseline) -> dict[str, Value]:
    return {
        "window": _window(baseline.window),
        "spend_usd": float(baseline.spend_usd),
        "tokens_total": baseline.tokens_total,
        "request_count": baseline.request_count,
        "blended_usd_per_mtok": plain(baseline.blended_usd_per_mtok),
    }


def _subject_spend(item: SubjectSpend) -> dict[str, Value]:
    return {"subject": plain(item.subject), **_spend(item)}


def _period_spend(item: PeriodSpend) -> dict[str, Value]:
    return {"window": _window(item.window), **_spend(item)}


def _spend(item: SubjectSpend | PeriodSpend) -> dict[str, Value]:
    return {
        "spend_usd": float(item.spend_usd),
        "tokens_total": item.tokens_total,
        "usd_per_mtok": plain(item.usd_per_mtok),
    }


def _policy(policy: PolicyResult) -> dict[str, Value]:
    return {
        "id": policy.id,
        "rule": policy.rule,
        "verdict": policy.verdict.value,
        "severity": policy.severity.value,
        **place_json(policy.location),
        "column": policy.location.column,
        "owner": policy.owner,
        "title": policy.title,
        "window": _window(policy.window) if policy.window else None,
        "rows_seen": policy.rows_seen,
        "rows_judged": policy.rows_judged,
        "rows_under_floor": policy.rows_under_floor,
        "rows_not_applicable": policy.rows_not_applicable,
        "judged_spend_usd": float(policy.judged_spend_usd),
        "spend_under_floor_usd": float(policy.spend_under_floor_usd),
        "findings": policy.findings,
        "reason": policy.reason.value if policy.reason else None,
        "queries": list(policy.queries),
        "notes": list(policy.notes),
    }


def _waiver(waiver: WaiverResult) -> dict[str, Value]:
    return {
        "policy": waiver.policy,
        "state": waiver.state.value,
        "until": waiver.until.isoformat(),
        "reason": waiver.reason,
        "owner": waiver.owner,
        "findings": waiver.findings,
        "spend_usd": float(waiver.spend_usd),
        **place_json(waiver.location),
    }


def _query(query: QueryRecord) -> dict[str, Value]:
    return {
        "id": query.id,
        "policies": list(query.policies),
        "request": plain(query.request),
        "rows": query.rows,
        "truncated": query.truncated,
        "complete_because": query.complete_because,
        "cached_at": stamp(query.cached_at) if query.cached_at else None,
        "from_cache": query.from_cache,
        "ms": query.elapsed_ms,
        "error": query.error,
    }
