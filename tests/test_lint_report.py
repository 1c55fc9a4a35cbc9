"""What a run says: verdicts, proof, savings, drivers, waivers, order."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world import NOW, catalog, hash_of, memory, model, policies, row, run

from orpolicy.account import ApiKey
from orpolicy.errors import PolicyError, Reason, SourceError, UsageError
from orpolicy.finding import Confidence
from orpolicy.lint import lint
from orpolicy.report import WaiverState
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice
from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from orpolicy.account import Directory
    from orpolicy.catalog.model import Catalog
    from orpolicy.query.model import Meta
    from orpolicy.report import Report

CATALOG = catalog(
    model("x/dear", 10, 50, canonical_slug="x/dear-20260101"),
    model("x/cheap", 1, 5, canonical_slug="x/cheap-20260101"),
)
ROWS = [
    row(api_key_id="a", model="x/dear-20260101", total_usage=90.0, tokens_total=6_000_000),
    row(api_key_id="b", model="x/dear-20260101", total_usage=10.0, tokens_total=1_000_000),
    row(api_key_id="b", model="x/cheap-20260101", total_usage=20.0, tokens_total=20_000_000),
]


def rule(name: str = "outlier", more: str = "fail_above: 2", kind: str = "blended-multiple") -> str:
    return f"  - {{id: {name}, rule: {kind}, {more}}}\n"


def test_a_finding_from_rows_to_dollars() -> None:
    report = run(
        "policies:\n" + rule(more="fail_above: 2, replacement: x/cheap"), memory(ROWS, catalogue=CATALOG)
    )
    (finding,) = report.findings
    assert finding.subject == {"model": "x/dear"}
    # 100 USD on 7 Mtok against 120 USD on 27 Mtok
    assert finding.measure.value == pytest.approx((100 / 7) / (120 / 27), rel=1e-12)
    assert (finding.spend_usd, finding.tokens_total, finding.request_count) == (100.0, 7_000_000, 2_000)
    # 6.3 Mtok of prompt at 1 USD and 0.7 of completion at 5: 9.8 USD for the same tokens
    assert finding.savings.high == pytest.approx(100 - 9.8)
    assert finding.savings.expected == pytest.approx(100 - 9.8 * 1.15)
    assert finding.savings.low == pytest.approx(100 - 9.8 * 1.3)
    assert finding.savings.net == pytest.approx(finding.savings.expected)
    assert finding.savings.confidence is Confidence.PRICED
    assert finding.recommendation.replacement == "x/cheap"
    assert "x/cheap" in finding.recommendation.text
    assert [(driver.subject, driver.spend_usd, driver.share) for driver in finding.drivers] == [
        ({"api_key_id": "a"}, 90.0, 0.9),
        ({"api_key_id": "b"}, 10.0, 0.1),
    ]


def test_drivers_and_cells_are_asked_for_breaches_alone() -> None:
    asked = run("policies:\n" + rule(), memory(ROWS)).queries
    assert [query.request["dimensions"] for query in asked] == [[], ["model"], ["api_key_id", "model"]]
    assert asked[2].request["filters"] == [{"field": "model", "operator": "in", "value": ["x/dear-20260101"]}]
    calm = run("policies:\n" + rule(more="fail_above: 20"), memory(ROWS)).queries
    assert [query.request["dimensions"] for query in calm] == [[], ["model"]]


def test_a_key_and_its_models() -> None:
    report = run("policies:\n" + rule("cap", "fail_above: 50", "spend-limit"), memory(ROWS))
    (finding,) = report.findings
    assert finding.subject == {"api_key_id": "a"}
    assert [driver.subject for driver in finding.drivers] == [{"model": "x/dear-20260101"}]
    assert finding.savings.confidence is Confidence.UNKNOWN
    assert (finding.savings.low, finding.savings.net) == (None, None)
    assert finding.exposure_usd_per_month == 40.0


def test_a_pair_shows_its_share_of_the_model() -> None:
    text = "policies:\n" + rule("ban", "models: x/dear, where: {api_key_id: a}", "model-ban")
    (finding,) = run(text, memory(ROWS, catalogue=CATALOG)).findings
    assert [(driver.subject, driver.share) for driver in finding.drivers] == [({"api_key_id": "a"}, 0.9)]


def test_a_ban_never_proposes_what_it_bans() -> None:
    fields = {"benchmarks": {"artificial_analysis": {"intelligence_index": 50}}}
    models = catalog(
        model("x/dear", 10, 50, **fields), model("x/cheap", 1, 5, **fields), model("y/fair", 2, 9, **fields)
    )
    rows = [row(api_key_id="a", model="x/dear", total_usage=90.0, tokens_total=6_000_000)]
    for banned, proposed in [("x/dear", "x/cheap"), ('"x/*"', "y/fair")]:
        text = "policies:\n" + rule("ban", f"models: {banned}", "model-ban")
        assert run(text, memory(rows, catalogue=models)).findings[0].recommendation.replacement == proposed


def test_a_running_months_exposure_is_not_scaled() -> None:
    rows = [row(date="2026-06-03", api_key_id="a", model="x/dear", total_usage=90.0)]
    (finding,) = run(
        "policies:\n" + rule("cap", "fail_above: 50", "spend-limit"), memory(rows), window="this-month"
    ).findings
    assert finding.measure.value == 90.0
    assert finding.exposure_usd_per_month == pytest.approx(40.0)
    assert "times" not in finding.savings.formula


def test_a_surcharge_names_who_ordered_it() -> None:
    rows = [item | {"usage_web": web} for item, web in zip(ROWS, [1.0, 11.0, None], strict=True)]
    report = run(
        "policies:\n" + rule("web", "components: [web], fail_above: 0.05", "surcharge-share"), memory(rows)
    )
    (finding,) = report.findings
    assert finding.subject == {}
    assert [(driver.subject["api_key_id"], driver.spend_usd) for driver in finding.drivers] == [
        ("b", 11.0),
        ("a", 1.0),
    ]
    assert finding.savings.confidence is Confidence.EXACT
    assert finding.savings.expected == pytest.approx(12 - 0.05 * 120)


@pytest.mark.parametrize(
    ("severity", "thresholds", "verdict", "shown"),
    [
        ("error", "fail_above: 2", Verdict.FAIL, Severity.ERROR),
        ("error", "warn_above: 2", Verdict.WARN, Severity.WARNING),
        ("error", "warn_above: 1, fail_above: 2", Verdict.FAIL, Severity.ERROR),
        ("error", "warn_above: 2, fail_above: 9", Verdict.WARN, Severity.WARNING),
        ("warning", "fail_above: 2", Verdict.WARN, Severity.WARNING),
        ("note", "fail_above: 2", Verdict.WARN, Severity.NOTE),
    ],
)
def test_only_errors_fail(severity: str, thresholds: str, verdict: Verdict, shown: Severity) -> None:
    report = run("policies:\n" + rule(more=f"{thresholds}, severity: {severity}"), memory(ROWS))
    assert (report.verdict, report.findings[0].verdict, report.findings[0].severity) == (
        verdict,
        verdict,
        shown,
    )


def test_floors_count_what_they_leave_out() -> None:
    rows = [
        row(model="x/a", total_usage=30.0, request_count=100),
        row(model="x/b", total_usage=30.0, request_count=1),
        row(model="x/c", total_usage=2.0, request_count=100),
        row(model="x/d", total_usage=5.0, request_count=100),
    ]
    text = "policies:\n" + rule(more="fail_above: 99, floor: {spend: 4, requests: 2, share: 0.1}")
    (policy,) = run(text, memory(rows)).policies
    assert (policy.rows_seen, policy.rows_judged, policy.rows_under_floor) == (4, 1, 3)
    assert (policy.judged_spend_usd, policy.spend_under_floor_usd) == (30.0, 37.0)


def test_rows_without_tokens_are_left_out_and_counted() -> None:
    rows = [*ROWS, row(api_key_id="a", model="x/image", total_usage=5.0, tokens_total=None)]
    (policy,) = run("policies:\n" + rule(), memory(rows)).policies
    assert (policy.rows_seen, policy.rows_judged, policy.rows_not_applicable) == (3, 2, 1)
    assert "1 not judged: nothing to divide by" in policy.notes


def test_nothing_that_can_be_measured_is_inconclusive() -> None:
    rows = [row(model="x/image", total_usage=5.0, tokens_total=0), row(model="x/tiny", total_usage=1.0)]
    report = run("policies:\n" + rule(more="fail_above: 2, floor: {spend: 2}"), memory(rows))
    assert [item.reason for item in report.inconclusive] == [Reason.NOTHING_JUDGED]


def test_everything_under_the_floor_passes_and_says_so() -> None:
    (policy,) = run("policies:\n" + rule(more="fail_above: 2, floor: {spend: 1000}"), memory(ROWS)).policies
    assert (policy.verdict, policy.rows_judged, policy.rows_under_floor) == (Verdict.PASS, 0, 2)
    assert policy.spend_under_floor_usd == 120.0


def test_coverage_is_what_some_policy_judged() -> None:
    text = "policies:\n" + rule("one", "fail_above: 99, where: {model: x/cheap}") + rule(
        "two", "fail_above: 9, by: [api_key_id, model], where: {api_key_id: a}", "cost-per-request"
    )  # fmt: skip
    report = run(text, memory(ROWS, catalogue=CATALOG))
    assert report.coverage.judged_spend_usd == 20.0 + 90.0
    assert report.coverage.share == pytest.approx(110 / 120)


def test_the_worst_policy_is_the_verdict() -> None:
    passing, failing = rule("one", "fail_above: 99"), rule("two", "fail_above: 2")
    lost = rule("three", "fail_above: 2, where: {model: nothing}")
    assert run("policies:\n" + passing, memory(ROWS)).verdict == "pass"
    assert run("policies:\n" + passing + lost, memory(ROWS)).verdict == "inconclusive"
    assert run("policies:\n" + passing + lost + failing, memory(ROWS)).verdict == "fail"


# Waivers -------------------------------------------------------------------------------------------------

WAIVER = """
waivers:
  - {policy: outlier, until: %s, reason: agreed, owner: finance%s}
