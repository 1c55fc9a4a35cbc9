"""A comparison for machines, as ``orpolicy/data/compare.schema.json`` describes it."""

from __future__ import annotations

from dataclasses import fields
from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.period import stamp
from orpolicy.reporters._json_value import Value, json_text, plain
from orpolicy.version import __version__

if TYPE_CHECKING:
    from orpolicy.comparing.model import Change, Changes, Comparison, Side, Surcharge
    from orpolicy.divisia import Level

SCHEMA_VERSION = "1.0"
"""Grows its second number when fields are added, its first when any changes its meaning or goes."""


def compare_schema() -> str:
    """The JSON Schema (draft 2020-12) of this format, as published."""
    return files("orpolicy").joinpath("data", "compare.schema.json").read_text(encoding="utf-8")


def as_json(found: Comparison) -> str:
    """The comparison as ASCII JSON; the same comparison gives the same bytes."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "orpolicy", "version": __version__},
            "generated_at": stamp(found.now),
            "source": found.source,
            "queries_asked": found.queries_asked,
            "per": "day" if found.is_per_day else "window",
            "from": _side(found.before),
            "to": _side(found.after),
            "total": {
                "from_usd": found.before_usd,
                "to_usd": found.after_usd,
                "change_usd": found.change_usd,
                "ratio": found.ratio,
                "causes_usd": _causes(found),
            },
            "models": _changes(found.models),
            "keys": _changes(found.keys) if found.keys else None,
            "pairs": None if found.pairs is None else [_change(item) for item in found.pairs],
            "surcharges": [_surcharge(item) for item in found.surcharges],
            "unknown": [
                {"part": item.part, "reason": item.reason.value, "detail": item.detail}
                for item in found.unknown
            ],
            "notices": list(found.notices),
        }
    )


def _causes(found: Comparison) -> dict[str, Value]:
    """The parts of the change, which they add up to."""
    causes: dict[str, Value] = {
        field.name.removesuffix("_usd"): float(getattr(found.bridge, field.name))
        for field in fields(found.bridge)
    }
    return causes | {"rest": found.models.rest_usd}


def _side(side: Side) -> dict[str, Value]:
    return {
        "window": {
            "start": stamp(side.window.start),
            "end": stamp(side.window.end),
            "days": side.window.days,
            "to_date": side.window.to_date,
        },
        "spend_usd": side.spend_usd,
        "tokens_total": side.tokens_total,
        "request_count": side.request_count,
    }


def _changes(changes: Changes) -> dict[str, Value]:
    return {
        "changes": [_change(item) for item in changes.items],
        "rest_usd": changes.rest_usd,
        "from_rows_missing_below_usd": changes.before_below_usd,
        "to_rows_missing_below_usd": changes.after_below_usd,
    }


def _change(item: Change) -> dict[str, Value]:
    split = item.split
    return {
        "subject": plain(item.subject),
        "presence": item.presence.value,
        "from": _level(item.before),
        "to": _level(item.after),
        "change_usd": item.change_usd,
        "causes_usd": {"volume": split.volume_usd, "size": split.size_usd, "price": split.price_usd}
        if split
        else None,
    }


def _level(level: Level) -> dict[str, Value]:
    return {"spend_usd": level.spend_usd, "tokens": level.tokens, "requests": level.requests}


def _surcharge(item: Surcharge) -> dict[str, Value]:
    return {
        "component": item.name,
        "from_usd": item.before_usd,
        "to_usd": item.after_usd,
        "change_usd": item.change_usd,
    }
