"""Write the demo account: ``python scripts/make_demo.py [FOLDER]``.

Deterministic: the same facts give the same data, day by day. May 2026 adds up to the facts' figures
exactly; every other day follows the same proportions with a weekday pattern, slow growth and noise.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from pathlib import Path

from demo_facts import (
    CANVAS,
    CELLS,
    FIRST_DAY,
    FLASH,
    JUMP_DAY,
    KEYS,
    LAST_DAY,
    MODELS,
    NEW_DAY,
    WORKSPACES,
    Cell,
    KeyFact,
    ModelFact,
)

FOLDER = Path(__file__).parent.parent / "orpolicy" / "data" / "demo"
SEED = 20260610
TICKS_PER_USD = 10_000
"""Dollars travel as whole hundredths of a cent, so that sums come out even."""

DAYS = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
MAY = range(DAYS.index(date(2026, 5, 1)), DAYS.index(date(2026, 6, 1)))
DAILY_GROWTH = 1.0006
WORKDAYS = (1.18, 1.22, 1.2, 1.17, 1.08, 0.6, 0.55)
EVERY_DAY = (1.0, 1.02, 1.01, 1.0, 0.99, 0.98, 1.0)
JUMP = 4.0
JUMP_JUNE = 3.2
WRITTEN_SHARE = 0.2
"""Of uncached prompt tokens, where the model charges for cache writes and the key caches."""

MODEL_BY_ID = {model.id: model for model in MODELS}
KEY_BY_NAME = {key.name: key for key in KEYS}
COUNTS = (
    "request_count",
    "tokens_total",
    "tokens_prompt",
    "tokens_completion",
    "reasoning_tokens",
    "cached_tokens",
)
DOLLARS = ("total_usage", "usage_upstream", "usage_cache", "usage_web", "usage_web_fetch", "usage_file")
PARAMETERS = ["max_tokens", "reasoning", "response_format", "temperature", "tool_choice", "tools", "top_p"]


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per token of one model and variant."""

    prompt: float
    completion: float
    read: float
    write: float


def permaslug(model: ModelFact) -> str:
    """The dated slug that analytics answers with."""
    return f"{model.id}-{model.dated:%Y%m%d}"


def prices(cell: Cell) -> Prices:
    """What the cell's model and variant cost."""
    model = MODEL_BY_ID[cell.model]
    factor = dict(model.variants).get(cell.variant, 1.0) / 1e6
    prompt, completion, read, write = model.price
    return Prices(
        prompt * factor,
        completion * factor,
        (prompt if read is None else read) * factor,
        (prompt if write is None else write) * factor,
    )


def level(cell: Cell, day: date) -> float:
    """The cell's traffic on a day without noise, in no unit."""
    pattern = EVERY_DAY if cell.around_the_clock else WORKDAYS
    height = pattern[day.weekday()] * DAILY_GROWTH ** (day - FIRST_DAY).days
    if cell.shape == "new":
        return height if day >= NEW_DAY else 0.0
    if cell.shape == "jump" and day >= JUMP_DAY:
        return height * (JUMP if day < date(2026, 6, 1) else JUMP_JUNE)
    return height


def noisy(values: list[float], rng: random.Random, spread: float) -> list[float]:
    """The values, each off by up to ``spread`` of itself."""
    return [value * (1 + spread * (2 * rng.random() - 1)) for value in values]


def scaled(weights: list[float], total: int) -> list[int]:
    """Whole numbers in proportion to the weights, those of May adding up to ``total`` exactly."""
    factor = total / sum(weights[MAY.start : MAY.stop])
    whole = [round(weight * factor) for weight in weights]
    steps = [round(running * factor) for running in accumulate(weights[MAY.start : MAY.stop], initial=0.0)]
    whole[MAY.start : MAY.stop] = [later - sooner for sooner, later in pairwise(steps)]
    return whole


def rows_of(cell: Cell, rng: random.Random) -> list[tuple[int, list[int | None]]]:
    """The cell's rows as day number and the values of ``COUNTS`` and ``DOLLARS``."""
    base = noisy([level(cell, day) for day in DAYS], rng, 0.05)
    requests = scaled(base, cell.requests)
    if not cell.prompt:
        spend = scaled(noisy(base, rng, 0.03), round((cell.usd or 0) * TICKS_PER_USD))
        days = zip(range(len(DAYS)), requests, spend, strict=True)
        return [(day, [asked, 0, 0, 0, 0, 0, usd, usd, *[None] * 4]) for day, asked, usd in days]
    prompt = scaled(noisy(base, rng, 0.04), cell.prompt)
    completion = scaled(noisy(base, rng, 0.04), cell.completion)
    cached = [round(cell.hit * tokens) for tokens in prompt]
    reasoning = [
        round(share * tokens)
        for share, tokens in zip(noisy([cell.reasoning] * len(DAYS), rng, 0.02), completion, strict=True)
    ]
    inference, caching = _bills(cell, prompt, completion, cached, rng)
    return [
        (
            day,
            [
                requests[day],
                prompt[day] + completion[day],
                prompt[day],
                completion[day],
                reasoning[day],
                cached[day],
                *_dollars(cell, inference[day], caching[day]),
            ],
        )
        for day in range(len(DAYS))
        if requests[day]
    ]


