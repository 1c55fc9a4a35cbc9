"""A crowded account: thousands of keys on hundreds of models, answered by an engine instead of a fold.

What a key uses on a model is the same every day, times a factor that depends on the day and on the key's
kind alone: so 1.5 million live pairs over nine months are two small tables. Dollars are whole
micro-dollars, so that every sum is exact, however it was split.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
from loopback import vocabulary as words
from loopback.account import LoopbackAccount
from loopback.request import read
from loopback.wire import Json, refuse

if TYPE_CHECKING:
    from loopback.request import Filter, Request

NOW = datetime(2026, 6, 10, tzinfo=UTC)
FIRST, DAYS = date(2025, 9, 1), 282
KINDS = ("steady", "grew last week", "grew in May", "new in May", "rests on weekends")
COLUMNS = (
    "request_count", "tokens_prompt", "tokens_completion", "tokens_total", "reasoning_tokens",
    "cached_tokens", "total_usage", "usage_web", "usage_file",
)  # fmt: skip
BOTH = 2

_PAIRS = """
CREATE TABLE pairs AS
SELECT k, m, kind, n AS request_count, n * prompt AS tokens_prompt, n * completion AS tokens_completion,
       n * (prompt + completion) AS tokens_total, n * completion * thinking // 10 AS reasoning_tokens,
       n * prompt * cached // 10 AS cached_tokens,
       n * (prompt * price + completion * price * 4) // 15000 AS total_usage,
       CASE WHEN k % 53 = 1 THEN n * 400 END AS usage_web, CASE WHEN k % 59 = 1 THEN n * 90 END AS usage_file
