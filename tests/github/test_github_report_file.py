"""A report that is read again says what it said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from github.notified import breach, judged, written
from hypothesis import HealthCheck, given, settings
from report_strategies import reports
from samples import SAMPLES

from orpolicy.errors import UsageError
from orpolicy.plugins import REPORTERS
from orpolicy.report import Report, SpendBreakdown
from orpolicy.report_file import read_report
from orpolicy.reporters.base import Style

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("sample", [name for name in SAMPLES if name != "hostile"])
def test_every_field_comes_back(tmp_path: Path, sample: str) -> None:
    report = SAMPLES[sample]()
    found = read_report(written(tmp_path / "r.json", report))
    kept = [
        replace(finding, locations=tuple(replace(place, column=1) for place in finding.locations))
        for finding in report.findings
    ]
    assert found == replace(
        report,
        findings=tuple(kept),
        inconclusive=tuple(
            replace(item, location=replace(item.location, column=1)) for item in report.inconclusive
        ),
        waivers=tuple(replace(item, location=replace(item.location, column=1)) for item in report.waivers),
        overrides=(),
        spend=SpendBreakdown(),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(report=reports())
def test_any_report_that_was_read_is_written_as_it_was(tmp_path: Path, report: Report) -> None:
    found = read_report(written(tmp_path / "r.json", report))
    assert as_json(found) == as_json(report)
    assert read_report(written(tmp_path / "r.json", found)) == found


def as_json(report: Report) -> dict[str, Any]:
    """The members of a report's JSON that are read again."""
    value: dict[str, Any] = json.loads(REPORTERS["json"]().render(report, Style()))
    return {name: member for name, member in value.items() if name != "spend"}


def test_a_hostile_report_can_be_read(tmp_path: Path) -> None:
    assert read_report(written(tmp_path / "r.json", SAMPLES["hostile"]())).findings


def changed(**changes: Any) -> str:
    """A report's JSON with some of its members changed."""
    value = json.loads(REPORTERS["json"]().render(judged(breach(1)), Style()))
    return json.dumps({**value, **changes})


def test_whole_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(changed(catalogue={"taken_at": None, "models": 421.0}))
    assert read_report(path).catalogue_models == 421


WINDOW = {"start": "2026-05-02T00:00:00Z", "end": "2026-05-01T00:00:00Z", "days": 1, "to_date": False}
BASELINE = {
    "window": WINDOW,
    "spend_usd": 1,
    "tokens_total": 1,
    "request_count": 1,
    "blended_usd_per_mtok": 1,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is no JSON; `orpolicy check --format json=FILE` writes a report"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "$: [] is not of type 'object'"),
        (changed(schema_version="2.0"), "$.schema_version: '1.0' was expected"),
        (changed(verdict="\x1b[2J"), r"is no report: $.verdict: '\x1b[2J' is not one of"),
        (changed(extra=1), "'extra' was unexpected"),
        (changed(generated_at="2026-02-31T00:00:00Z"), "2026-02-31"),
        (changed(baseline=BASELINE), "a window ends before it starts"),
        (changed(catalogue={"taken_at": None, "models": 10**400}), "is no report: "),
        (
            changed(coverage={"judged_spend_usd": 1, "share": "1e999"}).replace('"1e999"', "1e999"),
            "out of range",
        ),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_report(path)
    assert expected in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 400


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*gone\.json: No such file"):
        read_report(tmp_path / "gone.json")
