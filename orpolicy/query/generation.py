"""A single request, as the source tells of it: figures and closed words, never what was said in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Generation:
    """What is known of one request beyond its row; None where the source does not say.

    Nothing else of the source's answer is kept: no prompt, no completion, no header, nobody's identifier.

    Attributes:
        generation_id: the request's own identifier.
        created_at: when it began, UTC.
        model: as the source names it.
        provider: who served it.
        finish_reason: why it ended, as the provider's many words are made one.
        cost_usd: what it cost in all.
        prompt_tokens: input tokens by the model's own tokeniser, cached ones included.
        completion_tokens: output tokens likewise, reasoning included.
        reasoning_tokens: output tokens spent on reasoning.
        cached_tokens: input tokens read from cache.
        latency_ms: to the first token.
        is_byok: whether it was paid through the caller's own provider key.
        is_cancelled: whether the caller hung up.
    """

    generation_id: str
    created_at: datetime | None = None
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    cost_usd: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    latency_ms: int | None = None
    is_byok: bool | None = None
    is_cancelled: bool | None = None
