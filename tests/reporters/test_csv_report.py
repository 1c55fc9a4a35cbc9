from __future__ import annotations

import csv
import io
import json
import math
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from report_strategies import reports
from samples import GOLDEN, SAMPLES, all_pass, finding, hostile, policy, report, story

from orpolicy.errors import Reason
from orpolicy.finding import Inconclusive
from orpolicy.location import Location
from orpolicy.plugins import REPORTERS
from orpolicy.reporters.base import Style

if TYPE_CHECKING:
    from orpolicy.report import Report

HEADER = (
    "verdict,status,severity,policy,rule,title,owner,subject,api_key_id,model,other_dimensions,"
    "measure,value,threshold,unit,note,window_start,window_end,spend_usd,tokens_total,request_count,"
    "usd_per_mtok,savings_low_usd_per_month,savings_expected_usd_per_month,savings_high_usd_per_month,"
    "savings_net_usd_per_month,confidence,formula,exposure_usd_per_month,action,replacement,"
    "recommendation,risk,drivers,expect,reason,detail,file,line,why,link,fingerprint,"
    "beyond_baseline,waiver_state,waiver_until,waiver_reason,waiver_findings,waiver_spend_usd"
)
NUMBERS = frozenset(
    name
    for name in HEADER.split(",")
    if name.endswith(("_usd_per_month", "_usd", "_mtok", "_total", "_count"))
) | {"value", "threshold", "line", "waiver_findings"}
FILES = Path(GOLDEN) / "csv"


def rendered(value: Report) -> str:
    return REPORTERS["csv"]().render(value, Style())


def rows(value: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(rendered(value), newline=""), strict=True))


def data(value: Report) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(REPORTERS["json"]().render(value, Style()))["findings"]
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name: str) -> None:
    assert rendered(SAMPLES[name]()).encode() == (FILES / f"{name}.csv").read_bytes()


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FILES.iterdir()} == set(SAMPLES)


def test_the_header_is_a_promise() -> None:
    assert rendered(all_pass()) == f"{HEADER}\r\n"


def test_a_finding_in_cells() -> None:
    first = rows(story())[0]
    assert {name: first[name] for name in HEADER.split(",")[:16]} == {
        "verdict": "fail",
        "status": "open",
        "severity": "error",
        "policy": "no-preview-on-batch",
        "rule": "model-ban",
        "title": "Preview models have no place on batch keys",
        "owner": "data-platform",
        "subject": "batch-pipeline on google/gemini-3-flash-preview",
        "api_key_id": "batch-pipeline",
        "model": "google/gemini-3-flash-preview",
        "other_dimensions": "",
        "measure": "spend_usd",
        "value": "6067.0",
        "threshold": "0.0",
        "unit": "USD",
        "note": "",
    }
    assert (first["window_start"], first["window_end"]) == ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")
    assert (first["spend_usd"], first["tokens_total"], first["request_count"]) == (
        "6067.0",
        "127000000",
        "37000",
    )
    assert (first["file"], first["line"]) == ("jobs/nightly/pipeline.py", "88")
    assert rows(story())[2]["drivers"] == "batch-pipeline 98 %; batch-eval 1 %; no key 0.6 %; web 0.4 %"


def test_waived_and_unjudged_are_not_lost() -> None:
    found = rows(story())
    assert [(each["verdict"], each["status"]) for each in found] == [
        ("fail", "open"),
        ("warn", "open"),
        ("fail", "open"),
        ("fail", "open"),
        ("fail", "waived"),
        ("inconclusive", ""),
        ("", ""),
    ]
    last = found[-2]
    assert (last["policy"], last["rule"], last["reason"]) == ("no-retired-models", "model-ban", "truncated")
    assert last["detail"].startswith("q3 stayed truncated")
    assert last["recommendation"].startswith("Narrow the policy")
    assert (last["spend_usd"], last["savings_net_usd_per_month"], last["fingerprint"]) == ("", "", "")


