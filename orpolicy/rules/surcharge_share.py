"""The rule kind ``surcharge-share``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import Advice, Measured, Row, Rule, Skip, Traffic, check_thresholds
from orpolicy.savings.levers import CutSurcharge, Lever

if TYPE_CHECKING:
    from orpolicy.policy.model import Policy

WORDS = {"web": "web search", "web_fetch": "web fetch", "file": "file parsing"}
COMPONENTS = {"web": "usage_web", "web_fetch": "usage_web_fetch", "file": "usage_file"}


@dataclass(frozen=True, slots=True)
class SurchargeShare(Rule):
    """A paid extra (web search, web fetch, file parsing) divided by ``total_usage``.

    Each component is held against the threshold on its own, and the largest is reported: whether the
    components overlap is not documented, so they are never added up.

    Good example:
        id: web-search-cap
        rule: surcharge-share
        components: [web, web_fetch, file]
        fail_above: 0.05

    Bad example:
        id: web-search-cap
        rule: surcharge-share
        components: [websearch]
        fail_above: 0.05
    """

    measures = "a surcharge component divided by `total_usage`"
    measure_name = "surcharge_share"
    unit = "share"
    default_by = ()
    keys = {
        "components": {
            "description": "The surcharges that are held against the threshold, each on its own.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": list(COMPONENTS)},
        }
    }
    required = ("components",)

    components: tuple[str, ...]

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings."""
        check_thresholds(policy, most=1.0)
        components = policy.settings["components"]
        return cls(tuple(str(item) for item in components) if isinstance(components, list) else ())

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND, *(COMPONENTS[name] for name in self.components)})

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The largest component over spend."""
        spend_usd = row.totals.spend_usd
        if spend_usd <= 0:
            return Skip.NOT_APPLICABLE
        amounts = self._amounts(row)
        note = ", ".join(f"{name} {usd:,.2f}" for usd, name in amounts if usd > 0) or "no surcharge"
        return Measured(amounts[0][0] / spend_usd, f"{note} of {spend_usd:,.2f} USD")

    def _amounts(self, row: Row) -> list[tuple[float, str]]:
        """USD and component, the largest first."""
        return sorted(
            ((float(row.totals.get(COMPONENTS[name])), name) for name in self.components), reverse=True
        )

    def _above(self, row: Row, threshold: float) -> tuple[str, ...]:
        """The components that break the threshold, each on its own, the largest first."""
        spend_usd = row.totals.spend_usd
        return tuple(name for usd, name in self._amounts(row) if usd > threshold * spend_usd)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Switch the largest component off, down to the allowed share."""
        return CutSurcharge((COMPONENTS[self._amounts(row)[0][1]],), threshold)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Switch the extra off where nobody asked for it."""
        components = " and ".join(WORDS[name] for name in self._above(row, threshold))
        return Advice(
            action="cut-surcharge",
            text=f"Switch {components} off where nobody asked for it: look for plugins, "
            "`:online` model ids and server tools in the requests of the keys below.",
            risk="Answers that relied on it lose fresh or attached information.",
            expect=f"surcharge_share of {components} falls to {threshold:g} or below",
        )
