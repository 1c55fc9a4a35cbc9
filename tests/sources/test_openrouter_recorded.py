"""Answers recorded from the live service by others, and the real requests of the shared data."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orpolicy.period import parse_window
from orpolicy.query.model import Granularity, Query
from orpolicy.sources._decode import decode_answer
from orpolicy.sources._replies import refusal

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not here")

NOW = datetime(2026, 9, 1, tzinfo=UTC)
COUNTS = (
    "cached_tokens",
    "reasoning_tokens",
    "request_count",
    "tokens_completion",
    "tokens_prompt",
    "tokens_total",
)


def load(name: str) -> Any:
    return json.loads((DATA / "wire" / name).read_text())


def envelope(row: dict[str, Any]) -> Any:
    return {"data": {"data": [row], "metadata": {"query_time_ms": 17, "row_count": 1, "truncated": False}}}


def bill(*columns: str) -> dict[tuple[str, ...], dict[str, list[float]]]:
    """The real requests, by day and further columns; their models are ids, not permaslugs."""
    sums: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for line in (DATA / "requests" / "real-requests-2026-08.jsonl").read_text().splitlines():
        record = json.loads(line)
        for metric in ("total_usage", *COUNTS):
            amount = record.get(metric)
            if metric == "tokens_total":
                amount = record["tokens_prompt"] + record["tokens_completion"]
            sums[record["created_at"][:10], *(record[name] for name in columns)][metric].append(amount)
    return sums


def bill_of(metric: str) -> float:
    lines = (DATA / "requests" / "real-requests-2026-08.jsonl").read_text().splitlines()
    return math.fsum(json.loads(line)[metric] or 0 for line in lines)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("derived_query_model_by_day.json", ()),
        ("derived_query_model_provider_by_day.json", ("provider",)),
    ],
)
def test_derived_answers_are_the_requests_added_up(name: str, columns: tuple[str, ...]) -> None:
    window = parse_window("2026-08-01..2026-08-31", NOW)
    query = Query((*COUNTS, "total_usage", "usage_web"), ("model", *columns), window, (), Granularity.DAY)
    table = decode_answer(query, load(name)).table
    assert None in table.metrics["usage_web"]
    assert math.fsum(amount or 0 for amount in table.metrics["usage_web"]) == pytest.approx(
        bill_of("usage_web")
    )
    table, expected = table.rollup(("date", *columns)), bill(*columns)
    assert {table.row_key(row) for row in range(len(table))} == set(expected)
    for row in range(len(table)):
        sums = expected[tuple(str(member) for member in table.row_key(row))]
        assert table.metrics["total_usage"][row] == pytest.approx(math.fsum(sums["total_usage"]), abs=1e-6)
        assert [table.metrics[metric][row] for metric in COUNTS] == [sum(sums[metric]) for metric in COUNTS]


def test_the_bill_agrees_with_the_published_total() -> None:
    window = parse_window("2026-08-01..2026-08-31", NOW)
    query = Query(("request_count", "total_usage"), ("model",), window, (), Granularity.DAY)
    table = decode_answer(query, load("derived_query_model_by_day.json")).table
    with (DATA / "requests" / "real-requests-2026-08.csv").open(newline="") as file:
        assert table.total("request_count") == len(list(csv.DictReader(file))) == 697
    assert table.total("total_usage") == pytest.approx(42.28, abs=0.005)


def test_live_rows() -> None:
    fragments = load("observed_fragments.json")
    may_to_september = parse_window("2026-05-01..2026-09-30", NOW)
    metrics = ("request_count", "tokens_total", "total_usage")
    row = fragments["query_row_dims_model_provider"]["row"]
    answer = decode_answer(
        Query(metrics, ("model", "provider"), may_to_september, (), Granularity.DAY), envelope(row)
    )
    assert answer.table.row_key(0) == ("2026-06-23", "anthropic/claude-4.6-sonnet-20260217", "Google")
    assert answer.table.metrics == {"request_count": [1], "tokens_total": [8685], "total_usage": [0.032701]}

    row = fragments["query_row_dims_api_key_id_month"]["row"]
    answer = decode_answer(
        Query(metrics[1:], ("api_key_id",), may_to_september, (), Granularity.MONTH), envelope(row)
    )
    assert answer.table.row_key(0) == ("2026-08-01", "mac-secrets")
    assert answer.table.metrics["tokens_total"] == [18993032]

    row = fragments["query_day_rows_with_usage_cache"]["row"]
    answer = decode_answer(
        Query(("usage_cache",), ("model",), may_to_september, (), Granularity.DAY), envelope(row)
    )
    assert answer.table.metrics["usage_cache"] == [-0.02]

    envelope_of_docs = fragments["query_cookbook_envelope"]["body"]
    answer = decode_answer(Query(metrics, ("model",), may_to_september), envelope_of_docs)
    assert answer.table.metrics == {"request_count": [6], "tokens_total": [6331], "total_usage": [0.005]}


def test_documented_user_rows_and_the_openapi_example() -> None:
    fragments = load("observed_fragments.json")
    window = parse_window("2025-01-01..2025-02-01", NOW)
    members: list[str | None] = []
    for row in fragments["query_user_dimension_rows"]["rows"]:
        table = decode_answer(Query(("request_count",), ("user",), window), envelope(row)).table
        members += table.dimensions["user"]
    assert members == ["Ada Lovelace <ada@example.com>", "grace@example.com", "Alan Turing"]
    row = fragments["query_openapi_example"]["row"]
    table = decode_answer(Query(("request_count",), (), window, (), Granularity.DAY), envelope(row)).table
    assert table.dimensions["date"] == ["2025-01-01"]
    assert table.metrics["request_count"] == [1500]


def test_recorded_errors_are_read() -> None:
    errors = load("observed_fragments.json")["errors"]
    assert len(errors) >= 6
    for error in errors:
        failure = refusal(error["status"], error["body"])
        assert error["body"]["error"]["message"] in failure.detail
        assert failure.is_final is (error["status"] in (400, 401, 403))
