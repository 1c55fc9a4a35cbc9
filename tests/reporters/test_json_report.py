from __future__ import annotations

import json
import math
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from report_strategies import reports
from samples import (
    HOSTILE,
    JUNE_TO_DATE,
    MAY,
    SAMPLES,
    all_pass,
    finding,
    hostile,
    no_baseline,
    policy,
    query,
    report,
    story,
)

from orpolicy.errors import Reason
from orpolicy.finding import Confidence, Measure
from orpolicy.plugins import REPORTERS
from orpolicy.report import Report, Trend, TrendPoint, WaiverState
from orpolicy.reporters.base import Style
from orpolicy.reporters.json import report_schema
from orpolicy.verdict import Severity, Status, Verdict

SCHEMA = json.loads(report_schema())
OPTIONAL = ("trend", "label")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def rendered(value: Report) -> str:
    return REPORTERS["json"]().render(value, Style())


def parsed(value: Report) -> Any:
    return json.loads(rendered(value))


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_validate(name: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(parsed(SAMPLES[name]()))] == []


@settings(max_examples=40, deadline=None)
@given(reports())
def test_any_report_is_valid_ascii_json(value: Report) -> None:
    text = rendered(value)
    assert text.isascii()
    assert text.endswith("}\n")
    assert not [char for char in text if ord(char) < 0x20 and char != "\n"]
    assert [error.message for error in VALIDATOR.iter_errors(json.loads(text))] == []
    assert rendered(value) == text


def test_story_is_the_contract() -> None:
    data = parsed(story())
    assert list(data) == [
        "schema_version",
        "tool",
        "verdict",
        "source",
        "generated_at",
        "baseline",
        "savings_usd_per_month",
        "coverage",
        "policies",
        "findings",
        "inconclusive",
        "waivers",
        "queries",
        "overrides",
        "catalogue",
        "notices",
        "spend",
    ]
    assert data["schema_version"] == "1.0"
    assert data["tool"] == {"name": "orpolicy", "version": "0.1.0"}
    assert data["verdict"] == "fail"
    assert data["generated_at"] == "2026-06-10T00:00:00Z"
    assert data["baseline"] == {
        "window": {
            "start": "2026-05-01T00:00:00Z",
            "end": "2026-06-01T00:00:00Z",
            "days": 31,
            "to_date": False,
        },
        "spend_usd": 6185.0,
        "tokens_total": 6_250_000_000,
        "request_count": 61_200,
        "blended_usd_per_mtok": 0.9896,
    }
    assert data["savings_usd_per_month"] == {
        "gross": 6440.3,
        "net": {"low": 2600.4, "expected": 3309.1, "high": 4421.5},
        "waived": 40.2,
        "baselined": 0.0,
    }
    assert data["catalogue"] == {"taken_at": "2026-08-08T06:30:00Z", "models": 421}
    assert data["notices"] == ["1 row outside the window was dropped from q2."]


def test_story_finding() -> None:
    first = parsed(story())["findings"][0]
    assert first["fingerprint"] == "00000000000000000000000000000001"
    assert first["subject"] == {"api_key_id": "batch-pipeline", "model": "google/gemini-3-flash-preview"}
    assert first["measure"] == {
        "name": "spend_usd",
        "value": 6067.0,
        "threshold": 0.0,
        "unit": "USD",
        "note": "",
    }
    assert first["savings_usd_per_month"] == {
        "low": 2480.4,
        "expected": 3120.9,
        "high": 4010.6,
        "net": 3120.9,
        "confidence": "priced",
        "formula": "6067.00 - (121.0M x $0.30 + 6.0M x $2.50) x 1.15 = 3120.90",
    }
    assert first["locations"] == [
        {"file": "jobs/nightly/pipeline.py", "line": 88},
        {"file": "policies/cost.yaml", "line": 20},
    ]
    assert first["verify"]["expect"] == "spend_usd falls to 0"
    assert first["exposure_usd_per_month"] is None


def test_where_the_spend_went() -> None:
    spend = parsed(story())["spend"]
    assert (spend["models"], len(spend["by_model"]), spend["keys"]) == (7, 4, 3)
    assert spend["by_model"][3] == {
        "subject": {"model": "google/imagen-5"},
        "spend_usd": 30.5,
        "tokens_total": 0,
        "usd_per_mtok": None,
    }
    assert spend["by_key"][2]["subject"] == {"api_key_id": None}
    assert spend["by_period"][-1] == {
        "window": {
            "start": "2026-06-01T00:00:00Z",
            "end": "2026-06-08T00:00:00Z",
            "days": 7,
            "to_date": False,
        },
        "spend_usd": 1410.75,
        "tokens_total": 100_000_000,
        "usd_per_mtok": 14.1075,
    }
    assert parsed(all_pass())["spend"] == {
        "models": 0,
        "by_model": [],
        "keys": 0,
        "by_key": [],
        "by_period": [],
    }


