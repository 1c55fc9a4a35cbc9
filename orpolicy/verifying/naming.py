"""Measures and their units for people, short enough to stand beside two figures."""

from __future__ import annotations

from orpolicy.reporters._words import prose

_BRIEF = frozenset({"x", "share"})


def brief_unit(unit: str) -> str:
    """The unit, if it can stand behind every figure, else ""."""
    return unit if unit in _BRIEF or unit.startswith("USD") else ""


def measure_name(text: str) -> str:
    """What people call a measure; "" where its unit says it."""
    if text.startswith("usd_per_"):
        return ""
    return prose(text.removesuffix("_usd")).replace("_", " ")
