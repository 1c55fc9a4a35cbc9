"""A finding from its rows to its dollars: one of each lever word for word, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.cli.main import run
from orpolicy.plugins import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
FINDINGS = {
    "swap": "03c6ac585bdf",
    "cache": "2751f03da42d",
    "reasoning": "0d294eba4ff5",
    "surcharge": "3ab7411f6753",
    "exposure": "b430d751d4b1",
}
DEMO = ("--source", "demo", "--pack", "cost-review")
WAIVED = """
version: 1
policies:
  - {id: dear, rule: usd-per-mtok, floor: {spend: 10}, fail_above: 20, replacement: nobody/knows}
  - {id: requests, rule: cost-per-request, by: [model], window: last-week, floor: {spend: 10},
     fail_above: 0.1}
  - {id: budget, rule: spend-limit, by: [], fail_above: 0.5}
  - {id: share, rule: metric, by: [model], expression: total_usage / total_usage, floor: {spend: 3000},
     fail_above: 0.5}
waivers:
  - {policy: dear, until: 2026-12-31, reason: Agreed., owner: finance}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "92")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report of the demo by the review."""
    file = tmp_path / "report.json"
    run(["check", *DEMO, "--format", f"json={file}", "-q"])
    return file


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(["explain", *arguments]) == 0
    return capsys.readouterr().out


def placeless(shown: str) -> str:
    """Without the lines of a pack's policies, which move whenever somebody adds one."""
    return re.sub(r"(pack:cost-review):\d+", r"\1:1", shown)


@pytest.mark.parametrize("lever", FINDINGS)
def test_one_finding_of_each_lever(lever: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = (GOLDEN / f"{lever}.txt").read_text(encoding="utf-8")
    assert placeless(explained(capsys, FINDINGS[lever], *DEMO)) == placeless(expected)


@pytest.mark.parametrize("lever", FINDINGS)
def test_the_arithmetic_that_is_shown_is_right(lever: str) -> None:
    shown = (GOLDEN / f"{lever}.txt").read_text(encoding="utf-8").replace(",", "").replace("$", "")
    shown = re.sub(r" (?:tokens|requests)", "", shown)
    equations = re.findall(r"([\d.]+(?: [-+x/] [\d.(][^=\n]*)?) = (?:up to )?([\d.]+)", shown)
    assert equations or lever == "exposure"
    for left, right in equations:
        worked_out = eval(left.replace(" x ", " * "), {"__builtins__": {}})  # noqa: S307 - digits and signs
        assert worked_out == pytest.approx(float(right), rel=2e-4)


def test_a_report_tells_the_same(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from_source = explained(capsys, FINDINGS["swap"], *DEMO)
    from_report = explained(capsys, FINDINGS["swap"], "--report", str(report))
    assert re.search(r"^   q\d+: all traffic, 1 row; not truncated", from_report, re.MULTILINE)
    assert from_report == from_source


def test_the_usual_report_is_found_and_one_prefix_is_enough(
    report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report.rename("orpolicy-report.json")
    assert explained(capsys, FINDINGS["swap"][:4].upper()).startswith(
        "WARN  review-outlier-keys: batch-pipeline"
    )


def test_a_finding_whose_dollars_others_claim_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", *DEMO, "--format", "json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    claimed = next(
        item
        for item in findings
        if item["policy"] == "review-dear-requests" and item["savings_usd_per_month"]["net"] == 0
    )
    shown = " ".join(explained(capsys, claimed["fingerprint"], *DEMO).split())
    assert "though alone it would save $5,799.45: no dollar counts twice" in shown
    assert "the same traffic is in review-outlier-keys: batch-pipeline on" in shown


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            "dear",
            [
                "WAIVED dear",
                "waived: it does not count",
                "nothing: it is waived; alone it would save up to $1,185.00 a month",
                "Waiver active, until 2026-12-31",
            ],
        ),
        ("dear", ["Nobody/knows is not in the catalogue", "all spend above the threshold goes"]),
        ("requests", ["a request", "a month is 4.348 times the window of 7 days"]),
        ("budget", ["all traffic", "exposure, not savings", "nothing: it has no savings figure"]),
        ("share", ["no figure: the measure has no dollar value", "2 times the threshold"]),
    ],
)
def test_what_the_other_kinds_of_findings_say(
    policy: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("orpolicy.yaml").write_text(WAIVED, encoding="utf-8")
    run(["check", "--source", "demo", "--format", "json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    name = next(item["fingerprint"] for item in findings if item["policy"] == policy)
    shown = " ".join(explained(capsys, name, "--source", "demo").split())
    for word in words:
        assert word in shown


def test_what_a_baseline_accepts_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    run(["baseline", "write", *DEMO])
    run(["check", *DEMO, "--baseline", "orpolicy.baseline", "--format", "json=r.json", "-q"])
    shown = explained(capsys, FINDINGS["swap"], "--report", "r.json")
    assert shown.startswith("BASELINED  review-outlier-keys")
    assert "nothing: it is baselined; alone it would save $5,799.45 a month" in shown


def edited(change: Callable[[Any], None], report: Path) -> None:
    value = json.loads(report.read_text(encoding="utf-8"))
    change(value)
    report.write_text(json.dumps(value), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("findings"),
        lambda value: value.update(schema_version="2.0"),
        lambda value: value["findings"][0].pop("measure"),
        lambda value: value["findings"][0].update(spend_usd="many"),
        lambda value: value["policies"][0].update(verdict="maybe"),
    ],
)
def test_an_edited_report_is_refused(
    change: Callable[[Any], None], report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(change, report)
    assert run(["explain", "03c6", "--report", str(report)]) == 2
    assert " is no report: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["03c6"], "for a finding, say where it is: --report FILE or --source"),
        (["03c6", "--report", "nowhere.json"], "cannot read nowhere.json"),
        (["03c6", "--report", "x", *DEMO], "--report and --source: the finding is in one or the other"),
        (["0000", *DEMO], "or code '0000' (none of the "),
        (["deadbeef", *DEMO], "or code 'deadbeef' (none of the "),
        (["--report", "x.json"], "name what to explain, such as a finding's fingerprint"),
        (DEMO, "name what to explain, such as a finding's fingerprint"),
        (["review-growht", *DEMO], "did you mean review-growth?"),
        (["zzz", *DEMO], f"kinds: {next(iter(RULES))}, "),
        (["3ab7411f6753000", *DEMO], "did you mean 3ab7411f67535b47c80880fa08169550?"),
    ],
)
def test_what_means_nothing_is_exit_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_prefix_of_several_lists_them(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def make_alike(value: Any) -> None:
        for number, finding in enumerate(value["findings"][:7]):
            finding["fingerprint"] = f"abcd{number:028d}"

    edited(make_alike, report)
    assert run(["explain", "abcd", "--report", str(report)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("abcd is the beginning of 7 fingerprints")
    assert len(lines) == 6


def test_names_from_a_report_are_shown_harmless(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def make_evil(value: Any) -> None:
        finding = next(item for item in value["findings"] if item["fingerprint"].startswith("03c6"))
        finding["subject"]["api_key_id"] = "\x1b[31m\u202e"
        finding["verify"]["curl"] = "curl \x1b[2J"
        finding["owner"] = "me\n1. fake"
        finding["drivers"] = []
        finding["rule"] = "of-tomorrow"

    edited(make_evil, report)
    shown = explained(capsys, "03c6", "--report", str(report))
    assert not {"\x1b", "\u202e"} & set(shown)
    assert r"Whose: me\n1. fake" in shown
    assert "nothing more is known" in shown
