"""What a baseline accepts, and that it only ever tightens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import catalog, memory, model, policies, row

from orpolicy.baseline import Accepted, Figures, Ratchet, Side
from orpolicy.baseline_update import Change, anew, update
from orpolicy.finding import Measure
from orpolicy.lint import lint
from orpolicy.staging import Choice
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.report import Report

CATALOG = catalog(model("x/dear", 10, 50), model("x/cheap", 1, 5))
SPEND = "  - {id: spend, rule: spend-limit, fail_above: 10}\n"
CACHE = (
    "  - {id: cache, rule: cache-hit-rate, by: [model], prompt_heavy: {prompt_per_completion_above: 5}, "
    "fail_below: 0.5}\n"
)
BAN = "  - {id: ban, rule: model-ban, models: [x/dear], replacement: x/cheap}\n"
LOST = "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}\n"


def rows(a: float = 100.0, b: float = 40.0, cached: int = 90_000) -> list[dict[str, object]]:
    """May 2026: two keys on the dear model, 900,000 prompt tokens each, a tenth of them cached."""
    return [
        row(api_key_id="a", model="x/dear", total_usage=a, cached_tokens=cached),
        row(api_key_id="b", model="x/dear", total_usage=b, cached_tokens=cached),
    ]


def run(text: str, found: list[dict[str, object]], ratchet: Ratchet | None = None, more: str = "") -> Report:
    source = memory(found, catalogue=CATALOG)
    return lint(policies(f"policies:\n{text}{more}"), source, Choice(), ratchet=ratchet)


def baseline(text: str, found: list[dict[str, object]]) -> Ratchet:
    return anew(Ratchet(), run(text, found)).ratchet


def statuses(report: Report) -> dict[str, Status]:
    return {
        f"{item.policy}:{'/'.join(map(str, item.subject.values()))}": item.status for item in report.findings
    }


# What it accepts ------------------------------------------------------------------------------------------


def test_accepted_findings_stay_in_the_report_and_fail_nothing() -> None:
    ratchet = baseline(BAN, rows())
    before, report = run(BAN, rows()), run(BAN, rows(), ratchet)
    assert (before.verdict, report.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert set(statuses(report).values()) == {Status.BASELINED}
    assert report.savings.net_expected == report.savings.gross == report.savings.waived == 0.0
    assert report.savings.baselined == before.savings.net_expected > 0
    assert [item.spend_usd for item in report.findings] == [100.0, 40.0]
    assert [item.savings for item in report.findings] == [item.savings for item in before.findings]
    assert report.policies[0].findings == 2
    assert report.notices == ()


def test_what_is_accepted_is_the_measure_and_the_dollars_of_a_month() -> None:
    (entry,) = baseline(CACHE, rows()).entries
    # 180,000 of 1,800,000 prompt tokens; May is a whole month
    assert entry.figures == Figures("cache_hit_rate", Side.AT_LEAST, 0.1, 140.0)
    (key, _) = sorted(baseline(SPEND, rows()).entries, key=lambda item: -item.figures.usd_per_month)
    assert key.figures == Figures("usd_per_month", Side.AT_MOST, 100.0, 100.0)
    assert (key.policy, key.words) == ("spend", "a")


def test_other_windows_count_as_a_month() -> None:
    text = "  - {id: spend, rule: spend-limit, window: 2026-05-01..2026-05-16, fail_above: 10}\n"
    text = text.replace("2026-05-01..2026-05-16", "{start: 2026-05-10, end: 2026-05-20}")
    entry = max(baseline(text, rows()).entries, key=lambda item: item.figures.usd_per_month)
    assert entry.figures.usd_per_month == 304.38  # 100 USD in 10 days, 30.4375 days a month


@pytest.mark.parametrize(
    ("text", "found", "says"),
    [
        (SPEND, rows(a=100.02), "100.02 USD a month against 100.00 accepted (+0.02)"),
        (SPEND, rows(a=250.0), "usd_per_month 250 against 100 accepted (+150)"),
        (CACHE, rows(cached=45_000), "cache_hit_rate 0.05 against 0.1 accepted (-0.05)"),
        (CACHE, rows(a=150.0), "190.00 USD a month against 140.00 accepted (+50.00)"),
    ],
)
def test_what_is_worse_is_open_again_and_says_by_how_much(
    text: str, found: list[dict[str, object]], says: str
) -> None:
    report = run(text, found, baseline(text, rows()))
    assert report.verdict is Verdict.FAIL
    (worse,) = [item for item in report.findings if item.status is Status.OPEN]
    assert worse.beyond_baseline.startswith("worse than the baseline: ")
    assert says in worse.beyond_baseline


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SPEND, rows()),
        (SPEND, rows(a=99.0)),
        (SPEND, rows(a=100.0 + 1e-7)),
        (CACHE, rows(cached=180_000)),
    ],
)
def test_what_is_the_same_or_better_stays_accepted(text: str, found: list[dict[str, object]]) -> None:
    report = run(text, found, baseline(text, rows()))
    assert set(statuses(report).values()) == {Status.BASELINED}
    assert {item.beyond_baseline for item in report.findings} == {""}


def test_a_cache_hit_rate_that_rises_is_better_and_one_that_falls_is_worse() -> None:
    accepted = Figures("cache_hit_rate", Side.AT_LEAST, 0.1, 1.0)
    assert not replace(accepted, value=0.2).worse_value(accepted)
    assert replace(accepted, value=0.09).worse_value(accepted)
    above = replace(accepted, side=Side.AT_MOST)
    assert replace(above, value=0.2).worse_value(above)
    assert not replace(above, value=0.09).worse_value(above)


def test_new_findings_stay_open_beside_accepted_ones() -> None:
    report = run(SPEND, rows(), baseline(SPEND, rows(b=5.0)))
    assert statuses(report) == {"spend:a": Status.BASELINED, "spend:b": Status.OPEN}
    assert (report.verdict, report.findings[0].beyond_baseline) == (Verdict.FAIL, "")


def test_locked_policies_cannot_be_baselined() -> None:
    locked = SPEND.replace("fail_above", "locked: true, fail_above")
    report = run(locked, rows(), baseline(SPEND, rows()))
    assert report.verdict is Verdict.FAIL
    assert {item.beyond_baseline for item in report.findings} == {
        "the baseline does not hold: the policy is locked"
    }
    assert "2 of 2 accepted findings do not count" in report.notices[0]
    assert anew(Ratchet(), run(locked, rows()), {"spend"}).ratchet == Ratchet()
    assert update(Ratchet(), report, {"spend"}, accept_new=True).ratchet == Ratchet()
    dropped = update(baseline(SPEND, rows()), report, {"spend"}, accept_worse=True)
    assert (dropped.ratchet, len(dropped.of(Change.LOCKED))) == (Ratchet(), 2)


def test_an_entry_that_names_another_policy_holds_nothing() -> None:
    forged = Ratchet.of(replace(entry, policy="harmless") for entry in baseline(SPEND, rows()).entries)
    report = run(SPEND, rows(), forged)
    assert (report.verdict, set(statuses(report).values())) == (Verdict.FAIL, {Status.OPEN})
    assert {item.beyond_baseline for item in report.findings} == {
        "the baseline does not hold: its line names the policy harmless"
    }
    done = update(forged, report)
    assert (done.ratchet, len(done.of(Change.MISNAMED)), len(done.of(Change.NEW))) == (Ratchet(), 2, 2)
    assert update(forged, report, accept_new=True).ratchet == baseline(SPEND, rows())


def test_another_measure_or_side_is_not_what_was_accepted() -> None:
    ratchet = baseline(SPEND, rows())
    report = run(
        SPEND.replace("spend-limit", "cost-per-request").replace("10}", "0.01, by: [api_key_id]}"),
        rows(),
        ratchet,
    )
    assert set(statuses(report).values()) == {Status.OPEN}
    assert "accepts usd_per_month<=100, which is no longer measured" in report.findings[0].beyond_baseline
    kept = update(ratchet, report)
    assert (kept.ratchet.entries[0].figures, len(kept.of(Change.WORSE))) == (ratchet.entries[0].figures, 2)
    raised = update(ratchet, report, accept_worse=True)
    assert {entry.figures.measure for entry in raised.ratchet.entries} == {report.findings[0].measure.name}


def test_a_waiver_comes_before_the_baseline() -> None:
    waiver = (
        "waivers:\n  - {policy: spend, where: {api_key_id: a}, until: 2026-12-31, reason: ok, owner: me}\n"
    )
    ratchet = baseline(SPEND, rows(a=50.0))
    report = run(SPEND, rows(), ratchet, waiver)
    assert statuses(report) == {"spend:a": Status.WAIVED, "spend:b": Status.BASELINED}
    assert {item.beyond_baseline for item in report.findings} == {""}
    written = anew(Ratchet(), run(SPEND, rows(), more=waiver)).ratchet
    assert [entry.words for entry in written.entries] == ["b"]


def test_the_run_says_what_is_fixed() -> None:
    report = run(SPEND, rows(b=5.0), baseline(SPEND, rows()))
    assert report.notices == (
        "baseline: 1 of 2 accepted findings are fixed; `orpolicy baseline update` drops them",
    )


# Updating -------------------------------------------------------------------------------------------------


def test_update_drops_lowers_and_adds_nothing() -> None:
    ratchet = baseline(SPEND, rows(a=100.0, b=40.0))
    done = update(
        ratchet, run(SPEND, [*rows(a=80.0, b=5.0), row(api_key_id="c", model="x/dear", total_usage=60.0)])
    )
    assert [
        (step.change, step.entry.words) for step in sorted(done.steps, key=lambda step: step.entry.words)
    ] == [
        (Change.TIGHTENED, "a"),
        (Change.FIXED, "b"),
        (Change.NEW, "c"),
    ]
    (entry,) = done.ratchet.entries
    assert (entry.words, entry.figures.value, entry.figures.usd_per_month) == ("a", 80.0, 80.0)


def test_update_loosens_on_demand_alone() -> None:
    ratchet, report = baseline(SPEND, rows(b=5.0)), run(SPEND, rows(a=120.0))
    assert update(ratchet, report).ratchet == ratchet
    added = update(ratchet, report, accept_new=True)
    assert {entry.words: entry.figures.value for entry in added.ratchet.entries} == {"a": 100.0, "b": 40.0}
    raised = update(ratchet, report, accept_worse=True)
    assert {entry.words: entry.figures.value for entry in raised.ratchet.entries} == {"a": 120.0}
    assert raised.of(Change.LOOSENED)
    assert raised.of(Change.NEW)
    assert run(SPEND, rows(a=120.0, b=5.0), raised.ratchet).verdict is Verdict.PASS


def test_what_improved_falls_though_the_rest_is_worse() -> None:
    ratchet = baseline(CACHE, rows())
    better_rate = run(CACHE, rows(a=200.0, cached=180_000))
    (entry,) = update(ratchet, better_rate).ratchet.entries
    assert (entry.figures.value, entry.figures.usd_per_month) == (0.2, 140.0)
    (raised,) = update(ratchet, better_rate, accept_worse=True).ratchet.entries
    assert (raised.figures.value, raised.figures.usd_per_month) == (0.2, 240.0)


def test_policies_that_were_not_judged_keep_their_entries() -> None:
    both = baseline(SPEND + BAN, rows())
    lost = run(SPEND + LOST, rows())
    ratchet = Ratchet.of([*both.entries, replace(both.entries[0], fingerprint="f" * 32, policy="lost")])
    for done in (update(ratchet, lost), anew(ratchet, lost)):
        assert done.ratchet == ratchet
        assert {step.entry.policy for step in done.of(Change.NOT_JUDGED)} == {"ban", "lost"}
    assert lost.verdict is Verdict.FAIL
    assert run(SPEND + LOST, rows(), ratchet).verdict is Verdict.INCONCLUSIVE


def test_entries_show_the_names_of_today() -> None:
    (entry, _) = baseline(SPEND, rows()).entries
    old = Ratchet.of([replace(entry, words="as it was called"), *baseline(SPEND, rows()).entries[1:]])
    assert update(old, run(SPEND, rows())).ratchet == baseline(SPEND, rows())


def test_a_name_of_blanks_has_words_too() -> None:
    (entry,) = baseline(SPEND, [row(api_key_id="  ", model="x/dear", total_usage=40.0)]).entries
    assert entry.words == "(no name)"


# Laws -----------------------------------------------------------------------------------------------------

NAMES = [f"{number:032x}" for number in range(1, 6)]
IDS = ("one", "two", "gone")
amounts = st.one_of(
    st.floats(0, 1e7), st.floats(-1e3, 1e3), st.sampled_from([0.0, 0.004, 0.005, 0.015, 10.005, 1 / 3])
)


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    measure = draw(st.sampled_from(["spend_usd", "cache_hit_rate"]))
    return Figures(measure, draw(st.sampled_from(Side)), draw(amounts), draw(amounts))


@st.composite
def ratchets(draw: st.DrawFn) -> Ratchet:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return Ratchet.of(
        Accepted(name, IDS[int(name, 16) % 3], draw(figures()).rounded(), "somebody") for name in names
    )


BASE = run(SPEND, rows())


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any findings of the policies ``one`` and ``two``, each of which may be inconclusive."""
    judged = {name for name in IDS[:2] if draw(st.booleans())}
    found = [
        name
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
        if IDS[int(name, 16) % 3] in judged
    ]
    return replace(
        BASE,
        policies=tuple(
            replace(
                BASE.policies[0], id=name, verdict=Verdict.FAIL if name in judged else Verdict.INCONCLUSIVE
            )
            for name in IDS[:2]
        ),
        findings=tuple(as_finding(name, draw(figures()), draw(st.sampled_from(Status))) for name in found),
    )


