"""Made-up accounts, the same every time: few keys spend most, as everywhere."""

from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS, MODELS = 10_000, 400
ROWS_A_CHUNK = 10_000
"""What one answer of the API holds at most."""

FIRST_DAY = "2026-03-01"
CLOCK = "2026-06-10"

COUNTS = (
    "request_count", "tokens_total", "tokens_prompt", "tokens_completion", "reasoning_tokens", "cached_tokens"
)  # fmt: skip
DOLLARS = ("total_usage", "usage_web")
_TICKS_PER_USD = 1_000_000
_DAYS = 100
_MAY = range(61, 92)
"""Days since the first one."""

Row = dict[str, str | int | float | None]


def key_name(number: int) -> str:
    """The name of a key."""
    return (
        f"batch-{number:05}-{number % 10}"
        if number % 25 == 0
        else f"team-{number % 40:02}-service-{number:05}"
    )


def model_name(number: int) -> str:
    """The permaslug of a model."""
    suffix = f"-preview-{number % 10}" if number % 16 == 0 else ""
    return f"lab-{number % 20:02}/model-{number:03}{suffix}"


def key_hash(number: int) -> str:
    """The identity of a key."""
    return f"{number:064x}"


def grouped_rows(count: int) -> Iterator[Row]:
    """Rows by key and model of one month, as the API writes them: counts as texts, dollars as numbers."""
    chance = random.Random(20260601)  # noqa: S311 - an account to measure by
    per_key = count // KEYS
    for key in range(KEYS):
        for model in chance.sample(range(MODELS), per_key):
            figures = _figures(chance, key, model)
            yield {
                "api_key_id": key_name(key),
                "model": model_name(model),
                **{name: str(figures[name]) for name in COUNTS},
                **{name: figures[name] for name in DOLLARS},
            }


def write_answers(folder: Path, count: int) -> list[Path]:
    """The rows as bodies of answers, one file each."""
    files: list[Path] = []
    chunk: list[Row] = []
    for row in grouped_rows(count):
        chunk.append(row)
        if len(chunk) == ROWS_A_CHUNK:
            files.append(_write_answer(folder / f"answer-{len(files):03}.json", chunk))
            chunk = []
    return files


def _write_answer(path: Path, rows: list[Row]) -> Path:
    metadata = {"row_count": len(rows), "truncated": False}
    path.write_text(json.dumps({"data": {"data": rows, "metadata": metadata}}), encoding="utf-8")
    return path


_NO_LIMIT = {"limit_usd": None, "limit_reset": None, "created_at": None, "expires_at": None}
"""What the demo's keys have beside their names."""


def write_recorded(folder: Path, catalogue: bytes, keys: int, models: int) -> None:
    """An account in the format of the demo source: keys that use each model once in May, and one weekly."""
    chance = random.Random(20260602)  # noqa: S311 - an account to measure by
    pairs = [(key * 7, model) for key in range(keys) for model in range(models)]
    days = [(_MAY.start + number % len(_MAY), number) for number in range(len(pairs))]
    days += [(day, key * models) for key in range(keys) for day in range(1, _DAYS, 7) if day not in _MAY]
    rows = [_figures(chance, *pairs[cell]) for _, cell in days]
    columns: dict[str, list[int]] = {name: [int(row[name]) for row in rows] for name in COUNTS}
    columns |= {name: [round(row[name] * _TICKS_PER_USD) for row in rows] for name in DOLLARS}
    account = {
        "first_day": FIRST_DAY,
        "ticks_per_usd": _TICKS_PER_USD,
        "workspaces": {"main": "00000000-0000-4000-8000-000000000001"},
        "keys": [
            {"name": key_name(key), "hash": key_hash(key), "workspace": "main"} | _NO_LIMIT
            for key in sorted({key for key, _ in pairs})
        ],
        "cells": [
            {"api_key_id": key_name(key), "model": model_name(model), "workspace": "main"}
            for key, model in pairs
        ],
        "row_days": [day for day, _ in days],
        "row_cells": [cell for _, cell in days],
        "columns": columns,
        "dollar_columns": list(DOLLARS),
    }
    (folder / "account.json.gz").write_bytes(gzip.compress(json.dumps(account).encode(), mtime=0))
    (folder / "models.json").write_bytes(catalogue)


def _figures(chance: random.Random, key: int, model: int) -> dict[str, int | float]:
    """What one key did with one model: a heavy tail of spend, and tokens that go with it."""
    spend_usd = round(2.0 * chance.paretovariate(1.2) * (40 if key % 100 == 0 else 1), 6)
    usd_per_mtok = 0.2 * 1.02 ** (model % 250) * chance.uniform(0.5, 2.0)
    tokens = max(int(spend_usd / usd_per_mtok * 1e6), 2)
    completion = max(int(tokens * chance.uniform(0.01, 0.5)), 1)
    prompt = tokens - completion
    return {
        "request_count": max(tokens // 4_000, 1),
        "tokens_total": tokens,
        "tokens_prompt": prompt,
        "tokens_completion": completion,
        "reasoning_tokens": int(completion * chance.random() * 0.8),
        "cached_tokens": int(prompt * chance.random() * 0.9),
        "total_usage": spend_usd,
        "usage_web": round(spend_usd * 0.3, 6) if chance.random() < 0.05 else 0.0,
    }