FROM (
    SELECT k, m,
        CASE WHEN k % 997 = 5 THEN 1 WHEN k % 499 = 7 THEN 2 WHEN k % 251 = 9 THEN 3 WHEN k % 7 = 2 THEN 4
             ELSE 0 END AS kind,
        1 + (12 * (1 + (k * 31 + m * 17) % 41)) // (1 + (k * 7 + m) % 89) + 3000 // (k + 12)
            + CASE WHEN k IN (5, 7) THEN 6000 WHEN k = 33 THEN 2000 ELSE 0 END AS n,
        300 + (k * 13 + m * 7) % 500 AS completion,
        completion * CASE WHEN (k + 3 * m) % 13 = 0 THEN 24 WHEN (k + 3 * m) % 130 = 1 THEN 70
            ELSE 2 + (k + m) % 5 END AS prompt,
        CASE (k + m) % 60 WHEN 0 THEN 0 WHEN 1 THEN 2 ELSE 6 END AS cached,
        CASE (2 * k + m) % 90 WHEN 0 THEN 7 ELSE 2 END AS thinking,
        (300 + 90 * (m % 29)) * CASE WHEN m % 97 = 11 THEN 25 ELSE 1 END AS price
    FROM range({keys}) AS keys(k), range({models}) AS models(m)
    WHERE (k * 7919 + m * 104729 + k * m * 31) % 1000 < 385
      AND (m % 40 <> 19 OR (k + m) % 20 = 12)
)
"""
"""``price`` is micro-USD per 15,000 prompt tokens; written ones cost four times as much."""


def key_name(number: int) -> str:
    """Every tenth key runs without a person waiting."""
    return f"nightly-{number:05d}" if number % 10 == 3 else f"team-{number:05d}"


def model_id(number: int) -> str:
    """What callers send; every fortieth model is a preview."""
    return f"acme/m{number:03d}{'-preview' if number % 40 == 19 else ''}"


def permaslug(number: int) -> str:
    """What answers show."""
    return f"{model_id(number)}-20260101"


class Crowd:
    """The account, as the API shows it.

    Attributes:
        account: its keys and models, for the lists.
        cap: the most rows of an answer.
    """

    def __init__(self, keys: int, models: int, *, cap: int = words.MAX_ROWS, namesakes: int = 0) -> None:
        self.cap = cap
        self.account = LoopbackAccount(now=NOW)
        self._keys = [self.account.add_key(key_name(number)) for number in range(keys)]
        for number in range(namesakes):
            self._rename(20 * number, 20 * number + 1)
        self._models = [permaslug(number) for number in range(models)]
        for number, slug in enumerate(self._models):
            self._list_model(number, slug)
        self._labels = {"api_key_id": [key.name for key in self._keys], "model": self._models}
        self._number = {key.key_hash: number for number, key in enumerate(self._keys)}
        self.engine = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
        self.engine.execute(_PAIRS.format(keys=keys, models=models))
        self.engine.execute("CREATE TABLE factors (kind INT, day DATE, factor BIGINT)")
        self.engine.executemany("INSERT INTO factors VALUES (?, ?, ?)", list(_factors()))

    def _rename(self, number: int, other: int) -> None:
        """Let one key have the name of another."""
        self._keys[number] = replace(self._keys[number], name=self._keys[other].name)
        self.account.keys[number] = self._keys[number]

    def _list_model(self, number: int, slug: str) -> None:
        price = (300 + 90 * (number % 29)) * (25 if number % 97 == 11 else 1)
        usd = price * 1e-6 / 15_000
        pricing = {
            "prompt": f"{usd:.15f}",
            "completion": f"{usd * 4:.15f}",
            "input_cache_read": f"{usd / 10:.15f}",
        }
        expires = "2026-07-01" if number % 150 == 70 else None
        self.account.add_model(slug, id=model_id(number), pricing=pricing, expiration_date=expires)

    def query(self, body: Json) -> Json:
        """The answer to one query.

        Raises:
            Refusal: 400.
        """
        request = read(body, self.account)
        limit = min(int(body["limit"]), self.cap)
        columns, rows = self.rows(request, limit + 1)
        shown = [self._row(request, columns, row) for row in rows[:limit]]
        answer: Json = {
            "data": shown,
            "metadata": {"query_time_ms": 9, "row_count": len(shown), "truncated": len(rows) > limit},
        }
        return {"data": answer}

    def rows(self, request: Request, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The column names, ``bucket`` first, and the rows, the dearest first."""
        where, values = self._where(request.filters)
        groups = [{"api_key_id": "k", "model": "m"}[name] for name in request.dimensions]
        metrics = [name for name in request.metrics if name in COLUMNS]
        unit = {None: "NULL::DATE", "day": "day", "month": "date_trunc('month', day)::DATE"}[
            request.granularity
        ]
        inner = ", ".join([*groups, "kind", *(f"sum({name}) AS {name}" for name in metrics)])
        sums = ", ".join(f"sum({name} * factor)::BIGINT AS {name}" for name in metrics)
        keys = ", ".join(["bucket", *groups])
        base, grouped = (
            f"{inner} FROM pairs WHERE {where} GROUP BY {', '.join([*groups, 'kind'])}",
            f"GROUP BY {keys}",
        )
        if len(groups) == BOTH and request.granularity is None:  # a row of the table is a row of the answer
            base, grouped, sums = f"* FROM pairs WHERE {where}", "", sums.replace("sum(", "(")
        text = f"""
            WITH base AS (SELECT {base}),
                 span AS (SELECT kind, {unit} AS bucket, sum(factor) AS factor FROM factors
                          WHERE day >= ? AND day < ? AND factor > 0 GROUP BY ALL)
            SELECT {keys}, {sums} FROM base JOIN span USING (kind) {grouped}
            ORDER BY total_usage DESC, {keys} LIMIT {limit}
        """  # noqa: S608 - made of this module's own words
        found = self.engine.cursor().execute(text, [*values, request.start.date(), request.end.date()])
        return ["bucket", *request.dimensions, *metrics], found.fetchall()

    def labels(self, dimension: str) -> list[str]:
        """What answers show for each number of a key or model."""
        return self._labels[dimension]

    def _where(self, filters: tuple[Filter, ...]) -> tuple[str, list[Any]]:
        parts, values = ["true"], list[Any]()
        for item in filters:
            if item.field not in {"api_key_id", "model"} or item.operator not in {"in", "not_in"}:
                raise refuse(f"this account does not filter by {item.field} {item.operator}")
            if item.field == "api_key_id":
                numbers = [self._number[value] for value in item.values]
            else:
                numbers = [self._models.index(value) for value in item.values]
            column = "k" if item.field == "api_key_id" else "m"
            parts.append(f"{column} {'IN' if item.operator == 'in' else 'NOT IN'} (SELECT unnest(?))")
            values.append(numbers)
        return " AND ".join(parts), values

    def _row(self, request: Request, columns: list[str], row: tuple[Any, ...]) -> Json:
        found = dict(zip(columns, row, strict=True))
        shown: Json = {}
        if request.granularity:
            shown[f"date__{request.granularity}"] = str(found["bucket"])
        for name in request.dimensions:
            shown[name] = self.labels(name)[found[name]]
        for name in request.metrics:
            value = found.get(name)
            shown[name] = None if value is None else str(value) if name in words.COUNTS else value / 1e6
        return shown


def _factors() -> list[tuple[int, date, int]]:
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    return [(kind, day, _factor(KINDS[kind], day)) for kind in range(len(KINDS)) for day in days]


def _factor(kind: str, day: date) -> int:
    """How much a key of a kind uses on a day: 2 is usual."""
    if kind == "grew last week" and day >= date(2026, 6, 1):
        return 7
    if kind == "grew in May" and date(2026, 5, 1) <= day < date(2026, 6, 1):
        return 5
    if kind == "new in May" and day < date(2026, 5, 4):
        return 0
    if kind == "rests on weekends" and day.weekday() >= 5:
        return 0
    return 2
