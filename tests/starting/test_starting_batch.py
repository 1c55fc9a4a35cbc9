"""Which keys are taken for batch traffic, and with which words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from start_world import FIRST, account, daily, everyday, office

from orpolicy.starting.batch import Candidate, candidates
from orpolicy.starting.survey import survey


def found(*keys: list[dict[str, object]]) -> dict[str, Candidate]:
    return {one.member: one for one in candidates(survey(account(*keys), None))}


def weekly(day: date) -> int:
    return 500 if day.weekday() == 2 else 0


def uneven(day: date) -> int:
    return 50 if day.toordinal() % 2 else 150


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("batch-eval", "batch"),
        ("NightlyReport", "nightly"),
        ("my_cron_2", "cron"),
        ("docs pipeline", "pipeline"),
        ("EVALS", "evals"),
    ],
)
def test_a_name_is_enough(name: str, word: str) -> None:
    (one,) = found(daily(name, office)).values()
    assert one.is_strong
    assert one.signs == (f"the name says {word}", "though its weekends are as quiet as people's")


@pytest.mark.parametrize("name", ["retrieval", "medieval-chat", "synchronous", "prod-api", "\u202e", "?"])
def test_part_of_a_word_is_not(name: str) -> None:
    assert found(daily(name, office)) == {}


def test_flat_weeks_even_days_and_long_prompts_are_enough_together() -> None:
    (one,) = found(daily("indexer", everyday)).values()
    assert one.is_strong
    assert one.signs == (
        "weekends carry 100 % of a weekday's requests",
        "its days differ by 0 %",
        "it reads 9 tokens for each one that it writes, day after day",
    )


def test_flat_weeks_alone_are_weak_evidence() -> None:
    short: dict[str, Any] = {"tokens_prompt": 100, "tokens_completion": 100}
    one, other = found(daily("uneven", uneven, **short), daily("even", everyday, 0.01, **short)).values()
    assert (one.member, one.is_strong) == ("uneven", False)
    assert [sign.partition(" ")[0] for sign in one.signs] == ["weekends"]
    assert (other.member, other.is_strong, len(other.signs)) == ("even", False, 2)


def test_work_on_one_day_a_week_is_weak_evidence() -> None:
    (one,) = found(daily("weekly", weekly)).values()
    assert not one.is_strong
    assert one.signs == ("it runs on 9 of 57 days", "exactly every 7 days")


def test_irregular_bursts_say_that_they_are_rare() -> None:
    days = {FIRST + timedelta(days=number) for number in (0, 9, 20, 33, 50)}
    (one,) = found(daily("bursts", lambda day: 500 if day in days else 0)).values()
    assert one.signs == ("it runs on 5 of 51 days",)


@pytest.mark.parametrize(
    "requests",
    [
        lambda day: 100 if day >= date(2026, 5, 18) else 0,
        lambda day: 1 if day.weekday() < 3 else 0,
        lambda day: 500 if day in {FIRST, date(2026, 5, 20)} else 0,
    ],
    ids=["three weeks", "a few requests", "two days"],
)
def test_too_little_says_nothing(requests: Any) -> None:
    assert found(daily("young", requests)) == {}


def test_traffic_without_a_key_is_nobodys_batch() -> None:
    assert found(daily(None, everyday)) == {}
