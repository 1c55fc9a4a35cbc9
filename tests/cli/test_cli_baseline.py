"""The baseline as its users handle it."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.cli.main import run
from orpolicy.plugins import REPORTERS

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

# The demo's May 2026: one preview model at 25 times the blended rate, nearly all of it on one key.
POLICIES = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
  - {id: ban, rule: model-ban, models: ["@preview"], floor: {spend: 1000}}
"""
LOCKED = POLICIES.replace("{id: ban,", "{id: ban, locked: true,")
LOST = POLICIES + "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}\n"
FIXED = POLICIES.replace("fail_above: 15", "fail_above: 1500")
KEY = "batch-pipeline"
FILE = "orpolicy.baseline"
DEMO = ("--source", "demo")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(POLICIES)
    return tmp_path


def write(text: str) -> None:
    Path("orpolicy.yaml").write_text(text, encoding="utf-8")


def content() -> str:
    return Path(FILE).read_text(encoding="utf-8")


def check(*arguments: str) -> int:
    return run(["check", *DEMO, *arguments])


def test_write_then_check_then_update(capsys: pytest.CaptureFixture[str]) -> None:
    assert check() == 1
    assert run(["baseline", "write", *DEMO]) == 0
    assert f"{FILE}: 2 findings accepted, 12,252.00 USD a month" in capsys.readouterr().out
    before = content()
    assert f"# ban: {KEY} on northwind/atlas-3-pro-preview\n" in before
    assert "ban spend_usd<=6067 spend_usd_per_month<=6067.00" in before
    assert check("--baseline", FILE) == 0
    assert check("--baseline", FILE, "--fail-on", "warning") == 0
    assert run(["baseline", "update", *DEMO]) == 0
    assert run(["baseline", "write", *DEMO]) == 0
    assert content() == before


def test_no_baseline_is_used_unasked() -> None:
    run(["baseline", "write", *DEMO])
    assert check() == 1


def test_every_total_is_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO, "--select", "outlier"])
    capsys.readouterr()
    assert check("--baseline", FILE, "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    status = {item["policy"]: item["status"] for item in report["findings"]}
    assert status == {"outlier": "baselined", "ban": "open"}
    savings = report["savings_usd_per_month"]
    worth = {item["policy"]: item["savings_usd_per_month"]["net"] for item in report["findings"]}
    assert savings["baselined"] == worth["outlier"] > 0
    assert savings["net"]["expected"] == worth["ban"]


def test_worse_fails_and_says_by_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    Path(FILE).write_text(content().replace("6067.00", "6000.00"), encoding="utf-8")
    capsys.readouterr()
    assert check("--baseline", FILE) == 1
    assert "against 6,000.00 accepted (+67.00)" in " ".join(capsys.readouterr().out.split())
    before = content()
    assert run(["baseline", "update", *DEMO]) == 0
    assert f"worse than accepted: ban: {KEY} on" in capsys.readouterr().out
    assert content() == before
    assert run(["baseline", "update", *DEMO, "--accept-worse"]) == 0
    assert "loosened: ban:" in capsys.readouterr().out
    assert check("--baseline", FILE) == 0


def test_update_tightens_and_drops(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    Path(FILE).write_text(content().replace("6067.00", "7000.00"), encoding="utf-8")
    write(FIXED)
    assert run(["baseline", "update", *DEMO]) == 0
    shown = capsys.readouterr().out
    assert "tightened: ban:" in shown
    assert "fixed, dropped: outlier: northwind/atlas-3-pro-preview:" in shown
    assert "6067.00" in content()
    assert "outlier" not in content()


def test_update_adds_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO, "--select", "ban"])
    assert run(["baseline", "update", *DEMO]) == 0
    assert "not accepted: outlier:" in capsys.readouterr().out
    assert check("--baseline", FILE) == 1
    assert run(["baseline", "update", *DEMO, "--accept-new"]) == 0
    assert "added: outlier:" in capsys.readouterr().out
    assert check("--baseline", FILE) == 0


