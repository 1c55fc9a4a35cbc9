"""However policies are put together, each says the same; and no dollar is saved twice."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from law_world import (
    ABSOLUTE,
    ALL,
    LAW,
    RELATIVE,
    Usage,
    accounts,
    in_memory,
    judge,
    lines,
    plain_accounts,
    verdicts,
    written,
)
from world import KINDS

from orpolicy.lint import lint
from orpolicy.policy.loader import load_texts
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.report import Report

some_names = st.sets(st.sampled_from(sorted(ALL)), min_size=1)
CENT = 0.005


def report_of(usages: list[Usage], named: dict[str, str] | None = None, extra: str = "") -> Report:
    return judge(in_memory([usage.record() for usage in usages]), named, extra)


@LAW
@given(accounts, st.permutations(sorted(ALL)))
def test_order_of_policies_does_not_matter(usages: list[Usage], names: list[str]) -> None:
    wanted, found = report_of(usages), report_of(usages, {name: ALL[name] for name in names})
    assert found.findings == tuple(_with_line(finding, found) for finding in wanted.findings)
    assert found.savings == wanted.savings
    assert verdicts(found) == verdicts(wanted)


def _with_line(finding: Finding, report: Report) -> Finding:
    """The finding at the line that its policy has in another file."""
    place = next(policy.location for policy in report.policies if policy.id == finding.policy)
    return replace(finding, locations=(place,))


@LAW
@given(plain_accounts, some_names)
def test_policies_say_the_same_apart_and_together(usages: list[Usage], names: set[str]) -> None:
    whole = report_of(usages)
    parts = [
        report_of(usages, {name: ALL[name] for name in ALL if (name in names) is chosen})
        for chosen in (True, False)
        if chosen or len(names) < len(ALL)
    ]
    assert {name: verdict for part in parts for name, verdict in verdicts(part).items()} == verdicts(whole)
    assert set().union(*(lines(part) for part in parts)) == lines(whole)


@LAW
@given(plain_accounts, some_names)
def test_policies_say_the_same_in_one_file_or_two(usages: list[Usage], names: set[str]) -> None:
    texts = [
        written({name: ALL[name] for name in sorted(ALL) if (name in names) is chosen})
        for chosen in (True, False)
        if chosen or len(names) < len(ALL)
    ]
    split = load_texts({f"{n}.yaml": f"version: 1\n{text}".encode() for n, text in enumerate(texts)}, KINDS)
    found = lint(split, in_memory([usage.record() for usage in usages]), Choice())
    whole = report_of(usages)
    assert verdicts(found) == verdicts(whole)
    assert lines(found) == lines(whole)
    assert found.savings == whole.savings


@LAW
@given(plain_accounts, some_names)
def test_one_more_policy_never_lowers_the_net(usages: list[Usage], names: set[str]) -> None:
    some, whole = report_of(usages, {name: ALL[name] for name in names}).savings, report_of(usages).savings
    assert whole.net_expected >= some.net_expected - CENT
    assert whole.net_high >= some.net_high - CENT
    assert whole.gross >= some.gross - CENT


@LAW
@given(accounts)
def test_no_dollar_is_saved_twice_or_never_spent(usages: list[Usage]) -> None:
    report = report_of(usages)
    spend_usd = sum(usage.sixty_fourths for usage in usages) / 64
    savings = report.savings
    assert 0 <= savings.net_low <= savings.net_expected <= savings.net_high <= spend_usd + CENT
    assert savings.net_expected <= savings.gross + CENT
    shares = [finding.savings.net for finding in report.findings if finding.savings.net is not None]
    assert math.fsum(shares) == pytest.approx(savings.net_expected, abs=1e-9)
    for finding in report.findings:
        figures = (finding.savings.low, finding.savings.expected, finding.savings.high)
        known = [usd for usd in figures if usd is not None]
        assert len(known) in {0, 3}
        assert known == sorted(known)
        assert all(0 <= usd <= finding.spend_usd + CENT for usd in known)
        assert (finding.exposure_usd_per_month or 0.0) <= finding.spend_usd + CENT


@LAW
@given(accounts, st.sampled_from([2.0, 0.5, 1024.0]))
def test_a_stronger_currency_scales_every_dollar_and_no_ratio(usages: list[Usage], factor: float) -> None:
    records = [[usage.record(dollars=scale) for usage in usages] for scale in (1.0, factor)]
    before = judge(in_memory(records[0]), RELATIVE)
    after = judge(in_memory(records[1], factor=factor), RELATIVE)
    assert verdicts(after) == verdicts(before)
    wanted = {(f.fingerprint, f.savings.confidence): f.savings for f in before.findings}
    found = {(f.fingerprint, f.savings.confidence): f.savings for f in after.findings}
    assert found.keys() == wanted.keys()
    for name, savings in found.items():
        ours = [savings.low, savings.expected, savings.high, savings.net]
        theirs = [wanted[name].low, wanted[name].expected, wanted[name].high, wanted[name].net]
        assert ours == [None if usd is None else pytest.approx(usd * factor, rel=1e-9) for usd in theirs]
    assert after.savings.net_expected == pytest.approx(before.savings.net_expected * factor, rel=1e-9)


@LAW
@given(accounts, st.integers(1, 200), st.integers(1, 200))
def test_a_laxer_limit_never_finds_more(usages: list[Usage], first: int, second: int) -> None:
    strict, lax = (
        report_of(usages, {"budget": f"rule: spend-limit, fail_above: {limit}"})
        for limit in sorted((first, second))
    )
    assert {f.fingerprint for f in lax.findings} <= {f.fingerprint for f in strict.findings}


@LAW
@given(accounts, st.integers(1, 30), st.integers(1, 30))
def test_a_higher_floor_never_finds_more(usages: list[Usage], first: int, second: int) -> None:
    low, high = (
        report_of(usages, {"outlier": f"rule: blended-multiple, floor: {{spend: {usd}}}, fail_above: 1.2"})
        for usd in sorted((first, second))
    )
    assert {f.fingerprint for f in high.findings} <= {f.fingerprint for f in low.findings}


@LAW
@given(accounts, st.sampled_from(sorted(ABSOLUTE)))
def test_a_waiver_hides_nothing(usages: list[Usage], name: str) -> None:
    waiver = f"waivers:\n  - {{policy: {name}, until: 2027-01-31, reason: agreed, owner: me}}\n"
    before, after = report_of(usages), report_of(usages, extra=waiver)
    assert lines(after) == lines(before)
    assert after.savings.net_expected <= before.savings.net_expected + CENT
    others = [{key: value for key, value in verdicts(r).items() if key != name} for r in (before, after)]
    assert others[0] == others[1]
    assert verdicts(after)[name] in {"pass", "inconclusive"}
    assert {f.status.value for f in after.findings if f.policy == name} <= {"waived"}


def test_what_a_swap_saves_does_not_depend_on_other_policies() -> None:
    usage = Usage(
        day=1, key=0, model=0, sixty_fourths=6400, prompt=1_000_000, completion=100_000,
        cached=0, reasoning=0, requests=1, web=3200,
    )  # fmt: skip
    rate, both = {"rate": ALL["rate"]}, {name: ALL[name] for name in ("rate", "web-by-key")}
    alone, together = report_of([usage], rate), report_of([usage], both)
    assert alone.findings[0].policy == together.findings[0].policy == "rate"
    assert together.findings[0].savings == alone.findings[0].savings
    assert together.savings.net_expected >= alone.savings.net_expected