def as_finding(name: str, now: Figures, status: Status = Status.OPEN) -> Finding:
    threshold = now.value + (1e9 if now.side is Side.AT_LEAST else -1e9)
    return replace(
        BASE.findings[0],
        fingerprint=name,
        policy=IDS[int(name, 16) % 3],
        measure=Measure(now.measure, now.value, threshold, ""),
        spend_usd=now.usd_per_month,
        status=status,
    )


def looser(now: Accepted, before: Accepted) -> bool:
    first, then = now.figures, before.figures
    value = first.value > then.value if then.side is Side.AT_MOST else first.value < then.value
    return (
        (first.measure, first.side) != (then.measure, then.side)
        or value
        or first.usd_per_month > then.usd_per_month
    )


@given(reports(), ratchets())
def test_update_after_write_changes_nothing(report: Report, before: Ratchet) -> None:
    written = anew(before, report).ratchet
    done = update(written, report)
    assert done.ratchet == written
    assert not done.of(Change.TIGHTENED, Change.LOOSENED, Change.FIXED, Change.WORSE, Change.NEW)


@given(reports(), ratchets(), st.booleans(), st.booleans())
def test_update_is_idempotent(report: Report, before: Ratchet, new: bool, worse: bool) -> None:
    once = update(before, report, accept_new=new, accept_worse=worse).ratchet
    assert update(once, report, accept_new=new, accept_worse=worse).ratchet == once


