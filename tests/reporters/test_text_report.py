from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_strategies import reports
from samples import (
    GOLDEN,
    LAST_WEEK,
    MAY,
    NOTHING_KNOWN,
    SAMPLES,
    all_pass,
    everything_inconclusive,
    finding,
    golden_cases,
    hostile,
    no_baseline,
    policy,
    report,
    story,
    two_hundred,
    waivers_of_all_states,
)

from orpolicy.errors import Reason
from orpolicy.finding import Confidence, Measure, Savings
from orpolicy.location import Location
from orpolicy.period import Window
from orpolicy.plugins import REPORTERS
from orpolicy.report import Report, SavingsTotal
from orpolicy.reporters._words import prose, visible
from orpolicy.reporters.base import Style
from orpolicy.verdict import Status, Verdict

HOSTILE_PLACE = r"evil\x1b[31m\r\n::error::\u202egnp.exe\x00\x07\x9b2J:"
MONTHS = tuple(
    Window(datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC))
    for month in range(1, 5)
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def text(value: Report, width: int = 100, *, color: bool = False, verbosity: int = 0) -> str:
    return REPORTERS["text"]().render(value, Style(width, color, verbosity))


def flat(value: Report, width: int = 100, verbosity: int = 0) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text(value, width, verbosity=verbosity).split())


def terminal_columns(line: str) -> int:
    """Counted as POSIX wcwidth does, for the characters that may occur."""
    return sum(
        0
        if unicodedata.category(char) in {"Mn", "Me"}
        else 1 + (unicodedata.east_asian_width(char) in {"W", "F"})
        for char in line
    )


@pytest.mark.parametrize("name", golden_cases())
def test_golden(name: str) -> None:
    sample, style = golden_cases()[name]
    expected = (GOLDEN / name).read_text(encoding="utf-8")
    assert REPORTERS["text"]().render(SAMPLES[sample](), style) == expected


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir() if path.is_file()} == set(golden_cases())


@settings(max_examples=60, deadline=None)
@given(reports(), st.integers(60, 200), st.booleans(), st.integers(-1, 1))
def test_any_report_is_safe_and_fits(value: Report, width: int, color: bool, verbosity: int) -> None:
    shown = text(value, width, color=color, verbosity=verbosity)
    plain = ANSI.sub("", shown) if color else shown
    assert plain == text(value, width, verbosity=verbosity)
    assert shown.endswith("\n")
    assert not shown.startswith("\n")
    assert "\n\n\n" not in shown
    unsafe = [
        char
        for char in plain
        if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ]
    assert unsafe == []
    whole = [each.replace("\u00a0", " ") for each in unbreakable(value)]
    for line in plain.splitlines():
        assert line == line.rstrip(" "), repr(line)
        if terminal_columns(line) > width:
            assert any(each.strip(" ") in line for each in whole if terminal_columns(each) > width - 20), line


def unbreakable(value: Report) -> list[str]:
    """What may stand on a line that is too long: paths, links and commands, as they are shown."""
    locations = [
        *(location for each in value.findings for location in each.locations),
        *(each.location for each in value.policies),
        *(each.location for each in value.inconclusive),
        *(each.location for each in value.waivers),
    ]
    commands = [line for each in value.findings for line in each.verify.curl.split("\n")]
    return [
        *(visible(f"{location.file}:{location.line}") for location in locations),
        *(visible(command) for command in commands),
        *(prose(each.link) for each in value.findings),
    ]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", [60, 80, 140, 200])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    for line in text(SAMPLES[name](), width).splitlines():
        assert terminal_columns(line) <= width or HOSTILE_PLACE in line, line


def test_the_verdict_comes_first() -> None:
    first, second, *_ = text(story()).splitlines()
    assert first == "FAIL  3 policies failed, 1 warned, 2 passed, 1 inconclusive"
    assert second == "      Save $3,309 a month ($2,600 to $4,422) net."


def test_quiet_is_the_verdict_alone() -> None:
    assert text(story(), verbosity=-1) == (
        "FAIL  3 policies failed, 1 warned, 2 passed, 1 inconclusive; save $2,600 to $4,422 a month\n"
    )
    assert text(all_pass(), verbosity=-1) == "PASS  7 policies passed\n"
    assert text(no_baseline(), verbosity=-1) == "INCONCLUSIVE  1 policy inconclusive\n"
    assert text(report(), verbosity=-1) == "PASS  no policy was evaluated\n"


