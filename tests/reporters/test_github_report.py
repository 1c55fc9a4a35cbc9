from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from ci_samples import all_attacks, attacked, cents, everywhere, nasty, rendered, unsafe
from hypothesis import given, settings
from report_strategies import reports
from samples import (
    FILE,
    SAMPLES,
    all_pass,
    everything_inconclusive,
    finding,
    no_baseline,
    report,
    story,
    two_hundred,
    waivers_of_all_states,
)

from orpolicy.finding import Recommendation
from orpolicy.location import Location
from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from orpolicy.report import Report

COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>[^:]*)::(?P<data>.*)")
"""As GitHub's runner takes a line apart: the properties end at the first two colons."""


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


def github_lines(value: Report) -> list[str]:
    text = rendered("github", value)
    assert text.endswith("\n")
    return text[:-1].split("\n")


def decoded(text: str) -> str:
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, char)
    return text


def commands(value: Report) -> list[Command]:
    found = []
    for line in github_lines(value):
        if line.startswith("orpolicy: "):
            continue
        parts = COMMAND.fullmatch(line)
        assert parts, line
        pairs = [pair.split("=", 1) for pair in parts["properties"].split(",")]
        properties = {key: decoded(text) for key, text in pairs}
        found.append(Command(parts["name"], properties, decoded(parts["data"])))
    return found


def plain(value: Report) -> list[str]:
    return [line for line in github_lines(value) if line.startswith("orpolicy: ")]


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_report_keeps_the_limits(value: Report) -> None:
    assert unsafe(rendered("github", value)) == []
    found = commands(value)
    assert {each.name for each in found} <= {"error", "warning", "notice"}
    for level in ("error", "warning", "notice"):
        assert sum(each.name == level for each in found) <= 10
    for each in found:
        assert set(each.properties) in ({"title"}, {"file", "line", "title"})
        assert len(each.message) <= 4096
    assert 1 <= len(plain(value)) <= 2


@settings(max_examples=60, deadline=None)
@given(nasty)
def test_no_text_makes_a_command(text: str) -> None:
    for value, harmless in zip(everywhere(text), everywhere("harmless"), strict=True):
        assert unsafe(rendered("github", value)) == []
        assert plain(value) == plain(harmless)
        names = [(each.name, sorted(each.properties)) for each in commands(value)]
        assert names == [(each.name, sorted(each.properties)) for each in commands(harmless)]


def test_every_attack_at_once_stays_text() -> None:
    assert unsafe(rendered("github", all_attacks())) == []
    assert len(commands(all_attacks())) == 20


def test_percent_encoded_commands_stay_text() -> None:
    (error, *_) = commands(attacked("%0A::error::pwned"))
    assert error.properties["title"] == "%0A::error::pwned: %0A::error::pwned, %0A::error::pwned"
    assert "\n" not in error.message
    assert "%250A%3A%3Aerror" in rendered("github", attacked("%0A::error::pwned"))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("100%", "100%25"), ("a:b,c", "a%3Ab%2Cc"), ("%0A", "%250A"), ("a\nb\rc", "a\\nb\\rc")],
)
def test_properties_are_escaped_as_the_toolkit_does(text: str, escaped: str) -> None:
    found = finding(policy=text, subject={}, locations=(Location(text, 1, 1),))
    line = github_lines(report(findings=(found,)))[1]
    assert line.startswith(f"::error file={escaped},line=1,title={escaped}%3A all traffic::")