def test_a_waiver_counts_in_no_column_of_findings() -> None:
    waiver = rows(story())[-1]
    assert (waiver["policy"], waiver["owner"], waiver["waiver_state"]) == (
        "no-preview-on-batch",
        "data-platform",
        "active",
    )
    filled = {name for name in NUMBERS if waiver[name]}
    assert filled == {"line", "waiver_findings", "waiver_spend_usd"}


def test_what_is_unknown_is_blank_not_zero() -> None:
    growth = rows(story())[3]
    assert growth["savings_expected_usd_per_month"] == ""
    assert growth["savings_net_usd_per_month"] == ""
    assert growth["exposure_usd_per_month"] == "893.6"
    assert rows(story())[0]["exposure_usd_per_month"] == ""


def test_policies_that_the_report_lacks_or_without_a_window() -> None:
    lost = Inconclusive("ghost", Reason.DEADLINE, "d", "a", Location("f.yaml", 3, 1))
    (row,) = rows(report(inconclusive=(lost,)))
    assert (row["policy"], row["rule"], row["window_start"]) == ("ghost", "", "")
    (row,) = rows(report(findings=(finding(),), policies=(policy("no-preview-on-batch", window=None),)))
    assert row["window_start"] == ""


def test_dimensions_without_a_column_of_their_own() -> None:
    (row,) = rows(report(findings=(finding(subject={"user": "Ann", "workspace": None}),)))
    assert row["other_dimensions"] == "user=Ann; workspace="
    assert (row["api_key_id"], row["model"]) == ("", "")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("\n=1", "'\\n=1"),
        ("  =1+1", "'  =1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a;=1", "a;'=1"),
        ('a; "=1"', 'a; "\'=1"'),
        (";-1;+1", ";'-1;'+1"),
        ("=1;=1", "'=1;'=1"),
        ("a=1; b=2", "a=1; b=2"),
        ("a=1", "a=1"),
        ('say "hi", you', 'say "hi", you'),
        ("two\nlines", "two\\nlines"),
        ("", ""),
    ],
)
def test_text_is_never_a_formula(name: str, cell: str) -> None:
    (row,) = rows(report(findings=(finding(owner=name, link=name),)))
    assert (row["owner"], row["link"]) == (cell, cell)


def test_a_finding_beyond_the_baseline_says_why() -> None:
    (row,) = rows(report(findings=(finding(beyond_baseline="spends more than was accepted"),)))
    assert row["beyond_baseline"] == "spends more than was accepted"


def test_negative_numbers_stay_numbers() -> None:
    base = finding()
    (row,) = rows(report(findings=(replace(base, measure=replace(base.measure, value=-3.5)),)))
    assert row["value"] == "-3.5"


def test_quoting_is_rfc_4180() -> None:
    text = rendered(report(findings=(finding(owner='a "b", c'),)))
    assert ',"a ""b"", c",' in text
    assert text.count("\r\n") == text.count("\n") == 2


def test_hostile_names_stay_in_their_cell() -> None:
    text = rendered(hostile())
    assert len(text.splitlines()) == 5
    text.encode("utf-8")
    assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in "\r\n"]


@settings(max_examples=40, deadline=None)
@given(reports())
@example(SAMPLES["two-hundred"]())
def test_any_report_is_safe_and_agrees_with_json(value: Report) -> None:
    found = rows(value)
    assert len(found) == len(value.findings) + len(value.inconclusive) + len(value.waivers)
    for row in found:
        assert list(row) == HEADER.split(",")
        for name, cell in row.items():
            assert name in NUMBERS or cell.lstrip()[:1] not in set("=+-@\t\r\uff1d\uff0b\uff0d\uff20"), cell
            assert name not in NUMBERS or not cell or math.isfinite(float(cell))
    for row, expected in zip(found, data(value), strict=False):
        assert float(row["spend_usd"]) == expected["spend_usd"]
        net = expected["savings_usd_per_month"]["net"]  # type: ignore[index]  # parsed JSON
        assert (float(row["savings_net_usd_per_month"]) if row["savings_net_usd_per_month"] else None) == net
        assert row["status"] == expected["status"]