@pytest.mark.parametrize(
    ("total", "sentence"),
    [
        (SavingsTotal(9.0, 1.0, 9.0, 12.0, 0.0), "Save $9 a month ($1 to $12) net."),
        (SavingsTotal(9.0, 9.0, 9.0, 9.0, 0.0), "Save $9 a month net."),
        (SavingsTotal(9.0, 0.0, 9.0, 12.0, 0.0), "Save $9 a month (up to $12) net."),
        (SavingsTotal(0.0, 0.0, 0.0, 12.0, 0.0), "Save up to $12 a month net."),
        (SavingsTotal(20.0, 9.0, 9.0, 9.0, 0.0), "net. Gross $20, not additive: findings overlap."),
        (SavingsTotal(0.0, 0.0, 0.0, 0.0, 7.0), "$7 waived."),
    ],
)
def test_savings_of_the_run(total: SavingsTotal, sentence: str) -> None:
    assert sentence in flat(report(savings=total))


def test_no_savings_are_not_mentioned() -> None:
    assert "Save" not in text(all_pass())
    assert "not additive" not in text(all_pass())


def test_baseline() -> None:
    assert (
        "Spend $6,185 in May 2026: 6.25B tokens, 61,200 requests, 0.99 $/Mtok blended "
        "Policies judged $6,180 of it, >99 %." in flat(story(), 140)
    )
    assert "No baseline: the source could not say how much was spent in all." in flat(no_baseline())


def test_baseline_without_tokens() -> None:
    shown = flat(SAMPLES["partial"]())
    assert "Spend $0.42 in 2026-06-01 to 2026-06-07 (7 days): 0 tokens, 3 requests, no blended rate" in shown


def test_a_finding_says_who_how_much_and_what_to_do() -> None:
    shown = flat(story(), 140)
    assert "$6,191 google/gemini-3-flash-preview" in shown
    assert "measured 24.7 $/Mtok is 25x the blended 0.99 (fails above 15x) traffic" in shown
    assert "drivers batch-pipeline 98 %, batch-eval 1 %, no key 0.6 % and 1 more" in shown
    assert "do Change the model id to google/gemini-3-flash" in shown
    assert "saves $3,131 a month ($2,490 to $4,022), priced 2026-08-08" in shown
    assert "adds nothing to net: another finding already claims these dollars" in shown
    assert "cache hit rate 4.2 % (warns below 30 %)" in shown
    assert "code jobs/nightly/pipeline.py:88" in shown
    assert "--> policies/cost.yaml:12" in shown
    assert "owner data-platform" in shown


def test_unknown_savings_are_no_zero() -> None:
    shown = flat(story())
    assert "saves unknown exposed $894 a month above the threshold, not a saving" in shown
    assert "1 finding with unknown savings" in shown
    assert "$0 a month" not in shown


def test_the_formula_and_the_query_need_verbosity() -> None:
    formula = "6067.00 - (121.0M x $0.30 + 6.0M x $2.50) x 1.15 = 3120.90"
    assert formula not in flat(story())
    shown = text(story(), 60, verbosity=1)
    assert formula in " ".join(shown.split())
    assert finding().verify.curl in shown  # on one line, to be copied
    assert "verify   spend_usd falls to 0" in shown
    assert "id       00000000000000000000000000000001" in shown
    assert "8 of 12 rows judged ($6,180), 3 under the floor ($4.75)" in " ".join(shown.split())


def test_queries_are_shown_at_verbosity_one() -> None:
    shown = flat(story(), 140, verbosity=1)
    assert "q1 12 rows, not truncated, 1,830 ms, computed 2026-06-09 23:58 UTC; for blended-outlier" in shown
    assert "q3 10,000 rows, truncated, the tail may matter, from the local cache" in shown
    assert "q1 failed: api-error: HTTP 503 after 4 tries" in flat(everything_inconclusive(), verbosity=1)


def test_a_safe_truncation_is_explained() -> None:
    passed = policy("a", notes=("truncated, but the tail is below the floor",), seen=3)
    value = report(policies=(passed,))
    assert "truncated, but the tail is below the floor" in flat(value, verbosity=1)
    assert "truncated" not in flat(value)


