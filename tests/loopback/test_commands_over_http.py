"""The commands that ask for figures, each once over HTTP with the official API's traps on."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

MOST_A_MINUTE = 64
NOW = "2026-06-10"
POLICY = """
version: 1
policies:
  - {id: dear, rule: usd-per-mtok, by: [api_key_id, model], fail_above: 5}
"""


@pytest.fixture(autouse=True)
def server(loopback: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopbackServer:
    """Two keys of one name in two workspaces, traffic without a key, and counts as text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORPOLICY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in loopback.environ.items():
        monkeypatch.setenv(name, value)
    account = loopback.account
    account.numbers_as_strings = True
    account.models_per_page = 1
    other = account.add_workspace("research")
    keys = [account.add_key("batch"), account.add_key("batch", workspace=other), account.add_key("web")]
    account.add_model("acme/big-20260101")
    for number, key in enumerate([*keys, None]):
        account.spend_daily(
            date(2026, 3, 1), 101, model="acme/big-20260101", key=key, usd=float(number + 1),
            prompt=100_000, completion=10_000, requests=10, generation=f"gen-{number}",
        )  # fmt: skip
    Path("orpolicy.yaml").write_text(POLICY, encoding="utf-8")
    return loopback


def queries(server: LoopbackServer) -> list[dict[str, Any]]:
    return [request.body or {} for request in server.requests if request.path == "/analytics/query"]


COMMANDS = {
    "compare": ("compare", "--from", "2026-04-01..2026-05-01", "--to", "2026-05-01..2026-06-01"),
    "verify": ("verify", "report.json"),
    "backtest": ("backtest", "--weeks", "4", "--window", "last-week"),
    "drill": ("drill", "FINGERPRINT", "--report", "report.json"),
    "snapshot": ("snapshot", "may.orpolicy"),
    "init": ("init", "made"),
}
EXITS = {"compare": 0, "verify": 1, "backtest": 0, "drill": 0, "snapshot": 0, "init": 0}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_keeps_the_pace_and_checks_what_it_is_told(
    name: str, server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*COMMANDS[name]]
    if "report.json" in arguments:
        window = "2026-04-01..2026-05-01" if name == "verify" else "2026-05-20..2026-06-01"
        assert run(["check", "--now", NOW, "--window", window, "--format", "json=report.json", "-q"]) == 1
        found = json.loads(Path("report.json").read_text(encoding="utf-8"))["findings"]
        mine = next(item["fingerprint"] for item in found if item["subject"]["api_key_id"] == "web")
        arguments = [mine if word == "FINGERPRINT" else word for word in arguments]
    server.requests.clear()
    assert run([*arguments, "--source", "openrouter", "--now", NOW]) == EXITS[name], capsys.readouterr().err
    assert len(server.requests) <= MOST_A_MINUTE
    asked = queries(server)
    assert all(0 < body["limit"] <= 10_000 and body["time_range"] for body in asked)
    grouped = [body for body in asked if body["dimensions"] and not is_chart(name, body)]
    assert grouped or name == "drill"
    assert [body for body in grouped if not is_checked(body, asked)] == []


def is_chart(name: str, body: dict[str, Any]) -> bool:
    """Whether it is only drawn, or is the part of a finding whose dollars are known."""
    return name == "drill" or (name == "verify" and "granularity" in body)


def is_checked(body: dict[str, Any], asked: list[dict[str, Any]]) -> bool:
    """Whether its total was asked, or, for one of several keys of a name, what they add up to."""
    shape = (body["time_range"], body.get("granularity"))
    filters = body.get("filters", [])
    others = [item for item in filters if item["field"] != "api_key_id"]
    return any(
        (other["time_range"], other.get("granularity")) == shape
        and (
            (not other["dimensions"] and other.get("filters", []) == filters)
            or (others != filters and other.get("filters", []) == others)
        )
        for other in asked
    )


def test_traffic_without_a_key_is_no_key_of_that_name(server: LoopbackServer) -> None:
    run(["check", "--now", NOW, "--format", "json=report.json", "-q"])
    for finding in json.loads(Path("report.json").read_text(encoding="utf-8"))["findings"]:
        values = [
            item["value"] for item in finding["verify"]["query"]["filters"] if item["field"] == "api_key_id"
        ]
        assert all(len(value) == 64 for each in values for value in each)
        assert bool(values) == (finding["subject"]["api_key_id"] != "Chatroom")
    assert server.requests
