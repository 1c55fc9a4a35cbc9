"""``orpolicy drill`` as it is run, against the loopback server and files of records."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from loopback.account import LoopbackAccount
from loopback.listings import SAID
from loopback.server import LoopbackServer

from orpolicy.cli.main import run
from orpolicy.drilling.json import drill_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = ["--now", "2026-06-10"]
POLICIES = """
version: 1
policies:
  - {id: budget, rule: spend-limit, by: [api_key_id], fail_above: 5}
  - {id: apps, rule: spend-limit, by: [app], fail_above: 5}
  - {id: people, rule: spend-limit, by: [app, user], fail_above: 5}
  - {id: models, rule: spend-limit, by: [model], where: {api_key_id: "batch-*"}, fail_above: 5}
  - {id: quarter, rule: spend-limit, by: [], window: 2026-03-01..2026-06-01, fail_above: 1}
"""


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    account = LoopbackAccount()
    batch, other = account.add_key("batch-pipeline"), account.add_key("app")
    person, app = account.add_user("Ann", "ann@example.com"), account.add_app("Reader")
    account.add_model("acme/big-20260101", id="acme/big")
    for number in range(12):
        account.spend(
            datetime(2026, 5, 1 + number, 6, 28, tzinfo=UTC),
            model="acme/big-20260101",
            usd=1.0 + number,
            key=batch if number % 3 else other,
            user=person if number % 2 else None,
            app=app,
            prompt=1000 * (number + 1),
            completion=10,
            reasoning=4,
            cached=100,
            generation=f"gen-{number:03d}",
        )
    account.spend(date(2026, 4, 2), model="acme/big-20260101", usd=900.0, key=batch, generation="gen-old")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orpolicy.yaml").write_text(POLICIES, encoding="utf-8")
    with LoopbackServer(account) as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        yield running


def findings(*arguments: str) -> dict[str, dict[str, Any]]:
    assert run(["check", *NOW, "--no-cache", "-q", "--format", "json=report.json", *arguments]) in (1, 3)
    report = json.loads(Path("report.json").read_bytes())
    return {
        f"{item['policy']} {' '.join(str(name) for name in item['subject'].values())}".strip(): item
        for item in report["findings"]
    }


def drilled(
    capsys: pytest.CaptureFixture[str], fingerprint: str, *arguments: str, code: int = 0
) -> dict[str, Any]:
    capsys.readouterr()
    line = ["drill", fingerprint, "--report", "report.json", *NOW, "--no-cache", "--format", "json"]
    assert run([*line, *arguments]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(drill_schema())).validate(found)
    return found


def test_the_dearest_requests_of_a_key(server: LoopbackServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers 11, 10, 8 are the dearest of the key batch-pipeline: 12, 11 and 9 USD."""
    finding = findings("--select", "budget")["budget batch-pipeline"]
    server.requests.clear()
    found = drilled(capsys, finding["fingerprint"], "--top", "3")
    assert [(item["generation_id"], item["spend_usd"]) for item in found["requests"]] == [
        ("gen-011", 12.0),
        ("gen-010", 11.0),
        ("gen-008", 9.0),
    ]
    assert found["spend_usd"] == 32
    assert found["requests"][0] == {
        "generation_id": "gen-011",
        "model": "acme/big",
        "spend_usd": 12.0,
        "tokens_prompt": 12000,
        "tokens_completion": 10,
        "reasoning_tokens": 4,
        "cached_tokens": 100,
        "details": {
            "created_at": "2026-05-12T06:28:00Z",
            "model": "acme/big-20260101",
            "provider": "OpenAI",
            "finish_reason": "stop",
            "cost_usd": 12.0,
            "tokens_prompt": 12000,
            "tokens_completion": 10,
            "reasoning_tokens": 4,
            "cached_tokens": 100,
            "latency_ms": 1250,
            "is_byok": False,
            "is_cancelled": False,
        },
    }
    (query,) = [request.body for request in server.requests if request.path == "/analytics/query"]
    assert query
    assert query["dimensions"] == ["generation_id", "model"]
    assert query["limit"] == 3
    assert server.paths().count("/generation") == 3
    assert "/generation/content" not in server.paths()


