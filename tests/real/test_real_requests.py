"""The whole path on real requests, held against sums that plain Python makes of the same lines."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from real_requests import (
    DAYS,
    DAYS_PER_MONTH,
    RECORDS,
    ROOT,
    Sums,
    arguments,
    needs_data,
    price_of,
    read_lines,
    read_records,
    sums_of,
)

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = needs_data

FABLE = "anthropic/claude-fable-5"
GEMINI = "google/gemini-3.1-pro-preview"
TERRA = "openai/gpt-5.6-terra"
MODELS = {FABLE, GEMINI, TERRA, "x-ai/grok-4.5", "z-ai/glm-5.2"}
POLICIES = f"""\
version: 1
policies:
  - id: outlier
    rule: blended-multiple
    fail_above: 2
    replacement: {TERRA}
  - id: uncached
    rule: cache-hit-rate
    prompt_heavy: {{prompt_per_completion_above: 4}}
    floor: {{spend: 5}}
    fail_below: 0.30
  - id: preview
    rule: model-ban
    by: [model]
    models: ["@preview"]
    severity: warning
    replacement: {TERRA}
  - id: rate
    rule: usd-per-mtok
    by: []
    warn_above: 7
  - id: unheavy
    rule: cache-hit-rate
    fail_below: 0.99
"""


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policies above as a file."""
    file = tmp_path_factory.mktemp("policies") / "real.yaml"
    file.write_text(POLICIES, encoding="utf-8")
    return file


@pytest.fixture
def report_of(policies: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Path], dict[str, Any]]:
    """Run the policies over some records."""

    def judge(source: Path) -> dict[str, Any]:
        assert run([*arguments(policies, source), "--format", "json"]) == 1
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return report

    return judge


