"""The keys and the models that a test lists."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from orpolicy.account import HASH_PREFIX, ApiKey, Directory, Guardrail, KeyFacts
from orpolicy.catalog.load import CatalogError, parse_catalog
from orpolicy.catalog.model import Catalog
from orpolicy.codes import Code
from orpolicy.location import Problem
from orpolicy.policy.case_schema import PRICE_KEYS
from orpolicy.policy.reading import number, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.catalog.model import Model
    from orpolicy.policy.model import Json
    from orpolicy.policy.reading import Item, Mapped

TOKENS_PER_PRICE = 1_000_000
LONG_AGO = "2020-01-01"
"""When a key was made of which the test does not say it."""

_TEXT_TO_TEXT: Json = {"input_modalities": ["text"], "output_modalities": ["text"]}


def entries(item: Item, key: str) -> list[Mapped]:
    """The mappings of a list, none where it is absent."""
    found = item.data.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def read_directory(item: Item, problems: list[Problem]) -> Directory:
    """The keys of a test; a key without a hash gets one that follows from its place in the list."""
    keys: list[ApiKey] = []
    workspaces: dict[str, tuple[str, ...]] = {}
    for index, entry in enumerate(entries(item, "keys")):
        workspace = text(entry, "workspace")
        if workspace:
            workspaces[workspace] = (_made_up("workspace", workspace),)
        workspace_id = workspaces[workspace][0] if workspace else ""
        made_up = _made_up(text(entry, "name"), str(index))
        key_hash = text(entry, "hash") or made_up
        disabled = entry.get("disabled") is True
        keys.append(ApiKey(text(entry, "name"), key_hash, workspace_id, workspace, disabled, _facts(entry)))
    hashes: set[str] = set()
    for index, key in enumerate(keys):
        if key.key_hash in hashes:
            place = item.place("keys", index, "hash")
            problems.append(Problem(place, "another key has this hash", code=Code.DEFINED_TWICE))
        hashes.add(key.key_hash)
    return Directory(tuple(sorted(keys)), workspaces)


def _facts(entry: Mapped) -> KeyFacts:
    """The key's settings; what the test does not say is not set."""
    return KeyFacts(
        limit_usd=number(entry, "limit"),
        limit_reset=text(entry, "limit_reset") or None,
        created_at=text(entry, "created_at") or LONG_AGO,
        expires_at=text(entry, "expires_at") or None,
        byok_usage_usd=number(entry, "byok_usage"),
        counts_byok=entry.get("include_byok_in_limit") is True,
    )


def read_guardrails(item: Item) -> tuple[Guardrail, ...] | None:
    """The guardrails of a test, or None where it lists none."""
    if "guardrails" not in item.data:
        return None
    return tuple(
        Guardrail(
            text(entry, "name"),
            entry.get("assigned") is True,
            number(entry, "limit_usd"),
            entry.get("include_byok_in_budgets") is True,
        )
        for entry in entries(item, "guardrails")
    )


def _made_up(*parts: str) -> str:
    """64 hex digits."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def read_catalogue(item: Item, problems: list[Problem]) -> Catalog | None:
    """The models of a test, or None where it lists none."""
    if "catalog" not in item.data:
        return None
    models: dict[str, Model] = {}
    for index, entry in enumerate(entries(item, "catalog")):
        place = item.place("catalog", index)
        try:
            (model,) = parse_catalog({"data": [_raw(entry)]}, None).models
        except CatalogError as error:
            message = f"no model of GET /models: {_inner(str(error))}"
            problems.append(Problem(place, message, code=Code.BAD_CATALOGUE))
            continue
        if models.setdefault(model.id, model) is not model:
            message = f"the model {model.id!r} is listed twice"
            problems.append(Problem(place, message, code=Code.DEFINED_TWICE))
    return Catalog(tuple(models.values()))


def _raw(entry: Mapped) -> dict[str, Json]:
    """The row as the API would write it: prices in USD per token under ``pricing``."""
    pricing = entry.get("pricing")
    prices: dict[str, Json] = dict(pricing) if isinstance(pricing, dict) else {}
    prices |= dict(_per_token(entry))
    return {"architecture": _TEXT_TO_TEXT, **entry, "pricing": prices}


def _per_token(entry: Mapped) -> Iterator[tuple[str, float]]:
    for key in PRICE_KEYS:
        usd = entry.get(key)
        if isinstance(usd, int | float):
            yield key, usd / TOKENS_PER_PRICE


def _inner(message: str) -> str:
    """What an answer with one bad row says of that row."""
    return message.partition("(")[2].removesuffix(")").partition(": ")[2] or message


def key_of(row: Mapping[str, Json], directory: Directory) -> ApiKey | str | None:
    """The listed key that a row is of, None where it lists none such, or what keeps it from being told."""
    name = text(row, "api_key_id")
    if name.startswith(HASH_PREFIX):
        key = directory.by_hash.get(name.removeprefix(HASH_PREFIX))
        return key or "no key under keys: has this hash"
    workspace = text(row, "workspace")
    found = [
        key
        for key in directory.by_name.get(name, ())
        if not workspace or key.workspace == workspace or not key.workspace
    ]
    if len(found) > 1:
        return f"{len(found)} keys have the name {name!r}: name one as hash:..., or add its workspace"
    return found[0] if found else None