@given(ratchets(), st.lists(reports(), max_size=4))
def test_updates_without_flags_never_loosen(before: Ratchet, runs: list[Report]) -> None:
    now = before
    for report in runs:
        now = update(now, report).ratchet
    for entry in now.entries:
        assert not looser(entry, before.by_fingerprint[entry.fingerprint])


@given(reports(), ratchets())
def test_what_is_written_or_accepted_on_demand_holds(report: Report, before: Ratchet) -> None:
    written = anew(Ratchet(), report).ratchet
    accepted = update(before, report, accept_new=True, accept_worse=True).ratchet
    for finding in report.findings:
        if finding.status is Status.OPEN:
            assert written.holds(finding, finding.spend_usd)
            assert accepted.holds(finding, finding.spend_usd)


@given(reports(), ratchets())
def test_a_finding_is_held_or_new_or_says_why_not(report: Report, ratchet: Ratchet) -> None:
    for finding in report.findings:
        known = finding.fingerprint in {entry.fingerprint for entry in ratchet.entries}
        held = ratchet.holds(finding, finding.spend_usd)
        objection = ratchet.objection(finding, finding.spend_usd, locked=False)
        assert (held, bool(objection)) in ({(True, False), (False, True)} if known else {(False, False)})


@given(ratchets(), st.floats(11, 1e6), st.floats(11, 1e6))
def test_no_baseline_makes_what_is_new_or_not_judged_green(strange: Ratchet, a: float, b: float) -> None:
    report = run(SPEND + LOST, rows(a=a, b=b), strange)
    assert report.verdict is Verdict.FAIL
    assert {item.status for item in report.findings} == {Status.OPEN}
    everything = Ratchet.of([*baseline(SPEND, rows(a=a, b=b)).entries, *strange.entries])
    assert run(SPEND + LOST, rows(a=a, b=b), everything).verdict is Verdict.INCONCLUSIVE