def test_inconclusive_says_why_and_what_to_do() -> None:
    shown = flat(everything_inconclusive())
    for reason in Reason:
        said = f"The server said: {reason}. Ask again, or change the policy. -->"
        assert f"{reason} [{reason.code}] {said}" in shown


def test_passed_policies_are_one_list() -> None:
    assert "PASS web-search-cap, key-budget" in flat(story())


def test_waivers_say_their_state() -> None:
    shown = flat(waivers_of_all_states())
    for state in ("active", "expiring", "expired", "exceeded", "refused"):
        assert (
            f"{state} no-preview-on-batch until 2026-06-20, 1 finding of $750 data-platform: "
            f"Agreed with finance ({state})." in shown
        )
    assert "unused no-preview-on-batch until 2026-06-20, no finding" in shown


def test_waived_and_baselined_findings_are_marked_with_their_dollars() -> None:
    shown = flat(waivers_of_all_states())
    assert "waived batch-eval on x/y-preview $6,067 $3,121" in shown
    assert "BASELINED blended-outlier 1 finding, $6,067" in shown
    assert "baselined x/y-preview $6,067 $3,121" in shown


def test_bounded_savings_are_up_to() -> None:
    assert "saves up to $750 a month, bounded, scaled from 8.5 days" in flat(waivers_of_all_states())


def test_two_hundred_findings_stay_readable() -> None:
    shown = text(two_hundred())
    assert "200 findings: the 10 dearest in full, the 190 others in one line each." in shown
    assert shown.count("\n        measured ") == 10
    assert (
        len(re.findall(r"^      fail  batch-\d{3} on google/gemini-3-flash-preview ", shown, re.MULTILINE))
        == 190
    )
    assert re.search(
        r"fail  batch-014 on google/gemini-3-flash-preview +\$357 +\$143\*$", shown, re.MULTILINE
    )
    assert re.search(
        r"fail  batch-022 on google/gemini-3-flash-preview +\$227 +unknown$", shown, re.MULTILINE
    )
    assert shown.count("* adds nothing to net: another finding already claims these dollars") == 2
    assert len(shown.splitlines()) < 340


def test_the_summary_counts_waived_and_baselined() -> None:
    findings = list(two_hundred().findings)
    findings[50] = replace(findings[50], status=Status.WAIVED)
    findings[60] = replace(findings[60], status=Status.BASELINED)
    shown = flat(replace(two_hundred(), findings=tuple(findings)))
    assert "200 findings, 1 waived, 1 baselined: the 10 dearest in full" in shown


def test_a_table_says_what_was_measured_where_it_is_not_the_spend() -> None:
    others = tuple(
        finding(
            number,
            subject={"model": f"m-{number}"},
            measure=Measure("prompt_ratio", 12.44, 10.0, "prompt tokens per completion token"),
        )
        for number in range(1, 13)
    )
    value = report(findings=others, policies=(policy("no-preview-on-batch", Verdict.FAIL),))
    wide = text(value, 100)
    assert re.search(r"spend  measured  saves/month$", wide, re.MULTILINE)
    assert re.search(r"fail  m-11 +\$6,067 +12.4 +\$3,121$", wide, re.MULTILINE)
    assert "prompt ratio 12.4 prompt tokens per completion token (fails above 10)" in wide
    long_names = tuple(
        replace(each, subject={"model": f"vendor/a-model-with-a-long-name-{each.fingerprint[-2:]}"})
        for each in others
    )
    assert "measured  saves" not in text(replace(value, findings=long_names), 60)


def test_failed_policies_come_before_warned_and_waived_ones() -> None:
    findings = (
        finding(1, policy="warned", verdict=Verdict.WARN),
        finding(2, policy="waived", status=Status.WAIVED),
        finding(3, policy="failed"),
    )
    shown = text(report(findings=findings))
    assert shown.index("FAIL  failed") < shown.index("WARN  warned") < shown.index("WAIVED  waived")


def test_partial_net_is_said() -> None:
    assert "adds $0.10 to net, other findings claim the rest" in flat(SAMPLES["partial"]())


@pytest.mark.parametrize(
    ("savings", "words"),
    [
        (Savings(5.0, 5.0, 5.0, 5.0, Confidence.EXACT, ""), "saves $5 a month, exact code"),
        (Savings(0.0, 0.0, 0.0, 0.0, Confidence.PRICED, ""), "saves $0 a month, priced code"),
        (Savings(1.0, 2.0, 3.0, None, Confidence.PRICED, ""), "saves $2 a month ($1 to $3), priced code"),
    ],
)
def test_savings_in_words(savings: Savings, words: str) -> None:
    value = report(
        findings=(finding(savings=savings),), policies=(policy("no-preview-on-batch", Verdict.FAIL),)
    )
    assert words in flat(value)