def test_order_is_the_reports() -> None:
    data = parsed(story())
    assert [each["fingerprint"][-1] for each in data["findings"]] == ["1", "3", "2", "4", "5"]
    assert [each["id"] for each in data["queries"]] == ["q1", "q2", "q3"]
    assert [each["id"] for each in data["policies"]][:2] == ["blended-outlier", "no-preview-on-batch"]


def test_unknown_savings_are_null_not_zero() -> None:
    growth = parsed(story())["findings"][3]
    assert growth["savings_usd_per_month"] == {
        "low": None,
        "expected": None,
        "high": None,
        "net": None,
        "confidence": "unknown",
        "formula": "",
    }
    assert growth["exposure_usd_per_month"] == 893.6


def test_inconclusive_and_waivers() -> None:
    data = parsed(story())
    assert data["inconclusive"] == [
        {
            "policy": "no-retired-models",
            "reason": "truncated",
            "code": "ORP205",
            "detail": "q3 stayed truncated at 10,000 rows, and its last row ($14.20) is above the floor "
            "($10).",
            "advice": "Narrow the policy with `where`, or raise `floor.spend` above $14.20.",
            "file": "policies/cost.yaml",
            "line": 60,
        }
    ]
    assert data["waivers"] == [
        {
            "policy": "no-preview-on-batch",
            "state": "active",
            "until": "2027-01-31",
            "reason": "Evaluation run, agreed with finance.",
            "owner": "data-platform",
            "findings": 1,
            "spend_usd": 61.9,
            "file": "policies/cost.yaml",
            "line": 71,
        }
    ]


def test_policy_and_query_records() -> None:
    data = parsed(story())
    unjudged = data["policies"][-1]
    assert (unjudged["reason"], unjudged["file"], unjudged["line"], unjudged["column"]) == (
        "truncated",
        "policies/cost.yaml",
        60,
        5,
    )
    assert data["policies"][0]["reason"] is None
    assert data["queries"][1]["cached_at"] is None
    assert data["queries"][0]["cached_at"] == "2026-06-09T23:58:00Z"
    assert data["queries"][0]["ms"] == 1830
    assert data["queries"][2]["from_cache"] is True


def test_nothing_known_is_null() -> None:
    data = parsed(no_baseline())
    assert data["baseline"] is None
    assert data["coverage"]["share"] is None
    assert data["policies"][0]["window"] is None
    assert data["catalogue"] == {"taken_at": None, "models": 0}


@pytest.mark.parametrize(("window", "text"), [(MAY, '"days": 31,'), (JUNE_TO_DATE, '"days": 8.5,')])
def test_days_are_an_integer_when_whole(window: Any, text: str) -> None:
    assert text in rendered(report(policies=(policy("a", window=window),), baseline=None))


def test_money_is_not_rounded() -> None:
    exact = 0.1 + 0.2
    value = parsed(report(findings=(finding(spend_usd=exact),)))
    assert value["findings"][0]["spend_usd"] == exact


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        rendered(report(findings=(finding(measure=Measure("x", bad, 0.0, "USD")),)))


def test_a_value_that_json_lacks_is_refused() -> None:
    with pytest.raises(TypeError, match="datetime is no JSON value"):
        rendered(report(queries=(query(request={"now": datetime(2026, 1, 1, tzinfo=UTC)}),)))


def test_any_mapping_and_sequence_may_be_a_request() -> None:
    request = MappingProxyType({"metrics": ("total_usage",), "filters": ({"field": "model"},), "limit": 3})
    value = parsed(report(queries=(query(request=request),)))
    assert value["queries"][0]["request"] == {
        "metrics": ["total_usage"],
        "filters": [{"field": "model"}],
        "limit": 3,
    }


def test_hostile_names_survive_as_escapes() -> None:
    text = rendered(hostile())
    data = json.loads(text)
    assert data["policies"][0]["id"] == HOSTILE
    assert data["source"]["host"] == "file-\ufffd-\ufffd"
    assert "\\u001b[31m\\r\\n::error::\\u202egnp.exe\\u0000\\u0007\\u009b2J" in text
    assert "\x7f" not in rendered(report(notices=("a\x7fb",)))
    assert parsed(report(notices=("a\x7fb \U0001f600 é",)))["notices"] == ["a\x7fb \U0001f600 é"]


