"""The demo account added up by hand: its file read with the standard library, folded in plain Python."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import orpolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOLDER = Path(orpolicy.__file__).parent / "data" / "demo"
MTOK = 1e6


@dataclass(frozen=True)
class Usage:
    """Some records, added up as they are asked for."""

    records: tuple[dict[str, Any], ...]

    def __getitem__(self, metric: str) -> float:
        return math.fsum(record[metric] or 0 for record in self.records)

    def where(self, **members: str | None) -> Usage:
        """The records with these members."""
        return self.that(lambda record: all(record[name] == member for name, member in members.items()))

    def between(self, start: date, end: date) -> Usage:
        """The records of a half-open span of days."""
        return self.that(lambda record: start <= record["day"] < end)

    def that(self, test: Callable[[dict[str, Any]], bool]) -> Usage:
        """The records that pass a test."""
        return Usage(tuple(record for record in self.records if test(record)))

    @property
    def usd_per_mtok(self) -> float:
        """What a million tokens cost."""
        return self["total_usage"] / self["tokens_total"] * MTOK

    def largest_extra(self) -> float:
        """The largest of the surcharges, in dollars."""
        return max(self[name] for name in ("usage_web", "usage_web_fetch", "usage_file"))


def read_demo() -> Usage:
    """Every record of the demo, with its day, and with models by the id that callers send."""
    data = json.loads(gzip.decompress((FOLDER / "account.json.gz").read_bytes()))
    first = date.fromisoformat(data["first_day"])
    records = []
    for row, (day, cell) in enumerate(zip(data["row_days"], data["row_cells"], strict=True)):
        record = {"day": first + timedelta(days=day), **data["cells"][cell]}
        record["model"] = re.sub(r"-\d{8}$", "", record["model"])
        for name, column in data["columns"].items():
            scale = data["ticks_per_usd"] if name in data["dollar_columns"] else 1
            record[name] = None if column[row] is None else column[row] / scale
        records.append(record)
    return Usage(tuple(records))


def demo_prices(model: str) -> dict[str, float]:
    """A model's catalogue prices, USD per token."""
    rows = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))["data"]
    (pricing,) = (row["pricing"] for row in rows if row["id"] == model)
    return {name: float(price) for name, price in pricing.items()}


DEMO = read_demo()
MAY = DEMO.between(date(2026, 5, 1), date(2026, 6, 1))
BLENDED = MAY.usd_per_mtok


def monthly_growth(usage: Usage) -> float:
    """May against the median of the months of the demo before it: it begins in November 2025."""
    starts = [date(2025, 11, 1), date(2025, 12, 1), *(date(2026, month, 1) for month in range(1, 7))]
    *before, may = spends(usage, starts)
    return may / median(before)


def weekly_growth(usage: Usage) -> float:
    """The last full week before 10 June 2026, Monday to Sunday, against the median of eight before it."""
    monday = date(2026, 6, 1)
    *before, last = spends(usage, [monday + timedelta(weeks=number) for number in range(-8, 2)])
    return last / median(before)


def spends(usage: Usage, starts: list[date]) -> Iterable[float]:
    """The spend between each day and the next of a list."""
    return [usage.between(start, end)["total_usage"] for start, end in itertools.pairwise(starts)]


MEASURES: dict[str, Callable[[Usage], float]] = {
    "blended_multiple": lambda usage: usage.usd_per_mtok / BLENDED,
    "usd_per_mtok": lambda usage: usage.usd_per_mtok,
    "spend_usd": lambda usage: usage["total_usage"],
    "usd_per_month": lambda usage: usage["total_usage"],
    "metric": lambda usage: usage["total_usage"],
    "usd_per_request": lambda usage: usage["total_usage"] / usage["request_count"],
    "cache_hit_rate": lambda usage: usage["cached_tokens"] / usage["tokens_prompt"],
    "prompt_ratio": lambda usage: usage["tokens_prompt"] / usage["tokens_completion"],
    "reasoning_share": lambda usage: usage["reasoning_tokens"] / usage["tokens_completion"],
    "surcharge_share": lambda usage: usage.largest_extra() / usage["total_usage"],
}
"""What each measure of a finding is, written out; growth looks at other months and stands apart."""
