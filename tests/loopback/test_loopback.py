"""The loopback server keeps to what is known of the API; asked here without any of our own client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

MAY = {"start": "2026-05-01T00:00:00Z", "end": "2026-06-01T00:00:00Z"}
DATA = Path(__file__).parents[3] / "shared" / "data" / "wire"


def call(
    server: LoopbackServer, path: str, body: Any = None, key: str | None = "management"
) -> tuple[int, Any]:
    keys = {"management": server.account.management_key, "inference": server.account.inference_key}
    headers = {} if key is None else {"Authorization": f"Bearer {keys.get(key, key)}"}
    raw = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{server.url}/api/v1{path}", raw, headers)
        ) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def rows(server: LoopbackServer, **body: Any) -> list[dict[str, Any]]:
    status, answer = call(server, "/analytics/query", {"metrics": ["total_usage"], "time_range": MAY} | body)
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["data"]["data"]
    assert answer["data"]["metadata"]["row_count"] == len(found)
    return found


def complaint(server: LoopbackServer, **body: Any) -> str:
    status, answer = call(server, "/analytics/query", {"metrics": ["total_usage"], "time_range": MAY} | body)
    assert (status, answer["error"]["code"]) == (400, 400)
    return str(answer["error"]["message"])


@pytest.mark.parametrize(
    ("key", "status", "message"),
    [
        (None, 401, "Missing Authentication header"),
        ("sk-other", 401, "User not found."),
        ("inference", 403, "Only management keys can perform this operation"),
    ],
)
def test_who_is_let_in(loopback: LoopbackServer, key: str | None, status: int, message: str) -> None:
    for path in ("/analytics/meta", "/keys", "/workspaces"):
        assert call(loopback, path, key=key) == (status, {"error": {"code": status, "message": message}})
    assert call(loopback, "/models", key=key)[0] == 200
    assert call(loopback, "/elsewhere")[0] == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"metrics": []}, "metrics: Too small"),
        ({"metrics": "total_usage"}, "metrics: Invalid input"),
        ({"metrics": ["spend"]}, "Unknown metric: spend"),
        ({"dimensions": ["model", "app", "user"]}, "dimensions: Too big: expected array to have <=2 items"),
        ({"dimensions": ["colour"]}, "Unknown dimension: colour"),
        ({"granularity": "fortnight"}, "Unknown granularity"),
        ({"filters": [{"field": "model", "operator": "eq", "value": "a"}] * 21}, "filters: Too big"),
        ({"filters": [{"field": "colour", "operator": "eq", "value": "a"}]}, "Unknown dimension in filter"),
        ({"filters": [{"field": "model", "operator": "like", "value": "a"}]}, "Unknown operator"),
        ({"filters": [{"field": "model", "operator": "in", "value": "a"}]}, "expects array"),
        ({"filters": [{"field": "model", "operator": "eq", "value": ["a"]}]}, "expects scalar"),
        ({"order_by": {"field": "tokens_total", "direction": "desc"}}, "order_by"),
        ({"time_range": {"start": "2026-05-01T00:00Z", "end": "2026-06-01T00:00:00Z"}}, "time_range.start"),
        ({"time_range": {"start": "2026-05-01T00:00:00Z"}}, "time_range.end"),
        ({"time_range": {"start": MAY["end"], "end": MAY["start"]}}, "end must be after start"),
        ({"granularity": "minute"}, "maximum of 3 hours"),
        ({"metrics": ["possible_cached_tokens", "tokens_total"]}, "cannot be combined"),
        ({"metrics": ["possible_cached_tokens"], "dimensions": ["app"]}, "only model and provider"),
        ({"metrics": ["possible_cached_tokens"], "granularity": "minute"}, "hour granularity"),
    ],
)
def test_what_is_refused(loopback: LoopbackServer, body: dict[str, Any], said: str) -> None:
    assert said in complaint(loopback, **body)


@pytest.mark.parametrize(
    ("body", "days"),
    [
        ({}, 367),
        ({"granularity": "day", "dimensions": ["model", "api_key_id"]}, 367),
        ({"granularity": "hour"}, 31),
        ({"dimensions": ["provider"]}, 31),
        ({"filters": [{"field": "country", "operator": "eq", "value": "DE"}]}, 31),
        ({"metrics": ["usage_file"]}, 31),
        ({"metrics": ["blended_cost_per_million_tokens"]}, 31),
    ],
)
def test_how_far_back(loopback: LoopbackServer, body: dict[str, Any], days: int) -> None:
    end = datetime(2026, 6, 1, tzinfo=UTC)
    for over in (0, 1):
        start = datetime.fromtimestamp(end.timestamp() - days * 86_400 - over, UTC)
        span = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": "2026-06-01T00:00:00Z"}
        if over:
            assert f"maximum of {days} days" in complaint(loopback, time_range=span, **body)
        else:
            assert rows(loopback, time_range=span, **body) == []


def test_shapes_of_values(loopback: LoopbackServer) -> None:
    loopback.account.spend(
        date(2026, 5, 2),
        model="lab/a",
        usd=1.5,
        requests=3,
        prompt=80,
        completion=4,
        cached=20,
        usage_cache=-0.5,
    )
    metrics = [
        "total_usage",
        "tokens_total",
        "cache_hit_rate",
        "blended_cost_per_million_tokens",
        "usage_cache",
    ]
    assert rows(loopback, metrics=[*metrics, "usage_web", "guardrail_invoked_rate"]) == [
        {
            "total_usage": 1.5,
            "tokens_total": "84",
            "cache_hit_rate": 0.25,
            "blended_cost_per_million_tokens": 0,
            "usage_cache": -0.5,
            "usage_web": None,
            "guardrail_invoked_rate": 0.0,
        }
    ]
    loopback.account.numbers_as_strings = True
    assert rows(loopback) == [{"total_usage": "1.5"}]


@pytest.mark.parametrize(
    ("granularity", "bucket"),
    [
        ("minute", "2026-05-06 07:08:00"),
        ("hour", "2026-05-06 07:00:00"),
        ("day", "2026-05-06"),
        ("week", "2026-05-03"),
        ("month", "2026-05-01"),
    ],
)
def test_buckets(loopback: LoopbackServer, granularity: str, bucket: str) -> None:
    loopback.account.spend(datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC), model="lab/a", usd=1)
    span = {"start": "2026-05-06T06:00:00Z", "end": "2026-05-06T09:00:00Z"}
    prefix = "created_at" if granularity in ("minute", "hour") else "date"
    found = rows(loopback, granularity=granularity, time_range=span)
    assert found == [{f"{prefix}__{granularity}": bucket, "total_usage": 1.0}]


def test_the_raw_prefix_newest_first_and_a_day_too_many(loopback: LoopbackServer) -> None:
    loopback.account.spend_daily(date(2026, 4, 29), 5, model="lab/a", usd=1)
    days = [row["created_at__day"] for row in rows(loopback, granularity="day", dimensions=["provider"])]
    assert days == ["2026-05-03", "2026-05-02", "2026-05-01", "2026-04-30"]
    loopback.account.rows_outside = False
    assert len(rows(loopback, granularity="day")) == 3


def test_names_for_identifiers(loopback: LoopbackServer) -> None:
    account = loopback.account
    team, app, ada = (
        account.add_workspace("Team"),
        account.add_app("Bot"),
        account.add_user("Ada", "a@example.com"),
    )
    key = account.add_key("batch", workspace=team)
    account.spend(date(2026, 5, 2), model="lab/a", key=key, app=app, user=ada, usd=1)
    account.spend(date(2026, 5, 2), model="lab/a", usd=2)
    order = {"field": "total_usage", "direction": "asc"}
    labels = {
        name: [
            [row[key] for key in row if key != "total_usage"]
            for row in rows(loopback, dimensions=[name], order_by=order)
        ]
        for name in ("api_key_id", "workspace", "app", "user", "variant")
    }
    assert labels == {
        "api_key_id": [["batch"], ["Chatroom"]],
        "workspace": [["Team"], ["Default"]],
        "app": [["Bot"], [None]],
        "user": [["Ada", "a@example.com"], [None, None]],
        "variant": [["standard"]],
    }


def test_namesakes_stay_two_rows(loopback: LoopbackServer) -> None:
    account = loopback.account
    for usd, workspace in ((1, account.default_workspace), (2, account.add_workspace("Team"))):
        account.spend(
            date(2026, 5, 2), model="lab/a", key=account.add_key("batch", workspace=workspace), usd=usd
        )
    order = {"field": "total_usage", "direction": "desc"}
    assert rows(loopback, dimensions=["api_key_id"], order_by=order) == [
        {"api_key_id": "batch", "total_usage": 2.0},
        {"api_key_id": "batch", "total_usage": 1.0},
    ]


@pytest.mark.parametrize(
    ("operator", "value", "spent"),
    [
        ("eq", "lab/b", 2), ("neq", "lab/b", 5), ("in", ["lab/a", "lab/b"], 3), ("not_in", ["lab/a"], 6),
        ("gt", "lab/a", 6), ("gte", "lab/b", 6), ("lt", "lab/b", 1), ("lte", "lab/b", 3),
    ],
)  # fmt: skip
def test_filters(loopback: LoopbackServer, operator: str, value: Any, spent: float) -> None:
    for usd, model in ((1, "lab/a"), (2, "lab/b"), (4, "lab/c")):
        loopback.account.spend(date(2026, 5, 2), model=model, usd=usd)
    filters = [{"field": "model", "operator": operator, "value": value}]
    assert rows(loopback, filters=filters) == [{"total_usage": float(spent)}]


def test_filters_by_key(loopback: LoopbackServer) -> None:
    account = loopback.account
    key = account.add_key("batch")
    account.spend(date(2026, 5, 2), model="lab/a", key=key, usd=1)
    account.spend(date(2026, 5, 2), model="lab/a", usd=2)

    def spent(operator: str, value: Any, **more: Any) -> tuple[list[Any], list[str]]:
        filters = [{"field": "api_key_id", "operator": operator, "value": value, **more}]
        body = {"metrics": ["total_usage"], "time_range": MAY, "filters": filters}
        data = call(loopback, "/analytics/query", body)[1]["data"]
        return [row["total_usage"] for row in data["data"]], data.get("warnings", [])

    assert spent("in", [key.key_hash]) == ([1], [])
    assert spent("eq", key.number) == ([1], [])
    assert spent("not_in", [key.key_hash]) == ([2], [])
    assert spent("in", [key.key_hash], include_unset=True) == ([3], [])
    assert spent("in", ["f" * 64]) == ([], [f"api_key_id {'f' * 64} could not be resolved"])


def test_defaults_and_caps(loopback: LoopbackServer) -> None:
    account = loopback.account
    for number in range(10_001):
        account.spend(date(2026, 6, 8), model=f"lab/{number}", usd=1)
    account.spend(date(2026, 6, 2), model="lab/old", usd=1)
    body: dict[str, Any] = {"metrics": ["total_usage"], "dimensions": ["model"]}
    for limit, kept in ((None, 1_000), (10, 10), (10_000, 10_000), (20_000, 10_000)):
        answer = call(loopback, "/analytics/query", body | ({"limit": limit} if limit else {}))[1]["data"]
        assert answer["metadata"] == {"query_time_ms": 12, "row_count": kept, "truncated": True}
    assert call(loopback, "/analytics/query", {"metrics": ["total_usage"]})[1]["data"]["data"] == [
        {"total_usage": 10_001.0}
    ]


def test_order(loopback: LoopbackServer) -> None:
    for usd, model, day in ((1, "lab/b", 2), (3, "lab/a", 3), (2, "lab/c", 4)):
        loopback.account.spend(date(2026, 5, day), model=model, usd=usd)

    def models(field: str, direction: str, **body: Any) -> list[str]:
        order = {"field": field, "direction": direction}
        return [row["model"][-1] for row in rows(loopback, dimensions=["model"], order_by=order, **body)]

    assert models("total_usage", "desc") == ["a", "c", "b"]
    assert models("model", "asc") == ["a", "b", "c"]
    assert models("date", "asc", granularity="day") == ["b", "a", "c"]
    assert models("request_count", "asc") == ["a", "b", "c"]


def test_lists(loopback: LoopbackServer) -> None:
    account = loopback.account
    team = account.add_workspace("Team")
    for number in range(101):
        account.add_key(f"key-{number}")
    account.add_key("off", disabled=True)
    account.add_key("theirs", workspace=team)
    assert len(call(loopback, "/keys")[1]["data"]) == 100
    assert [key["name"] for key in call(loopback, "/keys?offset=100")[1]["data"]] == ["key-100"]
    assert len(call(loopback, "/keys?offset=100&include_disabled=true")[1]["data"]) == 2
    assert [key["name"] for key in call(loopback, f"/keys?workspace_id={team.id}")[1]["data"]] == ["theirs"]
    listed = call(loopback, "/workspaces?offset=1&limit=1")[1]
    assert ([item["name"] for item in listed["data"]], listed["total_count"]) == (["Team"], 2)
    assert call(loopback, "/workspaces?limit=101")[0] == 400


def test_models_with_and_without_pages(loopback: LoopbackServer) -> None:
    for number in range(3):
        loopback.account.add_model(f"lab/{number}")
    assert set(call(loopback, "/models")[1]) == {"data"}
    loopback.account.models_per_page = 2
    first = call(loopback, "/models")[1]
    assert (len(first["data"]), first["links"]) == (2, {"next": "/api/v1/models?offset=2&limit=2"})
    assert call(loopback, "/models?offset=2&limit=2")[1]["links"] == {"next": None}


def test_hidden_words(loopback: LoopbackServer) -> None:
    loopback.account.hidden = frozenset({"usage_web", "app"})
    meta = call(loopback, "/analytics/meta")[1]["data"]
    assert "usage_web" not in {item["name"] for item in meta["metrics"]}
    assert "app" not in {item["name"] for item in meta["dimensions"]}
    assert complaint(loopback, metrics=["usage_web"]) == "Unknown metric: usage_web"
    assert complaint(loopback, dimensions=["app"]) == "Unknown dimension: app"


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not here")
def test_its_words_are_those_of_the_api(loopback: LoopbackServer) -> None:
    known = json.loads((DATA / "vocabulary.json").read_text())
    meta = call(loopback, "/analytics/meta")[1]["data"]
    families = ("latency", "throughput")
    live = {name for name in known["metrics_38_A"] if not name.endswith(families)}
    assert {item["name"] for item in meta["metrics"]} == live
    dimensions = {*known["dimensions_16_A"], "streamed"} - {"skin"}
    assert {item["name"] for item in meta["dimensions"]} == dimensions
    assert [item["name"] for item in meta["operators"]] == known["operators"]
    assert [item["name"] for item in meta["granularities"]] == known["granularities"]
