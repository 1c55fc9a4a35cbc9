"""A breach by a young or unused key is only its own if a question by its hash says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from world import hash_of, memory, row, run

from orpolicy.account import ApiKey, KeyFacts
from orpolicy.errors import Reason, SourceError
from orpolicy.sources.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report

LIMIT = "policies: [{id: p, rule: spend-limit, by: [%s], fail_above: 10}]"
YOUNG = KeyFacts(created_at="2026-05-02T00:00:00+02:00")
OLD = KeyFacts(created_at="2025-05-02T00:00:00Z", usage_usd=12.5)


class Spy(Memory):
    """Remembers what it is asked by hash, and may cut such answers off, or fail."""

    def __init__(self, source: Memory, *, most_rows: int = 10_000, error: str = "") -> None:
        super().__init__(source._records, now=source.now, directory=source.directory())  # noqa: SLF001 - same class
        self.by_hash: list[Query] = []
        self._most_rows, self._error = most_rows, error

    def answer(self, query: Query) -> Answer:
        if not query.filters:
            return super().answer(query)
        self.by_hash.append(query)
        if self._error:
            raise SourceError(Reason.API_ERROR, self._error)
        found = super().answer(replace(query, limit=self._most_rows))
        return replace(found, query=query)


def account(facts: KeyFacts | None, *, own_usd: float = 0.0, others: Sequence[Any] = (), **spy: Any) -> Spy:
    """A key ``twin`` that spends so much, and a deleted one of its name that spends 40 on another model."""
    rows = [
        row(api_key_id="twin", api_key_hash=hash_of(99), model="m", user="u", total_usage=40.0),
        row(api_key_id="twin", api_key_hash=hash_of(1), model="n", user="u", total_usage=own_usd),
        *(
            row(api_key_id=key.name, api_key_hash=key.key_hash, model=model, user="u", total_usage=2.5)
            for key in others
            for model in ("n", "o")
        ),
    ]
    keys = [ApiKey("twin", hash_of(1), facts=facts or KeyFacts()), *others]
    if facts is None:
        keys[0] = replace(keys[0], facts=None)
    return Spy(memory(rows, keys=keys), **spy)


def reason(report: Report) -> str:
    return str(report.inconclusive[0].reason) if report.inconclusive else str(report.verdict)


USED = (ApiKey("used", hash_of(2), facts=OLD),)


@pytest.mark.parametrize(
    ("facts", "others", "wanted"),
    [
        (YOUNG, (), "ambiguous-key"),
        (KeyFacts(created_at="2026-05-01T00:00:01"), (), "ambiguous-key"),
        (KeyFacts(created_at="2026-05-01T00:00:00"), (), "fail"),
        (KeyFacts(created_at="some day"), (), "fail"),
        (KeyFacts(usage_usd=0.0), USED, "ambiguous-key"),
        (KeyFacts(usage_usd=0.0, byok_usage_usd=0.0), USED, "ambiguous-key"),
        (KeyFacts(usage_usd=0.0, byok_usage_usd=1.0), USED, "fail"),
        (KeyFacts(usage_usd=0.0), (), "fail"),
        (KeyFacts(usage_usd=1.0), USED, "fail"),
        (KeyFacts(), USED, "fail"),
        (None, USED, "fail"),
    ],
)
def test_who_is_asked_again(facts: KeyFacts | None, others: Sequence[ApiKey], wanted: str) -> None:
    source = account(facts, others=others)
    assert reason(run(LIMIT % "api_key_id", source)) == wanted
    # where nobody doubts, the cells behind the breach are asked by hash all the same
    assert [query.dimensions for query in source.by_hash] == [("api_key_id", "model")]


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("api_key_id", "fail"),  # 40 of 8,040 dollars are within the tolerance of half a percent
        ("api_key_id, user", "fail"),
        ("api_key_id, model", "ambiguous-key"),  # on its own model all 40 are somebody else's
        ("model, api_key_id", "ambiguous-key"),
        ("model", "fail"),
    ],
)
def test_what_is_the_keys_own_stands(by: str, wanted: str) -> None:
    assert reason(run(LIMIT % by, account(YOUNG, own_usd=8_000.0))) == wanted


def crowd(count: int) -> list[ApiKey]:
    """Further young keys, each of which spends five dollars on two models."""
    return [ApiKey(f"k{number}", hash_of(1_000 + number), facts=YOUNG) for number in range(count)]


def test_many_keys_are_asked_in_lists() -> None:
    source = account(YOUNG, own_usd=8_000.0, others=crowd(250))
    report = run((LIMIT % "api_key_id").replace("10", "1"), source)
    assert len(report.findings) == 251
    assert [len(query.filters[0].values) for query in source.by_hash] == [200, 51]


@pytest.mark.parametrize(("own_usd", "wanted"), [(8_000.0, "fail"), (2.5, "ambiguous-key")])
def test_an_answer_that_is_cut_off_is_asked_by_key_alone(own_usd: float, wanted: str) -> None:
    source = account(YOUNG, own_usd=own_usd, others=crowd(4), most_rows=5)
    report = run((LIMIT % "api_key_id").replace("10", "4"), source)
    assert reason(report) == wanted
    assert ("api_key_id",) in {query.dimensions for query in source.by_hash}


def test_a_question_that_fails_leaves_the_policy_open() -> None:
    report = run(LIMIT % "api_key_id", account(YOUNG, own_usd=8_000.0, error="out of order"))
    assert [(item.reason, item.detail) for item in report.inconclusive] == [
        (Reason.API_ERROR, "out of order")
    ]


def test_nothing_is_asked_where_nothing_is_breached() -> None:
    source = account(YOUNG)
    assert run(LIMIT.replace("10", "100") % "api_key_id", source).verdict == "pass"
    assert source.by_hash == []


def test_the_sentence_names_the_key_and_both_sums() -> None:
    (item,) = run(LIMIT % "api_key_id", account(YOUNG, own_usd=2.5)).inconclusive
    assert item.detail == (
        "the key twin itself spends 2.50 USD of the 42.50 USD under its name: "
        "a deleted key may have had it too"
    )
