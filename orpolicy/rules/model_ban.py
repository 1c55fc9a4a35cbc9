"""The rule kind ``model-ban``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.policy.model import Thresholds
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import Advice, Measured, Ratio, Row, Rule, Skip, Traffic, check_thresholds
from orpolicy.savings.levers import Lever, Swap

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy


@dataclass(frozen=True, slots=True)
class ModelBan(Rule):
    """Spend on models that are banned here.

    ``models`` takes patterns, names of variants (``openai/gpt-5:batch``) and sets (``@preview``);
    ``where`` says on which keys, apps or users the ban holds. Without a threshold any use is a breach,
    even one that cost nothing. No row of a banned model is a pass; nothing under ``where`` is not.

    Good example:
        id: no-preview-on-batch
        rule: model-ban
        where: {api_key_id: "batch-*"}
        models: ["@preview"]
        replacement: google/gemini-3-flash

    Bad example:
        id: no-preview-on-batch
        rule: model-ban
        where: {api_key_id: "batch-*"}
    """

    measures = "spend on models that are banned here"
    measure_name = "spend_usd"
    unit = "USD"
    default_by = ("api_key_id", "model")
    default_thresholds = Thresholds(fail_above=0.0)
    keys = {
        "models": {
            "description": "The banned models: patterns or @sets.",
            "$ref": "#/$defs/patterns",
        }
    }
    required = ("models",)

    banned: tuple[str, ...]
    replacement: str
    any_use: bool

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings."""
        check_thresholds(policy)
        models = policy.settings["models"]
        banned = tuple(str(item) for item in models) if isinstance(models, list) else (str(models),)
        limits = (policy.thresholds.fail_above, policy.thresholds.warn_above)
        return cls(banned, policy.replacement, any_use=0.0 in limits or limits == (None, None))

    @property
    def models(self) -> tuple[str, ...]:
        """The banned patterns."""
        return self.banned

    @property
    def reaching(self) -> bool:
        """Any use is a breach where a threshold is 0: free models cost nothing."""
        return self.any_use

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Spend."""
        return Ratio(SPEND)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's spend in the window."""
        totals = row.totals
        used = totals.spend_usd > 0 or totals.requests > 0 or totals.tokens > 0
        return Measured(totals.spend_usd, f"{totals.requests:,} requests", may_breach=used)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """The replacement, or at most the spend above the threshold."""
        return Swap(self.replacement, max(value - threshold, 0.0))

    def advice(self, row: Row, threshold: float) -> Advice:
        """Take the banned model off this key."""
        return Advice(
            action="swap-model",
            text="Change the model id to {replacement}, or allow the model here with a waiver.",
            risk="Another model may answer differently: compare quality on your own task first.",
            expect=f"spend_usd falls to {threshold:g}",
        )
