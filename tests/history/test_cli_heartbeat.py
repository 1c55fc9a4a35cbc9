"""``check --history`` and ``heartbeat`` as they are run."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from world import memory, row
from world import run as judge

from orpolicy.cli.main import run
from orpolicy.history.heartbeat import parse_duration
from orpolicy.history.record import Record
from orpolicy.history.trend import trend_of
from orpolicy.report_file import read_report
from orpolicy.reporters.json import report_schema

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.report import Report

MONTHS = ("2026-03-01..2026-04-01", "2026-04-01..2026-05-01", "2026-05-01..2026-06-01")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


def check(*arguments: str, window: str = MONTHS[2]) -> int:
    return run(["check", "--source", "demo", "--pack", "starter", "--window", window, *arguments])


def test_each_run_is_a_line_and_the_same_run_is_one(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    for window in (*MONTHS, MONTHS[2]):
        assert check("--history", str(path), "-q", window=window) == 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["window"]["start"][:7] for line in lines] == ["2026-03", "2026-04", "2026-05"]
    assert lines[2]["spend_usd"] == pytest.approx(21_950.5684)
    assert lines[2]["findings"] == {"open": 4, "waived": 0, "baselined": 0}
    assert lines[2]["policies"]["no-preview-on-batch"]["value"] == pytest.approx(6_067.0)
    assert "batch-pipeline" not in path.read_text()


def test_the_trend_is_in_text_markdown_html_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check("--history", "h.jsonl", "-q", window=MONTHS[0])
    check("--history", "h.jsonl", "-q", window=MONTHS[1])
    capsys.readouterr()
    check("--history", "h.jsonl", "--format", "markdown=m", "--format", "html=h", "--format", "json=j")
    sentence = "Against April 2026: spend +$1,534 (+7.5 %), net savings +$312 a month."
    assert sentence in capsys.readouterr().out
    assert "| April 2026 | \\$20,417.03 | \\$6,131.50 |" in (tmp_path / "m").read_text(encoding="utf-8")
    assert sentence in (tmp_path / "h").read_text(encoding="utf-8")
    report = json.loads((tmp_path / "j").read_bytes())
    Draft202012Validator(json.loads(report_schema())).validate(report)
    assert [point["window"]["start"][:7] for point in report["trend"]] == ["2026-03", "2026-04"]
    assert read_report(tmp_path / "j").verdict == "fail"


def test_the_first_run_has_no_trend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check("--history", "h.jsonl", "--format", "json=j")
    assert "Against" not in capsys.readouterr().out
    assert "trend" not in json.loads((tmp_path / "j").read_bytes())


def test_a_history_that_cannot_be_kept_is_the_command_lines_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--history", str(tmp_path)) == 2
    assert check("--history", "no/such/folder.jsonl") == 2
    assert "cannot write the history" in capsys.readouterr().err


def test_broken_lines_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text("junk\n", encoding="utf-8")
    assert check("--history", "h.jsonl", "-q") == 1
    assert "h.jsonl:1: no record of a run; left as it is" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8").startswith("junk\n{")


def spent(usd: float, day: str, window: str, policies: str = "a", **more: Any) -> Report:
    text = f"policies:\n  - {{id: {policies}, rule: spend-limit, by: [model], fail_above: 1}}\n"
    return judge(text, memory([row(date=day, model="m", total_usage=usd)], **more), window=window)


@pytest.mark.parametrize(
    ("earlier", "policies", "known"),
    [
        ("2026-05-18..2026-05-25", "a", True),  # a week, as the judged one
        ("2026-05-19..2026-05-26", "a", False),  # seven days, but no week
        ("2026-05-01..2026-06-01", "a", False),
        ("2026-05-18..2026-05-25", "b", False),  # other policies have other savings
        ("2026-05-25..2026-06-01", "a", False),  # the window itself
    ],
)
def test_only_what_is_alike_is_compared(earlier: str, policies: str, *, known: bool) -> None:
    record = Record.of(spent(5.0, "2026-05-19", earlier, policies))
    now = spent(7.0, "2026-05-26", "2026-05-25..2026-06-01")
    trend = trend_of(now, [record])
    assert (trend is not None) == known
    if trend:
        assert trend.points[0].spend_usd == 5.0


def test_the_latest_run_of_each_window_counts_and_the_last_twelve_windows() -> None:
    now = spent(7.0, "2026-05-26", "2026-05-25..2026-06-01")
    assert now.baseline is not None
    base = Record.of(now)
    window = now.baseline.window
    past = [
        replace(base, window=one, at=base.at - timedelta(days=7 * (20 - n)))
        for n, one in enumerate(window.previous(20))
    ]
    corrected = replace(past[-1], at=base.at, spend_usd=9.0)
    trend = trend_of(now, [*past, corrected])
    assert trend is not None
    assert len(trend.points) == 12
    assert trend.points[-1].spend_usd == 9.0


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """One run of the demo, at 2026-06-10."""
    assert check("--history", "h.jsonl", "-q") == 1
    return tmp_path / "h.jsonl"


@pytest.mark.parametrize(
    ("now", "age", "code", "words"),
    [
        ("2026-06-11", "36h", 0, "1 d ago (fail)"),
        ("2026-06-11T12:00:00Z", "36h", 0, "1 d 12 h ago (fail)"),
        ("2026-06-11T12:00:01Z", "36h", 1, "older than 1 d 12 h"),
        ("2026-06-10T01:30:00Z", "90m", 0, "1 h 30 min ago"),
        ("2026-06-10T00:00:00Z", "1w", 0, "less than a minute ago"),
        ("2026-06-09T23:58:00Z", "2d", 0, "less than a minute ago"),
        ("2026-06-09", "2d", 1, "1 d in the future: a clock is wrong"),
        ("2026-06-11", "36", 2, "no duration"),
        ("2026-06-11", "0h", 2, "no duration"),
        ("2026-06-11", "-1h", 2, "no duration"),
        ("2026-06-11", "999999w", 0, "ago"),
        ("soon", "36h", 2, "--now"),
    ],
)
def test_the_age_of_the_last_good_run_decides(
    history: Path, capsys: pytest.CaptureFixture[str], *, now: str, age: str, code: int, words: str
) -> None:
    capsys.readouterr()
    assert run(["heartbeat", str(history), f"--max-age={age}", "--now", now]) == code
    shown = capsys.readouterr()
    assert words in shown.out + shown.err


def test_without_a_good_run_nothing_is_green(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heartbeat", "--max-age", "36h"]) == 1
    assert "orpolicy.history.jsonl: no such history" in capsys.readouterr().out
    path = tmp_path / "orpolicy.history.jsonl"
    path.write_bytes(b"")
    assert run(["heartbeat", "--max-age", "36h"]) == 1
    assert "no run was ever recorded" in capsys.readouterr().out
    lost = (
        "version: 1\npolicies:\n"
        "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}\n"
    )
    (tmp_path / "orpolicy.yaml").write_text(lost, encoding="utf-8")
    assert run(["check", "--source", "demo", "--history", str(path), "-q"]) == 3
    assert run(["heartbeat", "--max-age", "36h", "--now", "2026-06-10"]) == 1
    assert "was inconclusive" in capsys.readouterr().out


def test_an_inconclusive_run_does_not_refresh_and_broken_lines_are_told(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = json.loads(history.read_text(encoding="utf-8"))
    line |= {"at": "2026-06-12T00:00:00Z", "verdict": "inconclusive"}
    with history.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(line)}\nhalf a li")
    assert run(["heartbeat", str(history), "--max-age", "2d", "--now", "2026-06-12"]) == 0
    shown = capsys.readouterr()
    assert "1 inconclusive since" in shown.out
    assert "h.jsonl:3: no record of a run" in shown.err
    assert run(["heartbeat", str(history), "--max-age", "36h", "--now", "2026-06-12"]) == 1


def test_a_folder_is_no_history(tmp_path: Path) -> None:
    assert run(["heartbeat", str(tmp_path), "--max-age", "36h"]) == 2


def test_durations() -> None:
    assert parse_duration("36h") == parse_duration("2160m") == timedelta(days=1, hours=12)
    assert datetime(2026, 1, 1, tzinfo=UTC) + parse_duration("1w") == datetime(2026, 1, 8, tzinfo=UTC)
