"""Selectors that become filters: what they match by name must come back by id, or nothing is judged."""

from __future__ import annotations

import pytest
from world import hash_of, memory, row, run

from orpolicy.account import ApiKey

TEXT = """
policies:
  - {id: p, rule: spend-limit, by: [model, provider], where: {%s}, fail_above: 100, allow_empty: true}
"""
KEYS = [
    ApiKey("batch-a", hash_of(1), "w-1", "Lab"),
    ApiKey("batch-b", hash_of(2), "w-1", "Lab"),
    ApiKey("prod", hash_of(3), "w-2", "Home"),
]
BOTH = "api_key_id: 'batch-*', workspace: Lab"


def judged(where: str, *rows: tuple[str, int, str, float]) -> str:
    """The verdict on usage as (name, number of the hash, workspace's UUID, USD), or why there is none."""
    records = [
        row(
            api_key_id=name,
            api_key_hash=hash_of(number),
            workspace={"w-1": "Lab", "w-2": "Home", "w-9": "Lab"}[home],
            workspace_id=home,
            model="m",
            provider="p",
            total_usage=usd,
        )
        for name, number, home, usd in rows
    ]
    report = run(TEXT % where, memory(records, keys=KEYS))
    return str(report.inconclusive[0].reason) if report.inconclusive else str(report.verdict)


@pytest.mark.parametrize("where", ["api_key_id: 'batch-*'", "workspace: Lab", BOTH])
def test_listed_keys_are_judged(where: str) -> None:
    few = [("batch-b", 2, "w-1", 5.0), ("prod", 3, "w-2", 500.0)]
    assert judged(where, *few) == "pass"
    assert judged(where, *few, ("batch-a", 1, "w-1", 400.0)) == "fail"


@pytest.mark.parametrize("where", ["api_key_id: 'batch-*'", "workspace: Lab", BOTH])
def test_what_a_deleted_one_spent_is_not_left_out_in_silence(where: str) -> None:
    """By name 405 dollars match, by id 5: the rest has no filter."""
    deleted = ("batch-a", 9, "w-9", 400.0)
    assert judged(where, ("batch-b", 2, "w-1", 5.0), deleted) == "control-mismatch"
    cents = ("batch-a", 9, "w-9", 0.009)
    assert judged(where, ("batch-b", 2, "w-1", 5.0), cents) == "pass"
