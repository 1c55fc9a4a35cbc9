"""The rule kind ``reasoning-share``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import COMPLETION, REASONING
from orpolicy.rules.base import Advice, Measured, Ratio, Row, Rule, Skip, Traffic, check_thresholds
from orpolicy.savings.levers import CutReasoning, Lever

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy


@dataclass(frozen=True, slots=True)
class ReasoningShare(Rule):
    """The share of completion tokens that is reasoning: ``reasoning_tokens / tokens_completion``.

    Reasoning tokens are billed as completion tokens. Rows without completion tokens are left out.

    Good example:
        id: thinking-cap
        rule: reasoning-share
        by: [api_key_id, model]
        floor: {spend: 50}
        warn_above: 0.6

    Bad example:
        id: thinking-cap
        rule: reasoning-share
        by: [api_key_id, model, provider]
        warn_above: 0.6
    """

    measures = "reasoning / completion tokens"
    measure_name = "reasoning_share"
    unit = "share"

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind has no settings of its own."""
        check_thresholds(policy, most=1.0)
        return cls()

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({REASONING, COMPLETION})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Reasoning over completion tokens."""
        return Ratio(REASONING, COMPLETION, is_share=True)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """Reasoning over completion tokens."""
        reasoning, completion = row.totals.reasoning_tokens, row.totals.completion_tokens
        if completion <= 0:
            return Skip.NOT_APPLICABLE
        if reasoning > completion:
            return Skip.IMPLAUSIBLE
        return Measured(
            reasoning / completion, f"{reasoning:,} of {completion:,} completion tokens are reasoning"
        )

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Think less, down to the allowed share."""
        return CutReasoning(threshold)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Lower the reasoning effort."""
        return Advice(
            action="cut-reasoning",
            text="Lower `reasoning.effort`, cap `reasoning.max_tokens`, or use a model that does not reason "
            "for the simple part of this traffic.",
            risk="Less reasoning can mean worse answers on hard tasks.",
            expect=f"reasoning_share falls to {threshold:g} or below",
        )
