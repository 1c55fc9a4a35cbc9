"""``orpolicy backtest`` as it is run."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from orpolicy.backtest.json import backtest_schema
from orpolicy.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

OUTLIER = (
    "version: 1\npolicies:\n  - {id: outlier, rule: blended-multiple, window: last-week, fail_above: 15}\n"
)
QUIET = OUTLIER.replace("15", "1000")
LOST = (
    "version: 1\npolicies:\n"
    "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1, window: last-week}\n"
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "90")


def backtest(tmp_path: Path, text: str, *arguments: str) -> int:
    (tmp_path / "orpolicy.yaml").write_text(text, encoding="utf-8")
    return run(["backtest", "--source", "demo", *arguments])


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["backtest", "--source", "demo", "--format", "json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (OUTLIER, ["--weeks", "2"], 0),
        (QUIET, ["--weeks", "2"], 0),
        (LOST, ["--weeks", "2"], 3),
        (OUTLIER, ["--weeks", "0"], 2),
        (OUTLIER, ["--weeks", "53"], 2),
        (OUTLIER, ["--weeks", "2", "--window", "yesterday"], 2),
        (OUTLIER, ["--weeks", "2", "--select", "outlie"], 2),
        (OUTLIER, ["--weeks", "2", "--now", "1900-01-20"], 3),
        (OUTLIER.replace("fail_above", "fail_abov"), [], 2),
    ],
)
def test_the_exit_code_is_no_gate(tmp_path: Path, text: str, arguments: list[str], code: int) -> None:
    assert backtest(tmp_path, text, *arguments) == code


def test_a_strip_says_when_and_a_sentence_how_noisily(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backtest(tmp_path, OUTLIER + QUIET.partition("policies:\n")[2].replace("outlier", "quiet")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "8 weeks, 2026-04-13 to 2026-06-07: 1 policy fired, 1 quiet"
    assert "outlier  !!!!!!!!  8/8, 1 subject" in lines
    assert "quiet    ········  0/8" in lines
    assert "    quiet: it did not fire in 8 weeks" in lines
    assert "      northwind/atlas-3-pro-preview: 8 weeks, 25x against 15x" in lines
    assert "· passed   ~ warned   ! failed   ? not judged" in lines
    assert all(len(line) <= 90 for line in lines)


def test_a_terminal_without_the_dot_gets_a_full_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii", write_through=True))
    assert backtest(tmp_path, QUIET, "--weeks", "3") == 0
    shown = buffer.getvalue()
    assert b"outlier  ...  0/3\n" in shown
    assert b". passed" in shown


@pytest.mark.parametrize("arguments", [["--weeks", "20"], ["--weeks", "3", "--window", "last-week"]])
def test_json_is_as_published(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    schema = json.loads(backtest_schema())
    Draft202012Validator.check_schema(schema)
    found = as_json(capsys, "--pack", "cost-review", *arguments)
    Draft202012Validator(schema).validate(found)
    assert len(found["weeks"]) == int(arguments[1])
    assert all(len(policy["weeks"]) == len(found["weeks"]) for policy in found["policies"])
    reasons = {week["reason"] for policy in found["policies"] for week in policy["weeks"]}
    assert reasons <= {None, "too-little-history"}


def test_the_dollars_of_a_week_are_those_of_the_reports(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "--pack", "starter", "--weeks", "4", "--window", "last-week")
    spend, saved = 0.0, 0.0
    for week in found["weeks"]:
        run(["check", "--source", "demo", "--pack", "starter", "--now", week["end"], "--window", "last-week",
             "--format", "json"])  # fmt: skip
        report = json.loads(capsys.readouterr().out)
        spend += sum(item["spend_usd"] for item in report["findings"] if item["policy"] == "blended-outlier")
        saved += report["savings_usd_per_month"]["net"]["expected"] * 7 / 30.4375
    assert found["policies"][0]["usd"]["spend"] == pytest.approx(spend)
    assert found["net_savings_usd"]["expected"] == pytest.approx(saved)


def test_markdown_is_a_table_and_inert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = '      owner: "|<img src=x> @everyone"\n'
    text = OUTLIER.replace("{id", "id").replace("}\n", "\n").replace(", ", "\n    ") + evil[2:]
    assert backtest(tmp_path, text, "--weeks", "3", "--format", "markdown") == 0
    shown = capsys.readouterr().out
    tokens = MarkdownIt("gfm-like").parse(shown)
    assert sum(token.type == "table_open" for token in tokens) == 1
    assert "| `outlier` | `!!!` | 3 of 3 | 1 | 0 |" in shown
    assert "<img" not in shown


def test_markdown_stays_within_a_comment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = "".join(
        f"  - {{id: p{number:03}-{'x' * 60}, rule: spend-limit, window: last-week, fail_above: 1}}\n"
        for number in range(230)
    )
    assert backtest(tmp_path, f"version: 1\npolicies:\n{many}", "--weeks", "1", "--format", "markdown") == 0
    shown = capsys.readouterr().out
    assert len(shown) <= 60_000
    assert "more policies not shown." in shown
