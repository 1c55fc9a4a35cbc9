"""The rule kind ``prompt-ratio``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import COMPLETION, PROMPT
from orpolicy.rules.base import (
    Advice,
    Measured,
    Ratio,
    Row,
    Rule,
    Skip,
    Traffic,
    check_thresholds,
    excess_usd,
)
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy


@dataclass(frozen=True, slots=True)
class PromptRatio(Rule):
    """Prompt tokens per completion token: ``tokens_prompt / tokens_completion``.

    A very high ratio means that most of the money is spent on reading: caching, retrieval with fewer
    passages, or shorter histories are worth a look. Rows without completion tokens are left out.

    Good example:
        id: bloated-prompts
        rule: prompt-ratio
        by: [api_key_id, model]
        floor: {spend: 50}
        warn_above: 100

    Bad example:
        id: bloated-prompts
        rule: prompt-ratio
        warn_above: -1 to 1
    """

    measures = "prompt tokens per completion token"
    measure_name = "prompt_ratio"
    unit = "prompt tokens per completion token"

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind has no settings of its own."""
        check_thresholds(policy)
        return cls()

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({PROMPT, COMPLETION})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Prompt over completion tokens."""
        return Ratio(PROMPT, COMPLETION)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """Prompt over completion tokens."""
        prompt, completion = row.totals.prompt_tokens, row.totals.completion_tokens
        if completion <= 0:
            return Skip.NOT_APPLICABLE
        return Measured(prompt / completion, f"{prompt:,} prompt over {completion:,} completion tokens")

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Exposure: at most all of the row's spend would shrink with its prompts."""
        return Exposure(excess_usd(row.totals.spend_usd, value, threshold))

    def advice(self, row: Row, threshold: float) -> Advice:
        """Send less."""
        return Advice(
            action="shorten-prompts",
            text="Send less: trim histories, retrieve fewer passages, and cache the part that repeats.",
            risk="A prompt that lacks what it needs gives worse answers.",
            expect=f"prompt_ratio falls to {threshold:g} or below",
        )
