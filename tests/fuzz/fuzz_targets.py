"""What is fed with anything: policy files and answers. Either a value, or an error that says what is wrong.

Each target takes bytes and returns whether they were accepted; whatever else escapes it is a bug.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orpolicy.errors import PolicyError, Reason, SourceError
from orpolicy.period import parse_window
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds
from orpolicy.query.model import Filter, Granularity, Operator, Query
from orpolicy.sources._decode import decode_answer
from orpolicy.sources._json import BrokenJson, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.query.model import Answer

FILE = "fuzzed.yaml"
KINDS = Kinds()
MAY = parse_window("2026-05-01..2026-06-01", datetime(2026, 6, 10, tzinfo=UTC))
COUNTS = frozenset({"request_count", "tokens_total"})
QUERIES = (
    Query(("request_count", "tokens_total", "total_usage", "usage_cache"), (), MAY),
    Query(("request_count", "total_usage"), ("api_key_id", "model"), MAY, granularity=Granularity.DAY),
    Query(("total_usage",), ("user",), MAY, (Filter("model", Operator.IN, ("a/b",)),), Granularity.MONTH),
)
ROOT = Path(__file__).parents[2]
POLICY_TOKENS = (
    b"\n", b"  ", b"- ", b": ", b"{", b"}", b"[", b"]", b"'", b'"', b"|\n", b">-\n", b"*", b"&a ", b"!!int ",
    b"!<x>", b"? ", b"@", b"hash:", b"#", b"%YAML 1.1\n", b"---\n", b"...\n", b"\t", b"\r", b"\x00", b"\xff",
    b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"<<: ", b"null", b"~", b".inf", b"-.nan", b"1e999",
    b"0x7f", b"0o17", b"1_0", b"22:22", b"on", b"version: 1\n", b"policies:\n", b"waivers: []\n",
    b"key_sets: {a: ['@a']}\n", b"where: {model: '*'}", b"floor: {spend: -1}", b"window: last-999d",
    b"window: {start: 0001-01-01, end: 9999-12-31}", b"fail_above: 1e308", b"expression: ((total_usage))",
    b"[" * 70, b"9" * 400,
)  # fmt: skip
ANSWER_TOKENS = (
    b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-1", b"0.5", b'"37000"', b'"-0"', b'"1e5"', b"{}",
    b'"\\ud800"', b"9" * 5000, b'"' + b"9" * 5000 + b'"', b"[]", b"[" * 500, b",", b":", b"}", b"]", b'"',
    b"\\u0000", b'"date__day"', b'"created_at__day"', b'"date__month"', b'"2026-05-01"', b'"2026-02-30"',
    b'"2026-05-01 12:00:00"', b'"9999-12"', b'"0000-00-00"', b'"user"', b'"user_email"', b'"total_usage"',
    b'"request_count"', b'"api_key_id"', b'"model"', b'"warnings"', b'"cachedAt"', b'"truncated"',
    b'"row_count"', b"\xff", b"\xef\xbb\xbf",
)  # fmt: skip
POLICIES = """
version: 1
defaults: {window: last-month, floor: {spend: 10}}
key_sets: {batch: ["batch-*", "@night"], night: ["nightly-?"]}
model_sets: {retired: ["openai/gpt-4-*"]}
policies:
  - id: blended-outlier
    rule: blended-multiple
    by: [model]
    warn_above: 5
    fail_above: 15
    why: >-
      Folded,
      over lines.
  - {id: ban, rule: model-ban, where: {api_key_id: {not: "@batch"}}, models: ["@preview", "@retired"]}
  - {id: extras, rule: surcharge-share, components: [web], fail_above: 5e-2, locked: true, allow_empty: true}
  - {id: own, rule: metric, expression: usage_web / (total_usage + 1), by: [user], fail_above: 0.1}
  - {id: grow, rule: spend-growth, window: {start: 2026-05-01, end: "2026-06-01"}, baseline_periods: 4}
waivers:
  - {policy: ban, where: {api_key_id: batch-eval}, until: 2027-01-31, max_spend: 500, reason: "r", owner: 'o'}
"""


def policy_file(data: bytes) -> bool:
    """Read a policy file: a policy set, or problems that each have a place in it."""
    try:
        policies = load_texts({FILE: data}, KINDS)
    except PolicyError as error:
        refusal = error
    else:
        assert policies.policies
        return True
    assert refusal.problems
    assert all(problem.location.line >= 1 and problem.location.column >= 1 for problem in refusal.problems)
    assert str(refusal).encode()
    return False


def answer(data: bytes) -> bool:
    """Read an answer to three questions: tables whose every value may be summed, or a reason."""
    try:
        payload = parse_json(data, allow_nan=True)
    except BrokenJson:
        return False
    accepted = [_decoded(query, payload) for query in QUERIES]
    return any(accepted)


def _decoded(query: Query, payload: Any) -> bool:
    try:
        found = decode_answer(query, payload)
    except SourceError as error:
        refusal = error
    else:
        _check(found)
        return True
    assert refusal.reason is Reason.MALFORMED_ANSWER
    assert len(str(refusal)) < 1_000
    return False


def _check(found: Answer) -> None:
    assert {len(column) for column in found.table.metrics.values()} == {len(found.table)}
    for name, column in found.table.metrics.items():
        for value in column:
            if value is None:
                continue
            assert type(value) is (int if name in COUNTS else float) or (type(value) is int and value >= 0)
            assert math.isfinite(value)
            assert value >= 0 or name == "usage_cache"
    found.table.rollup(())


def policy_seeds() -> list[bytes]:
    """One file with a little of everything, whole and in part, and the smallest pack."""
    whole = POLICIES.encode()
    policy = b"version: 1\npolicies: [{id: a, rule: usd-per-mtok, fail_above: 1}]\n"
    return [whole, whole.partition(b"waivers")[0], policy, (ROOT / "policies" / "starter.yaml").read_bytes()]


def answer_seeds() -> list[bytes]:
    """One sound answer to each question, as the API would write it."""
    by_day = b'"date__day": "2026-05-02", "api_key_id": "k", "model": "a/b", "request_count": "7"'
    by_user = b'"created_at__month": "2026-05-01 00:00:00", "user": "U", "user_email": null'
    whole = b'"request_count": "7", "tokens_total": 9.0, "usage_cache": -1.5'
    return [
        b'{"data": {"data": [{%b, "total_usage": 1.5}], "metadata": {"query_time_ms": 1, "row_count": 1, '
        b'"truncated": false}, "cachedAt": 1780000000000, "warnings": ["w"]}}' % row
        for row in (whole, by_day, by_user)
    ]


@dataclass(frozen=True, slots=True)
class Target:
    """Something to feed.

    Attributes:
        feed: whether some bytes were accepted.
        seeds: what to start from.
        tokens: pieces that mean something to it.
    """

    feed: Callable[[bytes], bool]
    seeds: tuple[bytes, ...]
    tokens: tuple[bytes, ...]


TARGETS = {
    "policy": Target(policy_file, tuple(policy_seeds()), POLICY_TOKENS),
    "answer": Target(answer, tuple(answer_seeds()), ANSWER_TOKENS),
}
