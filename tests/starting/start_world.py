"""Accounts to start from, in memory: keys with a rhythm, and models with a price."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from world import hash_of, memory, row

from orpolicy.account import ApiKey
from orpolicy.table import DATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.sources.memory import Memory

FIRST, LAST = date(2026, 4, 6), date(2026, 6, 9)
"""A Monday nine weeks before the last one of ``world.NOW``, and the last whole day."""


def everyday(day: date) -> int:
    """The same every day."""
    return 100 if day >= FIRST else 0


def office(day: date) -> int:
    """A tenth at weekends."""
    return 100 if day.weekday() < 5 else 10


def daily(
    key: str | None,
    requests: Callable[[date], int] = office,
    usd_per_request: float = 0.1,
    model: str = "acme/steady",
    **values: Any,
) -> list[dict[str, Any]]:
    """A key's records: ten thousand tokens a request, nine read for each one written."""
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    return [
        row(
            **{
                DATE: day.isoformat(),
                "api_key_id": key,
                "model": model,
                "request_count": count,
                "total_usage": usd_per_request * count,
                "tokens_total": 10_000 * count,
                "tokens_prompt": 9_000 * count,
                "tokens_completion": 1_000 * count,
            }
            | values
        )
        for day in days
        if (count := requests(day))
    ]


def listed(names: Sequence[str]) -> tuple[ApiKey, ...]:
    """Keys of these names, each with a hash of its own."""
    return tuple(ApiKey(name, hash_of(number)) for number, name in enumerate(names, 1))


def account(*parts: list[dict[str, Any]], names: Sequence[str] = ()) -> Memory:
    """An account of these records."""
    return memory([record for part in parts for record in part], keys=listed(names))
