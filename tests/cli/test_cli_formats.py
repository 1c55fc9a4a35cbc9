"""Formats side by side in one run: the same exit code, the same bytes, the same dollars."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from orpolicy.cli.main import run
from orpolicy.plugins import REPORTERS

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = tuple(REPORTERS)
POLICIES = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 2}
  - {id: keys, rule: spend-limit, floor: {spend: 10}, fail_above: 500}
  - {id: apart, rule: usd-per-mtok, where: {model: northwind/atlas-3-pro}, fail_above: 1}
waivers:
  - {policy: outlier, where: {model: northwind/*-preview}, until: 2027-01-31, reason: agreed, owner: data}
"""
OUTCOMES = {
    0: POLICIES.replace("fail", "warn"),
    1: POLICIES,
    2: POLICIES.replace("fail_above", "fail_abov"),
    3: "version: 1\npolicies: [{id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}]\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(text: str, *arguments: str) -> int:
    Path("orpolicy.yaml").write_text(text, encoding="utf-8")
    return run(["check", "--source", "demo", *arguments])


@pytest.mark.parametrize("code", OUTCOMES)
@pytest.mark.parametrize("form", FORMATS)
def test_no_format_has_a_say_in_the_exit_code(form: str, code: int) -> None:
    assert check(OUTCOMES[code], "--format", form) == code
    assert check(OUTCOMES[code], "--format", f"{form}=out", "-q") == code


def test_every_pair_writes_what_each_writes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    alone: dict[str, bytes] = {}
    for form in FORMATS:
        assert check(POLICIES, "--format", f"{form}=alone", "-q") == 1
        alone[form] = Path("alone").read_bytes()
    assert len(set(alone.values())) == len(FORMATS)
    capsys.readouterr()
    for one, other in combinations(FORMATS, 2):
        assert check(POLICIES, "--format", f"{one}=one", "--format", f"{other}=other", "-q") == 1
        assert (Path("one").read_bytes(), Path("other").read_bytes()) == (alone[one], alone[other])
        assert len(capsys.readouterr().out.splitlines()) == 1


def whole(usd: float) -> str:
    """Dollars as people read them in headlines: whole ones from 100 on."""
    assert usd >= 100
    return f"${usd:,.0f}"


def exact(usd: float) -> str:
    return f"${usd:,.2f}"


def seen_json(text: str) -> list[float]:
    value = json.loads(text)
    total = value["savings_usd_per_month"]
    spent = math.fsum(each["spend_usd"] for each in value["findings"])
    return [
        value["baseline"]["spend_usd"],
        total["net"]["expected"],
        total["gross"],
        total["waived"],
        total["baselined"],
        spent,
    ]


def seen_sarif(text: str) -> list[float]:
    (one,) = json.loads(text)["runs"]
    total = one["properties"]["savings_usd_per_month"]
    spent = math.fsum(each["properties"]["spend_usd"] for each in one["results"])
    figures = [total[name] for name in ("net_expected", "gross", "waived", "baselined")]
    return [one["properties"]["spend_usd"], *figures, spent]


def seen_junit(text: str) -> list[float]:
    root = ET.fromstring(text)  # noqa: S314 - our own
    facts: Any = {
        each.get("name"): each.get("value") for each in root.findall("testsuite/properties/property")
    }
    names = ("net_savings", "gross_savings", "waived_savings", "baselined_savings")
    said = [line for each in root.iter("testcase") for line in "".join(each.itertext()).splitlines()]
    spent = [re.match(r"Spent \$([\d,.]+) on", line.strip()) for line in said]
    dollars = math.fsum(float(each[1].replace(",", "")) for each in spent if each)
    return [float(facts["spend_usd"]), *(float(facts[f"{name}_usd_per_month"]) for name in names), dollars]


def seen_openmetrics(text: str) -> list[float]:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    found: dict[str, dict[str, float]] = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name.removeprefix("orpolicy_"), {})[str(sample.labels)] = sample.value
    names = ("gross_savings", "waived_savings", "baselined_savings")
    (net,) = (usd for key, usd in found["net_savings_usd_per_month"].items() if "expected" in key)
    return [
        found["spend_usd"]["{}"],
        net,
        *(found[f"{name}_usd_per_month"]["{}"] for name in names),
        math.fsum(found["finding_spend_usd"].values()),
    ]


MACHINES: dict[str, Callable[[str], list[float]]] = {
    "json": seen_json,
    "sarif": seen_sarif,
    "junit": seen_junit,
    "openmetrics": seen_openmetrics,
}


def test_all_formats_of_one_run_agree_to_the_cent() -> None:
    Path("base.yaml").write_text(POLICIES, encoding="utf-8")
    write = ["baseline", "write", "base.yaml", "--source", "demo", "--select", "apart", "--file", "accepted"]
    assert run(write) == 0
    outputs = [f"--format={form}=out.{form}" for form in FORMATS]
    assert check(POLICIES, *outputs, "--baseline", "accepted") == 1
    texts = {form: Path(f"out.{form}").read_text(encoding="utf-8") for form in FORMATS}
    expected = seen_json(texts["json"])
    assert min(expected) >= 100, "a total of nothing would agree with anything"
    for form, read in MACHINES.items():
        assert read(texts[form]) == pytest.approx(expected, abs=0.005), form

    spend, net, gross, waived, baselined, spent = expected
    rows = list(csv.DictReader(io.StringIO(texts["csv"], newline="")))
    assert math.fsum(float(row["spend_usd"] or 0) for row in rows) == pytest.approx(spent, abs=0.005)
    shares = [float(row["savings_net_usd_per_month"] or 0) for row in rows if row["status"] == "open"]
    assert math.fsum(shares) == pytest.approx(net, abs=0.005)
    assert f"spend {exact(spend)}; net savings {exact(net)} a month" in texts["github"]
    for form in ("text", "html"):
        for usd in (spend, net, gross):
            assert whole(usd) in texts[form], form
    plain = texts["markdown"].replace("\\", "")
    assert f"**Save {exact(net)} a month, net**" in plain or exact(net) in plain
    assert exact(spend) in plain
    for form in ("text", "html", "markdown"):
        assert f"{whole(waived)} waived" in " ".join(texts[form].replace("\\", "").split()), form
        assert f"{whole(baselined)} accepted by the baseline" in " ".join(
            texts[form].replace("\\", "").split()
        ), form