def test_write_refuses_to_replace_another_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    Path(FILE).write_text(content().replace("6067.00", "6000.00"), encoding="utf-8")
    before = content()
    assert run(["baseline", "write", *DEMO]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert content() == before
    assert run(["baseline", "write", *DEMO, "--force"]) == 0
    assert "6067.00" in content()


@pytest.mark.parametrize("command", [["write", "--force"], ["update"]])
def test_partial_runs_keep_what_they_did_not_judge(command: list[str]) -> None:
    run(["baseline", "write", *DEMO])
    before = content()
    assert run(["baseline", *command, *DEMO, "--select", "ban"]) == 0
    assert content() == before


def test_what_could_not_be_judged_is_kept_and_exits_3(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    text = re.sub("[0-9a-f]{32} outlier ", f"{'1' * 32} lost ", content())
    Path(FILE).write_text(text, encoding="utf-8")
    write(LOST)
    for command in (["write", "--force"], ["update"], ["show"]):
        capsys.readouterr()
        assert run(["baseline", *command, *DEMO]) == 3
        shown = capsys.readouterr()
        assert "not judged: lost: nothing-matched" in shown.err
        assert "kept, the policy was not judged: lost:" in shown.out
    assert " lost blended_multiple<=" in content()


def test_locked_policies_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    write(LOCKED)
    assert run(["baseline", "write", *DEMO]) == 0
    shown = capsys.readouterr().out
    assert "1 finding accepted" in shown
    assert f"not accepted, the policy is locked: ban: {KEY} on" in shown
    assert check("--baseline", FILE) == 1


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    capsys.readouterr()
    assert run(["baseline", "show"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines() == [
        f"{FILE}: 2 findings accepted, 12,252.00 USD a month",
        "",
        "outlier: 1, 6,185.00 USD a month",
        "  northwind/atlas-3-pro-preview: blended_multiple<=25.1744114, 6,185.00 USD a month",
        "",
        "ban: 1, 6,067.00 USD a month",
        f"  {KEY} on northwind/atlas-3-pro-preview: spend_usd<=6067, 6,067.00 USD a month",
    ]
    before = content()
    assert run(["baseline", "show", *DEMO]) == 0
    assert capsys.readouterr().out.startswith(shown + "\nHeld against a run: nothing changed.\n")
    write(FIXED)
    assert run(["baseline", "show", *DEMO]) == 0
    assert "Held against a run:\nfixed, dropped: outlier:" in capsys.readouterr().out
    assert content() == before


def test_names_from_the_file_move_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    Path(FILE).write_text(content().replace(f"# ban: {KEY}", "# ban: \x1b[2J\u202e"), encoding="utf-8")
    capsys.readouterr()
    run(["baseline", "show"])
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().out)


def test_redacted_files_name_nobody_and_hold_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "write", *DEMO, "--redact"]) == 0
    assert KEY not in content()
    assert "# ban: key-" in content()
    assert KEY not in capsys.readouterr().out
    assert check("--baseline", FILE) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", *DEMO, "--baseline", "absent"],
        ["check", *DEMO, "--baseline", "orpolicy.yaml"],
        ["check", *DEMO, "--baseline", "."],
        ["baseline", "show"],
        ["baseline", "update", *DEMO],
        ["baseline", "write", *DEMO, "--file", "orpolicy.yaml", "--force"],
        ["baseline", "write", *DEMO, "--file", "missing/folder/file"],
        ["baseline", "write", *DEMO, "--select", "bam"],
        ["baseline", "tighten"],
    ],
)
def test_what_makes_no_sense_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.strip()
    assert "Traceback" not in shown
    assert Path("orpolicy.yaml").read_text(encoding="utf-8") == POLICIES


def test_a_conflict_is_refused_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    Path(FILE).write_text(content() + "<<<<<<< HEAD\n", encoding="utf-8")
    assert check("--baseline", FILE) == 2
    assert f"{FILE}:12:1: an unresolved merge conflict" in capsys.readouterr().err


def test_the_management_key_is_in_nothing_that_a_run_leaves_behind(
    loopback: LoopbackServer, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = loopback.environ["OPENROUTER_MANAGEMENT_KEY"]
    account = loopback.account
    account.add_model("x/dear-20260101")
    key = account.add_key(f"named like {secret}")
    account.spend(date(2026, 5, 15), model="x/dear-20260101", key=key, usd=100.0, prompt=900, completion=100)
    for name, value in {**loopback.environ, "ORPOLICY_CACHE_DIR": str(folder / "cache")}.items():
        monkeypatch.setenv(name, value)
    write("version: 1\npolicies:\n  - {id: spend, rule: spend-limit, fail_above: 10}\n")
    formats = [text for name in REPORTERS.names for text in ("--format", f"{name}=out.{name}")]
    now = ("--now", "2026-06-10")
    assert run(["baseline", "write", *now]) == 0
    assert run(["check", *now, *formats, "-v", "--baseline", FILE]) == 0
    assert run(["check", *now, "-v", "--redact", "--format", "json"]) == 1
    assert run(["baseline", "show", "--source", "openrouter", *now]) == 0
    said = "".join(capfd.readouterr())
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert len(left) > len(REPORTERS.names)
    assert secret not in said
    assert [path for path in left if secret.encode() in path.read_bytes()] == []
