"""A made-up account that ships with the package, evaluated for real.

It retells a bill that OpenRouter's own cookbook tells of: in May 2026 a preview model burns 25 times the
blended rate, nearly all of it on one batch key. ``scripts/make_demo.py`` writes its data.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from orpolicy.account import ApiKey, Directory, Guardrail, KeyFacts
from orpolicy.catalog.load import load_catalog
from orpolicy.sources.memory import Memory
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypedDict

    from orpolicy.sources.base import Setting

    class _Key(TypedDict):
        name: str
        hash: str
        workspace: str
        limit_usd: float | None
        limit_reset: str | None
        created_at: str
        expires_at: str | None

    class _Account(TypedDict):
        first_day: str
        ticks_per_usd: int
        workspaces: dict[str, str]
        keys: list[_Key]
        cells: list[dict[str, str | None]]
        row_days: list[int]
        row_cells: list[int]
        columns: dict[str, list[int | None]]
        dollar_columns: list[str]


FOLDER = Path(__file__).parent.parent / "data" / "demo"
CLOCK = datetime(2026, 6, 10, tzinfo=UTC)
"""The demo's present: May 2026 is its last full month."""

GUARDRAILS = (
    Guardrail("batch-budget", is_assigned=False, limit_usd=2_000),
    Guardrail("models", is_assigned=True),
)


class Demo(Memory):
    """The made-up account; its clock stands still unless the run fixes another."""

    kind: ClassVar[str] = "demo"

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """The account as it was written.

        Raises:
            UsageError: if the catalogue that replaces its own cannot be read.
        """
        account: _Account = json.loads(gzip.decompress((FOLDER / "account.json.gz").read_bytes()))
        return cls(
            _records(account),
            now=setting.now or CLOCK,
            directory=_directory(account),
            catalogue=load_catalog(setting.catalogue or FOLDER / "models.json"),
            guardrails=GUARDRAILS,
        )


def _records(account: _Account) -> Table:
    first = date.fromisoformat(account["first_day"])
    days = [(first + timedelta(days=number)).isoformat() for number in range(max(account["row_days"]) + 1)]
    cells, numbers = account["cells"], account["row_cells"]
    dimensions = {name: [cells[number][name] for number in numbers] for name in cells[0]}
    return Table({DATE: [days[number] for number in account["row_days"]], **dimensions}, _metrics(account))


def _metrics(account: _Account) -> Mapping[str, list[int | None] | list[float | None]]:
    ticks = account["ticks_per_usd"]
    return {
        name: [None if value is None else value / ticks for value in column]
        if name in account["dollar_columns"]
        else column
        for name, column in account["columns"].items()
    }


def _directory(account: _Account) -> Directory:
    uuids = account["workspaces"]
    keys = [
        ApiKey(key["name"], key["hash"], uuids[key["workspace"]], key["workspace"], facts=_facts(key))
        for key in account["keys"]
    ]
    return Directory(tuple(sorted(keys)), {name: (uuid,) for name, uuid in uuids.items()})


def _facts(key: _Key) -> KeyFacts:
    return KeyFacts(
        limit_usd=key["limit_usd"],
        limit_reset=key["limit_reset"],
        created_at=key["created_at"],
        expires_at=key["expires_at"],
        byok_usage_usd=0.0,
        counts_byok=False,
    )
