"""What a change does to the findings of an account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world import KINDS, memory, row

from orpolicy.policy.loader import load_texts
from orpolicy.policy.model import PolicySet
from orpolicy.policy_diff.compare import compare
from orpolicy.policy_diff.impact import Dollars, Impact, Shift, Why, measure
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from orpolicy.sources.base import Source

SPENT = [
    row(api_key_id="dear", model="a/b", total_usage=60.0),
    row(api_key_id="cheap", model="a/b", total_usage=20.5),
]


def read(text: str) -> PolicySet:
    return load_texts({"p.yaml": f"version: 1\n{text}".encode()}, KINDS)


def moved(old: str, new: str, source: Source | None = None, window: str | None = None) -> Impact:
    before, after = read(old), read(new)
    account = source or memory(SPENT)
    return measure(before, after, compare(before, after).renamed, account, Choice(window))


def told(shifts: tuple[Shift, ...]) -> list[tuple[str, str | None, float, Why]]:
    return [
        (shift.finding.policy, shift.finding.subject.get("api_key_id"), shift.finding.spend_usd, shift.why)
        for shift in shifts
    ]


LIMIT = "policies:\n  - {id: limit, rule: spend-limit, fail_above: 10}\n"
WAIVED = (
    LIMIT
    + "waivers:\n  - {policy: limit, where: {api_key_id: dear}, until: 2026-07-01, reason: r, owner: o}\n"
)


def test_a_raised_threshold_hides_what_lies_between() -> None:
    impact = moved(LIMIT, LIMIT.replace("10", "30"))
    assert told(impact.hidden) == [("limit", "cheap", 20.5, Why.NO_BREACH)]
    assert (impact.softened, impact.shown, impact.not_judged) == ((), (), ())
    assert impact.weakens


def test_a_lowered_threshold_shows_it_again() -> None:
    impact = moved(LIMIT.replace("10", "30"), LIMIT)
    assert told(impact.shown) == [("limit", "cheap", 20.5, Why.NO_BREACH)]
    assert (impact.hidden, impact.softened) == ((), ())
    assert not impact.weakens


def test_a_waived_finding_is_hidden() -> None:
    assert told(moved(LIMIT, WAIVED).hidden) == [("limit", "dear", 60.0, Why.WAIVED)]
    assert told(moved(WAIVED, LIMIT).shown) == [("limit", "dear", 60.0, Why.WAIVED)]


def test_a_removed_policy_hides_all_its_findings_the_dearest_first() -> None:
    other = "policies:\n  - {id: other, rule: spend-limit, fail_above: 500}\n"
    impact = moved(LIMIT, other)
    assert told(impact.hidden) == [
        ("limit", "dear", 60.0, Why.NO_POLICY),
        ("limit", "cheap", 20.5, Why.NO_POLICY),
    ]
    assert Dollars.of(impact.hidden).spend_usd == 80.5


def test_a_policy_that_could_not_be_judged_hides_nothing_in_silence() -> None:
    lost = LIMIT.replace("fail_above", "where: {app: nobody}, fail_above")
    impact = moved(LIMIT, lost)
    assert [why for *_, why in told(impact.hidden)] == [Why.NOT_JUDGED, Why.NOT_JUDGED]
    assert impact.not_judged == ("limit",)
    assert not impact.weakens
    assert [why for *_, why in told(moved(lost, LIMIT).shown)] == [Why.NOT_JUDGED, Why.NOT_JUDGED]


@pytest.mark.parametrize(
    "change", [("fail_above: 10", "warn_above: 10"), ("fail_above: 10", "severity: note, fail_above: 10")]
)
def test_a_finding_may_count_less(change: tuple[str, str]) -> None:
    impact = moved(LIMIT, LIMIT.replace(*change))
    assert [why for *_, why in told(impact.softened)] == [Why.MILDER, Why.MILDER]
    assert (impact.hidden, impact.shown) == ((), ())
    assert impact.weakens
    assert not moved(LIMIT.replace(*change), LIMIT).weakens


def test_a_renamed_policy_keeps_its_findings() -> None:
    impact = moved(LIMIT, LIMIT.replace("id: limit", "id: cap"))
    assert (impact.hidden, impact.softened, impact.shown) == ((), (), ())
    waived = moved(LIMIT, WAIVED.replace("id: limit", "id: cap").replace("policy: limit", "policy: cap"))
    assert told(waived.hidden) == [("limit", "dear", 60.0, Why.WAIVED)]


def test_without_older_policies_every_finding_is_new() -> None:
    impact = measure(PolicySet(()), read(LIMIT), {}, memory(SPENT), Choice())
    assert [why for *_, why in told(impact.shown)] == [Why.NO_POLICY, Why.NO_POLICY]
    assert impact.net_before_usd_per_month == 0


def test_both_sides_are_judged_by_the_same_window() -> None:
    dated = "policies:\n  - {id: limit, rule: spend-limit, window: last-7d, fail_above: 10}\n"
    assert len(moved(LIMIT, dated).hidden) == 2
    assert moved(LIMIT, dated, window="last-month").hidden == ()


def test_dollars_add_up_and_unknown_ones_are_counted() -> None:
    impact = moved(LIMIT, LIMIT.replace("10", "100"))
    known = [
        Shift(replace(item.finding, savings=replace(item.finding.savings, expected=usd)), item.why)
        for item, usd in zip(impact.hidden, (0.1, 0.2), strict=True)
    ]
    assert Dollars.of(known) == Dollars(80.5, 0.1 + 0.2, 0)
    expression = "policies:\n  - {id: e, rule: metric, expression: total_usage, fail_above: 1}\n"
    found = Dollars.of(moved(expression, expression.replace("1}", "100}")).hidden)
    assert (found.spend_usd, found.saves_usd_per_month, found.unknown) == (80.5, 0.0, 1)