@pytest.fixture
def report(report_of: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """The report on the file as it is."""
    return report_of(RECORDS)


def finding(report: dict[str, Any], policy: str, **subject: str) -> dict[str, Any]:
    """The one finding of a policy on a subject."""
    found: list[dict[str, Any]] = [
        item for item in report["findings"] if (item["policy"], item["subject"]) == (policy, subject)
    ]
    assert len(found) == 1
    return found[0]


def without_source(report: dict[str, Any]) -> dict[str, Any]:
    """The report but for where the records were."""
    return {name: value for name, value in report.items() if name != "source"}


def test_the_figures_are_the_ones_that_were_published() -> None:
    everything, fable = sums_of(), sums_of(FABLE)
    assert everything.requests == 697
    assert everything.spend_usd == pytest.approx(42.2797, abs=5e-5)
    assert everything.usd_per_mtok == pytest.approx(7.0001, abs=5e-5)
    assert fable.usd_per_mtok / everything.usd_per_mtok == pytest.approx(2.41, abs=5e-3)
    assert fable.cached == 0


def test_the_baseline_is_every_request(report: dict[str, Any]) -> None:
    everything = sums_of()
    baseline = report["baseline"]
    assert baseline["spend_usd"] == pytest.approx(everything.spend_usd, rel=1e-12)
    assert baseline["tokens_total"] == everything.prompt + everything.completion
    assert baseline["request_count"] == everything.requests
    assert baseline["blended_usd_per_mtok"] == pytest.approx(everything.usd_per_mtok, rel=1e-12)
    assert baseline["window"] == {
        "start": "2026-08-07T00:00:00Z",
        "end": "2026-08-11T00:00:00Z",
        "days": DAYS,
        "to_date": False,
    }


def test_each_policy_finds_what_is_there_and_nothing_else(report: dict[str, Any]) -> None:
    found = {(item["policy"], item["subject"].get("model")): item["verdict"] for item in report["findings"]}
    assert found == {
        ("outlier", FABLE): "fail",
        ("uncached", FABLE): "fail",
        ("preview", GEMINI): "warn",  # by its severity
        ("rate", None): "warn",
    }
    verdicts = {policy["id"]: policy["verdict"] for policy in report["policies"]}
    assert verdicts == {
        "outlier": "fail",
        "uncached": "fail",
        "preview": "warn",
        "rate": "warn",
        "unheavy": "pass",
    }
    assert report["inconclusive"] == []


def test_the_dear_model_stands_at_its_multiple(report: dict[str, Any]) -> None:
    fable = sums_of(FABLE)
    item = finding(report, "outlier", model=FABLE)
    assert item["measure"]["value"] == pytest.approx(fable.usd_per_mtok / sums_of().usd_per_mtok, rel=1e-12)
    assert item["spend_usd"] == pytest.approx(fable.spend_usd, rel=1e-12)
    assert item["usd_per_mtok"] == pytest.approx(fable.usd_per_mtok, rel=1e-12)
    assert (item["tokens_total"], item["request_count"]) == (fable.prompt + fable.completion, fable.requests)


def test_no_model_but_the_dear_one_is_prompt_heavy_enough_and_uncached(report: dict[str, Any]) -> None:
    heavy = {
        model: sums.cached / sums.prompt
        for model in MODELS
        if (sums := sums_of(model)).prompt > 4 * sums.completion and sums.spend_usd >= 5
    }
    assert heavy == {FABLE: 0.0}
    assert finding(report, "uncached", model=FABLE)["measure"]["value"] == 0
    assert max(sums_of(model).prompt / sums_of(model).completion for model in MODELS) < 10  # `unheavy`


def swapped_usd(sums: Sums, price: dict[str, float], cached: float, tokens: float) -> float:
    """A window's savings if some traffic moves, with a share of its prompts cached, to other prices."""
    hits = sums.prompt * cached
    fresh = (sums.prompt - hits) * price["prompt"]
    cost = fresh + hits * price["input_cache_read"] + sums.completion * price["completion"]
    return sums.spend_usd - sums.web_usd - tokens * cost


@pytest.mark.parametrize(("policy", "model"), [("outlier", FABLE), ("preview", GEMINI)])
def test_a_swap_is_priced_from_the_catalogue(report: dict[str, Any], policy: str, model: str) -> None:
    sums, price = sums_of(model), price_of(TERRA)
    rate = sums.cached / sums.prompt
    expected = {
        "low": swapped_usd(sums, price, 0, 1.3),
        "expected": swapped_usd(sums, price, rate, 1.15),
        "high": swapped_usd(sums, price, rate, 1.0),
    }
    savings = finding(report, policy, model=model)["savings_usd_per_month"]
    for name, usd in expected.items():
        assert savings[name] == pytest.approx(usd * DAYS_PER_MONTH / DAYS, rel=1e-9)
    assert savings["confidence"] == "priced"


def test_caching_is_priced_from_the_catalogue(report: dict[str, Any]) -> None:
    sums, price = sums_of(FABLE), price_of(FABLE)
    gain = price["prompt"] - price["input_cache_read"]
    writing = price["input_cache_write"] - price["prompt"]
    expected = {
        "low": sums.prompt * 0.30 * (gain - writing / 2),
        "expected": sums.prompt * 0.30 * (gain - writing / 5),
        "high": sums.prompt * 0.30 * gain,  # no other key has a better rate on this model
    }
    savings = finding(report, "uncached", model=FABLE)["savings_usd_per_month"]
    for name, usd in expected.items():
        assert savings[name] == pytest.approx(usd * DAYS_PER_MONTH / DAYS, rel=1e-9)


def test_no_dollar_is_saved_twice(report: dict[str, Any]) -> None:
    total = report["savings_usd_per_month"]
    parts = [item["savings_usd_per_month"] for item in report["findings"]]
    assert total["gross"] == pytest.approx(sum(part["expected"] for part in parts))
    assert total["net"]["expected"] == pytest.approx(sum(part["net"] for part in parts))
    assert total["net"]["expected"] < sums_of().spend_usd * DAYS_PER_MONTH / DAYS
    assert total["net"]["expected"] < total["gross"]


def test_the_command_says_the_same_as_a_process(policies: Path, report: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "orpolicy", *arguments(policies), "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == report


def test_without_a_catalogue_what_needs_one_is_not_judged(
    policies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = arguments(policies)
    at = command.index("--catalog")
    assert run([*command[:at], *command[at + 2 :], "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [(item["policy"], item["reason"]) for item in report["inconclusive"]] == [
        ("preview", "no-catalogue")
    ]
    assert finding(report, "uncached", model=FABLE)["savings_usd_per_month"]["expected"] is None


def test_a_window_without_requests_is_not_green(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = arguments(policies)
    command[command.index("--window") + 1] = "2026-08-11..2026-08-15"
    assert run([*command, "--format", "json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert {item["reason"] for item in report["inconclusive"]} == {"empty-window"}


def as_jsonl(folder: Path) -> None:
    shutil.copy(RECORDS, folder / "records.jsonl")


def as_gzip(folder: Path) -> None:
    (folder / "records.jsonl.gz").write_bytes(gzip.compress(RECORDS.read_bytes()))


def as_json(folder: Path) -> None:
    (folder / "records.json").write_text(json.dumps(read_records()), encoding="utf-8")


def as_csv(folder: Path) -> None:
    records = read_records()
    with (folder / "records.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


def as_csv_gzip(folder: Path) -> None:
    as_csv(folder)
    plain = folder / "records.csv"
    (folder / "records.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()


def as_parquet(folder: Path) -> None:
    with duckdb.connect() as db:
        db.read_json(str(RECORDS), format="newline_delimited").write_parquet(str(folder / "records.parquet"))


@pytest.mark.parametrize("written", [as_jsonl, as_gzip, as_json, as_csv, as_csv_gzip, as_parquet])
def test_the_format_of_the_file_changes_nothing(
    report_of: Callable[[Path], dict[str, Any]],
    report: dict[str, Any],
    tmp_path: Path,
    written: Callable[[Path], None],
) -> None:
    written(tmp_path)
    (file,) = tmp_path.iterdir()
    again = report_of(file)
    assert json.dumps(again["findings"]) == json.dumps(report["findings"])
    assert without_source(again) == without_source(report)


def reversed_lines(folder: Path) -> None:
    (folder / "records.jsonl").write_text("\n".join(reversed(read_lines())), encoding="utf-8")


def sorted_lines(folder: Path) -> None:
    (folder / "records.jsonl").write_text("\n".join(sorted(read_lines())), encoding="utf-8")


def in_seven_files(folder: Path) -> None:
    lines = read_lines()
    for number in range(7):
        (folder / f"part-{number}.jsonl").write_text("\n".join(lines[number::7]), encoding="utf-8")


def twice(folder: Path) -> None:
    """Exports that overlap: every request counts once."""
    as_jsonl(folder)
    shutil.copy(RECORDS, folder / "again.jsonl")


ORDERS = [reversed_lines, sorted_lines, in_seven_files, twice]


@pytest.mark.parametrize("written", ORDERS)
def test_the_order_of_the_lines_changes_nothing_that_is_shown(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], written: Callable[[Path], None]
) -> None:
    assert run([*arguments(policies, RECORDS), "--verbose"]) == 1
    lines = capsys.readouterr().out.splitlines()
    written(tmp_path)
    assert run([*arguments(policies, tmp_path), "--verbose"]) == 1
    again = capsys.readouterr().out.splitlines()
    source = next(number for number, line in enumerate(lines) if line.startswith("local "))
    assert again[:source] == lines[:source]


def test_the_order_of_the_lines_changes_no_byte(
    report_of: Callable[[Path], dict[str, Any]], report: dict[str, Any], tmp_path: Path
) -> None:
    reversed_lines(tmp_path)
    assert without_source(report_of(tmp_path)) == without_source(report)
