"""The 697 real requests that the public data hold, and their sums in plain Python."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
RECORDS = DATA / "requests" / "real-requests-2026-08.jsonl"
CATALOGUE = DATA / "models" / "models-2026-08-08.json"

needs_data = pytest.mark.skipif(
    not (RECORDS.is_file() and CATALOGUE.is_file()),
    reason="the public data are not at ../shared/data, seen from the repository",
)

DAYS_PER_MONTH = 365.25 / 12
DAYS = 4
"""From 7 to 10 August 2026."""


@dataclass(frozen=True)
class Sums:
    """Some requests, added up."""

    spend_usd: float
    requests: int
    prompt: int
    completion: int
    cached: int
    web_usd: float

    @classmethod
    def of(cls, records: list[dict[str, Any]]) -> Sums:
        """Every record counts as one request."""
        prompt, completion, cached = (
            sum(record[name] for record in records)
            for name in ("tokens_prompt", "tokens_completion", "cached_tokens")
        )
        spend_usd = math.fsum(record["total_usage"] for record in records)
        web_usd = math.fsum(record["usage_web"] or 0 for record in records)
        return cls(spend_usd, len(records), prompt, completion, cached, web_usd)

    @property
    def usd_per_mtok(self) -> float:
        """What a million tokens cost."""
        return self.spend_usd / (self.prompt + self.completion) * 1e6


def read_lines() -> list[str]:
    """The lines of the records' file."""
    return RECORDS.read_text(encoding="utf-8").splitlines()


def read_records() -> list[dict[str, Any]]:
    """One dictionary a request."""
    return [json.loads(line) for line in read_lines()]


def sums_of(model: str | None = None) -> Sums:
    """All requests, or those for one model."""
    return Sums.of([record for record in read_records() if model in (None, record["model"])])


def price_of(model: str) -> dict[str, float]:
    """A model's base prices in the catalogue, USD per token."""
    rows = json.loads(CATALOGUE.read_text(encoding="utf-8"))["data"]
    (row,) = (row for row in rows if row["id"] == model)
    return {name: float(value) for name, value in row["pricing"].items() if isinstance(value, str)}


def arguments(policies: Path, source: Path | str = RECORDS) -> list[str]:
    """The command line that judges the requests on a fixed day."""
    return [
        "check", str(policies), "--source", str(source), "--catalog", str(CATALOGUE),
        "--now", "2026-08-20T00:00:00Z", "--window", "2026-08-07..2026-08-11",
    ]  # fmt: skip