def test_unknown_savings_are_not_scaled() -> None:
    value = report(
        findings=(finding(savings=NOTHING_KNOWN),),
        policies=(policy("no-preview-on-batch", Verdict.FAIL, window=LAST_WEEK),),
    )
    assert "saves unknown code" in flat(value)


def test_hostile_text_is_shown_as_escapes() -> None:
    shown = text(hostile(), 140)
    assert r"evil\x1b[31m\r\n::error::\u202egnp.exe\x00\x07\x9b2J" in shown
    assert r"file-\udce9-\ud83d" in shown
    assert "\n::error::" not in shown
    assert "MIDDLE" not in shown
    assert len(shown) < 20_000
    shown.encode("utf-8")


def test_stacked_marks_do_not_pile_up() -> None:
    shown = text(hostile(), 140)
    assert "e" + "\u0301" * 4 + r"\u0301" in shown
    assert "\u0301" * 5 not in shown


def test_two_drivers_of_a_name_with_spaces_stay_whole() -> None:
    value = replace(story().findings[1], locations=(Location("a dir/with space.py", 3, 1),))
    assert "code     a dir/with space.py:3\n" in text(report(findings=(value,)), 60)


@pytest.mark.parametrize("width", [0, 59, 201, 10_000])
def test_widths_beyond_reason_are_clamped(width: int) -> None:
    clamped = 60 if width < 60 else 200
    assert text(story(), width) == text(story(), clamped)


def test_footer() -> None:
    shown = flat(story(), 200)
    assert shown.endswith(
        "openrouter openrouter.ai: 5 requests for 3 queries; as of 2026-06-10 00:00 UTC; "
        "prices of 2026-08-08 (421 models); quality not measured on your task; orpolicy 0.1.0"
    )
    assert "quality not measured" not in flat(all_pass())
    assert "local: 0 requests (2 more from the local cache) for 0 queries" in flat(SAMPLES["partial"]())


def test_a_blank_title_leaves_no_line() -> None:
    value = report(findings=(finding(title="  ", why="", link=""),))
    assert "FAIL  no-preview-on-batch  1 finding, $6,067, owner data-platform\n\n      $6,067" in text(value)


def test_a_net_figure_that_is_the_whole_is_not_repeated() -> None:
    assert "to net" not in text(report(findings=(finding(),)))


def test_proof_counts_only_what_is_there() -> None:
    judged = replace(policy("a"), rows_seen=8, rows_under_floor=0, rows_not_applicable=0, window=None)
    assert "PASS a 8 of 8 rows judged ($6,180); q1" in flat(report(policies=(judged,)), verbosity=1)


def test_words_of_blanks_alone_leave_no_blank_line_behind() -> None:
    finding = replace(story().findings[0], why="\u00a0" * 200, title="\u00a0")
    shown = text(replace(story(), findings=(finding,)), 60, verbosity=1)
    assert all(line == line.rstrip(" ") for line in shown.splitlines())


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        ((MAY,), ""),
        ((MAY, LAST_WEEK), "1 policy judged another window, 2026-06-01 to 2026-06-07 (7 days)."),
        ((LAST_WEEK, LAST_WEEK), "2 policies judged another window, 2026-06-01 to 2026-06-07 (7 days)."),
        (
            (*MONTHS, LAST_WEEK),
            "5 policies judged other windows: January 2026; February 2026; March 2026 and 2 more.",
        ),
        ((None, MAY), ""),
    ],
)
def test_what_was_judged_in_other_windows_is_said(windows: tuple[Window | None, ...], said: str) -> None:
    policies = tuple(policy(f"p{number}", window=window) for number, window in enumerate(windows))
    shown = flat(report(policies=policies))
    assert ("judged another window" in shown or "judged other windows" in shown) == bool(said)
    assert said in shown


def test_what_was_not_judged_judged_no_other_window() -> None:
    unjudged = policy("p", verdict=Verdict.INCONCLUSIVE, window=LAST_WEEK, reason=Reason.TRUNCATED)
    assert "another window" not in flat(report(policies=(unjudged,)))
