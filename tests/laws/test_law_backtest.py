"""A replayed week says what a check at its end says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from law_world import ALL, KEYS, Usage, accounts, prices, written
from world import KINDS, memory, policies

from orpolicy.backtest.study import study
from orpolicy.lint import lint
from orpolicy.policy.loader import load_texts
from orpolicy.policy.packs import pack_names, pack_path
from orpolicy.sources.base import Setting
from orpolicy.sources.demo import Demo
from orpolicy.staging import Choice
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.backtest.model import Study
    from orpolicy.policy.model import PolicySet
    from orpolicy.report import Report
    from orpolicy.sources.base import Source

NOW = datetime(2026, 6, 10, tzinfo=UTC)
WINDOWS = ("last-week", "last-month", "last-30d", "last-9d", "this-month", "2026-05-11..2026-05-18")
MORE = "".join(
    f"  - {{id: own-{number}, rule: spend-limit, by: [api_key_id], fail_above: 12, window: {window}}}\n"
    for number, window in enumerate(WINDOWS)
) + (
    "  - {id: weekly, rule: spend-growth, window: last-week, baseline_periods: 4, fail_above: 1.5}\n"
    "  - {id: monthly, rule: spend-growth, window: last-month, baseline_periods: 4}\n"
)

Said = dict[str, tuple[Any, ...]]


def rounded(value: float | None) -> str:
    """To twelve digits: days are added up before weeks are."""
    return f"{value:.12g}"


def said(report: Report) -> Said:
    """Policy -> its verdict, why there is none, and what its open findings measure."""
    return {
        policy.id: (
            "not-judged" if policy.reason else policy.verdict.value,
            policy.reason,
            {
                finding.fingerprint: rounded(finding.measure.value)
                for finding in report.findings
                if finding.policy == policy.id and finding.status is Status.OPEN
            },
        )
        for policy in report.policies
    }


def replayed(found: Study, number: int) -> Said:
    """The same of one replayed week."""
    return {
        policy.id: (
            policy.weeks[number].mark.value,
            policy.weeks[number].reason,
            {
                item.fingerprint: rounded(item.values[number])
                for item in policy.subjects
                if item.marks[number].is_fired
            },
        )
        for policy in found.policies
    }


def hold(source: Callable[[datetime], Source], wanted: PolicySet, weeks: int, window: str | None) -> None:
    """Every week of the study is what a check at its end says."""
    choice = Choice(window)
    found = study(wanted, source(NOW), choice, weeks)
    for number, week in enumerate(found.weeks):
        report = lint(wanted, source(week.end), choice)
        assert replayed(found, number) == said(report)
    saved = sum(policy.dollars.net for policy in found.policies)
    assert abs(saved - found.net.expected) < 1e-6
    assert found.net.low <= found.net.expected <= found.net.high


@settings(max_examples=25, deadline=None)
@given(accounts, st.sampled_from([None, "last-week", "last-30d"]))
def test_law_a_replayed_week_says_what_a_check_at_its_end_says(
    usages: list[Usage], window: str | None
) -> None:
    records = [usage.record() for usage in usages]
    hold(
        lambda now: memory(records, keys=KEYS, catalogue=prices(), now=now),
        policies(written(ALL) + MORE),
        5,
        window,
    )


@pytest.mark.parametrize("window", [None, "last-week"])
def test_law_the_same_on_the_demo(window: str | None) -> None:
    contents = {name: pack_path(name).read_bytes() for name in pack_names()}
    hold(lambda now: Demo.open(Setting("demo", {}, now)), load_texts(contents, KINDS), 9, window)