"""


@pytest.mark.parametrize(
    ("until", "more", "state", "status"),
    [
        ("2026-12-31", "", WaiverState.ACTIVE, Status.WAIVED),
        ("2026-06-25", "", WaiverState.ACTIVE, Status.WAIVED),
        ("2026-06-24", "", WaiverState.EXPIRING, Status.WAIVED),
        ("2026-06-10", "", WaiverState.EXPIRING, Status.WAIVED),
        ("2026-06-09", "", WaiverState.EXPIRED, Status.OPEN),
        ("2026-12-31", ", max_spend: 100", WaiverState.ACTIVE, Status.WAIVED),
        ("2026-12-31", ", max_spend: 99.99", WaiverState.EXCEEDED, Status.OPEN),
        ("2026-12-31", ", where: {model: x/dear}", WaiverState.ACTIVE, Status.WAIVED),
        ("2026-12-31", ", where: {model: x/cheap}", WaiverState.UNUSED, Status.OPEN),
        ("2026-12-31", ", where: {api_key_id: a}", WaiverState.UNUSED, Status.OPEN),
    ],
)
def test_waivers(until: str, more: str, state: WaiverState, status: Status) -> None:
    report = run("policies:\n" + rule() + WAIVER % (until, more), memory(ROWS, catalogue=CATALOG))
    (waiver,) = report.waivers
    assert (waiver.state, report.findings[0].status) == (state, status)
    assert report.verdict == ("pass" if status is Status.WAIVED else "fail")
    if state is not WaiverState.UNUSED:
        assert (waiver.findings, waiver.spend_usd) == (1, 100.0)


def test_locked_policies_cannot_be_waived() -> None:
    text = "policies:\n" + rule(more="fail_above: 2, locked: true") + WAIVER % ("2026-12-31", "")
    report = run(text, memory(ROWS))
    assert (report.waivers[0].state, report.verdict) == (WaiverState.REFUSED, "fail")


def test_waived_dollars_stay_visible_and_leave_the_net() -> None:
    text = "policies:\n" + rule(more="fail_above: 2, replacement: x/cheap")
    open_report = run(text, memory(ROWS, catalogue=CATALOG))
    waived_report = run(text + WAIVER % ("2026-12-31", ""), memory(ROWS, catalogue=CATALOG))
    assert waived_report.savings.net_expected == 0.0
    assert waived_report.savings.gross == 0.0
    assert waived_report.savings.waived == open_report.savings.net_expected > 0
    assert waived_report.findings[0].savings.expected == open_report.findings[0].savings.expected


# History -------------------------------------------------------------------------------------------------


def weeks(key: str, spends: list[float], first: str = "2026-04-06") -> list[dict[str, Any]]:
    start = date.fromisoformat(first)
    return [
        row(
            date=(start + timedelta(weeks=number)).isoformat(),
            api_key_id=key,
            model="x/cheap-20260101",
            total_usage=usd,
        )
        for number, usd in enumerate(spends)
        if usd
    ]


GROWTH = "policies: [{id: growth, rule: spend-growth, window: last-week, %s}]"


def test_growth_compares_the_last_week_with_the_eight_before() -> None:
    source = memory(weeks("a", [100.0] * 8 + [300.0]) + weeks("b", [1000.0] * 9))
    report = run(GROWTH % "fail_above: 2", source)
    (finding,) = report.findings
    assert finding.subject == {"api_key_id": "a"}
    assert finding.measure.value == 3.0
    assert finding.exposure_usd_per_month == pytest.approx((300 - 2 * 100) * 30.4375 / 7)
    assert [driver.subject for driver in finding.drivers] == [{"model": "x/cheap-20260101"}]


def test_growth_names_what_is_new() -> None:
    source = memory(weeks("a", [100.0] * 9) + weeks("new", [0.0] * 6 + [50.0, 50.0, 500.0]))
    report = run(GROWTH % "fail_above: 2", source)
    assert report.verdict == "pass"
    assert report.policies[0].notes == (
        "1 not judged: new, without a history to compare with",
        "new: new (500.00), USD in the window",
    )


def test_growth_without_history_is_inconclusive() -> None:
    report = run(GROWTH % "fail_above: 2", memory(weeks("a", [0.0] * 6 + [100.0] * 3)))
    assert [item.reason for item in report.inconclusive] == [Reason.TOO_LITTLE_HISTORY]


@pytest.mark.parametrize("window", ["last-7d", "2026-06-02..2026-06-09", "this-month"])
def test_growth_takes_complete_periods_only(window: str) -> None:
    report = run(GROWTH % "fail_above: 2", memory(weeks("a", [100.0] * 9)), window=window)
    assert [item.reason for item in report.inconclusive] == [Reason.UNSUITABLE_WINDOW]


# The run -------------------------------------------------------------------------------------------------


def test_the_order_of_policies_and_rows_does_not_matter() -> None:
    lines = [
        rule("one", "fail_above: 2, replacement: x/cheap"),
        rule("two", "fail_above: 0.001", "cost-per-request"),
        rule("three", "models: x/dear", "model-ban"),
        rule("four", "fail_below: 0.5, prompt_heavy: {prompt_per_completion_above: 1}", "cache-hit-rate"),
    ]
    shuffle = random.Random(1)  # noqa: S311 - an order, not a secret
    first = run("policies:\n" + "".join(lines), memory(ROWS, catalogue=CATALOG))
    for _ in range(5):
        shuffle.shuffle(lines)
        rows = shuffle.sample(ROWS, len(ROWS))
        again = run("policies:\n" + "".join(lines), memory(rows, catalogue=CATALOG))
        assert [(item.fingerprint, item.savings) for item in again.findings] == [
            (item.fingerprint, item.savings) for item in first.findings
        ]
        assert again.savings == first.savings


def test_the_findings_shares_add_up_to_the_net() -> None:
    text = "policies:\n" + rule("one") + rule("two", "models: x/dear", "model-ban")
    report = run(text, memory(ROWS, catalogue=CATALOG))
    shares = [finding.savings.net or 0.0 for finding in report.findings]
    assert sum(shares) == pytest.approx(report.savings.net_expected)
    assert report.savings.gross >= report.savings.net_expected
    assert shares == sorted(shares, reverse=True)


def test_verify_carries_the_query_without_the_key() -> None:
    keys = [ApiKey("a", hash_of(1)), ApiKey("b", hash_of(2))]
    rows = [item | {"api_key_hash": hash_of(1 if item["api_key_id"] == "a" else 2)} for item in ROWS]
    text = "policies:\n" + rule("ban", "models: x/dear, where: {api_key_id: a}", "model-ban")
    (finding,) = run(text, memory(rows, catalogue=CATALOG, keys=keys)).findings
    assert finding.verify.query["filters"] == [
        {"field": "api_key_id", "operator": "in", "value": [hash_of(1)]},
        {"field": "model", "operator": "in", "value": ["x/dear-20260101"]},
    ]
    assert "$OPENROUTER_MANAGEMENT_KEY" in finding.verify.curl
    assert "sk-or" not in finding.verify.curl


@pytest.mark.parametrize(
    ("choice", "left"),
    [({"select": ("one",)}, ["one"]), ({"ignore": ("one",)}, ["two"]), ({}, ["one", "two"])],
)
def test_select_and_ignore(choice: dict[str, Any], left: list[str]) -> None:
    report = run("policies:\n" + rule("one") + rule("two"), memory(ROWS), **choice)
    assert [policy.id for policy in report.policies] == left


@pytest.mark.parametrize(
    "choice", [{"select": ("onne",)}, {"ignore": ("x",)}, {"select": ("one",), "ignore": ("one",)}]
)
def test_ids_that_leave_nothing_are_errors(choice: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run("policies:\n" + rule("one"), memory(ROWS), **choice)


def test_names_that_nobody_knows_are_errors() -> None:
    with pytest.raises(PolicyError, match="usage_wbe"):
        run(
            "policies: [{id: m, rule: metric, expression: usage_wbe / total_usage, fail_above: 1}]",
            memory(ROWS),
        )
    with pytest.raises(PolicyError, match="apikey"):
        run("policies: [{id: m, rule: spend-limit, by: [apikey], fail_above: 1}]", memory(ROWS))


def test_a_window_of_the_command_line_replaces_the_policies_own() -> None:
    text = "policies:\n" + rule(more="fail_above: 2, window: last-7d")
    report = run(text, memory(ROWS), window="2026-05-10..2026-05-20")
    assert report.policies[0].window is not None
    assert str(report.policies[0].window) == "2026-05-10T00:00:00Z..2026-05-20T00:00:00Z"
    with pytest.raises(UsageError, match="yesterday"):
        run(text, memory(ROWS), window="yesterday")


class Closed(Memory):
    """A source that refuses what its name says."""

    refused: frozenset[str] = frozenset()

    def meta(self) -> Meta:
        self._refuse("meta")
        return super().meta()

    def directory(self) -> Directory:
        self._refuse("directory")
        return super().directory()

    def catalogue(self) -> Catalog | None:
        self._refuse("catalogue")
        return super().catalogue()

    def _refuse(self, name: str) -> None:
        if name in self.refused:
            raise SourceError(Reason.ACCESS_DENIED, "Only management keys can perform this operation")


def closed(*refused: str) -> Report:
    source = Closed(memory(ROWS)._records, now=NOW, catalogue=CATALOG)  # noqa: SLF001
    source.refused = frozenset(refused)
    text = (
        "policies:\n" + rule("by-model", "fail_above: 9") + rule("by-key", "fail_above: 900", "spend-limit")
    )
    return lint(policies(text), source, Choice())


def test_without_meta_nothing_is_judged_or_asked() -> None:
    report = closed("meta")
    assert [item.reason for item in report.inconclusive] == [Reason.ACCESS_DENIED] * 2
    assert report.queries == ()
    assert report.baseline is None


def test_without_the_list_of_keys_only_policies_about_keys_are_inconclusive() -> None:
    assert {policy.id: policy.verdict for policy in closed("directory").policies} == {
        "by-model": Verdict.PASS,
        "by-key": Verdict.INCONCLUSIVE,
    }


def test_without_a_catalogue_nothing_is_priced_and_the_report_says_so() -> None:
    report = closed("catalogue")
    assert report.verdict == "pass"
    assert "Only management keys" in report.notices[0]
