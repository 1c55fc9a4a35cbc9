"""``orpolicy compare`` as it is run."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from html5lib import HTMLParser
from jsonschema import Draft202012Validator

from orpolicy.cli.main import run
from orpolicy.comparing.json import compare_schema

if TYPE_CHECKING:
    from pathlib import Path

DEMO = ["compare", "--source", "demo"]
MAY = ["--from", "2026-05-01..2026-05-16", "--to", "2026-05-16..2026-05-31"]
HOSTILE = "</script><img src=x onerror=alert(1)>|`$\x1b[31m\u202e"


def record(
    day: str, key: str, model: str, usd: float, *, requests: int = 100, tokens: int = 1000
) -> dict[str, Any]:
    return {
        "created_at": f"{day}T12:00:00Z",
        "generation_id": f"{day}-{key}-{model}-{usd}",
        "api_key_id": key,
        "model": model,
        "total_usage": usd,
        "request_count": requests,
        "tokens_total": tokens,
        "tokens_prompt": tokens,
        "tokens_completion": 0,
        "reasoning_tokens": 0,
        "cached_tokens": 0,
    }


RECORDS = [
    record("2026-05-02", "app", "acme/big", 10.0),
    record("2026-05-02", "batch", "acme/big", 40.0),
    record("2026-05-03", "old", "acme/mini", 5.0),
    record("2026-05-20", "app", "acme/big", 20.0, requests=200, tokens=2000),
    record("2026-05-20", "batch", "acme/big", 20.0, requests=50, tokens=500),
    record("2026-05-21", "batch", "acme/dear", 60.0),
    record("2026-05-21", "fresh", "acme/big", 7.0),
]


@pytest.fixture
def files(tmp_path: Path) -> str:
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in RECORDS), encoding="utf-8")
    return str(path)


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run(["compare", "--format", "json", "--now", "2026-06-10", *arguments]) == code
    text = capsys.readouterr().out
    found = json.loads(text)
    Draft202012Validator(json.loads(compare_schema())).validate(found)
    return found


def test_the_demo_in_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (80, 100, 140):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run([*DEMO, "--color", "never"]) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= columns
    assert shown.startswith("April 2026 -> May 2026: +$27.52 a day (+4 %), $681 to $708 a day\n")
    assert "The windows differ in length ($20,417 in 30 days, $21,951 in 31 days)" in shown
    assert re.search(r"release-notes +\$0 +\$10.62 +\+\$10.62  new", shown)
    assert "4 queries" in shown


def test_two_windows_by_hand(files: str, capsys: pytest.CaptureFixture[str]) -> None:
    """55 to 107 USD. acme/big: 50 to 47, acme/mini gone, acme/dear new."""
    found = as_json(capsys, "--source", files, *MAY)
    assert found["per"] == "window"
    assert found["total"]["change_usd"] == pytest.approx(52)
    assert found["total"]["causes_usd"] == pytest.approx(
        {
            # 300 requests, then 450; of acme/big 200, then 350. L = -3 / ln(47 / 50) = 48.48453
            # volume L ln 1.5 = 19.65879, mix L ln(7/4) - volume = 7.47392; tokens per request 10 and 10: 0.
            "volume": 19.658785,
            "mix": 7.473924,
            "size": 0,
            "price": -30.132709,
            "new": 60,
            "vanished": -5,
            "unsplit": 0,
            "rest": 0,
        },
        abs=1e-5,
    )
    models = [
        (item["subject"]["model"], item["presence"], item["change_usd"])
        for item in found["models"]["changes"]
    ]
    assert models == [("acme/dear", "new", 60), ("acme/mini", "vanished", -5), ("acme/big", "both", -3)]
    keys = [
        (item["subject"]["api_key_id"], item["presence"], item["change_usd"])
        for item in found["keys"]["changes"]
    ]
    assert keys == [("batch", "both", 40), ("app", "both", 10), ("fresh", "new", 7), ("old", "vanished", -5)]
    app = found["keys"]["changes"][1]["causes_usd"]
    assert app == pytest.approx({"volume": 10, "size": 0, "price": 0})
    (pair,) = found["pairs"]
    assert (pair["subject"], pair["presence"]) == ({"api_key_id": "batch", "model": "acme/dear"}, "new")


def test_the_pairs_are_shown(files: str, capsys: pytest.CaptureFixture[str]) -> None:
    turned = ["--from", MAY[3], "--to", MAY[1]]
    assert run(["compare", "--source", files, "--now", "2026-06-10", "--color", "never", *turned]) == 0
    shown = capsys.readouterr().out
    assert "Models that left a key\n" in shown
    assert re.search(r"batch on acme/dear +-\$60", shown)
    assert "note: the window of --to begins before that of --from" in shown
    for form, needle in (("markdown", "Model that left a key"), ("html", "Models that left a key")):
        assert (
            run(
                ["compare", "--source", files, "--now", "2026-06-10", "--format", form, "--top", "1", *turned]
            )
            == 0
        )
        shown = capsys.readouterr().out
        assert needle in shown
        assert "3 more keys" in shown


def test_windows_of_one_length_are_not_scaled(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "--source", "demo", "--to", "last-week")
    assert found["per"] == "window"
    assert found["from"]["window"]["start"] == "2026-05-25T00:00:00Z"
    assert found["total"]["to_usd"] == found["to"]["spend_usd"]


@pytest.mark.parametrize(
    ("to", "start", "end"),
    [
        ("last-month", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        ("this-month", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        ("last-week", "2026-05-25T00:00:00Z", "2026-06-01T00:00:00Z"),
        ("last-10d", "2026-05-21T00:00:00Z", "2026-05-31T00:00:00Z"),
        ("2026-05-11T00:00:00Z..2026-05-13", "2026-05-09T00:00:00Z", "2026-05-11T00:00:00Z"),
    ],
)
def test_without_from_it_is_what_came_before(
    to: str, start: str, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = as_json(capsys, "--source", "demo", "--to", to)
    assert (found["from"]["window"]["start"], found["from"]["window"]["end"]) == (start, end)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "2026-06-01..2026-07-01"], "--to: the window 2026-06-01..2026-07-01 ends after"),
        (["--from", "yesterday"], "--from: 'yesterday' is not a window"),
        (["--from", "last-month"], "--from and --to are the same window"),
        (["--format", "sarif"], "there is no format 'sarif'"),
        (["--format", "json", "--format", "html"], "two formats go to one place"),
        (["--top", "0"], "0 is not in the range"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*DEMO, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_window_without_usage_is_no_comparison(files: str, capsys: pytest.CaptureFixture[str]) -> None:
    windows = ["--from", "2026-03-01..2026-04-01", "--to", "2026-05-01..2026-06-01"]
    assert run(["compare", "--source", files, "--now", "2026-06-10", *windows]) == 3
    assert "there was no usage at all in 2026-03-01" in capsys.readouterr().err


def test_overlapping_and_running_windows_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    notices = as_json(capsys, "--source", "demo", "--from", "last-30d", "--to", "this-month")["notices"]
    assert [text.split(":")[0] for text in notices] == [
        "the windows overlap",
        "a running month holds a part of a day, and late requests are still to come",
    ]


def test_long_windows_leave_out_what_is_kept_for_days(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(
        capsys, "--source", "demo", "--to", "2026-04-01..2026-06-01", "--from", "2026-04-01..2026-05-01"
    )
    assert [item["component"] for item in found["surcharges"]] == ["web"]
    assert "the surcharges web_fetch and file are asked over 31 days at most" in found["notices"][1]


def test_records_without_keys_are_compared_by_model_and_the_rest_is_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.jsonl"
    lines = [{name: value for name, value in item.items() if name != "api_key_id"} for item in RECORDS]
    path.write_text("".join(json.dumps(item) + "\n" for item in lines), encoding="utf-8")
    found = as_json(capsys, "--source", str(path), *MAY, code=3)
    assert (found["keys"], found["pairs"]) == (None, None)
    assert [item["part"] for item in found["unknown"]] == ["keys", "pairs"]
    assert found["total"]["change_usd"] == pytest.approx(52)
    for form in ("text", "markdown", "html"):
        assert run(["compare", "--source", str(path), "--now", "2026-06-10", "--format", form, *MAY]) == 3
        assert "unknown-dimension" in capsys.readouterr().out


def test_several_formats_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [f"--format=json={tmp_path / 'c.json'}", f"--format=html={tmp_path / 'c.html'}"]
    assert run([*DEMO, "-q", *outputs]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    Draft202012Validator(json.loads(compare_schema())).validate(
        json.loads((tmp_path / "c.json").read_bytes())
    )
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    HTMLParser(strict=True).parse(page)
    assert "script-src 'none'" in unescape(page)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_names_from_outside_do_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.jsonl"
    lines = [{**item, "api_key_id": HOSTILE, "model": HOSTILE} for item in RECORDS]
    path.write_text("".join(json.dumps(item) + "\n" for item in lines), encoding="utf-8")
    for form in ("text", "markdown", "html", "json"):
        assert run(["compare", "--source", str(path), "--now", "2026-06-10", "--format", form, *MAY]) == 0
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "<img" not in shown or form in ("text", "json")
        if form == "html":
            HTMLParser(strict=True).parse(shown)


def test_redacted_names_are_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "json", "markdown", "html"):
        assert run([*DEMO, "--redact", "--format", form, "--top", "100"]) == 0
        shown = capsys.readouterr().out
        assert "batch-pipeline" not in shown
        assert "northwind/atlas-3-flash" in shown
    assert re.search(r"key-[0-9a-f]{10}", shown)


def test_a_terminal_without_blocks_gets_signs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("orpolicy.cli.compare._can_show", lambda _: False)
    assert run(DEMO) == 0
    assert capsys.readouterr().out.isascii()


def test_a_markdown_comparison_fits_a_comment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.jsonl"
    lines = [
        record(
            day, f"key-{number}-" + "x" * 50, f"acme/{number}-" + "y" * 50, number + len(day) * day.count("2")
        )
        for number in range(500)
        for day in ("2026-05-02", "2026-05-20")
    ]
    path.write_text("".join(json.dumps(item) + "\n" for item in lines), encoding="utf-8")
    arguments = ["--source", str(path), "--now", "2026-06-10", "--format", "markdown", "--top", "1000", *MAY]
    assert run(["compare", *arguments]) == 0
    assert len(capsys.readouterr().out) <= 60_000


def test_the_published_schema_has_no_surprises() -> None:
    schema = json.loads(compare_schema())
    Draft202012Validator.check_schema(schema)
