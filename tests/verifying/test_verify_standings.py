"""Findings of May looked at again in June, with figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from world import catalog, hash_of, memory, model, row, run

from orpolicy.account import ApiKey
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.redaction import pseudonym, redacted
from orpolicy.reporters.base import Style
from orpolicy.verdict import Status
from orpolicy.verifying.markdown import as_markdown
from orpolicy.verifying.model import Standing
from orpolicy.verifying.text import as_text
from orpolicy.verifying.verify import verify

if TYPE_CHECKING:
    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report
    from orpolicy.sources.memory import Memory
    from orpolicy.verifying.model import Checked, Verification

JULY = datetime(2026, 7, 8, tzinfo=UTC)
BATCH, CHAT = ApiKey("batch", hash_of(1)), ApiKey("chat", hash_of(2))
DEAR, CHEAP = "acme/dear", "acme/cheap"
CATALOGUE = catalog(model(DEAR, 20, 20), model(CHEAP, 1, 1))

BAN = f"policies:\n  - {{id: ban, rule: model-ban, models: [{DEAR}], replacement: {CHEAP}}}\n"
RATE = f"policies:\n  - {{id: rate, rule: usd-per-mtok, by: [model], fail_above: 10, replacement: {CHEAP}}}\n"
CACHE = (
    "policies:\n  - {id: cache, rule: cache-hit-rate, by: [model], fail_below: 0.4, "
    "prompt_heavy: {prompt_per_completion_above: 5}}\n"
)
WEB = "policies:\n  - {id: web, rule: surcharge-share, components: [web], fail_above: 0.1}\n"
LIMIT = "policies:\n  - {id: limit, rule: spend-limit, by: [api_key_id], fail_above: 50}\n"


def used(day: str, key: str, name: str, usd: float, mtok: int, **more: Any) -> dict[str, Any]:
    return row(date=day, api_key_id=key, model=name, total_usage=usd, tokens_total=mtok * 1_000_000, **more)


MAY = [used("2026-05-10", "batch", DEAR, 100.0, 5), used("2026-05-10", "chat", CHEAP, 10.0, 10)]


def reported(text: str, rows: list[dict[str, Any]], keys: tuple[ApiKey, ...] = (BATCH, CHAT)) -> Report:
    return run(text, memory(rows, keys=keys, catalogue=CATALOGUE))


def later(rows: list[dict[str, Any]], keys: tuple[ApiKey, ...] = (BATCH, CHAT)) -> Memory:
    return memory(rows, keys=keys, catalogue=CATALOGUE, now=JULY)


def looked(report: Report, source: Memory, **more: Any) -> Verification:
    return verify(report, source, report.findings, **({"window": None, "deployed": None} | more))


def only(report: Report, source: Memory, **more: Any) -> Checked:
    (checked,) = looked(report, source, **more).checked
    return checked


@pytest.mark.parametrize(
    ("usd", "standing"),
    [
        (50.0, Standing.FIXED),  # 10 $/Mtok is not above 10
        (87.5, Standing.PARTLY),  # 17.5: a quarter of the way from 20 to 10
        (88.0, Standing.UNCHANGED),
        (100.0, Standing.UNCHANGED),
        (104.9, Standing.UNCHANGED),
        (105.0, Standing.WORSE),  # 21: a tenth of the distance, and 5 % of the value
    ],
)
def test_the_standing_follows_from_the_measure(usd: float, standing: Standing) -> None:
    found = only(reported(RATE, MAY), later([*MAY, used("2026-06-10", "batch", DEAR, usd, 5)]))
    assert found.standing is standing
    assert found.value == pytest.approx(usd / 5)


def test_lower_is_worse_where_the_threshold_is_below() -> None:
    def month(day: str, cached: int) -> dict[str, Any]:
        return used(day, "batch", DEAR, 100.0, 10, cached_tokens=cached)

    before = month("2026-05-10", 1_800_000)  # 0.2 of 9,000,000 prompt tokens
    report = reported(CACHE, [before])
    standings = [
        only(report, later([before, month("2026-06-10", cached)])).standing
        for cached in (3_600_000, 2_300_000, 1_800_000, 1_620_000, 900_000)
    ]
    assert standings == ["fixed", "partly", "unchanged", "worse", "worse"]


def test_a_ban_that_holds_is_gone_and_the_dollars_follow_the_traffic_to_the_other_model() -> None:
    june = [
        used("2026-06-10", "batch", CHEAP, 6.0, 6),  # 4 of the 5 Mtok of May, and 2 of its own growth less
        used("2026-06-10", "chat", CHEAP, 10.0, 10),
    ]
    found = only(reported(BAN, MAY), later([*MAY, *june]))
    assert found.standing is Standing.GONE
    assert found.realised is not None
    assert found.realised.moved == 5_000_000  # no more than left: 5 Mtok at 20 USD, now at 1 USD
    assert found.realised.usd_per_month == pytest.approx(100.0 - 5.0)
    assert found.realised.stopped_usd_per_month == 0
    assert (
        found.realised.formula
        == "20 USD x (0 + 5 moved) Mtok - 0.00 - 5.00 on other models = 95.00 USD a month"
    )


def test_usage_that_stopped_is_no_saving() -> None:
    verification = looked(reported(BAN, MAY), later([*MAY, used("2026-06-10", "chat", CHEAP, 10.0, 10)]))
    (found,) = verification.checked
    assert found.standing is Standing.GONE
    assert found.realised is not None
    assert found.realised.usd_per_month is None
    assert found.realised.stopped_usd_per_month == pytest.approx(100.0)
    assert verification.overall.findings == 0


def test_a_model_alone_looks_for_its_traffic_at_the_replacement_only() -> None:
    other = used("2026-06-10", "batch", "acme/other", 50.0, 50)
    to_other = only(reported(RATE, MAY), later([*MAY, other]))
    assert to_other.realised is not None
    assert to_other.realised.moved == 0
    replaced = used("2026-06-10", "batch", CHEAP, 13.0, 13)  # 10 Mtok of May's own, 3 more
    found = only(reported(RATE, MAY), later([*MAY, other, replaced]))
    assert found.realised is not None
    assert found.realised.moved == 3_000_000
    assert found.realised.stopped_usd_per_month == pytest.approx(40.0)  # 2 Mtok at 20 USD


def test_a_surcharge_counts_its_own_dollars_by_request() -> None:
    before = used("2026-05-10", "batch", DEAR, 100.0, 5, usage_web=40.0)
    after = used("2026-06-10", "batch", DEAR, 300.0, 15, usage_web=15.0, request_count=2_000)
    found = only(reported(WEB, [before]), later([before, after]))
    assert found.standing is Standing.FIXED  # 5 %
    assert found.realised is not None
    assert found.realised.usd_per_month == pytest.approx(0.04 * 2_000 - 15.0)


def test_a_longer_window_is_put_on_the_scale_of_the_reports() -> None:
    report = reported(BAN, MAY)
    june = used("2026-06-10", "batch", DEAR, 100.0, 5)
    july = used("2026-07-01", "batch", DEAR, 100.0, 5)
    found = only(report, later([*MAY, june, july]), window="2026-06-01..2026-07-07")
    assert found.value == pytest.approx(200.0 * 30.4375 / 36)
    assert found.standing is Standing.WORSE


def test_growth_is_held_against_the_level_of_the_report() -> None:
    past = [used(f"2026-{month:02}-10", "batch", DEAR, 100.0, 5) for month in range(1, 5)]
    past += [used(f"2025-{month:02}-10", "batch", DEAR, 100.0, 5) for month in range(9, 13)]
    may = used("2026-05-10", "batch", DEAR, 500.0, 25)
    report = reported("policies:\n  - {id: growth, rule: spend-growth}\n", [*past, may])
    assert report.findings[0].measure.value == pytest.approx(5.0)
    lasting = only(report, later([*past, may, used("2026-06-10", "batch", DEAR, 480.0, 24)]))
    assert lasting.standing is Standing.UNCHANGED
    assert lasting.value == pytest.approx(4.8)
    undone = only(report, later([*past, may, used("2026-06-10", "batch", DEAR, 110.0, 6)]))
    assert undone.standing is Standing.FIXED


def test_an_expression_that_may_depend_on_the_windows_length_needs_one_as_long() -> None:
    report = reported(
        "policies:\n  - {id: sum, rule: metric, expression: total_usage, fail_above: 50}\n", MAY
    )
    june = used("2026-06-10", "batch", DEAR, 20.0, 1)
    assert only(report, later([*MAY, june])).standing is Standing.FIXED
    odd = only(report, later([*MAY, june]), window="2026-06-08..2026-06-15")
    assert (odd.standing, odd.reason) == (Standing.INCONCLUSIVE, Reason.UNSUITABLE_WINDOW)


def test_a_renamed_key_is_found_by_its_hash() -> None:
    report = reported(LIMIT, MAY)
    renamed = ApiKey("batch-v2", BATCH.key_hash)
    rows = [
        used("2026-05-10", "batch-v2", DEAR, 100.0, 5),
        used("2026-06-10", "batch-v2", DEAR, 90.0, 5),
        used("2026-06-10", "chat", CHEAP, 10.0, 10),
    ]
    found = only(report, later(rows, (renamed, CHAT)))
    assert (found.standing, found.value) == (Standing.UNCHANGED, 90.0)


def test_another_key_that_took_over_the_name_is_not_mistaken_for_it() -> None:
    report = reported(LIMIT, MAY)
    impostor = ApiKey("batch", hash_of(9))
    found = only(report, later([*MAY, used("2026-06-10", "batch", DEAR, 1.0, 5)], (impostor, CHAT)))
    assert (found.standing, found.reason) == (Standing.INCONCLUSIVE, Reason.AMBIGUOUS_KEY)


def test_namesakes_stay_two() -> None:
    twin = ApiKey("batch", hash_of(3))
    mine, other = {"api_key_hash": BATCH.key_hash}, {"api_key_hash": twin.key_hash}
    may = [
        used("2026-05-10", "batch", DEAR, 100.0, 5, **mine),
        used("2026-05-10", "batch", DEAR, 9.0, 5, **other),
    ]
    june = [
        used("2026-06-10", "batch", DEAR, 30.0, 5, **mine),
        used("2026-06-10", "batch", DEAR, 999.0, 5, **other),
    ]
    report = reported(LIMIT, may, (BATCH, twin))
    assert only(report, later([*may, *june], (BATCH, twin))).value == 30.0


def test_a_redacted_report_is_verified_by_the_pseudonym_of_the_hash_and_keeps_its_names() -> None:
    report = redacted(reported(LIMIT, MAY))
    assert report.findings[0].subject == {"api_key_id": pseudonym("key", "batch")}
    june = used("2026-06-10", "batch", DEAR, 40.0, 2)
    found = only(report, later([*MAY, june]))
    assert (found.standing, found.value) == (Standing.FIXED, 40.0)
    assert found.finding.subject == report.findings[0].subject


def test_a_redacted_report_of_another_account_says_that_nobody_has_the_pseudonym() -> None:
    strangers = (ApiKey("x", hash_of(7)), CHAT)
    rows = [used("2026-05-10", "x", DEAR, 100.0, 5), used("2026-06-10", "chat", CHEAP, 1.0, 1)]
    found = only(redacted(reported(LIMIT, MAY)), later(rows, strangers))
    assert found.standing is Standing.INCONCLUSIVE
    assert "nobody in the account has this pseudonym" in found.detail


@pytest.mark.parametrize("rows", [[], [used("2026-05-10", "batch", DEAR, 60.0, 5)]])
def test_figures_that_the_report_did_not_see_are_never_a_fix(rows: list[dict[str, Any]]) -> None:
    source = later([*rows, used("2026-06-10", "batch", DEAR, 1.0, 5)])
    found = only(reported(RATE, MAY), source)
    assert (found.standing, found.reason) == (Standing.INCONCLUSIVE, Reason.NOT_ANSWERABLE)
    assert "100.00" in found.detail


def test_an_account_that_is_silent_is_never_a_fix() -> None:
    found = only(reported(RATE, MAY), later(MAY))
    assert (found.standing, found.reason) == (Standing.INCONCLUSIVE, Reason.EMPTY_WINDOW)


def test_a_policy_is_verified_on_the_keys_that_it_selects() -> None:
    text = RATE.replace("fail_above", "where: {api_key_id: batch}, fail_above")
    may = [*MAY, used("2026-05-10", "chat", DEAR, 100.0, 5)]
    june = [used("2026-06-10", "batch", DEAR, 1.0, 5), used("2026-06-10", "chat", DEAR, 100.0, 5)]
    assert only(reported(text, may), later([*may, *june])).standing is Standing.FIXED


def test_a_policy_that_selects_more_narrowly_than_its_query_is_inconclusive() -> None:
    text = RATE.replace("fail_above", "where: {user: ann}, fail_above")
    may = [{**used("2026-05-10", "batch", DEAR, 100.0, 5), "user": user} for user in ("ann", "bob")]
    june = {**used("2026-06-10", "batch", DEAR, 1.0, 5), "user": "ann"}
    found = only(reported(text, may), later([*may, june]))
    assert found.standing is Standing.INCONCLUSIVE
    assert "selects more narrowly" in found.detail


@pytest.mark.parametrize(
    ("now", "words"),
    [(datetime(2026, 6, 10, tzinfo=UTC), "verify it from 2026-07-01 on")],
)
def test_too_early_is_inconclusive(now: datetime, words: str) -> None:
    source = memory(MAY, keys=(BATCH, CHAT), now=now)
    found = only(reported(RATE, MAY), source)
    assert (found.standing, found.reason) == (Standing.INCONCLUSIVE, Reason.UNSUITABLE_WINDOW)
    assert words in found.detail


@pytest.mark.parametrize(
    "window", ["2026-05-31..2026-06-30", "2026-06-01..2026-08-01", "yesterday", "2026-06-02..2026-06-02"]
)
def test_a_window_that_overlaps_or_is_not_over_is_refused(window: str) -> None:
    with pytest.raises(UsageError, match="--window"):
        only(reported(RATE, MAY), later(MAY), window=window)


def test_a_window_that_suits_some_findings_leaves_the_others_inconclusive() -> None:
    text = RATE + "  - {id: week, rule: usd-per-mtok, by: [model], window: last-week, fail_above: 10}\n"
    rows = [*MAY, used("2026-06-02", "batch", DEAR, 100.0, 5), used("2026-06-20", "batch", DEAR, 1.0, 5)]
    found = looked(reported(text, rows), later(rows), window="2026-06-05..2026-07-05")
    assert sorted(item.standing for item in found.checked) == ["fixed", "inconclusive"]


@pytest.mark.parametrize("window", ["last-week", "2026-06-01..2026-06-04", "this-month"])
def test_each_kind_of_window_finds_its_later_one(window: str) -> None:
    rows = [used("2026-06-02", "batch", DEAR, 100.0, 5), used("2026-06-30", "batch", DEAR, 1.0, 5)]
    rows += [used("2026-07-05", "batch", DEAR, 1.0, 5), used("2026-07-07", "batch", DEAR, 1.0, 5)]
    rows += [used("2026-08-05", "batch", DEAR, 1.0, 5)]
    now = datetime(2026, 8, 1, tzinfo=UTC) if window == "this-month" else JULY
    source = memory(rows, keys=(BATCH, CHAT), now=now)
    report = run(RATE, memory(rows, keys=(BATCH, CHAT)), window=window)
    found = only(report, source)
    expected = {
        "last-week": (date(2026, 6, 29), 7),
        "2026-06-01..2026-06-04": (date(2026, 7, 5), 3),
        "this-month": (date(2026, 7, 1), 31),
    }[window]
    assert found.standing is Standing.FIXED
    assert found.later is not None
    assert (found.later.start.date(), found.later.days) == expected


def test_a_broken_query_or_an_unknown_kind_is_inconclusive() -> None:
    report = reported(RATE, MAY)
    (finding,) = report.findings
    source = later([*MAY, used("2026-06-10", "batch", DEAR, 1.0, 5)])
    query = dict(finding.verify.query)
    window = query["time_range"]
    hurt = [
        replace(finding, verify=replace(finding.verify, query=broken))
        for broken in (
            {},
            query | {"dimensions": []},
            query | {"dimensions": "model"},
            query | {"metrics": [1]},
            query | {"filters": [7]},
            query | {"filters": [{"field": "model", "operator": "in", "value": []}]},
            query | {"filters": [{"field": "model", "operator": "like", "value": ["x"]}]},
            query | {"time_range": {"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}},
            query | {"time_range": [window]},
        )
    ]
    hurt += [
        replace(finding, rule="no-such-kind"),
        replace(finding, rule="metric"),
        replace(finding, rule="spend-growth"),
        replace(finding, rule="surcharge-share", measure=replace(finding.measure, value=5.0)),
    ]
    for each in hurt:
        (found,) = verify(report, source, [each], window=None, deployed=None).checked
        assert (found.standing, found.reason) == (Standing.INCONCLUSIVE, Reason.NOT_ANSWERABLE)


def test_findings_share_their_queries() -> None:
    names = [f"acme/m{number}" for number in range(30)]
    may = [used("2026-05-10", "batch", name, 100.0, 5) for name in names]
    june = [used("2026-06-10", "batch", name, 10.0, 5) for name in names]
    found = looked(reported(RATE, may), later([*may, *june]))
    assert [item.standing for item in found.checked] == ["fixed"] * 30
    assert found.queries_asked == 5  # a total and the models for each window, and the days


def test_the_step_by_day_is_found_and_the_deploy_is_checked() -> None:
    days = [*(f"2026-05-{day:02}" for day in range(1, 32)), *(f"2026-06-{day:02}" for day in range(1, 31))]
    rows = [used(day, "batch", DEAR, 4.0 if day < "2026-06-04" else 0.1, 1) for day in days]
    report = reported("policies:\n  - {id: limit, rule: spend-limit, fail_above: 50}\n", rows[:31])
    found = only(report, later(rows))
    assert found.days is not None
    assert (found.days.first, len(found.days.values)) == (date(2026, 5, 1), 61)
    assert found.days.guess == date(2026, 6, 4)
    told = looked(report, later(rows), deployed=date(2026, 6, 4))
    assert "within the window that is judged" in told.notices[0]
    assert looked(report, later(rows), deployed=date(2026, 6, 1)).notices == ()
    with pytest.raises(UsageError, match="--deployed"):
        looked(report, later(rows), deployed=date(2026, 7, 1))


def test_an_account_that_cannot_be_asked_leaves_everything_inconclusive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_self: object) -> None:
        raise SourceError(Reason.ACCESS_DENIED, "no")

    report, source = reported(RATE, MAY), later(MAY)
    monkeypatch.setattr(type(source), "meta", refuse)
    found = only(report, source)
    assert (found.standing, found.reason) == (Standing.INCONCLUSIVE, Reason.ACCESS_DENIED)


@pytest.mark.parametrize("dimension", ["app", "user", "workspace"])
@pytest.mark.parametrize("is_redacted", [False, True])
def test_subjects_other_than_keys_are_found_by_name(dimension: str, *, is_redacted: bool) -> None:
    text = f"policies:\n  - {{id: limit, rule: spend-limit, by: [{dimension}], fail_above: 50}}\n"
    may = row(date="2026-05-10", total_usage=100.0, model=DEAR, **{dimension: "Ann <ann@example.com>"})
    june = row(date="2026-06-10", total_usage=40.0, model=DEAR, **{dimension: "Ann <ann@example.com>"})
    report = run(text, memory([may]))
    found = only(redacted(report) if is_redacted else report, memory([may, june], now=JULY))
    assert (found.standing, found.value) == (Standing.FIXED, 40.0)


def test_traffic_without_a_key_is_a_subject_too() -> None:
    may = row(date="2026-05-10", total_usage=100.0, model=DEAR, api_key_id=None)
    june = row(date="2026-06-10", total_usage=99.0, model=DEAR, api_key_id=None)
    found = only(run(LIMIT, memory([may])), memory([may, june], now=JULY))
    assert (found.standing, found.value) == (Standing.UNCHANGED, 99.0)


def test_a_deleted_key_that_nobody_uses_is_gone() -> None:
    found = only(reported(LIMIT, MAY), later([*MAY, used("2026-06-10", "chat", CHEAP, 10.0, 10)], (CHAT,)))
    assert found.standing is Standing.GONE


def test_a_subject_among_missing_rows_is_asked_for_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    may = [*MAY, used("2026-05-10", "chat", "acme/other", 200.0, 200)]
    june = [used("2026-06-10", "chat", "acme/other", 200.0, 200), used("2026-06-10", "batch", DEAR, 40.0, 5)]
    source = later([*may, *june])
    whole = type(source).answer

    def cut(self: Memory, query: Query) -> Answer:
        found = whole(self, query)
        if query.dimensions and not query.filters and len(found.table) > 1:
            return replace(found, table=found.table.keep([0]), truncated=True)
        return found

    report = reported(RATE, may)
    monkeypatch.setattr(type(source), "answer", cut)
    found = only(report, source)
    assert found.standing is Standing.FIXED
    assert (found.spend_usd, found.tokens) == (40.0, 5_000_000)


def test_cut_off_answers_about_subjects_without_a_filter_are_inconclusive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "policies:\n  - {id: limit, rule: spend-limit, by: [app], fail_above: 50}\n"
    rows = [
        row(date=f"2026-0{month}-10", total_usage=usd, app=app)
        for month in (5, 6)
        for app, usd in (("a", 90.0), ("b", 60.0))
    ]
    report, source = run(text, memory(rows)), memory(rows, now=JULY)
    whole = type(source).answer

    def cut(self: Memory, query: Query) -> Answer:
        found = whole(self, query)
        return replace(found, table=found.table.keep([0]), truncated=True) if len(found.table) > 1 else found

    monkeypatch.setattr(type(source), "answer", cut)
    found = {item.finding.subject["app"]: item for item in looked(report, source).checked}
    assert found["a"].standing is Standing.UNCHANGED
    assert (found["b"].standing, found["b"].reason) == (Standing.INCONCLUSIVE, Reason.TRUNCATED)


def test_markdown_stays_a_comment_and_counts_what_it_leaves_out() -> None:
    names = [f"acme/{number:03}-{'x' * 60}" for number in range(250)]
    may = [used("2026-05-10", "batch", name, 100.0, 5) for name in names]
    june = [used("2026-06-10", "batch", name, 10.0, 5) for name in names]
    text = as_markdown(looked(reported(RATE, may), later([*may, *june])))
    assert len(text) <= 60_000
    assert "50 more findings not shown." in text


def test_text_says_why_a_finding_is_inconclusive_and_what_the_report_set_aside() -> None:
    report = reported(RATE, MAY)
    waived = replace(report, findings=(replace(report.findings[0], status=Status.WAIVED),))
    text = " ".join(as_text(looked(waived, later(MAY)), Style()).split())
    assert "INCONCLUSIVE rate acme/dear 20 $/Mtok in May 2026, not known in June 2026 (threshold" in text
    assert "waived in the report; empty-window: the account has no usage at all" in text
