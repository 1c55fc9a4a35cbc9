"""Meta, workspaces, keys and models as a careless or hostile server might list them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from loopback.client import opened

from orpolicy.account import KeyFacts
from orpolicy.errors import Reason, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

    from orpolicy.sources.openrouter import OpenRouter


def error(server: LoopbackServer, ask: Callable[[OpenRouter], object]) -> str:
    with opened(server.environ) as source, pytest.raises(SourceError) as caught:
        ask(source)
    assert caught.value.reason is Reason.MALFORMED_ANSWER
    return caught.value.detail


def raw(payload: Any) -> bytes:
    return json.dumps(payload).encode()


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {"data": None},
        {"data": {"metrics": [], "dimensions": None}},
        {"data": {"metrics": [1], "dimensions": []}},
        {"data": {"metrics": [{"name": "a"}], "dimensions": []}},
        {"data": {"metrics": [{"name": None, "is_rate": False}], "dimensions": []}},
    ],
)
def test_what_is_no_meta(loopback: LoopbackServer, payload: Any) -> None:
    loopback.fail_next(body=raw(payload))
    error(loopback, lambda source: source.meta())


@pytest.mark.parametrize(
    "payload", [{"data": None}, {"data": [{"name": "a"}]}, {"data": [{"hash": "a"}]}, [], None]
)
def test_what_is_no_list_of_keys(loopback: LoopbackServer, payload: Any) -> None:
    loopback.fail_next(body=raw(payload), path="/keys")
    error(loopback, lambda source: source.directory())


def test_keys_with_only_what_is_needed(loopback: LoopbackServer) -> None:
    loopback.fail_next(body=raw({"data": [{"name": "a", "hash": "h", "workspace_id": None}]}), path="/keys")
    with opened(loopback.environ) as source:
        (key,) = source.directory().keys
    assert (key.name, key.key_hash, key.workspace_id, key.workspace, key.disabled) == (
        "a",
        "h",
        "",
        "",
        False,
    )


@pytest.mark.parametrize("total", [{}, {"total_count": 10**9}])
def test_a_page_that_repeats_forever(loopback: LoopbackServer, total: dict[str, int]) -> None:
    page = [{"name": f"k{n}", "hash": str(n)} for n in range(100)]
    loopback.fail_next(50, body=raw({"data": page} | total), path="/keys")
    assert "does not end" in error(loopback, lambda source: source.directory())
    assert loopback.paths().count("/keys") == 2


def test_short_pages_are_followed_while_the_total_says_so(loopback: LoopbackServer) -> None:
    for identity in ("w1", "w2"):
        loopback.fail_next(
            body=raw({"data": [{"id": identity, "name": "team"}], "total_count": 2}), path="/workspaces"
        )
    with opened(loopback.environ) as source:
        assert source.directory().workspaces == {"team": ("w1", "w2")}


def test_a_total_that_is_never_reached(loopback: LoopbackServer) -> None:
    loopback.fail_next(body=raw({"data": [], "total_count": 2}), path="/workspaces")
    assert "after 0 items, although there are 2" in error(loopback, lambda source: source.directory())


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/api/v1/models",
        "//elsewhere.example/api/v1/models",
        "/api/v1/keys",
        "https://[x/",
        7,
    ],
)
def test_links_that_lead_elsewhere_are_not_followed(loopback: LoopbackServer, link: Any) -> None:
    loopback.fail_next(body=raw({"data": [], "links": {"next": link}}))
    assert "elsewhere" in error(loopback, lambda source: source.catalogue())
    assert len(loopback.requests) == 1


def test_links_that_lead_in_a_circle(loopback: LoopbackServer) -> None:
    loopback.fail_next(50, body=raw({"data": [], "links": {"next": "/api/v1/models?offset=500"}}))
    assert "circle" in error(loopback, lambda source: source.catalogue())
    assert len(loopback.requests) == 2


@pytest.mark.parametrize("payload", [{"data": []}, {"data": [{"id": 7}]}, {"data": 7}])
def test_what_is_no_catalogue(loopback: LoopbackServer, payload: Any) -> None:
    loopback.fail_next(body=raw(payload))
    error(loopback, lambda source: source.catalogue())


def test_what_else_is_said_of_a_key_is_kept_where_it_makes_sense(loopback: LoopbackServer) -> None:
    said = {
        "limit": 25,
        "limit_reset": "monthly",
        "usage": 12.5,
        "created_at": "2026-01-02",
        "expires_at": None,
    }
    odd = {"limit": True, "limit_reset": 7, "usage": 1e300, "created_at": [], "label": "sk-or-v1-0e6...1c96"}
    more = [{"name": name, "hash": name, **said, "limit_reset": 7} for name in ("c", "d")]
    keys = [{"name": "a", "hash": "1", **said}, {"name": "b", "hash": "2", **odd}, *more]
    loopback.fail_next(body=raw({"data": keys}), path="/keys")
    with opened(loopback.environ) as source:
        facts = [key.facts for key in source.directory().keys]
    assert facts == [KeyFacts(25, "monthly", 12.5, "2026-01-02", None), None, None, None]
    assert "sk-or" not in repr(facts)
