"""``orpolicy verify`` as it is run."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from orpolicy.cli.main import run
from orpolicy.verifying.json import verify_schema

if TYPE_CHECKING:
    from pathlib import Path

MARCH = "2026-03-01..2026-04-01"
SOURCE = ("--source", "demo")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "march.json"
    run(["check", *SOURCE, "--pack", "cost-review", "--window", MARCH, "--format", f"json={path}", "-q"])
    capsys.readouterr()
    return path


def changed(report: Path, change: Any) -> Path:
    """A copy of the report after a change of its JSON."""
    value = json.loads(report.read_bytes())
    change(value)
    copy = report.with_name("changed.json")
    copy.write_text(json.dumps(value), encoding="utf-8")
    return copy


def test_nothing_was_done_about_the_demo(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(report), *SOURCE, "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    schema = json.loads(verify_schema())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(told)
    assert {item["standing"] for item in told["findings"]} == {"unchanged"}
    assert told["queries_asked"] < len(told["findings"])
    findings = {item["fingerprint"] for item in json.loads(report.read_bytes())["findings"]}
    assert {item["fingerprint"] for item in told["findings"]} == findings
    assert all(len(item["days"]["values"]) == 92 for item in told["findings"])


def test_the_published_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "verify"]) == 0
    assert capsys.readouterr().out == verify_schema()


@pytest.mark.parametrize("columns", ["60", "80", "140"])
def test_text_fits_the_terminal(
    report: Path, columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["verify", str(report), *SOURCE, "-v", "--deployed", "2026-04-20"]) == 1
    shown = capsys.readouterr().out
    assert all(len(line) <= int(columns) for line in shown.splitlines())
    assert "^ deployed 2026-04-20" in shown
    words = " ".join(shown.split())
    assert "UNCHANGED review-outlier-keys batch-pipeline on northwind/atlas-3-pro-preview" in words
    assert "47.7016 USD x 127 Mtok - 6,067.00 = -8.90 USD a month" in words


def test_quiet_gives_the_counts_alone(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(report), *SOURCE, "-q"]) == 1
    assert capsys.readouterr().out == "VERIFY  27 unchanged; report of 2026-06-10, in May 2026\n"


def test_a_terminal_without_blocks_gets_ascii(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", output)
    assert run(["verify", str(report), *SOURCE, "--select", "review-outlier-keys"]) == 1
    shown = output.buffer.getvalue().decode("ascii")
    assert "@@@@" in shown
    assert "\\u" not in shown


def test_markdown_escapes_what_comes_from_outside(report: Path, tmp_path: Path) -> None:
    def poison(value: Any) -> None:
        for finding in value["findings"]:
            finding["policy"] = "<script>alert(1)</script> @team ``` | x"
            finding["measure"]["name"] = "**bold** </details>"

    copy = changed(report, poison)
    out = tmp_path / "out.md"
    run(["verify", str(copy), *SOURCE, "--format", f"markdown={out}", "-q"])
    text = out.read_text(encoding="utf-8")
    page = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert "<script>" not in page
    assert "<strong>bold" not in page
    assert len(text) < 60_000


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--fail-on", "unchanged"], 1),
        (["--fail-on", "worse"], 0),
        (["--fail-on", "never"], 0),
        (["--now", "2026-04-15"], 3),
        (["--now", "2026-04-15", "--on-inconclusive", "warn"], 0),
        (["--window", MARCH], 2),
        (["--window", "soon"], 2),
        (["--deployed", "soon"], 2),
        (["--deployed", "2027-01-01"], 2),
        (["--select", "review-outlier-key"], 2),
        (["--ignore", "nobody"], 2),
        (["--select", "review-growth"], 2),
        (["--format", "html"], 2),
        (["--format", "json", "--format", "text"], 2),
        (["--source", "nowhere.jsonl"], 2),
        (["--catalog", "nowhere.json"], 2),
    ],
)
def test_the_exit_code(report: Path, arguments: list[str], code: int) -> None:
    assert run(["verify", str(report), *SOURCE, *arguments]) == code


def test_what_the_report_set_aside_does_not_fail(report: Path) -> None:
    def waive(value: Any) -> None:
        for finding in value["findings"]:
            finding["status"] = "waived"

    assert run(["verify", str(changed(report, waive)), *SOURCE]) == 0


@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("inconclusive", 3)])
def test_a_report_without_findings(
    report: Path, verdict: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def clear(value: Any) -> None:
        value["findings"] = []
        value["verdict"] = verdict
        if verdict == "inconclusive":
            item = {"policy": "p", "reason": "deadline", "code": "ORP203", "detail": "d", "advice": "a"}
            value["inconclusive"] = [item | {"file": "f", "line": 1}]

    assert run(["verify", str(changed(report, clear)), *SOURCE, "--format", "markdown"]) == code
    shown = capsys.readouterr().out
    assert "no findings to verify" in shown
    assert ("could not judge p" in shown) == (code == 3)


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"schema_version": "9.0"}'])
def test_a_file_that_is_no_report(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    assert run(["verify", str(path), *SOURCE]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_hostile_query_reaches_nobody(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def hurt(value: Any) -> None:
        first, second, third, *others = value["findings"]
        first["verify"]["query"] = {"metrics": {"a": 1}}
        second["verify"]["query"]["filters"] = [
            {"field": "x' OR 1=1", "operator": "in", "value": ["\x1b[2J"]},
        ]
        third["measure"]["value"] = 1e308
        for finding in others:
            finding["spend_usd"] = -1e308
            finding["tokens_total"] = 10**40

    # The third fell from what it says, and is still above its threshold.
    assert run(["verify", str(changed(report, hurt)), *SOURCE]) == 1
    shown = capsys.readouterr()
    assert "VERIFY  1 partly, 26 inconclusive" in shown.out
    assert "\x1b" not in shown.out + shown.err
    assert "Traceback" not in shown.err
