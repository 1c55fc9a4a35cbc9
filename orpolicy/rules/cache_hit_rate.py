"""The rule kind ``cache-hit-rate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import CACHED, COMPLETION, PROMPT
from orpolicy.rules.base import (
    Advice,
    Bound,
    Heavy,
    Measured,
    Ratio,
    Row,
    Rule,
    Skip,
    Traffic,
    check_thresholds,
    is_number,
)
from orpolicy.savings.levers import Lever, RaiseCacheHitRate

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy

DEFAULT_PROMPT_PER_COMPLETION = 10.0


@dataclass(frozen=True, slots=True)
class CacheHitRate(Rule):
    """The share of prompt tokens read from cache, where traffic is prompt-heavy.

    Rebuilt as ``cached_tokens / tokens_prompt``. A row is prompt-heavy when it sends more than
    ``prompt_heavy.prompt_per_completion_above`` prompt tokens per completion token (10 where the policy
    does not say): long repeated prompts are where caching pays.

    Good example:
        id: cache-prompt-heavy
        rule: cache-hit-rate
        by: [model]
        prompt_heavy: {prompt_per_completion_above: 10}
        fail_below: 0.30

    Bad example:
        id: cache-prompt-heavy
        rule: cache-hit-rate
        fail_above: 0.30
    """

    measures = "cached / prompt tokens where prompt-heavy"
    measure_name = "cache_hit_rate"
    unit = "share"
    bounds = frozenset({Bound.BELOW})
    compares_keys = True
    keys = {
        "prompt_heavy": {
            "description": "Which rows are judged.",
            "type": "object",
            "additionalProperties": False,
            "required": ["prompt_per_completion_above"],
            "properties": {
                "prompt_per_completion_above": {
                    "description": "Prompt per completion tokens; rows at or below are out of scope.",
                    "type": "number",
                    "minimum": 0,
                }
            },
        }
    }

    prompt_per_completion_above: float

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings."""
        check_thresholds(policy, most=1.0)
        heavy = policy.settings.get("prompt_heavy")
        limit = heavy.get("prompt_per_completion_above") if isinstance(heavy, dict) else None
        return cls(float(limit) if is_number(limit) else DEFAULT_PROMPT_PER_COMPLETION)

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({CACHED, PROMPT, COMPLETION})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Cached over prompt tokens, where prompt-heavy."""
        heavy = Heavy(PROMPT, COMPLETION, self.prompt_per_completion_above)
        return Ratio(CACHED, PROMPT, is_share=True, heavy=heavy)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """Cached over prompt tokens."""
        rate = row.totals.cache_hit_rate
        if rate is None:
            return Skip.NOT_APPLICABLE
        if rate > 1:
            return Skip.IMPLAUSIBLE
        if row.totals.prompt_tokens <= self.prompt_per_completion_above * row.totals.completion_tokens:
            return Skip.OUT_OF_SCOPE
        return Measured(rate, f"{row.totals.cached_tokens:,} of {row.totals.prompt_tokens:,} prompt tokens")

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Cache more of the prompt."""
        return RaiseCacheHitRate(threshold)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Switch prompt caching on and keep the prefix stable."""
        return Advice(
            action="enable-caching",
            text="Switch prompt caching on: keep the long, stable part of the prompt first, mark it with "
            "`cache_control` where the provider needs it, and keep a session on one provider.",
            risk="Cache writes cost extra on some providers: prompts that rarely repeat can get dearer.",
            expect=f"cache_hit_rate rises to {threshold:g} or above",
        )
