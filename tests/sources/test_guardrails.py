"""Guardrails and the settings of keys: asked over the wire, recorded, disguised, judged."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from loopback.client import opened
from world import NOW, hash_of, policies, row, table

from orpolicy.account import ApiKey, Directory, Guardrail, KeyFacts
from orpolicy.cli.main import run
from orpolicy.errors import Reason, SourceError
from orpolicy.lint import lint
from orpolicy.recording import record
from orpolicy.sources._snapshot_json import encode
from orpolicy.sources._snapshot_read import decode
from orpolicy.sources.memory import Memory
from orpolicy.sources.snapshot import Snapshot
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from pathlib import Path

    from loopback.server import LoopbackServer

    from orpolicy.report import Report

RULES = "policies:\n  - {id: rails, rule: key-hygiene, by: []}\n  - {id: keys, rule: key-hygiene}\n"
FACTS = KeyFacts(100, "monthly", 90.5, "2026-01-02", None, 17.38, counts_byok=False)
RAILS = (Guardrail("for nightly", is_assigned=True, limit_usd=50), Guardrail("idle", is_assigned=False))


def guardrail(identity: str, home: str, **fields: Any) -> dict[str, Any]:
    base = {"id": identity, "name": identity, "workspace_id": home, "include_byok_in_budgets": False}
    return base | {"created_at": "2026-01-01T00:00:00Z", "limit_usd": None} | fields


def test_all_workspaces_are_asked_and_who_is_bound(loopback: LoopbackServer) -> None:
    account = loopback.account
    first, second = account.default_workspace, account.add_workspace("Second")
    default = str(uuid.uuid5(uuid.NAMESPACE_URL, second.id))  # as the server lists it
    account.guardrails = [
        guardrail("by-key", first.id, limit_usd=5, include_byok_in_budgets=True),
        guardrail("by-member", second.id),
        guardrail("idle", second.id, limit_usd="7.5"),
        guardrail(default, second.id, name="default"),
    ]
    account.assignments = {
        "keys": [{"id": "a1", "guardrail_id": "by-key", "key_label": "sk-or-v1-0e6...1c96"}],
        "members": [{"id": "a2", "guardrail_id": "by-member"}],
    }
    with opened(loopback.environ) as source:
        found = source.guardrails()
        assert source.guardrails() is found
    assert found == (
        Guardrail("by-key", is_assigned=True, limit_usd=5, counts_byok=True),
        Guardrail("by-member", is_assigned=True),
        Guardrail("default", is_assigned=True),
        Guardrail("idle", is_assigned=False, limit_usd=7.5),
    )


def test_without_guardrails_nobody_is_asked_whom_they_bind(loopback: LoopbackServer) -> None:
    with opened(loopback.environ) as source:
        assert source.guardrails() == ()
    assert loopback.paths() == ["/workspaces", "/guardrails"]


def test_hundreds_come_in_pages(loopback: LoopbackServer) -> None:
    home = loopback.account.default_workspace.id
    loopback.account.guardrails = [guardrail(f"g{number:03}", home) for number in range(250)]
    with opened(loopback.environ) as source:
        assert len(source.guardrails()) == 250


@pytest.mark.parametrize(
    "fields", [{"name": 7}, {"limit_usd": "x"}, {"limit_usd": []}, {"include_byok_in_budgets": 1}]
)
def test_what_is_no_guardrail(loopback: LoopbackServer, fields: dict[str, Any]) -> None:
    loopback.account.guardrails = [guardrail("g", loopback.account.default_workspace.id, **fields)]
    with opened(loopback.environ) as source, pytest.raises(SourceError) as error:
        source.guardrails()
    assert error.value.reason is Reason.MALFORMED_ANSWER


def test_refused_guardrails_leave_the_other_policies_alone(loopback: LoopbackServer) -> None:
    account = loopback.account
    key = account.add_key("app", limit=10, limit_reset="monthly", expires_at="2027-01-01T00:00:00Z")
    account.spend_daily(
        date(2026, 5, 1), 31, key=key, model="acme/m", requests=1, prompt=10, completion=1, usd=0.1
    )
    loopback.fail_next(403, body=b'{"error": {"code": 403, "message": "no"}}', path="/guardrails")
    with opened(loopback.environ) as source:
        report = lint(policies(RULES), source, Choice(window="2026-05-01..2026-06-01"))
    assert verdicts(report) == {"rails": "inconclusive", "keys": "pass"}


KEYS = (ApiKey("nightly", hash_of(1), facts=FACTS), ApiKey("off", hash_of(2), disabled=True))
USED = table([row(api_key_id="nightly", total_usage=20.0)])


def account() -> Memory:
    return Memory(USED, now=NOW, directory=Directory(KEYS), guardrails=RAILS)


def verdicts(report: Report) -> dict[str, str]:
    return {policy.id: policy.verdict.value for policy in report.policies}


def test_a_snapshot_says_the_same() -> None:
    live = lint(policies(RULES), account(), Choice())
    recording = decode(encode(record(policies(RULES), account(), Choice()).recording), "x")
    assert recording.guardrails == RAILS
    again = Snapshot(recording)
    assert again.directory() == account().directory()
    assert [key.facts for key in again.directory().keys] == [FACTS, None]
    assert lint(policies(RULES), again, Choice()) == live
    assert verdicts(live) == {"rails": "fail", "keys": "fail"}


def test_a_snapshot_without_guardrails_cannot_say() -> None:
    only_keys = policies("policies: [{id: keys, rule: key-hygiene}]")
    recording = decode(encode(record(only_keys, account(), Choice()).recording), "x")
    assert recording.guardrails is None
    report = lint(policies(RULES), Snapshot(recording), Choice())
    assert verdicts(report) == {"rails": "inconclusive", "keys": "fail"}


def test_an_error_is_recorded_as_well() -> None:
    class Refusing(Memory):
        def guardrails(self) -> tuple[Guardrail, ...] | None:
            raise SourceError(Reason.ACCESS_DENIED, "not for nightly")

    refusing = Refusing(USED, now=NOW, directory=Directory(KEYS))
    recorded = record(policies(RULES), refusing, Choice(), redact=True).recording
    assert isinstance(recorded.guardrails, SourceError)
    again = decode(encode(recorded), "x").guardrails
    assert isinstance(again, SourceError)
    assert again.reason is Reason.ACCESS_DENIED
    assert "nightly" not in again.detail


def test_names_in_the_names_of_guardrails_are_taken_away() -> None:
    recording = record(policies(RULES), account(), Choice(), redact=True).recording
    assert isinstance(recording.guardrails, tuple)
    assert [item.is_assigned for item in recording.guardrails] == [True, False]
    assert b"nightly" not in encode(recording)


def test_a_plan_counts_what_is_asked_of_the_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.yaml"
    for text, requests in ((RULES, 7), ("policies: [{id: keys, rule: key-hygiene}]", 4)):
        file.write_text(f"version: 1\n{text}", encoding="utf-8")
        assert run(["plan", str(file), "--now", "2026-06-10", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["account_requests"] == requests


def test_verify_looks_at_the_settings_as_they_are_now(
    tmp_path: Path,
    loopback: LoopbackServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One key gets its limit, one is switched off, one stays as it is, one is deleted."""
    for name, value in loopback.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ORPOLICY_CACHE_DIR", str(tmp_path / "cache"))
    account = loopback.account
    keys = {name: account.add_key(name) for name in ("bounded", "off", "same", "deleted")}
    usage = {"model": "acme/m", "requests": 1, "prompt": 10, "completion": 1, "usd": 0.1}
    account.spend_daily(date(2026, 4, 1), 61, key=keys["same"], **usage)
    policy, report, later = tmp_path / "p.yaml", tmp_path / "r.json", tmp_path / "v.json"
    policy.write_text("version: 1\npolicies: [{id: keys, rule: key-hygiene, checks: [limit, reset]}]")
    said = run(["check", str(policy), "--window", "2026-04-01..2026-05-01", "--format", f"json={report}"])
    assert said == 1
    account.keys = [
        replace(keys["bounded"], settings={"limit": 10, "limit_reset": "monthly"}),
        replace(keys["off"], disabled=True),
        keys["same"],
    ]
    found = run(["verify", str(report), "--window", "2026-05-01..2026-06-01", "--format", f"json={later}"])
    assert found == 1
    capsys.readouterr()
    checked = json.loads(later.read_text(encoding="utf-8"))["findings"]
    assert {item["subject"]["api_key_id"]: item["standing"] for item in checked} == {
        "bounded": "fixed", "off": "fixed", "same": "unchanged", "deleted": "gone",
    }  # fmt: skip


def test_guardrails_are_not_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, report = tmp_path / "p.yaml", tmp_path / "r.json"
    policy.write_text("version: 1\npolicies: [{id: rails, rule: key-hygiene, by: []}]", encoding="utf-8")
    assert run(["check", str(policy), "--source", "demo", "--format", f"json={report}"]) == 1
    assert run(["verify", str(report), "--source", "demo", "--window", "2026-06-01..2026-06-09"]) == 3
    assert "INCONCLUSIVE" in capsys.readouterr().out