def _bills(
    cell: Cell, prompt: list[int], completion: list[int], cached: list[int], rng: random.Random
) -> tuple[list[int], list[int]]:
    """Inference cost and what caching changed, a day each; the provider takes up to 2 % more than listed."""
    price = prices(cell)
    written = WRITTEN_SHARE if cell.hit and MODEL_BY_ID[cell.model].price[3] else 0.0
    costs, caching = [], []
    for tokens, answered, read in zip(prompt, completion, cached, strict=True):
        stored = written * (tokens - read)
        extra = stored * (price.write - price.prompt) - read * (price.prompt - price.read)
        markup = 1 + 0.02 * rng.random()
        costs.append((tokens * price.prompt + answered * price.completion + extra) * markup)
        caching.append(round(extra * markup * TICKS_PER_USD))
    if cell.usd is not None:
        return scaled(costs, round(cell.usd * TICKS_PER_USD)), caching
    return [round(cost * TICKS_PER_USD) for cost in costs], caching


def _dollars(cell: Cell, inference: int, caching: int) -> list[int | None]:
    """The values of ``DOLLARS`` on one day; unused components are null, as in the API's answers."""
    extras = [round(share * inference) if share else None for share in (cell.web, cell.fetch, cell.file)]
    total = inference + sum(extra or 0 for extra in extras)
    return [total, inference, caching if cell.hit else None, *extras]


def account() -> dict[str, object]:
    """Keys, cells and columns, as ``orpolicy.sources.demo`` reads them."""
    rng = random.Random(SEED)  # noqa: S311 - figures, not secrets
    rows = sorted(
        (day, number, values) for number, cell in enumerate(CELLS) for day, values in rows_of(cell, rng)
    )
    columns = zip(*(values for _, _, values in rows), strict=True)
    return {
        "first_day": FIRST_DAY.isoformat(),
        "ticks_per_usd": TICKS_PER_USD,
        "workspaces": WORKSPACES,
        "keys": [listed(key) for key in KEYS],
        "cells": [dimensions(cell) for cell in CELLS],
        "row_days": [day for day, _, _ in rows],
        "row_cells": [number for _, number, _ in rows],
        "columns": dict(zip((*COUNTS, *DOLLARS), columns, strict=True)),
        "dollar_columns": DOLLARS,
    }


def listed(key: KeyFact) -> dict[str, object]:
    """One key as its list has it; its limit is in USD a month."""
    return {
        "name": key.name,
        "hash": key_hash(key.name),
        "workspace": key.workspace,
        "limit_usd": key.limit_usd,
        "limit_reset": key.limit_reset if key.limit_usd else None,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


def key_hash(name: str) -> str:
    """64 hex digits that no real key has."""
    return hashlib.sha256(f"orpolicy demo key {name}".encode()).hexdigest()


def dimensions(cell: Cell) -> dict[str, str | None]:
    """What every row of the cell has in common."""
    key = KEY_BY_NAME.get(cell.key or "")
    return {
        "api_key_id": cell.key,
        "api_key_hash": key_hash(key.name) if key else None,
        "app": key.app if key else "Chatroom",
        "model": permaslug(MODEL_BY_ID[cell.model]),
        "provider": MODEL_BY_ID[cell.model].provider,
        "user": key.user if key else None,
        "variant": cell.variant,
        "workspace": key.workspace if key else None,
        "workspace_id": WORKSPACES[key.workspace] if key else None,
    }


def catalogue() -> dict[str, object]:
    """The models as ``GET /models`` lists them: every variant, one router, one alias."""
    rows = [
        listing(model, suffix, factor)
        for model in MODELS
        for suffix, factor in (("", 1.0), *((f":{name}", share) for name, share in model.variants))
    ]
    alias = listing(MODEL_BY_ID[FLASH], "", 1.0) | {
        "id": "~northwind/atlas-flash-latest",
        "canonical_slug": "~northwind/atlas-flash-latest",
        "name": "Northwind: Atlas Flash Latest",
        "alias_target": {"name": MODEL_BY_ID[FLASH].name, "slug": FLASH},
    }
    router = listing(MODEL_BY_ID[FLASH], "", 1.0) | {
        "id": "crossroads/auto",
        "canonical_slug": "crossroads/auto",
        "name": "Crossroads: Auto Router",
        "pricing": {"prompt": "-1", "completion": "-1"},
        "benchmarks": {},
    }
    return {"taken_at": "2026-06-09T06:00:00Z", "data": [*rows, alias, router]}


def listing(model: ModelFact, suffix: str, factor: float) -> dict[str, object]:
    """One row of the catalogue; prices are decimal strings in USD per token."""
    names = ("prompt", "completion", "input_cache_read", "input_cache_write")
    pricing = {
        name: f"{usd * factor / 1e6:.11f}".rstrip("0").rstrip(".")
        for name, usd in zip(names, model.price, strict=True)
        if usd is not None
    }
    if model.id == CANVAS:
        pricing["image"] = "0.04"
    benchmarks = {"artificial_analysis": {"intelligence_index": model.index}} if model.index else {}
    return {
        "id": model.id + suffix,
        "canonical_slug": permaslug(model),
        "name": model.name + (f" ({suffix[1:]})" if suffix else ""),
        "created": int(datetime.combine(model.dated, time(), UTC).timestamp()),
        "context_length": model.context,
        "architecture": {"input_modalities": list(model.inputs), "output_modalities": [model.output]},
        "pricing": pricing,
        "supported_parameters": PARAMETERS,
        "expiration_date": model.expires,
        "benchmarks": benchmarks,
    }


def main(folder: Path) -> None:
    """Write both files."""
    text = json.dumps(account(), separators=(",", ":"))
    (folder / "account.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    (folder / "models.json").write_text(json.dumps(catalogue(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