def test_what_was_said_is_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    finding = findings("--select", "budget")["budget batch-pipeline"]
    capsys.readouterr()
    for form in ("text", "json"):
        line = ["drill", finding["fingerprint"], "--report", "report.json", *NOW, "--format", form]
        assert run(line) == 0
        assert SAID not in "".join(capsys.readouterr())


def test_the_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    finding = findings("--select", "budget")["budget batch-pipeline"]
    capsys.readouterr()
    line = ["drill", finding["fingerprint"][:8], "--report", "report.json", *NOW, "--top", "2"]
    assert run([*line, "--color", "never"]) == 0
    assert capsys.readouterr().out == (
        "budget: batch-pipeline\n"
        "the 2 dearest requests: $23 of the finding's $56 (41 %), May 2026\n"
        "\n"
        "  $12.00  gen-011  acme/big\n"
        "          12,000 in (100 cached), 10 out (4 reasoning), 2026-05-12 06:28 UTC, acme/big-20260101,\n"
        "          OpenAI, stop\n"
        "  $11.00  gen-010  acme/big\n"
        "          11,000 in (100 cached), 10 out (4 reasoning), 2026-05-11 06:28 UTC, acme/big-20260101,\n"
        "          OpenAI, stop\n"
    )


def test_apps_are_matched_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    found = drilled(capsys, findings("--select", "apps")["apps Reader"]["fingerprint"], "--top", "2")
    assert [item["app"] for item in found["requests"]] == ["Reader", "Reader"]
    assert [item["spend_usd"] for item in found["requests"]] == [12, 11]


def test_two_dimensions_without_a_filter_are_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    made = findings("--select", "people")
    finding = next(item for item in made.values() if item["subject"]["user"])
    assert run(["drill", finding["fingerprint"], "--report", "report.json", *NOW]) == 3
    assert "app and user cannot be filtered by name" in capsys.readouterr().err


def test_what_else_the_policy_selects_by_is_filtered_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    found = drilled(capsys, findings("--select", "models")["models acme/big"]["fingerprint"])
    assert found["notices"] == []
    assert {item["api_key_id"] for item in found["requests"]} == {"batch-pipeline"}


def test_what_the_report_does_not_filter_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint = findings("--select", "models")["models acme/big"]["fingerprint"]
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    for finding in report["findings"]:
        query = finding["verify"]["query"]
        query["dimensions"] = ["api_key_id", "model"]
        query["filters"] = [item for item in query["filters"] if item["field"] == "model"]
    Path("report.json").write_text(json.dumps(report), encoding="utf-8")
    found = drilled(capsys, fingerprint)
    assert found["notices"][0].startswith("the policy also selects by api_key_id")
    assert {item["api_key_id"] for item in found["requests"]} == {"batch-pipeline", "app"}


def test_a_long_window_is_cut_to_its_last_31_days(capsys: pytest.CaptureFixture[str]) -> None:
    found = drilled(capsys, findings("--select", "quarter")["quarter"]["fingerprint"], "--top", "1")
    assert found["window"]["start"] == "2026-05-01T00:00:00Z"
    assert found["requests"][0]["generation_id"] == "gen-011"
    assert "only the last 31 of 92 days" in found["notices"][0]


