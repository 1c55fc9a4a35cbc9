"""Small worlds for tests: records in memory, policies as text, a run in one call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orpolicy.account import ApiKey, Directory
from orpolicy.catalog.load import parse_catalog
from orpolicy.lint import lint
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.catalog.model import Catalog
    from orpolicy.policy.model import PolicySet
    from orpolicy.report import Report
    from orpolicy.sources.base import Source

NOW = datetime(2026, 6, 10, tzinfo=UTC)
KINDS = Kinds()
IDENTITIES = ("api_key_hash", "workspace_id")
DIMENSIONS = ("api_key_id", "model", "variant", "app", "user", "workspace", "provider", *IDENTITIES)


def hash_of(number: int) -> str:
    """A key hash: 64 hex digits."""
    return f"{number:064x}"


def row(**values: Any) -> dict[str, Any]:
    """A record of 15 May 2026 with a thousand tokens a request, unless told otherwise."""
    spend = values.get("total_usage", 0.0)
    tokens = values.get("tokens_total", 1_000_000)
    base = {
        DATE: "2026-05-15",
        "total_usage": spend,
        "request_count": 1_000,
        "tokens_total": tokens,
        "tokens_prompt": tokens and tokens * 9 // 10,
        "tokens_completion": tokens and tokens - tokens * 9 // 10,
        "reasoning_tokens": 0,
        "cached_tokens": 0,
    }
    return base | values


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Records as columns; what a row lacks is None."""
    names = dict.fromkeys(name for item in rows for name in item)
    columns = {name: [item.get(name) for item in rows] for name in names}
    dimensions = {name: columns[name] for name in names if name in {DATE, *DIMENSIONS}}
    return Table(dimensions, {name: columns[name] for name in names if name not in dimensions})


def memory(
    rows: Sequence[dict[str, Any]],
    *,
    keys: Sequence[ApiKey] = (),
    catalogue: Catalog | None = None,
    now: datetime = NOW,
) -> Memory:
    """A source that answers from these records."""
    workspaces: dict[str, tuple[str, ...]] = {}
    for key in keys:
        if key.workspace:
            known = workspaces.get(key.workspace, ())
            workspaces[key.workspace] = tuple(dict.fromkeys((*known, key.workspace_id)))
    directory = Directory(tuple(sorted(keys)), workspaces)
    return Memory(table(rows), now=now, directory=directory, catalogue=catalogue)


def model(model_id: str, prompt: float, completion: float, **fields: Any) -> dict[str, Any]:
    """One catalogue row; prices in USD per million tokens."""
    pricing: dict[str, Any] = {"prompt": str(prompt / 1e6), "completion": str(completion / 1e6)}
    pricing |= fields.pop("pricing", {})
    base = {
        "id": model_id,
        "canonical_slug": model_id.partition(":")[0],
        "name": model_id,
        "context_length": 100_000,
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
        "supported_parameters": ["tools"],
        "pricing": pricing,
    }
    return base | fields


def catalog(*rows: dict[str, Any]) -> Catalog:
    """A catalogue of these rows."""
    return parse_catalog({"data": list(rows)}, NOW)


def policies(text: str) -> PolicySet:
    """The policies of one file's text; ``version: 1`` is put before it."""
    return load_texts({"policies.yaml": f"version: 1\n{text}".encode()}, KINDS)


def run(text: str, source: Source, **choice: Any) -> Report:
    """Judge the policies of a text by a source."""
    return lint(policies(text), source, Choice(**choice))
