"""The lists of the API: meta, workspaces, keys, guardrails, models; decoded, and followed over pages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin

from orpolicy.account import ApiKey, Guardrail, KeyFacts
from orpolicy.query.model import Meta
from orpolicy.sources._columns import malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.sources._json import Json

PAGE = 100
_MAX_ITEMS = 100_000
_MAX_USD = 1e15

Item = dict[str, object]


def decode_meta(payload: Json) -> Meta:
    """The vocabulary of an account.

    Raises:
        SourceError: MALFORMED_ANSWER.
    """
    data = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(data, dict):
        raise malformed("meta: data is no object")
    metrics = {_text(item, "name"): _flag(item, "is_rate") for item in _items(data, "metrics")}
    return Meta(metrics, frozenset(_text(item, "name") for item in _items(data, "dimensions")))


def decode_key(item: Item, workspaces: dict[str, str]) -> ApiKey:
    """One row of ``GET /keys``.

    Args:
        item: the row.
        workspaces: workspace id -> name.

    Raises:
        SourceError: MALFORMED_ANSWER.
    """
    home = item.get("workspace_id")
    home = home if isinstance(home, str) else ""
    disabled = item.get("disabled") is True
    name, key_hash = _text(item, "name"), _text(item, "hash")
    return ApiKey(name, key_hash, home, workspaces.get(home, ""), disabled, _facts(item))


def _facts(item: Item) -> KeyFacts | None:
    """The key's settings; None if one is missing or is not as it should be: half of them would mislead."""
    try:
        return KeyFacts(
            limit_usd=_amount(item["limit"]),
            limit_reset=_word(item["limit_reset"]),
            usage_usd=_amount(item.get("usage")),
            created_at=_moment(item["created_at"]),
            expires_at=_moment(item.get("expires_at")),
            byok_usage_usd=_amount(item.get("byok_usage")),
            counts_byok=_maybe_flag(item.get("include_byok_in_limit")),
        )
    except (KeyError, ValueError):
        return None


def _amount(value: object) -> float | None:
    if value is None:
        return None
    number = float(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < _MAX_USD:
        raise ValueError(f"no amount of dollars: {value!r:.80}")
    return number


def _word(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"no text: {value!r:.80}")


def _moment(value: object) -> str | None:
    text = _word(value)
    if text is not None:
        datetime.fromisoformat(text)
    return text


def _maybe_flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"neither true nor false: {value!r:.80}")


def decode_guardrail(item: Item, assigned: frozenset[str]) -> Guardrail:
    """One row of ``GET /guardrails``.

    Args:
        item: the row.
        assigned: ids of those that hold for somebody.

    Raises:
        SourceError: MALFORMED_ANSWER.
    """
    name, identity = _text(item, "name"), _text(item, "id")
    try:
        limit_usd, counts = _amount(item.get("limit_usd")), _maybe_flag(item.get("include_byok_in_budgets"))
    except ValueError as error:
        raise malformed(f"guardrail {name:.80}: {error}") from None
    return Guardrail(name, identity in assigned, limit_usd, counts is True)


def walk(ask: Callable[[int], Json], identity: str) -> list[Item]:
    """Every item of a list that comes in pages of up to 100.

    Args:
        ask: gives the page that begins at an offset.
        identity: the field by which an item is known again.

    Raises:
        SourceError: MALFORMED_ANSWER, also for a list that repeats itself, does not end, or ends before
            the number of items that it announces, or gives two items of a page one identity.
    """
    items: dict[str, Item] = {}
    offset = 0
    while True:
        payload = ask(offset)
        page = _items(payload, "data")
        before = len(items)
        named = {_text(item, identity): item for item in page}
        if len(named) < len(page):
            raise malformed(f"two items of one page have the same {identity}")
        items |= named
        offset += len(page)
        if _is_last(payload, offset, len(page)):
            return list(items.values())
        if len(items) == before or offset >= _MAX_ITEMS:
            raise malformed(f"the list does not end: nothing new on the page before item {offset}")


def _is_last(payload: Json, offset: int, count: int) -> bool:
    total = payload.get("total_count") if isinstance(payload, dict) else None
    if not isinstance(total, int):
        return count < PAGE
    if count == 0 and offset < total:
        raise malformed(f"the list ends after {offset} items, although there are {total}")
    return offset >= total


def walk_links(ask: Callable[[str], Json], path: str, base_url: str) -> Json:
    """A list that names its next page in ``links.next``, as one answer.

    Raises:
        SourceError: MALFORMED_ANSWER, also for a link that leads elsewhere or in a circle.
    """
    seen: set[str] = set()
    items: list[Json] = []
    while path:
        if path in seen:
            raise malformed(f"links.next leads in a circle, to {path:.80}")
        seen.add(path)
        payload = ask(path)
        items += cast("list[Json]", _items(payload, "data"))
        path = _next(payload, base_url)
    return {"data": items}


def _next(payload: Json, base_url: str) -> str:
    links = payload.get("links") if isinstance(payload, dict) else None
    link = links.get("next") if isinstance(links, dict) else None
    if link is None:
        return ""
    try:
        target = urljoin(base_url + "/", link) if isinstance(link, str) else ""
    except ValueError:
        target = ""
    if not target.startswith(base_url + "/models"):
        raise malformed(f"links.next leads elsewhere: {link!r:.80}")
    return target.removeprefix(base_url)


def _items(payload: object, name: str) -> list[Item]:
    value = payload.get(name) if isinstance(payload, dict) else None
    if not isinstance(value, list) or any(not isinstance(item, dict) for item in value):
        raise malformed(f"{name} is no list of objects: {value!r:.80}")
    return value


def _text(item: Item, name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise malformed(f"{name} is no text: {value!r:.80}")
    return value


def _flag(item: Item, name: str) -> bool:
    value = item.get(name)
    if not isinstance(value, bool):
        raise malformed(f"{name} is neither true nor false: {value!r:.80}")
    return value