def test_jq_reads_the_hostile_report() -> None:
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("jq is not installed")
    done = subprocess.run(
        [jq, "-r", ".notices | length"], input=rendered(hostile()).encode(), capture_output=True, check=True
    )
    assert done.stdout == b"2\n"


def test_pure_mapping_order_is_kept_and_bytes_are_stable() -> None:
    assert rendered(story()) == rendered(story())
    assert rendered(all_pass()).startswith(
        '{\n  "schema_version": "1.0",\n  "tool": {\n    "name": "orpolicy"'
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("$defs", "verdict", "enum"), Verdict),
        (("$defs", "severity", "enum"), Severity),
        (("$defs", "reason", "enum"), Reason),
        (("$defs", "finding", "properties", "status", "enum"), Status),
        (("$defs", "waiver", "properties", "state", "enum"), WaiverState),
        (
            (
                "$defs",
                "finding",
                "properties",
                "savings_usd_per_month",
                "properties",
                "confidence",
                "enum",
            ),
            Confidence,
        ),
    ],
)
def test_closed_words_are_the_schemas(path: tuple[str, ...], words: Any) -> None:
    node = SCHEMA
    for step in path:
        node = node[step]
    assert node == [word.value for word in words]


def properties(node: Any, path: str = "") -> dict[str, Any]:
    """Every property of the schema by its path, references followed."""
    if "$ref" in node:
        return properties(SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")], path)
    found: dict[str, Any] = {}
    for choice in node.get("anyOf", ()):
        found |= properties(choice, path)
    if "items" in node:
        found |= properties(node["items"], f"{path}[]")
    for name, child in node.get("properties", {}).items():
        found[f"{path}.{name}"] = child
        found |= properties(child, f"{path}.{name}")
    return found


def occurring(value: Any, path: str = "") -> set[str]:
    """Every property of a report by its path."""
    if isinstance(value, list):
        return set().union(*(occurring(item, f"{path}[]") for item in value))
    if not isinstance(value, dict) or path.endswith((".subject", ".request", ".query")):
        return set()
    return set().union(
        *({f"{path}.{name}"} | occurring(item, f"{path}.{name}") for name, item in value.items())
    )


def test_every_property_occurs_and_every_field_is_described() -> None:
    seen = set().union(*(occurring(parsed(sample())) for sample in SAMPLES.values()))
    assert seen | occurring(parsed(trended())) | occurring(parsed(labelled())) == set(properties(SCHEMA))


def trended() -> Report:
    """A report with a history behind it; only such a one has a trend."""
    return replace(story(), trend=Trend((TrendPoint(datetime(2026, 5, 2, tzinfo=UTC), MAY, 20.0, 3.0),)))


def labelled() -> Report:
    """A report whose first finding's measure has a name of the policy's own."""
    first, *others = story().findings
    measure = replace(first.measure, label="search dollars")
    return replace(story(), findings=(replace(first, measure=measure), *others))


def test_a_label_is_there_only_where_a_policy_gives_one() -> None:
    assert not any("label" in each["measure"] for each in parsed(story())["findings"])
    labels = [each["measure"].get("label") for each in parsed(labelled())["findings"]]
    assert labels == ["search dollars", *[None] * (len(labels) - 1)]
    assert [error.message for error in VALIDATOR.iter_errors(parsed(labelled()))] == []


def test_a_trend_is_there_only_with_a_history() -> None:
    assert "trend" not in parsed(story())
    (point,) = parsed(trended())["trend"]
    assert (point["spend_usd"], point["net_savings_usd_per_month"]) == (20.0, 3.0)
    assert [error.message for error in VALIDATOR.iter_errors(parsed(trended()))] == []


def test_every_property_is_described() -> None:
    silent = [
        path
        for path, node in properties(SCHEMA).items()
        if not (
            node.get("description") or SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")]["description"]
        )
    ]
    assert silent == []


def objects(node: Any) -> list[Any]:
    if isinstance(node, list):
        return [found for item in node for found in objects(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if "properties" in node and isinstance(node.get("required"), list) else []
    return own + [found for item in node.values() for found in objects(item)]


def test_every_object_is_strict() -> None:
    found = objects(SCHEMA)
    assert len(found) == 25
    for node in found:
        assert node["additionalProperties"] is False
        assert node["required"] == [name for name in node["properties"] if name not in OPTIONAL]


def test_a_foreign_field_or_a_missing_one_is_refused() -> None:
    data = parsed(all_pass())
    assert not VALIDATOR.is_valid({**data, "extra": 1})
    assert not VALIDATOR.is_valid({name: value for name, value in data.items() if name != "coverage"})
    assert not VALIDATOR.is_valid(parsed(replace(all_pass(), version="1")) | {"verdict": "ok"})
