"""OpenRouter's own client library reads what the loopback server says, and writes what we write."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from loopback.client import NOW

from orpolicy.period import parse_window
from orpolicy.query.model import Filter, Granularity, Operator, Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback.server import LoopbackServer
    from openrouter import OpenRouter

pytest.importorskip("openrouter", reason="the official client is not installed")
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

QUERY = Query(
    ("request_count", "total_usage"),
    ("api_key_id", "model"),
    parse_window("2026-05-01..2026-06-01", NOW),
    (Filter("model", Operator.NOT_IN, ("lab/none",)),),
    Granularity.DAY,
    50,
)


@pytest.fixture
def official(loopback: LoopbackServer) -> Iterator[OpenRouter]:
    from openrouter import OpenRouter  # noqa: PLC0415 - takes a second, and only here

    with OpenRouter(
        api_key=loopback.account.management_key, server_url=f"{loopback.url}/api/v1", retry_config=None
    ) as client:
        yield client


def test_meta(official: OpenRouter) -> None:
    data = official.analytics.get_analytics_meta().data
    assert {metric.name: metric.is_rate for metric in data.metrics}["cache_hit_rate"] is True
    assert "model" in {dimension.name for dimension in data.dimensions}
    assert {item.name: item.value_type for item in data.operators}["in"] == "array"


def test_keys_and_workspaces(loopback: LoopbackServer, official: OpenRouter) -> None:
    made = loopback.account.add_key("batch")
    (key,) = official.api_keys.list().data
    assert (key.hash, key.name, key.workspace_id) == (made.key_hash, "batch", made.workspace_id)
    answer = official.workspaces.list(limit=100)
    assert answer is not None
    assert [item.name for item in answer.result.data] == ["Default"]


def test_models(loopback: LoopbackServer, official: OpenRouter) -> None:
    loopback.account.models_per_page = 10
    loopback.account.add_model("openai/gpt-5-20250807", id="openai/gpt-5")
    answer = official.models.list()
    assert answer is not None
    (model,) = answer.result.data
    assert (model.id, model.canonical_slug) == ("openai/gpt-5", "openai/gpt-5-20250807")


def test_queries(loopback: LoopbackServer, official: OpenRouter) -> None:
    key = loopback.account.add_key("batch")
    loopback.account.spend(date(2026, 5, 2), model="lab/a", key=key, usd=1.5, requests=3)
    body: Any = QUERY.body()
    data = official.analytics.query_analytics(**body).data
    assert data.metadata.row_count == 1
    assert data.metadata.truncated is False
    assert len(data.data) == 1


def test_our_body_is_what_their_model_accepts_and_sends(
    loopback: LoopbackServer, official: OpenRouter
) -> None:
    from openrouter.operations import QueryAnalyticsRequestBody  # noqa: PLC0415 - as above

    parsed = QueryAnalyticsRequestBody.model_validate(QUERY.body())
    assert parsed.metrics == ["request_count", "total_usage"]
    assert parsed.time_range is not None
    assert parsed.time_range.start == datetime(2026, 5, 1, tzinfo=UTC)
    assert parsed.time_range.end == datetime(2026, 6, 1, tzinfo=UTC)
    body: Any = QUERY.body()
    official.analytics.query_analytics(**body)
    assert loopback.requests[-1].body == body


def test_refusals(loopback: LoopbackServer) -> None:
    from openrouter import OpenRouter  # noqa: PLC0415 - as above
    from openrouter.errors import ForbiddenResponseError  # noqa: PLC0415 - as above

    with (
        OpenRouter(api_key=loopback.account.inference_key, server_url=f"{loopback.url}/api/v1") as client,
        pytest.raises(ForbiddenResponseError, match="Only management keys"),
    ):
        client.analytics.get_analytics_meta()
