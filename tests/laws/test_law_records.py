"""However the same usage is written down, the report is the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from law_world import KEYS, LAW, Usage, accounts, in_memory, judge, lines, verdicts

if TYPE_CHECKING:
    from orpolicy.report import Report


def said(report: Report) -> Report:
    return replace(report, queries=())


def report_of(usages: list[Usage]) -> Report:
    return said(judge(in_memory([usage.record() for usage in usages])))


@LAW
@given(accounts, st.randoms(use_true_random=False))
def test_order_does_not_matter(usages: list[Usage], chance: object) -> None:
    shuffled = list(usages)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert report_of(shuffled) == report_of(usages)


def halves(usage: Usage) -> tuple[Usage, Usage]:
    """The same usage as two records, the greater part first."""
    names = ("sixty_fourths", "prompt", "completion", "cached", "reasoning", "requests", "web", "cache")
    small = {name: getattr(usage, name) // 3 for name in names}
    large = {name: getattr(usage, name) - part for name, part in small.items()}
    return replace(usage, **large), replace(usage, **small)


@LAW
@given(accounts, st.integers(1, 31))
def test_one_record_or_many(usages: list[Usage], other_day: int) -> None:
    parts = [part for usage in usages for half in halves(usage) for part in halves(half)]
    assert report_of(parts) == report_of(usages)
    moved = [replace(part, day=other_day) if index % 2 else part for index, part in enumerate(parts)]
    assert report_of(moved) == report_of(usages)


@LAW
@given(accounts)
def test_one_lump_a_month(usages: list[Usage]) -> None:
    assert report_of([replace(usage, day=1) for usage in usages]) == report_of(usages)


@LAW
@given(accounts, accounts)
def test_other_months_do_not_matter(usages: list[Usage], others: list[Usage]) -> None:
    mine = [usage.record() for usage in usages]
    before = [usage.record() | {"date": f"2026-04-{min(usage.day, 30):02d}"} for usage in others]
    after = [usage.record() | {"date": "2026-06-01"} for usage in others]
    assert said(judge(in_memory([*before, *mine, *after]))) == report_of(usages)


@LAW
@given(accounts, st.permutations(range(len(KEYS))))
def test_names_of_keys_do_not_matter(usages: list[Usage], order: list[int]) -> None:
    """Batch keys stay batch keys, as the patterns ask for them; any other name is as good."""
    renamed = [replace(key, name=f"{key.name[:6]}{order[index]}x") for index, key in enumerate(KEYS)]
    before = judge(in_memory([usage.record() for usage in usages]))
    after = judge(in_memory([usage.record(renamed) for usage in usages], keys=renamed))
    assert verdicts(after) == verdicts(before)
    worth = [{(f.fingerprint, f.verdict, f.savings.expected) for f in r.findings} for r in (before, after)]
    assert worth[0] == worth[1]
    assert after.savings == before.savings


@LAW
@given(accounts)
def test_namesakes_are_judged_one_by_one(usages: list[Usage]) -> None:
    twins = [replace(key, name=key.name[:6]) for key in KEYS]
    assert len({key.name for key in twins}) < len(KEYS)
    before = judge(in_memory([usage.record() for usage in usages]))
    after = judge(in_memory([usage.record(twins) for usage in usages], keys=twins))
    assert verdicts(after) == verdicts(before)
    assert [f.fingerprint for f in after.findings] == [f.fingerprint for f in before.findings]


@LAW
@given(accounts, st.integers(1, 31))
def test_a_key_replaced_by_another_matters_to_no_model(usages: list[Usage], day: int) -> None:
    """Policies that look at models alone do not see which key was used from a day on."""
    by_model = {
        "outlier": "rule: blended-multiple, fail_above: 2",
        "cached": "rule: cache-hit-rate, prompt_heavy: {prompt_per_completion_above: 2}, fail_below: 0.4",
        "rate": "rule: usd-per-mtok, fail_above: 12",
    }
    rotated = [replace(usage, key=3) if usage.day >= day else usage for usage in usages]
    before, after = (
        judge(in_memory([usage.record() for usage in some]), by_model) for some in (usages, rotated)
    )
    assert verdicts(after) == verdicts(before)
    wanted, found = ({item[:5] for item in lines(report)} for report in (before, after))
    assert found == wanted
