"""The unit of a metric's expression, and its label, through the command line and by hand."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.cli.main import run
from orpolicy.rules._unit import unit_of

RATES = {"blended_usd_per_mtok": 1e6}


@pytest.mark.parametrize(
    ("expression", "unit"),
    [
        ("total_usage", "USD"),
        ("-usage_cache", "USD"),
        ("usage_web + usage_file", "USD"),
        ("total_usage - 500", "USD"),
        ("500 - total_usage", "USD"),
        ("2 * total_usage + usage_web", "USD"),
        ("tokens_total / 1000", "tokens"),
        ("request_count - byok_request_count", "requests"),
        ("total_usage / tokens_total", "USD/token"),
        ("total_usage / tokens_total * 1000000", "USD/Mtok"),
        ("1e6 * total_usage / tokens_prompt", "USD/Mtok"),
        ("total_usage / (tokens_total / 1e6)", "USD/Mtok"),
        ("blended_usd_per_mtok * tokens_total / 1e6", "USD"),
        ("blended_usd_per_mtok - 2 + request_count / request_count", ""),
        ("total_usage / request_count", "USD/request"),
        ("tokens_total / request_count", "tokens/request"),
        ("usage_web / total_usage", "share"),
        ("(usage_web + usage_file) / total_usage", "share"),
        ("cached_tokens / tokens_prompt", "share"),
        ("reasoning_tokens / tokens_completion", "share"),
        ("tokens_prompt / tokens_total", "share"),
        ("guardrail_invoked_count / request_count", "share"),
        ("tokens_prompt / tokens_completion", "x"),
        ("(usage_web - usage_file) / total_usage", "x"),
        ("usage_web / total_usage + cached_tokens / tokens_prompt", "x"),
        ("total_usage / tokens_total * 1e6 / blended_usd_per_mtok", "x"),
        ("usage_web / total_usage * 100", "%"),
        # nothing that people would know by a name
        ("total_usage * tokens_total", ""),
        ("total_usage / tokens_total * 1000", ""),
        ("total_usage + tokens_total", ""),
        ("usage_web / total_usage * 100 + usage_file / total_usage", ""),
        ("request_count / total_usage", ""),
        ("total_usage * 0", ""),
        ("total_usage / 1e300 / 1e300", ""),
        ("total_usage * made_up_metric", ""),
    ],
)
def test_units_are_worked_out(expression: str, unit: str) -> None:
    assert unit_of(ast.parse(expression, mode="eval").body, RATES) == unit


AMOUNTS = st.sampled_from(["total_usage", "usage_web", "byok_usage"])


@settings(max_examples=40)
@given(first=AMOUNTS, second=AMOUNTS, times=st.integers(1, 9))
def test_sums_of_dollars_are_dollars_in_any_order(first: str, second: str, times: int) -> None:
    for text in (f"{times} * {first} + {second}", f"{second} - {first} * {times}", f"-({first}) / {times}"):
        assert unit_of(ast.parse(text, mode="eval").body, RATES) == "USD"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


def write(settings_text: str) -> None:
    Path("orpolicy.yaml").write_text(
        f"version: 1\npolicies:\n  - {{id: p, rule: metric, expression: usage_web, {settings_text}}}\n",
        encoding="utf-8",
    )


def checked() -> None:
    assert run(["check", "--source", "demo", "--format", "text", "--format", "json=report.json"]) == 1


def test_a_label_is_the_name_for_people_and_the_json_keeps_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write('fail_above: 1, label: "  web   search  "')
    checked()
    shown = capsys.readouterr().out
    assert "measured web search $" in shown
    assert "(fails above $1)" in shown
    (finding,) = json.loads(Path("report.json").read_text(encoding="utf-8"))["findings"]
    measure = finding["measure"]
    assert (measure["name"], measure["unit"], measure["label"]) == ("metric", "USD", "web search")
    assert run(["explain", finding["fingerprint"], "--report", "report.json"]) == 0
    assert "web search" in capsys.readouterr().out


def test_without_a_label_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    write("fail_above: 1")
    checked()
    assert "measured metric $" in capsys.readouterr().out
    (finding,) = json.loads(Path("report.json").read_text(encoding="utf-8"))["findings"]
    assert "label" not in finding["measure"]


def test_a_hostile_label_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    write('fail_above: 1, label: "<b>x</b>"')
    assert run(["check", "--source", "demo", "--format", "html"]) == 1
    page = capsys.readouterr().out
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x</b>" not in page


@pytest.mark.parametrize("label", ['""', '" "', "7", "[a]", f"'{'x' * 61}'"])
def test_labels_that_are_none(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(f"fail_above: 1, label: {label}")
    assert run(["validate"]) == 2
    assert "label" in capsys.readouterr().err


def test_explain_says_the_limit_in_the_unit(capsys: pytest.CaptureFixture[str]) -> None:
    write("fail_above: 1234.5, label: web search")
    assert run(["explain", "p", "--now", "2026-06-10"]) == 0
    assert "It fails above $1,234.50" in " ".join(capsys.readouterr().out.split())
