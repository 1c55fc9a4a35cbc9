"""A drill for machines, as ``orpolicy/data/drill.schema.json`` describes it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.period import stamp
from orpolicy.reporters._json_value import Value, json_text, plain
from orpolicy.version import __version__

if TYPE_CHECKING:
    from orpolicy.drilling.model import Drill, Request
    from orpolicy.query.generation import Generation

SCHEMA_VERSION = "1.0"
"""Grows its second number when fields are added, its first when any changes its meaning or goes."""


def drill_schema() -> str:
    """The JSON Schema (draft 2020-12) of this format, as published."""
    return files("orpolicy").joinpath("data", "drill.schema.json").read_text(encoding="utf-8")


def as_json(found: Drill) -> str:
    """The drill as ASCII JSON; the same drill gives the same bytes."""
    finding = found.finding
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "orpolicy", "version": __version__},
            "generated_at": stamp(found.now),
            "source": found.source,
            "finding": {
                "fingerprint": finding.fingerprint,
                "policy": finding.policy,
                "subject": plain(finding.subject),
                "spend_usd": finding.spend_usd,
                "request_count": finding.request_count,
            },
            "window": {
                "start": stamp(found.window.start),
                "end": stamp(found.window.end),
                "days": found.window.days,
                "to_date": found.window.to_date,
            },
            "spend_usd": found.spend_usd,
            "requests": [_request(item) for item in found.requests],
            "unanswered": {
                "requests": found.unanswered.number,
                "reason": found.unanswered.reason.value,
                "detail": found.unanswered.detail,
            }
            if found.unanswered
            else None,
            "notices": list(found.notices),
        }
    )


def _request(item: Request) -> dict[str, Value]:
    totals = item.totals
    return {
        "generation_id": item.generation_id,
        **{name: plain(member) for name, member in item.members.items()},
        "spend_usd": totals.spend_usd,
        "tokens_prompt": totals.prompt_tokens,
        "tokens_completion": totals.completion_tokens,
        "reasoning_tokens": totals.reasoning_tokens,
        "cached_tokens": totals.cached_tokens,
        "details": _details(item.details) if item.details else None,
    }


def _details(details: Generation) -> dict[str, Value]:
    return {
        "created_at": stamp(details.created_at) if details.created_at else None,
        "model": details.model,
        "provider": details.provider,
        "finish_reason": details.finish_reason,
        "cost_usd": details.cost_usd,
        "tokens_prompt": details.prompt_tokens,
        "tokens_completion": details.completion_tokens,
        "reasoning_tokens": details.reasoning_tokens,
        "cached_tokens": details.cached_tokens,
        "latency_ms": details.latency_ms,
        "is_byok": details.is_byok,
        "is_cancelled": details.is_cancelled,
    }
