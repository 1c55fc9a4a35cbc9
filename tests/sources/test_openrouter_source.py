"""The source against the loopback server: what it asks, and what it makes of the answers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from loopback.account import INFERENCE_KEY
from loopback.client import NOW, QUERY, TurnedClock, opened

from orpolicy.account import ApiKey
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.period import parse_window
from orpolicy.plugins import SOURCES
from orpolicy.query.model import Filter, Granularity, Operator, Query
from orpolicy.sources._client import Patience
from orpolicy.sources.base import Setting

if TYPE_CHECKING:
    from pathlib import Path

    from loopback.server import LoopbackServer

GPT = "openai/gpt-5-20250807"


def test_registry_opens_it_without_a_request(loopback: LoopbackServer) -> None:
    source = SOURCES["openrouter"].open(Setting("openrouter", loopback.environ))
    today = datetime.now(UTC)
    assert source.kind == "openrouter"
    assert source.now.microsecond == 0
    assert abs(source.now - today) < timedelta(seconds=30)
    assert source.info().requests == 0
    assert source.info().host == loopback.url.removeprefix("http://")
    assert loopback.requests == []
    source.close()


def test_a_small_account_costs_one_request_each(loopback: LoopbackServer) -> None:
    key = loopback.account.add_key("batch", disabled=True)
    loopback.account.add_model(GPT, id="openai/gpt-5")
    with opened(loopback.environ) as source:
        for _ in range(3):
            meta, directory, catalogue = source.meta(), source.directory(), source.catalogue()
        assert source.info().requests == 4
    assert sorted(loopback.paths()) == ["/analytics/meta", "/keys", "/models", "/workspaces"]
    assert meta.metrics["total_usage"] is False
    assert meta.metrics["cache_hit_rate"] is True
    assert {"model", "api_key_id"} <= meta.dimensions
    home = loopback.account.default_workspace
    assert directory.keys == (ApiKey("batch", key.key_hash, home.id, "Default", disabled=True),)
    assert directory.workspaces == {"Default": (home.id,)}
    assert [model.id for model in catalogue.models] == ["openai/gpt-5"]
    assert catalogue.taken_at is not None


def test_keys_of_all_workspaces_and_pages(loopback: LoopbackServer) -> None:
    account = loopback.account
    other, namesake = account.add_workspace("Other"), account.add_workspace("Other")
    for number in range(205):
        account.add_key(f"key-{number:03d}", workspace=other)
    mine, theirs = account.add_key("batch"), account.add_key("batch", workspace=namesake)
    with opened(loopback.environ) as source:
        directory = source.directory()
    assert len(directory.keys) == 207
    assert {key.key_hash for key in directory.by_name["batch"]} == {mine.key_hash, theirs.key_hash}
    assert directory.workspaces["Other"] == (other.id, namesake.id)
    asked = [request.query for request in loopback.requests if request.path == "/keys"]
    assert sorted(query["offset"] for query in asked) == ["0", "0", "0", "100", "200"]
    assert all(query["include_disabled"] == "true" for query in asked)


def test_more_workspaces_than_a_page_at_the_pace(loopback: LoopbackServer) -> None:
    for number in range(120):
        loopback.account.add_workspace(f"team-{number}")
    clock = TurnedClock()
    with opened(loopback.environ, clock=clock, patience=Patience()) as source:
        assert len(source.directory().workspaces) == 121
    assert loopback.paths().count("/workspaces") == 2
    assert loopback.paths().count("/keys") == 121
    assert 60 <= clock.time() - NOW.timestamp() < 70


def test_catalogue_in_pages(loopback: LoopbackServer) -> None:
    for number in range(5):
        loopback.account.add_model(f"lab/model-{number}")
    loopback.account.models_per_page = 2
    with opened(loopback.environ) as source:
        assert [model.id for model in source.catalogue().models] == [f"lab/model-{n}" for n in range(5)]
    assert [request.query.get("offset") for request in loopback.requests] == [None, "2", "4"]


def test_saved_catalogue_replaces_the_request(loopback: LoopbackServer, tmp_path: Path) -> None:
    row = loopback.account.add_model("lab/saved")
    saved = tmp_path / "models.json"
    saved.write_text(json.dumps({"data": [row]}))
    with opened(loopback.environ, catalogue=saved) as source:
        assert [model.id for model in source.catalogue().models] == ["lab/saved"]
    assert loopback.requests == []
    with (
        pytest.raises(UsageError, match="missing"),
        opened(loopback.environ, catalogue=tmp_path / "missing.json"),
    ):
        pass


def test_answer_by_day_key_and_user_is_clamped(loopback: LoopbackServer) -> None:
    account = loopback.account
    key, ada = account.add_key("batch"), account.add_user("Ada Lovelace", "ada@example.com")
    account.spend_daily(
        date(2026, 4, 30), 4, model=GPT, key=key, user=ada, usd=1.5, requests=2, prompt=7, completion=3,
        usage_cache=-0.25,
    )  # fmt: skip
    account.spend(date(2026, 5, 2), model=GPT, usd=0.5)
    window = parse_window("2026-05-01..2026-05-03", NOW)
    metrics = ("request_count", "tokens_total", "total_usage", "usage_cache", "usage_web")
    with opened(loopback.environ) as source:
        answer = source.answer(Query(metrics, ("api_key_id", "user"), window, (), Granularity.DAY))
    assert answer.table.dimensions == {
        "date": ["2026-05-02", "2026-05-01", "2026-05-02"],
        "api_key_id": ["batch", "batch", "Chatroom"],
        "user": ["Ada Lovelace <ada@example.com>"] * 2 + [None],
    }
    assert answer.table.metrics == {
        "request_count": [2, 2, 1],
        "tokens_total": [10, 10, 0],
        "total_usage": [1.5, 1.5, 0.5],
        "usage_cache": [-0.25, -0.25, None],
        "usage_web": [None, None, None],
    }
    assert answer.rows_dropped == 1
    assert (answer.warnings, answer.truncated, answer.from_cache) == ((), False, False)


def test_the_raw_prefix_and_spelled_numbers(loopback: LoopbackServer) -> None:
    loopback.account.numbers_as_strings = True
    loopback.account.cached_at = 1_780_000_000
    loopback.account.spend(date(2026, 5, 2), model=GPT, usd=0.125, provider="Azure")
    window = parse_window("2026-05-01..2026-06-01", NOW)
    query = Query(("request_count", "total_usage"), ("provider",), window, (), Granularity.MONTH)
    with opened(loopback.environ) as source:
        answer = source.answer(query)
    assert answer.table.dimensions == {"date": ["2026-05-01"], "provider": ["Azure"]}
    assert answer.table.metrics == {"request_count": [1], "total_usage": [0.125]}
    assert answer.cached_at == datetime.fromtimestamp(1_780_000_000, UTC)


def test_truncation_and_warnings_are_told(loopback: LoopbackServer) -> None:
    for number in range(4):
        loopback.account.spend(date(2026, 5, 2), model=f"lab/model-{number}", usd=number)
    unknown = Filter("api_key_id", Operator.IN, ("0" * 64,))
    window = QUERY.window
    with opened(loopback.environ) as source:
        cut = source.answer(Query(("total_usage",), ("model",), window, limit=3))
        warned = source.answer(Query(("total_usage",), ("model",), window, (unknown,)))
    assert cut.truncated
    assert cut.table.dimensions["model"] == ["lab/model-3", "lab/model-2", "lab/model-1"]
    assert len(warned.table) == 0
    assert warned.warnings == (f"api_key_id {'0' * 64} could not be resolved",)


def test_answers_keep_the_order_and_hold_errors(loopback: LoopbackServer) -> None:
    loopback.account.spend(date(2026, 5, 2), model=GPT, usd=1)
    bad = Query(("total_usage", "no_such"), (), QUERY.window)
    loopback.fail_next(8, delay_seconds=0.05)
    with opened(loopback.environ) as source:
        outcomes = source.answers([QUERY, bad] * 6)
        assert source.answers([]) == []
    assert [isinstance(outcome, SourceError) for outcome in outcomes] == [False, True] * 6
    assert loopback.most_in_flight == 4


def test_only_reads_are_ever_sent(loopback: LoopbackServer) -> None:
    loopback.account.add_workspace("Other")
    with opened(loopback.environ) as source:
        source.meta(), source.directory()
        with pytest.raises(SourceError):
            source.catalogue()
        source.answers([QUERY, QUERY])
    allowed = {("GET", "/analytics/meta"), ("GET", "/workspaces"), ("GET", "/keys"), ("GET", "/models")}
    allowed.add(("POST", "/analytics/query"))
    assert {(request.method, request.path) for request in loopback.requests} == allowed
    bearer = f"Bearer {loopback.account.management_key}"
    assert {request.headers["authorization"] for request in loopback.requests} == {bearer}
    assert all("sk-or" not in str(request.query) for request in loopback.requests)


def test_an_inference_key_is_told_what_to_do(loopback: LoopbackServer) -> None:
    environ = {"OPENROUTER_BASE_URL": loopback.url, "OPENROUTER_API_KEY": INFERENCE_KEY}
    with opened(environ) as source:
        for ask in (source.meta, source.directory, lambda: source.answer(QUERY), source.meta):
            with pytest.raises(SourceError) as caught:
                ask()
            assert caught.value.reason is Reason.ACCESS_DENIED
            assert "Only management keys can perform this operation" in caught.value.detail
            assert "OPENROUTER_MANAGEMENT_KEY" in caught.value.detail
    assert loopback.paths() == ["/analytics/meta", "/workspaces", "/analytics/query"]


def test_a_wrong_key_is_denied_at_once(loopback: LoopbackServer) -> None:
    with opened(loopback.environ | {"OPENROUTER_MANAGEMENT_KEY": "sk-wrong"}) as source:
        with pytest.raises(SourceError, match=r"access-denied.*HTTP 401: User not found"):
            source.meta()
        assert source.info().requests == 1


def test_a_bug_in_the_middle_stops_the_rest(loopback: LoopbackServer) -> None:
    class Interrupting(Query):
        __slots__ = ()

        def body(self) -> dict[str, object]:
            raise KeyboardInterrupt

    with opened(loopback.environ) as source, pytest.raises(KeyboardInterrupt):
        source.answers([Interrupting(("total_usage",), (), QUERY.window), QUERY])
