"""The outcome for machines."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.policy_diff.impact import Dollars
from orpolicy.policy_diff.model import Effect
from orpolicy.policy_diff.outcome import parts
from orpolicy.reporters._json_finding import finding_json, place_json
from orpolicy.reporters._json_value import Value, json_text
from orpolicy.reporters.json import report_schema
from orpolicy.version import __version__

if TYPE_CHECKING:
    from orpolicy.policy_diff.impact import Impact, Shift
    from orpolicy.policy_diff.model import Change
    from orpolicy.policy_diff.outcome import Outcome

SCHEMA_VERSION = "1.0"
"""Grows its second number when fields are added, its first when any changes its meaning or goes."""


def diff_schema() -> str:
    """The JSON Schema (draft 2020-12) of this format, with the report's own definition of a finding."""
    own = json.loads(
        files("orpolicy").joinpath("data", "policy-diff.schema.json").read_text(encoding="utf-8")
    )
    own["$defs"] = json.loads(report_schema())["$defs"] | own["$defs"]
    return json.dumps(own, indent=2)


def as_json(outcome: Outcome) -> str:
    """The outcome as ASCII JSON; the same outcome gives the same bytes."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "orpolicy", "version": __version__},
            "base": outcome.base,
            "weakens": outcome.weakens,
            "notes": outcome.notes,
            "counts": {effect.value: len(outcome.diff.of(effect)) for effect in Effect},
            "changes": [_change(change) for change in outcome.diff.changes],
            "renamed": outcome.diff.renamed,
            "figures": _figures(outcome.impact) if outcome.impact else None,
        }
    )


def _change(change: Change) -> dict[str, Value]:
    old, new = change.places.old, change.places.new
    return {
        "effect": change.effect.value,
        "policy": change.policy,
        "what": change.what,
        "before": change.before,
        "after": change.after,
        "note": change.note,
        "old_place": place_json(old) if old else None,
        "new_place": place_json(new) if new else None,
    }


def _figures(impact: Impact) -> dict[str, Value]:
    found: dict[str, Value] = {part: _part(shifts) for part, _, shifts in parts(impact)}
    net: dict[str, Value] = {
        "before": float(impact.net_before_usd_per_month),
        "after": float(impact.net_after_usd_per_month),
    }
    return found | {"net_savings_usd_per_month": net, "not_judged": impact.not_judged}


def _part(shifts: tuple[Shift, ...]) -> dict[str, Value]:
    dollars = Dollars.of(shifts)
    return {
        "spend_usd": dollars.spend_usd,
        "saves_usd_per_month": dollars.saves_usd_per_month,
        "savings_unknown": dollars.unknown,
        "findings": [{"why": shift.why.value, "finding": finding_json(shift.finding)} for shift in shifts],
    }
