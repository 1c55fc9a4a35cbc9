"""A finding's query shows the finding's own figure, also where its policy selects beyond the subject."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orpolicy.cli.main import run
from orpolicy.period import Window
from orpolicy.query.model import Filter, Operator, Query
from orpolicy.sources.base import Setting
from orpolicy.sources.demo import Demo

APRIL = "2026-04-01..2026-05-01"
POLICIES = {
    "keys": "by: [model], where: {api_key_id: ['batch-*', 'data-*']}, rule: usd-per-mtok, fail_above: 1",
    "not-keys": "by: [model], where: {api_key_id: {not: 'batch-*'}}, rule: usd-per-mtok, fail_above: 1",
    "models": "by: [api_key_id], where: {model: 'northwind/*'}, rule: cost-per-request, fail_above: 0.0001",
    "scope": "by: [api_key_id], rule: model-ban, models: ['northwind/*']",
    "pushed": "by: [model, variant], where: {api_key_id: 'batch-*'}, rule: usd-per-mtok, fail_above: 1",
    "variants": "by: [model], where: {model: '*:standard'}, rule: usd-per-mtok, fail_above: 1",
    "all-but-one": "by: [], where: {api_key_id: {not: 'batch-*'}}, rule: metric, expression: total_usage,"
    " fail_above: 1",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def findings(policy: str) -> list[dict[str, Any]]:
    Path("orpolicy.yaml").write_text(f"version: 1\npolicies:\n  - {{id: p, {policy}}}\n", encoding="utf-8")
    run(["check", "--source", "demo", "--window", APRIL, "--format", "json=report.json", "-q"])
    found: list[dict[str, Any]] = json.loads(Path("report.json").read_text(encoding="utf-8"))["findings"]
    return found


def asked(body: dict[str, Any]) -> float:
    """What the account answers to a request body: the dollars of its only row."""
    start, end = (datetime.fromisoformat(body["time_range"][name]) for name in ("start", "end"))
    query = Query(
        metrics=tuple(body["metrics"]),
        dimensions=tuple(body["dimensions"]),
        window=Window(start, end),
        filters=tuple(
            Filter(item["field"], Operator(item["operator"]), tuple(item["value"]))
            for item in body.get("filters", [])
        ),
    )
    answer = Demo.open(Setting("demo", {})).answer(query)
    spend = answer.table.metrics["total_usage"]
    assert len(spend) == 1
    return float(spend[0] or 0.0)


@pytest.mark.parametrize("name", POLICIES)
def test_the_query_alone_gives_the_figure_and_verify_judges_it(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = findings(POLICIES[name])
    assert found
    for finding in found:
        if None in finding["subject"].values():
            continue  # traffic without a key has no filter: it is a row among others
        assert math.isclose(asked(finding["verify"]["query"]), finding["spend_usd"], rel_tol=1e-9)
    assert run(["verify", "report.json", "--source", "demo", "-q"]) == 1
    assert "inconclusive" not in capsys.readouterr().out


def test_a_filter_has_the_hashes_of_the_selected_keys_and_no_name() -> None:
    (finding, *_) = findings(POLICIES["keys"])
    query = finding["verify"]["query"]
    assert query["dimensions"] == ["model"]
    (keys,) = (item["value"] for item in query["filters"] if item["field"] == "api_key_id")
    assert len(keys) == 2
    assert all(len(value) == 64 and int(value, 16) >= 0 for value in keys)
    assert all(value in finding["verify"]["curl"] for value in keys)


@pytest.mark.parametrize(
    "policy",
    [
        "by: [model], where: {user: '*a*'}, rule: usd-per-mtok, fail_above: 0.0001",
        "by: [model], where: {app: '*a*'}, rule: usd-per-mtok, fail_above: 0.0001",
    ],
)
def test_what_has_no_filter_stays_inconclusive(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(policy)
    assert found
    run(["verify", "report.json", "--source", "demo", "-q"])
    assert "inconclusive" in capsys.readouterr().out


def test_too_many_members_stay_inconclusive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("orpolicy.reproducing.MAX_MEMBERS", 1)  # rather than an account of 501 keys
    assert findings(POLICIES["keys"])
    run(["verify", "report.json", "--source", "demo", "-q"])
    assert "inconclusive" in capsys.readouterr().out


def test_a_redacted_report_names_no_key() -> None:
    findings(POLICIES["keys"])
    run(["check", "--source", "demo", "--window", APRIL, "--format", "json=redacted.json", "-q", "--redact"])
    text = Path("redacted.json").read_text(encoding="utf-8")
    (plain,) = {
        tuple(item["value"])
        for finding in json.loads(Path("report.json").read_text(encoding="utf-8"))["findings"]
        for item in finding["verify"]["query"]["filters"]
        if item["field"] == "api_key_id"
    }
    assert not any(value in text for value in plain)
