from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from poison import EVIL, poisoned
from report_strategies import reports
from samples import (
    GOLDEN,
    MAY,
    NOTHING_KNOWN,
    SAMPLES,
    all_pass,
    everything_inconclusive,
    finding,
    hostile,
    no_baseline,
    policy,
    query,
    report,
    spend,
    story,
    two_hundred,
    waivers_of_all_states,
    weeks,
)

from orpolicy.finding import Recommendation
from orpolicy.plugins import REPORTERS
from orpolicy.report import Baseline, SavingsTotal, SpendBreakdown, SubjectSpend
from orpolicy.reporters.base import Style
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from orpolicy.report import Report

html5lib = pytest.importorskip("html5lib")

FILES = GOLDEN / "html"
SMALL = [name for name in SAMPLES if name != "two-hundred"]
TAGS = frozenset(
    re.findall(
        "[a-z0-9]+",
        "html head meta title link style body main header footer section h1 h2 h3 p span strong div bdi br a "
        "ol ul li table thead tbody tr th td figure figcaption details summary dl dt dd code pre label input "
        "select option script svg rect line text g",
    )
)


def rendered(value: Report) -> str:
    return REPORTERS["html"]().render(value, Style())


def tree(value: Report) -> Element:
    """The page as a strict parser sees it; any error of the markup raises."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(rendered(value))
    return root


def elements(root: Element) -> Iterator[tuple[str, Element]]:
    for node in root.iter():
        if isinstance(node.tag, str):
            yield node.tag.rpartition("}")[2], node


def shape(root: Element) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(sorted(node.attrib))) for tag, node in elements(root)]


def words(node: Element) -> str:
    return " ".join("".join(node.itertext()).split())


def by_class(root: Element, name: str) -> list[Element]:
    return [node for _, node in elements(root) if name in node.get("class", "").split()]


def flat(value: Report) -> str:
    body = tree(value).find("body")
    assert body is not None
    return " ".join(" ".join(body.itertext()).split())


def content(value: Report) -> str:
    """What the page says, one element a line; style and script are files of their own."""
    inside = rendered(value).partition("<main>")[2].partition("<script>")[0]
    return inside.replace("><", ">\n<") + "\n"


@pytest.mark.parametrize("name", SMALL)
def test_golden(name: str) -> None:
    assert content(SAMPLES[name]()) == (FILES / f"{name}.html").read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FILES.iterdir()} == set(SMALL)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_html_without_an_error(name: str) -> None:
    root = tree(SAMPLES[name]())
    ids = Counter(node.get("id") for _, node in elements(root) if node.get("id"))
    assert [key for key, number in ids.items() if number > 1] == []
    for _, node in elements(root):
        labelled = node.get("aria-labelledby")
        assert labelled is None or labelled in ids
        target = node.get("href", "")
        assert not target.startswith("#") or target[1:] in ids


def test_the_page_admits_its_own_style_and_script_alone() -> None:
    root = tree(story())
    (policy_meta,) = [node for _, node in elements(root) if node.get("http-equiv")]
    rules = dict(rule.split(" ", 1) for rule in policy_meta.attrib["content"].split("; "))

    def digest(tag: str) -> str:
        (node,) = [node for name, node in elements(root) if name == tag]
        return base64.b64encode(hashlib.sha256((node.text or "").encode()).digest()).decode()

    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest('style')}'",
        "script-src": f"'sha256-{digest('script')}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("sample", [story, waivers_of_all_states])
def test_text_from_outside_never_becomes_markup(sample: Any, evil: str) -> None:
    if evil.count("`") == 2:
        pytest.skip("a pair of backticks is code on purpose")
    assert shape(tree(poisoned(sample(), evil))) == shape(tree(poisoned(sample(), "harmless")))


def test_code_in_sentences_is_text_as_well() -> None:
    root = tree(poisoned(story(), "`<b>` and `<i>`"))
    assert {tag for tag, _ in elements(root)} <= TAGS
    assert "<b>" in [node.text for tag, node in elements(root) if tag == "code"]


@settings(max_examples=40, deadline=None)
@given(reports())
def test_any_report_is_safe_and_agrees_with_json(value: Report) -> None:
    page = rendered(value)
    assert page == rendered(value)
    page.encode("utf-8")
    shown = page.partition("<main>")[2].partition("<script>")[0]
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c != "\n"]
    root = tree(value)
    for tag, node in elements(root):
        assert tag in TAGS | {"title"}
        assert not [name for name in node.attrib if name.startswith("on") or name == "style"]
        target = node.get("href", "#")
        assert target.startswith(("#", "data:,", "http://", "https://"))
    data = json.loads(REPORTERS["json"]().render(value, Style()))
    found = by_class(root, "finding")
    assert len(found) == len(data["findings"])
    for node, expected in zip(found, data["findings"], strict=True):
        assert node.get("id") == f"f-{expected['fingerprint']}"
        spent = next(cell for _, cell in elements(node) if cell.get("data-label") == "Spend")
        assert float(spent.attrib["data-value"]) == expected["spend_usd"]
        net = expected["savings_usd_per_month"]["net"] if expected["status"] == "open" else None
        assert (float(node.attrib["data-net"]) if "data-net" in node.attrib else None) == net


def test_the_top_says_verdict_and_dollars() -> None:
    root = tree(story())
    assert words(by_class(root, "verdict")[0]) == "FAIL 3 policies failed, 1 warned, 2 passed, 1 inconclusive"
    assert [words(node) for node in by_class(root, "tile")] == [
        "Spend$6,185May 20266.25B tokens, 61,200 requests",
        "Blended rate0.99 $/Mtokall spend by all tokens",
        (
            "To save, a month$3,309$2,600 to $4,422, no dollar counted twice"
            "Gross $6,440, not additive: findings overlap.1 finding with unknown savings.$40.20 waived."
        ),
        (
            "Judged>99 %$6,180 was held against a policy"
            "1 policy judged another window, 2026-06-01 to 2026-06-07 (7 days)"
        ),
    ]
    title = root.find("head/title")
    assert title is not None
    assert title.text == "FAIL: LLM spend in May 2026"


def test_the_top_without_figures() -> None:
    tiles = [words(node) for node in by_class(tree(no_baseline()), "tile")]
    assert tiles == [
        "SpendunknownThe source could not say how much was spent in all.",
        "Blended ratenoneThere is no rate without tokens.",
        "To saveunknown",
        "Judgedunknown$0 was held against a policy",
    ]
    assert "To save nothing found" in flat(all_pass())
    assert "To save, a month up to $750" in flat(waivers_of_all_states())


def test_what_is_accepted_is_said_beside_what_could_be_saved() -> None:
    accepted = report(
        savings=SavingsTotal(0.0, 0.0, 0.0, 0.0, 1.5, 7.25),
        findings=(finding(beyond_baseline="spends more than was accepted"),),
    )
    assert "$1.50 waived. $7.25 accepted by the baseline." in flat(accepted)
    assert "spends more than was accepted" in flat(accepted)


def test_where_to_begin_is_what_adds_to_the_net() -> None:
    items = [words(node) for node in by_class(tree(story()), "first")[0]]
    assert items == [
        (
            "$3,121 a monthbatch-pipeline on google/gemini-3-flash-preview (data-platform)"
            "Change the model id to google/gemini-3-flash, or allow the model here with a waiver."
        ),
        (
            "$188 a monthanthropic/claude-sonnet-4.6 (support)"
            "Put what stays the same first in the prompt and mark it with cache_control."
        ),
    ]
    assert by_class(tree(all_pass()), "first") == []
    assert "(" not in words(by_class(tree(report(findings=(finding(owner=""),))), "first")[0])
    assert len(by_class(tree(two_hundred()), "first")[0]) == 3


def test_what_could_not_be_judged_comes_before_the_findings() -> None:
    shown = flat(story())
    assert shown.index("1 policy could not be judged") < shown.index("Where to begin")
    assert "It neither passed nor failed: what it watches over may be fine, or not." in shown
    assert "no-retired-models truncated q3 stayed truncated at 10,000 rows" in shown
    assert "None, but not every policy was judged." in flat(everything_inconclusive())
    assert "None: every policy holds." in flat(all_pass())
    assert "None, but not every policy was judged." in flat(report())


def test_charts_name_what_spends_most() -> None:
    tables = by_class(tree(story()), "bars")
    assert [[words(cell) for cell in row] for row in tables[0].findall("tbody/tr")] == [
        ["google/gemini-3-flash-preview fail", "$4,391", "71 %"],
        ["anthropic/claude-sonnet-4.6 warn", "$812", "13 %"],
        ["openai/gpt-5-mini", "$501", "8.1 %"],
        ["google/imagen-5", "$30.50", "0.49 %"],
        ["3 other models", "$450", "7.3 %"],
    ]
    assert [[words(cell) for cell in row] for row in tables[1].findall("tbody/tr")] == [
        ["batch-pipeline fail", "$4,210", "68 %"],
        ["support-bot", "$1,200", "19 %"],
        ["no key", "$325", "5.3 %"],
    ]
    assert [[words(cell) for cell in row] for row in tables[2].findall("tbody/tr")] == [
        ["google/gemini-3-flash-preview fail", "25x", "24.7"],
        ["anthropic/claude-sonnet-4.6 warn", "4.1x", "4.03"],
        ["openai/gpt-5-mini", "0.086x", "0.0854"],
    ]


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    def bars(number: int) -> list[tuple[float, float]]:
        return [
            (float(node.attrib["x"].rstrip("%")), float(node.attrib["width"].rstrip("%")))
            for node in by_class(by_class(tree(story()), "bars")[number], "bar")
        ]

    # 812.4, 501.3, 30.5 and 449.999... against 4390.8
    assert bars(0) == [(0, 100), (0, 18.5), (0, 11.42), (0, 0.69), (0, 10.25)]
    # log10 of 24.9635 is 1.3973, of 4.0762 is 0.6103, of 0.08629 is -1.0641: 2.4614 in all, 1x at 43.23 %
    assert bars(2) == [(43.23, 56.77), (43.23, 24.79), (0, 43.23)]


def test_the_trend_has_a_column_a_week_and_a_table() -> None:
    (drawing,) = by_class(tree(story()), "trend")
    assert drawing.get("aria-label") == "Spend by week: The last week $1,411, up 9.3 % on the one before"
    heights = [float(node.attrib["height"].rstrip("%")) for node in by_class(drawing, "column")]
    assert heights == [78.67, 81.1, 0, 86.82, 86.07, 94.05]  # of $1,500
    labels = [node.text for tag, node in elements(drawing) if tag == "text"]
    assert labels == [
        "$0",
        "$500",
        "$1,000",
        "$1,500",
        "Apr 27",
        "May 4",
        "May 11",
        "May 18",
        "May 25",
        "Jun 1",
    ]
    assert "2026-06-01 to 2026-06-07 (7 days) $1,411 100M" in flat(story())


@pytest.mark.parametrize(
    ("spent", "words_of_it"),
    [
        ((100.0, 80.0), "The last week $80, down 20 % on the one before"),
        ((0.0, 80.0), "The last week $80"),
        ((80.0, 80.0), "The last week $80, up 0 % on the one before"),
    ],
)
def test_the_last_week_is_compared(spent: tuple[float, ...], words_of_it: str) -> None:
    (drawing,) = by_class(tree(report(spend=SpendBreakdown(by_period=weeks(*spent)))), "trend")
    assert drawing.get("aria-label") == f"Spend by week: {words_of_it}"


def test_months_are_called_months_and_many_weeks_are_not_all_named() -> None:
    months = tuple(
        replace(period, window=window)
        for period, window in zip(weeks(10.0, 20.0), (*MAY.previous(1), MAY), strict=True)
    )
    (drawing,) = by_class(tree(report(spend=SpendBreakdown(by_period=months))), "trend")
    assert [node.text for node in by_class(drawing, "date")] == ["Apr 2026", "May 2026"]
    many = report(spend=SpendBreakdown(by_period=weeks(*([50.0] * 25))))
    (drawing,) = by_class(tree(many), "trend")
    assert [node.text for node in by_class(drawing, "date")] == [
        "Jan 12",
        "Feb 16",
        "Mar 23",
        "Apr 27",
        "Jun 1",
    ]
    assert len(by_class(drawing, "column")) == 25


def test_no_chart_without_figures() -> None:
    assert "Where the money goes" not in flat(all_pass())
    assert by_class(tree(replace(story(), baseline=None)), "bars") == []
    assert by_class(tree(report(spend=SpendBreakdown(by_period=weeks(5.0)))), "trend") == []
    assert by_class(tree(report(spend=SpendBreakdown(by_period=weeks(0.0, 0.0)))), "trend") == []
    unspent = report(
        baseline=Baseline(MAY, 0.0, 0, 9, None),
        spend=SpendBreakdown((SubjectSpend({"model": "m"}, 0.0, 0, None),), models=1),
    )
    assert by_class(tree(unspent), "bars") == []
    images = report(spend=SpendBreakdown((SubjectSpend({"model": "m"}, 3.0, 0, None),), models=1))
    assert len(by_class(tree(images), "bars")) == 1


def test_odd_figures_still_draw() -> None:
    unsure = report(
        baseline=Baseline(MAY, 0.0, 0, 9, 1.0),
        spend=replace(
            spend(), by_key=(SubjectSpend({}, 3.0, 5, 0.6), SubjectSpend({"api_key_id": "k"}, 0.0, 0, None))
        ),
    )
    keys = by_class(tree(unsure), "bars")[1]
    assert [[words(cell) for cell in row] for row in keys.findall("tbody/tr")] == [
        ["all traffic", "$3", ""],
        ["k", "$0", ""],
    ]


def test_findings_show_figures_status_and_details() -> None:
    root = tree(story())
    first, *_, last = by_class(root, "finding")
    assert [words(cell) for cell in first.findall("tr")[0]] == [
        (
            "FAIL batch-pipeline on google/gemini-3-flash-previewPreview models have no place on batch keys "
            "· owner data-platform"
        ),
        "$6,067limit $0",
        "$6,067",
        "$3,121",
        "$3,121",
    ]
    said = flat(story())
    for part in (
        "Saves $3,121 a month ($2,480 to $4,011), priced 2026-08-08",
        "Formula 6067.00 - (121.0M x $0.30 + 6.0M x $2.50) x 1.15 = 3120.90",
        "Exposed $894 a month above the threshold, not a saving",
        "adds nothing to net: another finding already claims these dollars",
        "Where jobs/nightly/pipeline.py:88 , policies/cost.yaml:20",
        "Fixed when spend_usd falls to 0",
        "Measured 24.7 $/Mtok is 25x the blended 0.99 (fails above 15x)",
        "Drivers batch-pipeline 98 %, batch-eval 1 %, no key 0.6 %, web 0.4 %",
        "$0 added to net: another finding already claims these dollars.",
    ):
        assert part in said
    assert (last.get("data-state"), "data-net" in last.attrib) == ("waived", False)
    assert words(last.findall("tr")[0][0]).startswith("WAIVED batch-eval on")
    assert "scaled from 8.5 days" in flat(waivers_of_all_states())


def test_only_links_of_the_web_are_links() -> None:
    def links(target: str) -> list[str]:
        root = tree(report(findings=(finding(link=target),)))
        return [
            href
            for _, node in elements(root)
            if not (href := node.get("href", "#")).startswith(("#", "data:"))
        ]

    assert links("https://wiki.example.com/a?b=c&d") == ["https://wiki.example.com/a?b=c&d"]
    for bad in (
        "javascript:alert(1)",
        "//host/x",
        "file:///etc/passwd",
        "http://[",
        "https://a/\u202e",
        "https:",
    ):
        assert links(bad) == []
        assert "Read more" in flat(report(findings=(finding(link=bad),)))


def test_two_hundred_findings_are_all_there() -> None:
    page = rendered(two_hundred())
    root = tree(two_hundred())
    assert len(by_class(root, "finding")) == 200
    assert (
        len([tag for node in by_class(root, "finding") for tag, _ in elements(node) if tag == "details"])
        == 60
    )
    assert "Details are given for the 60 dearest; the json format has all." in flat(two_hundred())
    assert len(page) < 300_000


@pytest.mark.parametrize("name", [name for name in SMALL if name != "hostile"])
def test_a_page_is_small(name: str) -> None:
    assert 15_000 < len(rendered(SAMPLES[name]()).encode()) < 60_000


def test_a_finding_without_advice_or_details_is_one_row() -> None:
    bare = finding(recommendation=Recommendation("none", None, "", ""), savings=NOTHING_KNOWN)
    silent = tree(report(findings=(bare,) * 61))
    assert [len(node.findall("tr")) for node in by_class(silent, "finding")][-2:] == [2, 1]


def test_filters_offer_what_there_is() -> None:
    root = tree(story())
    options = {
        node.get("id"): [(each.get("value"), each.text) for each in node]
        for tag, node in elements(root)
        if tag == "select"
    }
    assert options["state"] == [("", "all"), ("fail", "fail"), ("warn", "warn"), ("waived", "waived")]
    assert ("cache-prompt-heavy", "cache-prompt-heavy") in options["policy"]
    assert options["owner"][1:] == [(owner, owner) for owner in ("data-platform", "support", "web")]
    assert by_class(root, "controls")[0].get("hidden") == ""
    nobody = tree(report(findings=(finding(owner=""),)))
    assert "owner" not in [node.get("id") for _, node in elements(nobody)]


def test_policies_waivers_and_queries_carry_their_proof() -> None:
    shown = flat(story())
    assert "8 of 12 rows judged ($6,180), 3 under the floor ($4.75), 1 not applicable; May 2026; q1" in shown
    assert "not judged: truncated policies/cost.yaml:60" in shown
    assert "ACTIVE" not in shown
    assert "active 2027-01-31 1 finding, $61.90 data-platform : Evaluation run, agreed with finance." in shown
    assert "unused 2026-06-20 nothing data-platform" in flat(waivers_of_all_states())
    assert (
        "q3 10,000 rows, the tail may matter For no-retired-models Truncated the source left rows out"
        in shown
    )
    assert "From the local cache Computed 2026-06-09 23:58 UTC" in shown
    assert '"limit": 10000' in shown
    assert "12 rows, failed" in flat(hostile())
    assert "Queries" not in flat(no_baseline())
    owned = report(policies=(policy("a", owner="me"),))
    assert "a · usd-per-mtok · owner me" in flat(owned)


def test_the_footer_dates_everything() -> None:
    assert flat(story()).partition("Figures from")[2].partition('"use strict"')[0].strip() == (
        "openrouter openrouter.ai : 5 requests for 3 queries, as of 2026-06-10 00:00 UTC. "
        "Prices of 2026-08-08, 421 models. "
        "Savings are estimates at catalogue prices; quality was not measured on your task. "
        "Made by orpolicy 0.1.0 ."
    )
    assert "0 requests, 2 more from the local cache for 0 queries" in flat(SAMPLES["partial"]())


def test_line_breaks_of_commands_and_bodies_are_kept() -> None:
    verify = replace(finding().verify, curl="curl \\\n  -d x")
    page = rendered(report(findings=(finding(verify=verify),), queries=(query(request={"a": "b\nc"}),)))
    assert "curl \\\n  -d x" in page
    assert "b\\nc" in page


def test_baselined_findings_are_counted_and_add_nothing() -> None:
    value = report(findings=(finding(status=Status.BASELINED),))
    assert "1 finding, 1 of them baselined" in flat(value)
    assert by_class(tree(value), "none") != []


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_is_readable_in_light_dark_and_print() -> None:
    css = files("orpolicy").joinpath("data", "report.css").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]
    assert len(themes) == 3
    pairs = [(ink, paper) for ink in ("ink", "faint", "link") for paper in ("page", "card", "room")]
    pairs += [(word, f"{word}-bg") for word in ("fail", "warn", "pass", "hold")]
    pairs += [("ink", "hold-bg"), ("ink", "warn-bg"), ("pass", "card")]
    for theme in themes:
        for ink, paper in pairs:
            one, other = sorted((luminance(theme[ink]), luminance(theme[paper])))
            assert (other + 0.05) / (one + 0.05) >= 4.5, (ink, paper, theme)