def test_requests_that_the_source_tells_no_more_of(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fingerprint = findings("--select", "budget")["budget batch-pipeline"]["fingerprint"]
    server.fail_next(2, status=404, path="/generation")
    found = drilled(capsys, fingerprint, "--top", "3", code=3)
    assert found["unanswered"]["requests"] == 2
    assert sum(item["details"] is None for item in found["requests"]) == 2
    server.fail_next(2, status=404, path="/generation")
    assert run(["drill", fingerprint, "--report", "report.json", *NOW, "--top", "3"]) == 3
    assert "of 2 requests the source tells no more" in capsys.readouterr().out


def test_a_key_that_is_gone(server: LoopbackServer, capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint = findings("--select", "budget")["budget batch-pipeline"]["fingerprint"]
    server.account.keys.pop(0)
    assert run(["drill", fingerprint, "--report", "report.json", *NOW]) == 3
    assert "could not be resolved [" in capsys.readouterr().err


def test_nothing_in_the_window(server: LoopbackServer, capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint = findings("--select", "budget")["budget batch-pipeline"]["fingerprint"]
    server.account.records.clear()
    assert run(["drill", fingerprint, "--report", "report.json", *NOW]) == 3
    assert "no request behind the finding" in capsys.readouterr().err


def test_the_demo_has_no_requests(capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint = findings("--select", "budget")["budget batch-pipeline"]["fingerprint"]
    assert run(["drill", fingerprint, "--report", "report.json", "--source", "demo"]) == 3
    assert "this source holds sums, no single requests" in capsys.readouterr().err


def test_reports_with_pseudonyms_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    (finding,) = [
        item for item in findings("--select", "budget", "--redact").values() if item["spend_usd"] > 50
    ]
    assert run(["drill", finding["fingerprint"], "--report", "report.json", *NOW]) == 2
    assert "without --redact" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fingerprint", "message"),
    [("0" * 32, "has no finding 0000"), ("", "has no finding ; it has "), ("x" * 500, "has no finding xxx")],
)
def test_a_finding_that_is_not_there(
    fingerprint: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    findings()
    assert run(["drill", fingerprint, "--report", "report.json", *NOW]) == 2
    assert message in capsys.readouterr().err


def test_digits_that_several_findings_begin_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings()
    report = json.loads((tmp_path / "report.json").read_bytes())
    for number, item in enumerate(report["findings"]):
        item["fingerprint"] = f"abcdef{number:026d}"
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert run(["drill", "ABCDEF", "--report", "report.json", *NOW]) == 2
    assert "findings whose fingerprint begins with ABCDEF" in capsys.readouterr().err


@pytest.mark.parametrize(
    "query",
    [
        {"dimensions": "model"},
        {"filters": {}},
        {"filters": [1]},
        {"filters": [{"field": "model", "operator": "gt", "value": ["a"]}]},
        {"filters": [{"field": "model", "operator": "in", "value": []}]},
        {"filters": [{"field": 1, "operator": "in", "value": ["a"]}]},
        {"filters": [{"field": "model", "operator": ["in"], "value": ["a"]}]},
        {"filters": [{"field": "model", "operator": "in", "value": ["a"]}] * 21},
    ],
)
def test_a_query_that_no_report_holds(
    query: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fingerprint = findings("--select", "budget")["budget batch-pipeline"]["fingerprint"]
    report = json.loads((tmp_path / "report.json").read_bytes())
    for item in report["findings"]:
        item["verify"]["query"] |= query
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert run(["drill", fingerprint, "--report", "report.json", *NOW]) == 2
    assert "cannot be read" in capsys.readouterr().err or "is no report" in capsys.readouterr().err


def test_files_of_records_hold_requests_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orpolicy.yaml").write_text(POLICIES, encoding="utf-8")
    rows = [
        {
            "generation_id": f"gen-{number}",
            "created_at": (datetime(2026, 5, 3, tzinfo=UTC) + timedelta(hours=number)).isoformat(),
            "api_key_id": "batch-pipeline" if number % 2 else None,
            "model": "acme/big",
            "total_usage": float(number),
            "request_count": 1,
            "tokens_total": number,
            "tokens_prompt": number,
            "tokens_completion": 0,
            "reasoning_tokens": 0,
            "cached_tokens": 0,
        }
        for number in range(8)
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = findings("--select", "budget", "--source", "r.jsonl")
    found = drilled(capsys, made["budget batch-pipeline"]["fingerprint"], "--source", "r.jsonl", "--top", "2")
    assert [item["generation_id"] for item in found["requests"]] == ["gen-7", "gen-5"]
    assert [item["details"] for item in found["requests"]] == [None, None]
    keyless = drilled(capsys, made["budget None"]["fingerprint"], "--source", "r.jsonl", "--top", "2")
    assert [item["generation_id"] for item in keyless["requests"]] == ["gen-6", "gen-4"]
    assert (
        run(["drill", made["budget None"]["fingerprint"], "--report", "report.json", "--source", "r.jsonl"])
        == 0
    )
    assert "no key" in capsys.readouterr().out
