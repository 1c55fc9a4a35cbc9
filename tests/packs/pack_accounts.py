"""Accounts on the loopback server that packs are tried on, and the environment that leads there."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from loopback.account import LoopbackAccount
    from loopback.server import LoopbackServer

NOW = "2026-06-10"
MODEL = "acme/steady-20260101"
PREVIEW = "acme/daring-preview-20260101"
FIRST, DAYS = date(2025, 10, 1), 252
"""From October 2025 to 9 June 2026: eight months before May, and more than nine weeks before June's first."""


def lead_to(server: LoopbackServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line find the server, and nothing that other runs left behind."""
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ORPOLICY_CACHE_DIR", str(folder / "cache"))


def with_models(account: LoopbackAccount) -> None:
    """A catalogue of two models with a price for cached tokens, one of them a preview."""
    for permaslug, prompt, completion, index in (
        (MODEL, "0.000001", "0.000004", 40),
        (PREVIEW, "0.000008", "0.000032", 60),
    ):
        account.add_model(
            permaslug,
            id=permaslug.removesuffix("-20260101"),
            pricing={
                "prompt": prompt,
                "completion": completion,
                "input_cache_read": f"{float(prompt) / 10:.8f}",
            },
            benchmarks={"artificial_analysis": {"intelligence_index": index}},
        )


def use(account: LoopbackAccount, key: str, *, since: date = FIRST, **usage: Any) -> None:
    """A key with a limit that does the same every day until 9 June, healthily unless told otherwise.

    By default 1,000 requests a day that read four tokens for each they write: 2.60 USD/Mtok.
    """
    daily = {"model": MODEL, "requests": 1_000, "prompt": 4_000_000, "completion": 1_000_000, "usd": 8.0}
    days = DAYS - (since - FIRST).days
    made = account.add_key(key, limit=1_000, limit_reset="monthly")
    account.spend_daily(since, days, key=made, **(daily | usage))