def test_the_story() -> None:
    first, second, third, last, warning, notice = commands(story())
    assert first.name == "error"
    assert first.properties == {
        "file": "jobs/nightly/pipeline.py",
        "line": "88",
        "title": "no-preview-on-batch: batch-pipeline on google/gemini-3-flash-preview",
    }
    assert first.message.startswith(
        "batch-pipeline on google/gemini-3-flash-preview: spend $6,067 (fails above $0). "
        "Spent $6,067.00 on 127M tokens in 37,000 requests, 47.8 $/Mtok. Change the model id to "
    )
    assert second.properties["title"] == "blended-outlier: google/gemini-3-flash-preview"
    assert third.properties["title"] == "weekly-growth: web"
    assert last.properties == {
        "file": FILE,
        "line": "60",
        "title": "no-retired-models: inconclusive, truncated",
    }
    assert last.name == "error"
    assert (warning.name, warning.properties["title"]) == (
        "warning",
        "cache-prompt-heavy: anthropic/claude-sonnet-4.6",
    )
    assert (notice.name, notice.properties, notice.message) == (
        "notice",
        {"title": "orpolicy"},
        "1 row outside the window was dropped from q2.",
    )
    headline, rest = plain(story())
    assert headline == (
        "orpolicy: FAIL: 3 policies failed, 1 warned, 2 passed, 1 inconclusive; spend $6,185.00; "
        "net savings $3,309.10 a month"
    )
    assert rest == "orpolicy: not annotated: 1 waived finding ($61.90). See the full report."


def test_a_pass_is_one_line() -> None:
    assert github_lines(all_pass()) == [
        "orpolicy: PASS: 7 policies passed; spend $6,185.00; net savings $0.00 a month"
    ]


def test_without_a_baseline_no_spend_is_said() -> None:
    assert plain(no_baseline()) == [
        "orpolicy: INCONCLUSIVE: 1 policy inconclusive; net savings $0.00 a month"
    ]


def test_the_dearest_ten_are_shown_and_the_rest_counted() -> None:
    found = commands(two_hundred())
    assert [each.properties["title"].split("batch-")[-1][:3] for each in found] == [
        f"{number:03}" for number in range(1, 11)
    ]
    rest = sum(5000.0 / number for number in range(11, 201))
    assert plain(two_hundred())[1] == (
        f"orpolicy: not annotated: 190 more error findings ({cents(rest)}). See the full report."
    )


def test_what_is_no_finding_takes_the_room_that_is_left() -> None:
    value = everything_inconclusive()
    assert len(commands(value)) == 10
    left = len(value.inconclusive) - 10
    assert plain(value)[1] == f"orpolicy: not annotated: {left} other errors. See the full report."
    findings = tuple(finding(number) for number in range(9))
    both = commands(report(findings=findings, inconclusive=value.inconclusive))
    assert [("inconclusive" in each.properties["title"]) for each in both] == [False] * 9 + [True]


def test_levels_are_the_severities() -> None:
    findings = (
        finding(1, verdict=Verdict.WARN, severity=Severity.NOTE),
        finding(2, verdict=Verdict.WARN, severity=Severity.WARNING),
        finding(3),
    )
    assert [each.name for each in commands(report(findings=findings))] == ["error", "warning", "notice"]


def test_waivers_that_need_somebody_are_warnings() -> None:
    value = waivers_of_all_states()
    warned = [each for each in commands(value) if each.name == "warning"]
    assert [each.properties["title"] for each in warned] == [
        f"no-preview-on-batch: waiver {state}"
        for state in ("expiring", "expired", "exceeded", "unused", "refused")
    ]
    assert warned[0].properties["line"] == "71"
    assert plain(value)[1] == (
        "orpolicy: not annotated: 1 waived finding ($6,067.00), 1 baselined finding ($6,067.00). "
        "See the full report."
    )


def test_long_messages_are_cut() -> None:
    marked = "e\u0301\u0302\u0303\u0304" * 590
    advice = Recommendation("swap-model", None, marked, "")
    (command,) = commands(report(findings=(finding(why=marked, recommendation=advice),)))
    assert len(command.message) == 4096
    assert command.message.endswith("…")


@pytest.mark.parametrize("name", SAMPLES)
def test_dollars_are_jsons(name: str) -> None:
    value = SAMPLES[name]()
    text = rendered("github", value)
    if value.baseline:
        assert f"; spend {cents(value.baseline.spend_usd)};" in text
    assert f"net savings {cents(value.savings.net_expected)} a month\n" in text
    shown = [each for each in value.findings if each.status is Status.OPEN and each.verdict is Verdict.FAIL]
    for each in shown[:10]:
        assert f" Spent {cents(each.spend_usd)} on " in text
