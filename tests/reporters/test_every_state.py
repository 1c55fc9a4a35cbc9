"""Waivers and the baseline in every format of the registry, each read by a parser of its own.

A format that is not read here fails: whoever adds one says how it shows what is set aside.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from samples import finding, waivers_of_all_states

from orpolicy.plugins import REPORTERS
from orpolicy.report import SavingsTotal, WaiverState
from orpolicy.reporters.base import Style
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.report import Report

WAIVED_USD, BASELINED_USD = 1234.56, 789.01
BEYOND = "worse than the baseline: spend_usd 700 against 600 accepted (+100)"
NEED_SOMEBODY = {state.value for state in WaiverState} - {"active"}


def report() -> Report:
    """A waiver of every state and a finding of every status, one of them worse than accepted."""
    base = waivers_of_all_states()
    return replace(
        base,
        savings=SavingsTotal(0.0, 0.0, 0.0, 750.5, WAIVED_USD, BASELINED_USD),
        findings=(*base.findings, finding(4, beyond_baseline=BEYOND)),
    )


@dataclass(frozen=True)
class Shown:
    """What a reader of one format sees.

    Attributes:
        states: of waivers.
        waived: every figure that is said to be waived dollars; likewise ``baselined``.
        beyond: every text in which the reason of the finding beyond the baseline must stand once.
    """

    states: set[str]
    waived: set[float]
    baselined: set[float]
    beyond: list[str]


def dollars(pattern: str, text: str) -> set[float]:
    return {float(found.replace(",", "")) for found in re.findall(rf"\$([\d,]+(?:\.\d+)?) {pattern}", text)}


def of_prose(text: str, states: set[str]) -> Shown:
    return Shown(states, dollars("waived", text), dollars("accepted by the baseline", text), [text])


def of_text(text: str) -> Shown:
    _, _, listed = text.partition("\nWaivers\n")
    states = set(re.findall(r"^  (\w+) +no-preview-on-batch  until", listed, re.MULTILINE))
    return of_prose(" ".join(text.split()), states)


def of_json(text: str) -> Shown:
    value = json.loads(text)
    total = value["savings_usd_per_month"]
    return Shown(
        {waiver["state"] for waiver in value["waivers"]},
        {total["waived"]},
        {total["baselined"]},
        [each["beyond_baseline"] for each in value["findings"] if each["beyond_baseline"]],
    )


def of_sarif(text: str) -> Shown:
    (run,) = json.loads(text)["runs"]
    (invocation,) = run["invocations"]
    said = [each["message"]["text"] for each in invocation["toolConfigurationNotifications"]]
    justified = [each["justification"] for result in run["results"] for each in result["suppressions"]]
    assert any("Agreed with finance (active)." in words for words in justified)
    assert "Accepted in the baseline." in justified
    total = run["properties"]["savings_usd_per_month"]
    return Shown(
        {found for words in said for found in re.findall(r"Waiver (\w+), until 2026-06-20", words)},
        {total["waived"]},
        {total["baselined"]},
        [each["message"]["text"] for each in run["results"] if "baseline:" in each["message"]["text"]],
    )


def of_junit(text: str) -> Shown:
    root = ET.fromstring(text)  # noqa: S314 - our own
    said = "\n".join(each.text or "" for each in root.findall("testsuite/system-out"))
    facts = {each.get("name"): each.get("value") for each in root.iter("property")}
    return Shown(
        set(re.findall(r"Waiver (\w+), until 2026-06-20", said)),
        {float(facts["waived_savings_usd_per_month"] or "nan")},
        {float(facts["baselined_savings_usd_per_month"] or "nan")},
        [each.text or "" for each in root.iter("failure") if "baseline:" in (each.text or "")],
    )


def of_github(text: str) -> Shown:
    """Annotations are about findings: what is set aside is counted, with what it spent."""
    last = text.splitlines()[-1]
    assert "1 waived finding ($6,067.00)" in last
    assert "1 baselined finding ($6,067.00)" in last
    return Shown(
        set(re.findall(r"^::warning [^:]*no-preview-on-batch%3A waiver (\w+)::", text, re.MULTILINE)),
        {WAIVED_USD},
        {BASELINED_USD},
        [line for line in text.splitlines() if "baseline:" in line],
    )


def of_markdown(text: str) -> Shown:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    inline = [token.content for token in markdown.parse(text) if token.type == "inline"]
    shown = "".join(ET.fromstring(f"<x>{markdown.render(text)}</x>".replace("<br>", "")).itertext())  # noqa: S314 - our own
    return of_prose(shown, {each for each in inline if each in set(WaiverState)})


def of_html(text: str) -> Shown:
    html5lib = pytest.importorskip("html5lib")
    page = html5lib.parse(text, namespaceHTMLElements=False)
    (section,) = (each for each in page.iter("section") if each.get("aria-labelledby") == "waivers")
    badges = {each.text or "" for each in section.iter("span") if "badge" in (each.get("class") or "")}
    return of_prose("".join(page.find("body").itertext()), badges)


def of_csv(text: str) -> Shown:
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    kinds: dict[str, set[float]] = {status: set() for status in ("", *Status)}
    for row in rows:
        kinds[row["status"]].add(float(row["savings_expected_usd_per_month"] or "nan"))
    assert kinds["waived"] == kinds["baselined"] == {3120.9}
    assert {row["waiver_spend_usd"] for row in rows if row["waiver_state"] == "expired"} == {"750.5"}
    return Shown(
        {row["waiver_state"] for row in rows if row["waiver_until"] == "2026-06-20"},
        {WAIVED_USD},
        {BASELINED_USD},
        [row["beyond_baseline"] for row in rows if row["beyond_baseline"]],
    )


def of_openmetrics(text: str) -> Shown:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    found: dict[str, list[Any]] = {}
    for family in parser.text_string_to_metric_families(text):
        found.setdefault(family.name.removeprefix("orpolicy_"), []).extend(family.samples)
    (beyond,) = (each for each in found["policy_findings_beyond_baseline"] if each.value)
    assert (beyond.labels["policy"], beyond.value) == ("no-preview-on-batch", 1)
    assert {each.value for each in found["waiver_end_seconds"]} == {1_782_000_000}  # 2026-06-21
    assert {each.labels["state"]: each.value for each in found["waiver_spend_usd"]} == {
        state.value: 0.0 if state is WaiverState.UNUSED else 750.5 for state in WaiverState
    }
    return Shown(
        {each.labels["state"] for each in found["waivers"] if each.value},
        {each.value for each in found["waived_savings_usd_per_month"]},
        {each.value for each in found["baselined_savings_usd_per_month"]},
        [BEYOND],
    )


READERS: dict[str, Callable[[str], Shown]] = {
    "csv": of_csv,
    "github": of_github,
    "html": of_html,
    "json": of_json,
    "junit": of_junit,
    "markdown": of_markdown,
    "openmetrics": of_openmetrics,
    "sarif": of_sarif,
    "text": of_text,
}


@pytest.mark.parametrize("form", list(REPORTERS))
def test_what_is_set_aside_is_in_every_format(form: str) -> None:
    shown = READERS[form](REPORTERS[form]().render(report(), Style()))
    assert shown.states >= NEED_SOMEBODY
    assert [abs(usd - WAIVED_USD) < 0.5 for usd in shown.waived] == [True]
    assert [abs(usd - BASELINED_USD) < 0.5 for usd in shown.baselined] == [True]
    assert [text.count(BEYOND) for text in shown.beyond] == [1]


@pytest.mark.parametrize("form", list(REPORTERS))
def test_nothing_set_aside_is_nothing_said(form: str) -> None:
    base = report()
    plain = replace(base, savings=SavingsTotal(0, 0, 0, 0, 0), findings=base.findings[:1], waivers=())
    text = REPORTERS[form]().render(plain, Style())
    assert BEYOND not in text
    assert "Agreed with finance" not in text
    assert "$1,235 waived" not in text
