"""What is kept of ``GET /generation``, however broken or talkative the answer is."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from orpolicy.errors import Reason, SourceError
from orpolicy.query.generation import Generation
from orpolicy.sources._generation import decode_generation

ODD: list[Any] = [
    None,
    True,
    [],
    {},
    "x" * 200,
    "what was\nsaid",
    -1,
    "n,a,n",
    math.inf,
    10**400,
    "13-40, noon",
]


@pytest.mark.parametrize("payload", [None, [], {}, {"data": []}, {"data": {}}, {"data": {"id": "gen-2"}}])
def test_an_answer_about_nothing_or_another_request_is_refused(payload: Any) -> None:
    with pytest.raises(SourceError) as caught:
        decode_generation("gen-1", payload)
    assert caught.value.reason is Reason.MALFORMED_ANSWER


@pytest.mark.parametrize("odd", ODD, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize(
    "name",
    [
        "created_at",
        "model",
        "provider_name",
        "finish_reason",
        "total_cost",
        "native_tokens_prompt",
        "latency",
    ],
)
def test_what_is_not_as_it_should_be_is_not_there(name: str, odd: Any) -> None:
    assert decode_generation("gen-1", {"data": {"id": "gen-1", name: odd}}) == Generation("gen-1")


def test_strings_count_as_the_numbers_they_spell_and_times_are_utc() -> None:
    data: Any = {
        "id": "gen-1",
        "total_cost": "0.0015",
        "native_tokens_prompt": "10",
        "created_at": "2024-07-15T23:33:19",
    }
    found = decode_generation("gen-1", {"data": data})
    assert (found.cost_usd, found.prompt_tokens) == (0.0015, 10)
    assert found.created_at == datetime(2024, 7, 15, 23, 33, 19, tzinfo=UTC)


def test_nothing_else_is_kept() -> None:
    names = ("input", "user_agent", "external_user", "native_finish_reason", "provider_responses")
    payload: Any = {"data": {"id": "gen-1", **dict.fromkeys(names, "secret")}}
    assert "secret" not in repr(asdict(decode_generation("gen-1", payload)))
