from __future__ import annotations

import json
import math
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from report_strategies import reports
from samples import GOLDEN, SAMPLES, all_pass, finding, hostile, no_baseline, policy, report, story

from orpolicy.plugins import REPORTERS
from orpolicy.report import SavingsTotal
from orpolicy.reporters.base import Style
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.report import Report

FILES = GOLDEN / "openmetrics"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def rendered(value: Report) -> str:
    return REPORTERS["openmetrics"]().render(value, Style())


def parsed(text: str) -> Samples:
    """Every sample by name and labels, as the OpenMetrics parser reads it."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    found: Samples = {}
    for family in parser.text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        assert not family.unit or family.name.endswith(f"_{family.unit}")
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def get(samples: Samples, name: str, **labels: str) -> float:
    """The one sample of a name that has these labels."""
    (value,) = (
        value
        for (other, has), value in samples.items()
        if other == f"orpolicy_{name}" and labels.items() <= dict(has).items()
    )
    return value


@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name: str) -> None:
    assert rendered(SAMPLES[name]()).encode() == (FILES / f"{name}.prom").read_bytes()


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FILES.iterdir()} == set(SAMPLES)


def test_the_story_in_figures() -> None:
    found = parsed(rendered(story()))
    assert get(found, "spend_usd") == 6185.0
    assert get(found, "usage_tokens") == 6_250_000_000
    assert get(found, "usage_requests") == 61_200
    assert get(found, "blended_usd_per_mtok") == 0.9896
    assert get(found, "run_timestamp_seconds") == 1781049600  # 2026-06-10T00:00:00Z
    assert get(found, "window_start_seconds") == 1777593600  # 2026-05-01
    assert get(found, "window_end_seconds") == 1780272000  # 2026-06-01
    assert get(found, "net_savings_usd_per_month", scenario="low") == 2600.4
    assert get(found, "net_savings_usd_per_month", scenario="expected") == 3309.1
    assert get(found, "net_savings_usd_per_month", scenario="high") == 4421.5
    assert get(found, "gross_savings_usd_per_month") == 6440.3
    assert get(found, "waived_savings_usd_per_month") == 40.2
    assert get(found, "judged_spend_usd") == 6180.25
    assert get(found, "judged_spend_ratio") == 6180.25 / 6185.0
    assert get(found, "run", source="openrouter", host="openrouter.ai", version="0.1.0") == 1
    assert get(found, "source_requests") == 5
    assert get(found, "source_cached_requests") == 0


def test_verdicts_are_one_of_four() -> None:
    found = parsed(rendered(story()))
    for word in ("pass", "warn", "inconclusive", "fail"):
        assert get(found, "run_verdict", verdict=word) == (word == "fail")
        unjudged = get(found, "policy_verdict", policy="no-retired-models", verdict=word)
        assert unjudged == (word == "inconclusive")
    assert get(found, "policy_inconclusive", policy="no-retired-models", reason="truncated") == 1


def test_findings_by_policy_and_status() -> None:
    found = parsed(rendered(story()))
    assert get(found, "policy_findings", policy="no-preview-on-batch", status="open") == 1
    assert get(found, "policy_findings", policy="no-preview-on-batch", status="waived") == 1
    assert get(found, "policy_findings", policy="no-preview-on-batch", status="baselined") == 0
    assert get(found, "policy_findings", policy="key-budget", status="open") == 0
    assert get(found, "waivers", state="active") == 1
    assert get(found, "waivers", state="expired") == 0


def test_one_finding() -> None:
    labels = {
        "policy": "no-preview-on-batch",
        "fingerprint": "00000000000000000000000000000001",
        "verdict": "fail",
        "status": "open",
        "owner": "data-platform",
        "subject": "batch-pipeline on google/gemini-3-flash-preview",
        "api_key_id": "batch-pipeline",
        "model": "google/gemini-3-flash-preview",
    }
    found = parsed(rendered(story()))
    assert found["orpolicy_finding_spend_usd", tuple(sorted(labels.items()))] == 6067.0
    assert found["orpolicy_finding_net_savings_usd_per_month", tuple(sorted(labels.items()))] == 3120.9


def test_what_is_unknown_has_no_sample() -> None:
    found = parsed(rendered(story()))
    names = [name for name, labels in found if ("policy", "weekly-growth") in labels]
    assert "orpolicy_finding_exposure_usd_per_month" in names
    assert "orpolicy_finding_net_savings_usd_per_month" not in names
    assert "orpolicy_policy_judged_spend_usd" not in [
        name for name, labels in found if ("policy", "no-retired-models") in labels
    ]
    bare = rendered(no_baseline())
    for absent in ("orpolicy_spend_usd", "orpolicy_judged_spend_ratio", "orpolicy_finding_"):
        assert absent not in bare
    assert "orpolicy_blended_usd_per_mtok" not in rendered(SAMPLES["partial"]())


def test_what_the_baseline_accepts_is_kept_apart() -> None:
    accepted = report(savings=SavingsTotal(0.0, 0.0, 0.0, 0.0, 1.5, 7.25))
    found = parsed(rendered(accepted))
    assert get(found, "baselined_savings_usd_per_month") == 7.25
    assert get(found, "waived_savings_usd_per_month") == 1.5
    assert get(found, "net_savings_usd_per_month", scenario="expected") == 0.0


def test_labels_are_escaped() -> None:
    quoted = replace(all_pass(), policies=(policy('say "no"\\\n# EOF'),))
    text = rendered(quoted)
    assert r'policy="say \"no\"\\\\n# EOF"' in text
    assert get(parsed(text), "policy_judged_spend_usd") == 6180.25
    assert text.count("# EOF\n") == 1
    rendered(hostile()).encode("utf-8")


def test_equal_labels_have_one_sample() -> None:
    twice = report(
        policies=(policy("a", Verdict.FAIL), policy("a", Verdict.PASS)), findings=(finding(), finding())
    )
    found = parsed(rendered(twice))
    assert get(found, "policy_verdict", policy="a", verdict="fail") == 1
    assert get(found, "policy_verdict", policy="a", verdict="warn") == 0
    assert get(found, "policy_judged_spend_usd", policy="a") == 2 * 6180.25
    assert get(found, "finding_spend_usd") == 2 * 6067.0


@pytest.mark.parametrize("name", SAMPLES)
def test_promtool_reads_it(name: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian: prometheus) is not installed")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=rendered(SAMPLES[name]()).encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def unique(findings: tuple[Finding, ...]) -> list[Finding]:
    return list({each.fingerprint: each for each in findings}.values())


def is_close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=0.005) or one == other


@settings(max_examples=40, deadline=None)
@given(reports())
def test_any_report_is_valid_and_agrees_with_json(value: Report) -> None:
    value = replace(value, findings=tuple(unique(value.findings)))
    text = rendered(value)
    assert text.endswith("\n# EOF\n")
    found = parsed(text)
    data: Any = json.loads(REPORTERS["json"]().render(value, Style()))
    net = data["savings_usd_per_month"]["net"]
    for scenario in ("low", "expected", "high"):
        assert get(found, "net_savings_usd_per_month", scenario=scenario) == net[scenario]
    if data["baseline"]:
        assert get(found, "spend_usd") == data["baseline"]["spend_usd"]
    for each in data["findings"]:
        of = each["fingerprint"]
        assert is_close(get(found, "finding_spend_usd", fingerprint=of), each["spend_usd"])
        if each["savings_usd_per_month"]["net"] is not None:
            monthly = get(found, "finding_net_savings_usd_per_month", fingerprint=of)
            assert is_close(monthly, each["savings_usd_per_month"]["net"])
    counted = sum(number for (name, _), number in found.items() if name == "orpolicy_policy_findings")
    assert counted == len(value.findings)
    still_open = sum(
        number
        for (name, labels), number in found.items()
        if name == "orpolicy_policy_findings" and ("status", "open") in labels
    )
    assert still_open == sum(each.status is Status.OPEN for each in value.findings)
