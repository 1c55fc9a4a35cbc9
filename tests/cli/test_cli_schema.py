"""``orpolicy schema`` as it is run."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from orpolicy.cli.main import COMMANDS, run
from orpolicy.cli.schema import SCHEMAS

if TYPE_CHECKING:
    import click

DEMO = ("--source", "demo", "--now", "2026-06-10")
POLICIES = """
version: 1
policies:
  - {id: budget, rule: spend-limit, by: [api_key_id], fail_above: 5}
  - {id: odd, rule: spend-limit, by: [app], where: {app: nobody}, fail_above: 5}
waivers:
  - {policy: budget, where: {api_key_id: job}, until: 2026-12-31, reason: agreed, owner: us}
tests:
  - name: several ways to be wrong
    now: 2026-06-10
    rows:
      - {api_key_id: web, app: x, total_usage: 9}
      - {api_key_id: job, app: x, total_usage: 7}
      - {api_key_id: small, app: x, total_usage: 1}
    expect:
      - {policy: budget, verdict: warn, api_key_id: web, measure: {min: 100}, savings: {high: {max: 2}}}
      - {policy: budget, verdict: fail, api_key_id: small, measure: 6}
      - {policy: budget, verdict: pass, api_key_id: job}
      - {policy: odd, verdict: inconclusive, reason: truncated}
  - {name: known, todo: true, now: 2026-06-10, rows: [], expect: [{policy: odd, verdict: pass}]}
  - {name: mended, todo: true, now: 2026-06-10, rows: [], expect: []}
"""
RECORD = {
    "created_at": "2026-05-03T12:00:00Z",
    "generation_id": "gen-1",
    "api_key_id": "web",
    "app": "x",
    "model": "acme/x",
    "request_count": 1,
    "total_usage": 9.0,
    "tokens_total": 10,
    "tokens_prompt": 8,
    "tokens_completion": 2,
    "reasoning_tokens": 0,
    "cached_tokens": 0,
}
DATA = Path(__file__).parents[2] / "orpolicy" / "data"
WRITES = {
    "check": ("report", ("orpolicy.yaml", *DEMO)),
    "test": ("test", ("orpolicy.yaml",)),
    "backtest": ("backtest", ("orpolicy.yaml", "--weeks", "2", *DEMO)),
    "compare": ("compare", DEMO),
    "drill": (
        "drill",
        ("FINGERPRINT", "--report", "own.json", "--source", "own.jsonl", "--now", "2026-06-10"),
    ),
    "diff-policy": ("policy-diff", ("./before", "orpolicy.yaml", *DEMO)),
    "verify": ("verify", ("demo.json", *DEMO)),
}
"""Every command that writes JSON -> the schema of it, and how it is run here."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Policies, the same before a change, records, and reports on the demo and on the records."""
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("before").mkdir()
    Path("orpolicy.yaml").write_text(POLICIES, encoding="utf-8")
    Path("before/orpolicy.yaml").write_text(
        POLICIES.replace("fail_above: 5", "fail_above: 4"), encoding="utf-8"
    )
    Path("own.jsonl").write_text(json.dumps(RECORD) + "\n", encoding="utf-8")
    run(["check", "orpolicy.yaml", "-q", *DEMO, "--format", "json=demo.json"])
    run(
        [
            "check",
            "orpolicy.yaml",
            "-q",
            "--source",
            "own.jsonl",
            "--now",
            "2026-06-10",
            "--format",
            "json=own.json",
        ]
    )
    return tmp_path


def test_the_schema_is_printed_and_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    policy = {"id": "a", "rule": "spend-limit", "fail_above": 100}
    assert validator.is_valid({"version": 1, "policies": [policy]})
    for wrong in ({**policy, "fail_below": 1}, {"id": "a", "rule": "spend-limit"}, {**policy, "rule": "x"}):
        assert not validator.is_valid({"version": 1, "policies": [wrong]})


def schema_of(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert run(["schema", name]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name != "policies"])
def test_what_commands_write_has_a_schema_too(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    schema = schema_of(name, capsys)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:orpolicy:{name}:1.0"


@pytest.mark.parametrize("command", WRITES)
def test_json_is_as_its_schema_says(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, arguments = WRITES[command]
    (finding,) = json.loads((folder / "own.json").read_bytes())["findings"]
    line = [finding["fingerprint"] if each == "FINGERPRINT" else each for each in arguments]
    schema = schema_of(name, capsys)
    assert run([command, *line, "--format", "json"]) in {0, 1, 3}
    Draft202012Validator(schema).validate(json.loads(capsys.readouterr().out))


def test_every_command_that_writes_json_has_a_schema() -> None:
    """And every schema but that of the policies is of some command."""
    having = set()
    for name in COMMANDS:
        command: click.Command = import_module(f"orpolicy.cli.{name.replace('-', '_')}").command
        having |= {name for option in command.params if "--format" in option.opts}
    assert set(WRITES) == having
    assert {name for name, _ in WRITES.values()} == set(SCHEMAS) - {"policies"}


def test_there_is_no_other_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "reports"]) == 2
    assert "'policies', 'report', 'test', 'backtest', 'compare'" in capsys.readouterr().err


def undescribed(node: object, path: str = "") -> list[str]:
    """Every property without a description, by its path."""
    if isinstance(node, list):
        return [each for number, item in enumerate(node) for each in undescribed(item, f"{path}/{number}")]
    if not isinstance(node, dict):
        return []
    own = node.get("properties", {})
    named = own.items() if isinstance(own, dict) else ()
    found = [
        f"{path}/{name}"
        for name, item in named
        if path.rpartition("/")[2] != "properties" and not str(item.get("description", "")).strip()
    ]
    return found + [each for name, item in node.items() for each in undescribed(item, f"{path}/{name}")]


@pytest.mark.parametrize("file", sorted(DATA.glob("*.schema.json")), ids=lambda file: file.name)
def test_every_field_is_described(file: Path) -> None:
    assert undescribed(json.loads(file.read_text(encoding="utf-8"))) == []


def test_a_field_without_a_description_is_found() -> None:
    schema = {"properties": {"a": {"description": " "}, "b": {"items": {"properties": {"c": {}}}}}}
    assert undescribed(schema) == ["/a", "/b", "/properties/b/items/c"]
