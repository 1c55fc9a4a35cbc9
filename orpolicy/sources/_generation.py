"""The answer of ``GET /generation``, of which only figures and closed words are kept."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orpolicy.query.generation import Generation
from orpolicy.sources._columns import malformed

if TYPE_CHECKING:
    from orpolicy.sources._json import Json

_WORD = re.compile(r"[\w./:~@+ ()-]{1,120}")
"""A model, a provider or a reason; anything longer or stranger is no closed word."""

_MOST = 1e15


def decode_generation(generation_id: str, payload: Json) -> Generation:
    """One request. What is not as it should be is not there; what is not named here is dropped.

    Raises:
        SourceError: MALFORMED_ANSWER, if the answer is about no request, or about another one.
    """
    data = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(data, dict):
        raise malformed("generation: data is no object")
    if data.get("id") != generation_id:
        raise malformed("generation: the answer is about another request")
    return Generation(
        generation_id=generation_id,
        created_at=_moment(data.get("created_at")),
        model=_word(data.get("model")),
        provider=_word(data.get("provider_name")),
        finish_reason=_word(data.get("finish_reason")),
        cost_usd=_amount(data.get("total_cost")),
        prompt_tokens=_count(data.get("native_tokens_prompt")),
        completion_tokens=_count(data.get("native_tokens_completion")),
        reasoning_tokens=_count(data.get("native_tokens_reasoning")),
        cached_tokens=_count(data.get("native_tokens_cached")),
        latency_ms=_count(data.get("latency")),
        is_byok=_flag(data.get("is_byok")),
        is_cancelled=_flag(data.get("cancelled")),
    )


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _amount(value: object) -> float | None:
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        amount = float(value)
    except (ValueError, OverflowError):
        return None
    return amount if math.isfinite(amount) and 0 <= amount < _MOST else None


def _count(value: object) -> int | None:
    amount = _amount(value)
    return None if amount is None else round(amount)


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
