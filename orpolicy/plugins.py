"""The three registries: what rules, sources and output formats there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.registry import Registry

if TYPE_CHECKING:
    from orpolicy.reporters.base import Reporter
    from orpolicy.rules.base import Rule
    from orpolicy.sources.base import Source

RULES: Registry[Rule] = Registry("orpolicy.rules", "Rule")
SOURCES: Registry[Source] = Registry("orpolicy.sources", "Source")
REPORTERS: Registry[Reporter] = Registry("orpolicy.reporters", "Reporter")
