"""The lists that the API gives: meta, workspaces, keys and models."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from loopback import vocabulary as words
from loopback.wire import Json, Refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from loopback.account import Key, LoopbackAccount, Workspace

_CREATED = "2025-08-24T10:30:00Z"


def meta(account: LoopbackAccount, _query: Mapping[str, str]) -> Json:
    """``GET /analytics/meta``."""
    return {
        "data": {
            "metrics": [_metric(name) for name in words.METRICS if name not in account.hidden],
            "dimensions": [
                {"name": name, "display_label": _label(name)}
                for name in words.DIMENSIONS
                if name not in account.hidden
            ],
            "operators": [{"name": name, "value_type": kind} for name, kind in words.OPERATORS.items()],
            "granularities": [{"name": name, "display_label": _label(name)} for name in words.GRANULARITIES],
        }
    }


def _metric(name: str) -> Json:
    shown = "currency" if name in words.DOLLARS else "percent" if name in words.RATES else "number"
    return {
        "name": name,
        "display_label": _label(name),
        "is_rate": name in words.RATES,
        "display_format": shown,
    }


def _label(name: str) -> str:
    return name.replace("_", " ").title()


def workspaces(account: LoopbackAccount, query: Mapping[str, str]) -> Json:
    """``GET /workspaces``: 50 a page unless told, at most 100."""
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 50))
    if not 1 <= limit <= words.PAGE:
        raise refuse("limit: expected number to be >=1 and <=100")
    page = account.workspaces[offset : offset + limit]
    return {"data": [_workspace(item) for item in page], "total_count": len(account.workspaces)}


def _workspace(item: Workspace) -> Json:
    return {
        "id": item.id,
        "name": item.name,
        "slug": item.name.lower(),
        "description": None,
        "created_at": _CREATED,
        "created_by": None,
        "updated_at": None,
        "default_guardrail_id": str(uuid.uuid5(uuid.NAMESPACE_URL, item.id)),
        "default_image_model": None,
        "default_provider_sort": None,
        "default_text_model": None,
        "include_byok_in_budgets": False,
        "io_logging_api_key_ids": None,
        "io_logging_sampling_rate": 1,
        "is_data_discount_logging_enabled": True,
        "is_observability_broadcast_enabled": False,
        "is_observability_io_logging_enabled": False,
    }


def keys(account: LoopbackAccount, query: Mapping[str, str]) -> Json:
    """``GET /keys``: the default workspace's unless told, enabled ones unless told, 100 a page."""
    home = query.get("workspace_id", account.default_workspace.id)
    disabled_too = query.get("include_disabled", "false") == "true"
    listed = [key for key in account.keys if key.workspace_id == home and (disabled_too or not key.disabled)]
    offset = int(query.get("offset", 0))
    return {"data": [_key(key) for key in listed[offset : offset + words.PAGE]]}


def _key(key: Key) -> Json:
    usage = {
        f"{kind}usage{span}": 0 for kind in ("", "byok_") for span in ("", "_daily", "_weekly", "_monthly")
    }
    return {
        "hash": key.key_hash,
        "name": key.name,
        "label": "sk-or-v1-0e6...1c96",
        "disabled": key.disabled,
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        "created_at": _CREATED,
        "updated_at": None,
        "expires_at": None,
        "external_user": None,
        "last_used_at": None,
        "creator_user_id": None,
        "workspace_id": key.workspace_id,
        **usage,
        **key.settings,
    }


def guardrails(account: LoopbackAccount, query: Mapping[str, str]) -> Json:
    """``GET /guardrails``: the default workspace's unless told, 50 a page unless told."""
    home = query.get("workspace_id", account.default_workspace.id)
    return _paged([item for item in account.guardrails if item["workspace_id"] == home], query)


def key_assignments(account: LoopbackAccount, query: Mapping[str, str]) -> Json:
    """``GET /guardrails/assignments/keys``: of all workspaces."""
    return _paged(account.assignments.get("keys", []), query)


def member_assignments(account: LoopbackAccount, query: Mapping[str, str]) -> Json:
    """``GET /guardrails/assignments/members``: of all workspaces."""
    return _paged(account.assignments.get("members", []), query)


def _paged(items: list[dict[str, Any]], query: Mapping[str, str]) -> Json:
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 50))
    return {"data": items[offset : offset + limit], "total_count": len(items)}


def models(account: LoopbackAccount, query: Mapping[str, str]) -> Json:
    """``GET /models``: all of them, or in pages that name the next."""
    size = account.models_per_page
    if size is None:
        return {"data": account.models}
    offset = int(query.get("offset", 0))
    after = offset + size
    following = f"/api/v1/models?offset={after}&limit={size}" if after < len(account.models) else None
    return {
        "data": account.models[offset:after],
        "total_count": len(account.models),
        "links": {"next": following},
    }


SAID = "the prompt that nobody may read"
"""Stands in every field of a request that could hold what somebody said or who they are."""


def generation(account: LoopbackAccount, query: Mapping[str, str]) -> Json:
    """``GET /generation``: one request's metadata, as the OpenAPI file shows it."""
    wanted = query.get("id", "")
    record = next((item for item in account.records if item.members.get("generation_id") == wanted), None)
    if record is None:
        raise Refusal(404, f"Generation {wanted} not found")
    used = record.metrics
    return {
        "data": {
            "id": wanted,
            "api_type": "completions",
            "app_id": 12345,
            "cache_discount": None,
            "cancelled": False,
            "created_at": f"{record.at:%Y-%m-%dT%H:%M:%S.433273+00:00}",
            "data_region": "global",
            "external_user": SAID,
            "finish_reason": "stop",
            "generation_time": 1200,
            "http_referer": SAID,
            "is_byok": False,
            "latency": 1250,
            "model": record.members["model"],
            "native_finish_reason": SAID,
            "native_tokens_cached": used["cached_tokens"],
            "native_tokens_completion": used["tokens_completion"],
            "native_tokens_prompt": used["tokens_prompt"],
            "native_tokens_reasoning": used["reasoning_tokens"],
            "num_search_results": None,
            "origin": SAID,
            "preset_id": None,
            "provider_name": record.members["provider"],
            "provider_responses": [{"body": SAID}],
            "request_id": SAID,
            "session_id": SAID,
            "streamed": True,
            "tokens_completion": used["tokens_completion"],
            "tokens_prompt": used["tokens_prompt"],
            "total_cost": used["total_usage"],
            "upstream_id": SAID,
            "usage": used["total_usage"],
            "user_agent": SAID,
            "input": {"messages": [{"role": "user", "content": SAID}]},
            "output": {"completion": SAID},
        }
    }


LISTS: dict[str, Callable[[LoopbackAccount, Mapping[str, str]], Json]] = {
    "/analytics/meta": meta,
    "/workspaces": workspaces,
    "/keys": keys,
    "/guardrails": guardrails,
    "/guardrails/assignments/keys": key_assignments,
    "/guardrails/assignments/members": member_assignments,
    "/generation": generation,
}
"""What is answered to a GET, by path."""
