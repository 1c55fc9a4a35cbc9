from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from ci_samples import ATTACKS, all_attacks, attacked, cents, everywhere, nasty, rendered, unsafe
from hypothesis import example, given, settings
from markdown_it import MarkdownIt
from report_strategies import reports
from samples import (
    LONG_NAME,
    SAMPLES,
    all_pass,
    everything_inconclusive,
    finding,
    hostile,
    no_baseline,
    partial,
    policy,
    report,
    story,
    two_hundred,
    waivers_of_all_states,
)

from orpolicy.finding import Inconclusive, Verify
from orpolicy.report import SavingsTotal
from orpolicy.reporters._words import visible
from orpolicy.reporters.markdown import MARKER
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from markdown_it.token import Token

    from orpolicy.report import Report

PARSER = MarkdownIt("gfm-like")
"""CommonMark with tables, strikethrough, raw HTML and links from bare addresses."""

BLOCKS = {
    *(f"{name}_{end}" for name in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")),
    *(f"{name}_{end}" for name in ("heading", "paragraph", "list_item") for end in ("open", "close")),
    *("bullet_list_open", "bullet_list_close", "fence", "html_block", "inline"),
}
INLINES = {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
OWN_HTML = re.compile(
    r"<!-- orpolicy report -->\n?|<details>\n<summary>[A-Za-z0-9,: ]+</summary>\n?|</details>\n?"
)
BOLD = re.compile(
    r"(FAIL|WARN|PASS|WAIVED|BASELINED|INCONCLUSIVE|[<$0-9.,e+]+|Save (up to )?[<$0-9.,e+]+ a month, net)"
)
ALIVE = re.compile(r"@[A-Za-z0-9]|#[0-9]|://|www\.|gh-[0-9]|:[a-z_+-]+:", re.IGNORECASE)
"""What GitHub makes links, mentions and pictures of after Markdown is parsed, but for code."""


def parsed(value: Report) -> list[Token]:
    text = rendered("markdown", value)
    assert text.startswith(f"{MARKER}\n## ")
    assert text.endswith(".\n")
    assert len(text) < 60_000
    assert unsafe(text) == []
    return PARSER.parse(text)


def inlines(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def shown(tokens: list[Token]) -> str:
    """The words as a reader sees them."""
    lines = [
        "".join(each.content for each in token.children or ()) for token in tokens if token.type == "inline"
    ]
    return "\n".join(lines).replace("\u200b", "")


def check_inert(tokens: list[Token]) -> None:
    """Nothing in the document does anything, but for our own headings, tables, lists and folds."""
    assert {token.type for token in tokens} <= BLOCKS
    assert {token.type for token in inlines(tokens)} <= INLINES
    assert [
        token.content
        for token in tokens
        if token.type == "html_block" and not OWN_HTML.fullmatch(token.content)
    ] == []
    for token in tokens:
        children = token.children or []
        bold = [after.content for before, after in pairwise(children) if before.type == "strong_open"]
        assert [text for text in bold if not BOLD.fullmatch(text)] == []
        text = "".join("\0" if each.type == "code_inline" else each.content for each in children)
        assert ALIVE.findall(text) == []


def table_rows(tokens: list[Token]) -> list[list[str]]:
    """The cells of every row, as a reader sees them."""
    rows: list[list[str]] = []
    for before, token in pairwise(tokens):
        if before.type == "tr_open":
            rows.append([])
        if before.type in {"td_open", "th_open"}:
            rows[-1].append(shown([token]))
    return rows


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_report_is_inert_and_short(value: Report) -> None:
    check_inert(parsed(value))


@settings(max_examples=100, deadline=None)
@given(nasty)
@example("`:x")
def test_no_text_is_markup(text: str) -> None:
    for value, harmless in zip(everywhere(text), everywhere("harmless"), strict=True):
        tokens = parsed(value)
        check_inert(tokens)
        if 0 < len(visible(text)) <= 72:
            assert [token.type for token in tokens] == [token.type for token in parsed(harmless)]


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_are_shown_as_they_are(text: str) -> None:
    value = attacked(text)
    tokens = parsed(value)
    check_inert(tokens)
    first = table_rows(tokens)[1]
    name = visible(text)
    if len(name) <= 72 and name.strip():
        assert first[1].strip(" ") == name.strip(" ")
        assert first[6].strip(" ") == name.strip(" ")
        assert first[7].strip(" \u00a0") == name.strip(" \u00a0")


def test_every_attack_at_once() -> None:
    tokens = parsed(all_attacks())
    check_inert(tokens)
    assert {len(row) for row in table_rows(tokens)} == {6, 8}


def test_the_hostile_sample() -> None:
    tokens = parsed(hostile())
    check_inert(tokens)
    assert "javascript:alert(1)" in shown(tokens)


def test_commands_cannot_leave_their_fence() -> None:
    command = "curl `x` '````\n```\n</details>\n@everyone'"
    value = report(findings=(finding(verify=Verify({}, command, "")),))
    tokens = parsed(value)
    check_inert(tokens)
    (fence,) = [token for token in tokens if token.type == "fence"]
    assert fence.content == f"{command}\n"
    assert fence.info == "text"


def test_a_long_command_is_left_out_whole() -> None:
    tokens = parsed(report(findings=(finding(verify=Verify({}, "x" * 2_001, "")),)))
    assert not [token for token in tokens if token.type == "fence"]


def test_the_story() -> None:
    tokens = parsed(story())
    words = shown(tokens)
    assert words.splitlines()[0] == "FAIL: 3 policies failed, 1 warned, 2 passed, 1 inconclusive"
    assert "Save $3,309.10 a month, net ($2,600.40 to $4,421.50)." in words
    assert (
        "Gross $6,440, not additive: findings overlap; 1 finding with unknown savings; $40.20 waived."
        in words
    )
    assert (
        "Spend $6,185.00 in May 2026: 6.25B tokens, 61,200 requests, 0.99 $/Mtok blended. "
        "Policies judged $6,180.25 of it, >99 %." in words
    )
    assert table_rows(tokens)[:2] == [
        ["", "Policy", "Subject", "Measured", "Spend", "Saves a month", "Owner", "What to do"],
        [
            "FAIL",
            "no-preview-on-batch",
            "batch-pipeline on google/gemini-3-flash-preview",
            "spend $6,067 (fails above $0)",
            "$6,067.00",
            "$3,120.90",
            "data-platform",
            "Change the model id to google/gemini-3-flash, or allow the model here with a waiver.",
        ],
    ]
    growth, waived = table_rows(tokens)[4:6]
    assert growth[4:7] == ["$410.20", "$893.60 exposed", "web"]
    assert (waived[0], waived[4]) == ("WAIVED", "$61.90")
    assert (
        "INCONCLUSIVE no-retired-models, truncated: q3 stayed truncated at 10,000 rows, and its last row "
        "($14.20) is above the floor ($10). Narrow the policy with `where`, or raise `floor.spend` above "
        "$14.20. policies/cost.yaml:60" in words
    )
    assert table_rows(tokens)[7] == [
        "active",
        "no-preview-on-batch",
        "2027-01-31",
        "1 finding of $61.90",
        "data-platform",
        "Evaluation run, agreed with finance.",
    ]
    assert "Note: 1 row outside the window was dropped from q2." in words
    assert words.splitlines()[-1] == (
        "Source openrouter openrouter.ai: 5 requests; as of 2026-06-10 00:00 UTC; "
        "prices of 2026-08-08, quality not measured on your task; orpolicy 0.1.0."
    )


def test_the_dearest_are_explained() -> None:
    words = shown(parsed(story()))
    start = words.index("FAIL no-preview-on-batch: batch-pipeline on")
    assert words[start:].splitlines()[1:9] == [
        "Why: Preview models change price and behaviour without notice, and nobody watches a batch job.",
        "Traffic: Spent $6,067.00 on 127M tokens in 37,000 requests, 47.8 $/Mtok",
        "Worth: Saves $3,120.90 a month ($2,480.40 to $4,010.60); priced 2026-08-08",
        "Formula: 6067.00 - (121.0M x $0.30 + 6.0M x $2.50) x 1.15 = 3120.90",
        "Risk: Another model may answer differently: compare quality on your own task first.",
        "Check: spend_usd falls to 0",
        "Where: jobs/nightly/pipeline.py:88, policies/cost.yaml:20",
        "More: https://wiki.example.com/llm/preview-models",
    ]
    assert "Behind it: batch-pipeline 98 %, batch-eval 1 %, no key 0.6 % and 1 more" in words
    text = rendered("markdown", story())
    assert "<summary>Why, risk and how to check: 4 dearest findings</summary>" in text
    assert "<summary>Why, risk and how to check: 10 dearest findings</summary>" in rendered(
        "markdown", two_hundred()
    )


def test_passed_policies_are_folded_with_their_proof() -> None:
    text = rendered("markdown", all_pass())
    assert "### Findings" not in text
    assert "<summary>Passed: 7 policies</summary>" in text
    assert "**Save" not in text
    assert (
        "PASS key-budget: 8 of 12 rows judged ($6,180), 3 under the floor ($4.75), 1 not applicable; "
        "May 2026; q1" in shown(parsed(all_pass()))
    )


def test_what_is_missing_is_said() -> None:
    assert "No baseline: the source could not say how much was spent in all." in shown(parsed(no_baseline()))
    words = shown(parsed(partial()))
    assert "Spend $0.42 in 2026-06-01 to 2026-06-07 (7 days): 0 tokens, 3 requests, no blended rate" in words
    assert (
        "Source local: 0 requests and 2 cached answers; as of 2026-06-10 00:00 UTC; orpolicy 0.1.0." in words
    )
    unshared = replace(story(), coverage=replace(story().coverage, share=None))
    assert "Policies judged $6,180.25 of it." in shown(parsed(unshared))


@pytest.mark.parametrize(
    ("total", "words"),
    [
        (SavingsTotal(750.5, 0.0, 0.0, 750.5, 0.0), "Save up to $750.50 a month, net."),
        (SavingsTotal(3.5, 3.5, 3.5, 3.5, 0.0), "Save $3.50 a month, net."),
        (
            SavingsTotal(1e6, 1.0, 1234567.891, 2e6, 0.0),
            "Save $1,234,567.89 a month, net ($1.00 to $2,000,000.00).",
        ),
    ],
)
def test_net_savings(total: SavingsTotal, words: str) -> None:
    assert words in shown(parsed(report(savings=total)))


def test_bounded_savings_and_waivers_of_every_state() -> None:
    rows = table_rows(parsed(waivers_of_all_states()))
    assert [row[0] for row in rows] == [
        *("", "FAIL", "WAIVED", "BASELINED"),
        *("Waiver", "active", "expiring", "expired", "exceeded", "unused", "refused"),
        *("Override of", "key_sets", "blended-outlier", "blended-outlier"),
    ]
    assert rows[12] == ["key_sets", "batch", '["batch-*"]', '["batch-*", "|nightly"]', "policies/cost.yaml:3"]
    assert rows[1][5] == "up to $750.50"
    assert rows[9][3] == "no finding"


def test_what_has_no_room_is_counted_and_rows_stay_whole() -> None:
    many = range(2_000)
    words = LONG_NAME
    waiver = waivers_of_all_states().waivers[0]
    unjudged = everything_inconclusive().inconclusive[0]
    value = report(
        findings=tuple(finding(number, spend_usd=10.0, why=words) for number in many),
        policies=tuple(policy(f"p{number}") for number in many),
        inconclusive=(unjudged,) * 2_000,
        waivers=(waiver,) * 2_000,
        overrides=(waivers_of_all_states().overrides[1],) * 2_000,
        notices=(words,) * 2_000,
    )
    tokens = parsed(value)
    check_inert(tokens)
    findings = [row for row in table_rows(tokens) if row[0] == "FAIL"]
    assert {len(row) for row in findings} == {8}
    left = 2_000 - len(findings)
    text = shown(tokens)
    assert f"{left:,} findings more (${left * 10:,}.00): see the JSON report." in text
    waived = len([row for row in table_rows(tokens) if row[0] == "active"])
    assert f"{2_000 - waived:,} waivers more: see the JSON report." in text
    assert re.search(r"^1,\d{3} inconclusive policies more: see the JSON report\.$", text, re.MULTILINE)
    assert re.search(r"^1,\d{3} notes more: see the JSON report\.$", text, re.MULTILINE)
    assert re.search(r"^1,\d{3} policies more: see the JSON report\.$", text, re.MULTILINE)


def test_the_worst_names_still_fit() -> None:
    worst = "@" * 10_000
    value = attacked(worst)
    whole = replace(
        value,
        findings=value.findings * 500,
        policies=tuple(replace(each, verdict=all_pass().verdict) for each in value.policies) * 500,
        inconclusive=value.inconclusive * 500,
        waivers=value.waivers * 500,
        notices=value.notices * 500,
    )
    check_inert(parsed(whole))


def test_a_row_without_room_is_left_out_whole() -> None:
    item = everything_inconclusive().inconclusive[0]
    huge = Inconclusive(item.policy, item.reason, "@" * 600, "@" * 600, item.location)
    text = shown(parsed(report(inconclusive=(huge, item))))
    assert "2 inconclusive policies more: see the JSON report." in text


@pytest.mark.parametrize("name", SAMPLES)
def test_dollars_are_jsons_to_the_cent(name: str) -> None:
    value = SAMPLES[name]()
    tokens = parsed(value)
    if value.baseline:
        assert f"Spend {cents(value.baseline.spend_usd)} in" in shown(tokens)
    if value.savings.net_expected:
        assert f"Save {cents(value.savings.net_expected)} a month, net" in shown(tokens)
    states = {"FAIL", "WARN", "WAIVED", "BASELINED"}
    spends = [row[4] for row in table_rows(tokens) if row[0] in states]
    ordered = sorted(value.findings, key=lambda each: each.status is not Status.OPEN)
    assert spends == [cents(each.spend_usd) for each in ordered][: len(spends)]
    assert bool(spends) == bool(value.findings)
