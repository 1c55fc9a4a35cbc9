"""Which rows a policy is about, and what is asked for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from world import NOW, catalog, hash_of, memory, model, row, run

from orpolicy.account import ApiKey
from orpolicy.query.model import Operator
from orpolicy.sources.memory import Memory

if TYPE_CHECKING:
    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report


def verdicts(report: Report) -> dict[str, str]:
    return {policy.id: policy.verdict.value for policy in report.policies}


def subjects(report: Report) -> list[dict[str, str | None]]:
    return sorted((finding.subject for finding in report.findings), key=str)


def reasons(report: Report) -> dict[str, str]:
    return {item.policy: item.reason.value for item in report.inconclusive}


def limit(where: str = "", by: str = "[api_key_id]", more: str = "") -> str:
    selector = f"    where: {where}\n" if where else ""
    return f"""
policies:
  - id: limit
    rule: spend-limit
    by: {by}
    fail_above: 50
{selector}{more}"""


ROWS = [
    row(api_key_id=key, model=name, variant=variant, app=app, user=user, total_usage=usd)
    for key, name, variant, app, user, usd in [
        ("batch-a", "x/one", "standard", "web", "Ada <ada@x.com>", 60.0),
        ("batch-b", "x/two", "batch", "cli", "bob@x.com", 70.0),
        ("Prod", "x/one", "batch", "web", None, 80.0),
        (None, "x/two", "standard", None, "Cy <cy@x.com>", 90.0),
    ]
]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ["Prod", "batch-a", "batch-b", None]),
        ('{api_key_id: "batch-*"}', ["batch-a", "batch-b"]),
        ('{api_key_id: "BATCH-?"}', ["batch-a", "batch-b"]),
        ("{api_key_id: prod}", ["Prod"]),
        ('{api_key_id: {not: "batch-*"}}', ["Prod", None]),
        ('{api_key_id: ["batch-*", {not: batch-b}]}', ["batch-a"]),
        ('{api_key_id: "@batch"}', ["batch-a", "batch-b"]),
        ('{api_key_id: {not: "@batch"}}', ["Prod", None]),
        ('{api_key_id: "?*"}', ["Prod", "batch-a", "batch-b"]),
        ('{model: x/one, api_key_id: "batch-*"}', ["batch-a"]),
        ("{app: web}", ["Prod", "batch-a"]),
        ("{user: ada@x.com}", ["batch-a"]),
        ('{user: "Ada"}', ["batch-a"]),
        ('{user: "*@x.com"}', ["batch-a", "batch-b", None]),
        ("{variant: batch}", ["Prod", "batch-b"]),
    ],
)  # fmt: skip
def test_where_selects_by_what_people_see(where: str, expected: list[str | None]) -> None:
    sets = 'key_sets:\n  batch: ["batch-*"]\n'
    report = run(sets + limit(where), memory(ROWS))
    assert [subject["api_key_id"] for subject in subjects(report)] == expected


@pytest.mark.parametrize("where", ["{api_key_id: nightly-*}", "{model: y/*}", '{app: "?????"}'])
def test_matching_nothing_is_inconclusive(where: str) -> None:
    report = run(limit(where), memory(ROWS))
    assert (verdicts(report), reasons(report)) == ({"limit": "inconclusive"}, {"limit": "nothing-matched"})


def test_unless_the_policy_allows_it() -> None:
    report = run(limit("{api_key_id: nightly-*}", more="    allow_empty: true\n"), memory(ROWS))
    assert verdicts(report) == {"limit": "pass"}
    assert report.policies[0].rows_seen == 0


def test_a_third_dimension_becomes_a_filter_on_what_it_matches() -> None:
    report = run(limit('{variant: "bat*"}', by="[api_key_id, model]"), memory(ROWS))
    assert [tuple(subject.values()) for subject in subjects(report)] == [
        ("Prod", "x/one"),
        ("batch-b", "x/two"),
    ]
    filters = [query.request.get("filters") for query in report.queries]
    assert [{"field": "variant", "operator": "in", "value": ["batch"]}] in filters


def test_a_pushed_selector_that_matches_nothing_is_inconclusive() -> None:
    report = run(limit("{variant: thinking}", by="[api_key_id, model]"), memory(ROWS))
    assert reasons(report) == {"limit": "nothing-matched"}


def test_names_that_no_filter_takes_are_inconclusive() -> None:
    report = run(limit("{app: web}", by="[api_key_id, model]"), memory(ROWS))
    assert reasons(report) == {"limit": "not-answerable"}
    assert "app" in report.inconclusive[0].detail


def test_traffic_without_a_member_cannot_be_filtered_for() -> None:
    report = run(limit('{api_key_id: {not: "batch-*"}}', by="[app, model]"), memory(ROWS))
    assert reasons(report) == {"limit": "not-answerable"}


def test_a_key_pattern_on_other_dimensions_filters_by_hash() -> None:
    keys = [ApiKey("batch-a", hash_of(1)), ApiKey("batch-b", hash_of(2)), ApiKey("Prod", hash_of(3))]
    rows = [
        item | {"api_key_hash": value}
        for item, value in zip(ROWS, [*map(hash_of, (1, 2, 3)), None], strict=True)
    ]
    report = run(limit('{api_key_id: "batch-*"}', by="[app, model]"), memory(rows, keys=keys))
    assert [tuple(subject.values()) for subject in subjects(report)] == [("cli", "x/two"), ("web", "x/one")]
    assert [{"field": "api_key_id", "operator": "in", "value": [hash_of(1), hash_of(2)]}] in [
        query.request.get("filters") for query in report.queries
    ]


def test_a_matching_key_that_the_account_no_longer_lists_is_inconclusive() -> None:
    report = run(
        limit('{api_key_id: "batch-*"}', by="[app, model]"),
        memory(ROWS, keys=[ApiKey("batch-a", hash_of(1))]),
    )
    assert reasons(report) == {"limit": "unresolved-filter"}
    assert "batch-b" in report.inconclusive[0].detail


# Two keys of one name ------------------------------------------------------------------------------------

NAMESAKES = [
    ApiKey("ci", hash_of(1), "w-1", "Research"),
    ApiKey("ci", hash_of(2), "w-2", "Product"),
    ApiKey("prod", hash_of(3), "w-2", "Product"),
]


def keyed(name: str, number: int | None, **values: Any) -> dict[str, Any]:
    return row(api_key_id=name, api_key_hash=hash_of(number) if number else None, **values)


NAMESAKE_ROWS = [
    keyed("ci", 1, model="x/one", total_usage=60.0),
    keyed("ci", 2, model="x/one", total_usage=40.0),
    keyed("ci", 2, model="x/two", total_usage=30.0),
    keyed("prod", 3, model="x/one", total_usage=20.0),
]


def test_two_keys_of_one_name_stay_two_subjects() -> None:
    report = run(limit(), memory(NAMESAKE_ROWS, keys=NAMESAKES))
    assert subjects(report) == [
        {"api_key_id": "ci", "workspace": "Product"},
        {"api_key_id": "ci", "workspace": "Research"},
    ]
    assert sorted(finding.spend_usd for finding in report.findings) == [60.0, 70.0]
    assert len({finding.fingerprint for finding in report.findings}) == 2


def test_also_where_the_workspace_does_not_tell_them_apart() -> None:
    keys = [ApiKey("ci", hash_of(n), "w", "Research") for n in (1, 2)] + [NAMESAKES[2]]
    report = run(limit(), memory(NAMESAKE_ROWS, keys=keys))
    assert [subject["key_hash"] for subject in subjects(report)] == [hash_of(1), hash_of(2)]


def test_a_deleted_namesake_makes_the_name_ambiguous() -> None:
    rows = [*NAMESAKE_ROWS, keyed("ci", 9, model="x/one", total_usage=500.0)]
    report = run(limit(), memory(rows, keys=NAMESAKES))
    assert reasons(report) == {"limit": "ambiguous-key"}


def test_which_does_not_matter_to_policies_that_do_not_look_at_keys() -> None:
    rows = [*NAMESAKE_ROWS, keyed("ci", 9, model="x/one", total_usage=500.0)]
    report = run(limit('{api_key_id: "ci*"}', by="[model]"), memory(rows, keys=NAMESAKES))
    assert [(finding.subject, finding.spend_usd) for finding in report.findings] == [
        ({"model": "x/one"}, 600.0)
    ]


def test_a_hash_selects_one_key_exactly() -> None:
    report = run(limit(f'{{api_key_id: "hash:{hash_of(2)}"}}'), memory(NAMESAKE_ROWS, keys=NAMESAKES))
    assert [(finding.subject["workspace"], finding.spend_usd) for finding in report.findings] == [
        ("Product", 70.0)
    ]


def test_and_leaves_it_out_exactly() -> None:
    text = limit(f'{{api_key_id: ["ci", {{not: "hash:{hash_of(2)}"}}]}}')
    report = run(text, memory(NAMESAKE_ROWS, keys=NAMESAKES))
    assert [finding.subject["workspace"] for finding in report.findings] == ["Research"]


def test_a_hash_that_no_key_has_is_inconclusive() -> None:
    report = run(limit(f'{{api_key_id: "hash:{hash_of(77)}"}}'), memory(NAMESAKE_ROWS, keys=NAMESAKES))
    assert reasons(report) == {"limit": "unresolved-filter"}


def test_a_fingerprint_outlives_a_new_name() -> None:
    renamed = [keyed("prod-2", 3, model="x/one", total_usage=60.0)]
    before = run(limit(), memory([keyed("prod", 3, model="x/one", total_usage=60.0)], keys=[NAMESAKES[2]]))
    after = run(limit(), memory(renamed, keys=[ApiKey("prod-2", hash_of(3), "w-2", "Product")]))
    assert before.findings[0].subject != after.findings[0].subject
    assert before.findings[0].fingerprint == after.findings[0].fingerprint


# Models, variants and sets -------------------------------------------------------------------------------


def ban(models: str, more: str = "") -> str:
    return f"""
policies:
  - id: ban
    rule: model-ban
    models: {models}
{more}"""


VARIANTS = [
    row(api_key_id="a", model="x/one-20260101", variant="standard", total_usage=10.0),
    row(api_key_id="a", model="x/one-20260101", variant="batch", total_usage=5.0),
    row(api_key_id="b", model="x/two-20260101", variant="free", total_usage=0.0),
]
CATALOG = catalog(
    model("x/uno", 1, 2, canonical_slug="x/one-20260101"),
    model("x/uno:batch", 0.5, 1, canonical_slug="x/one-20260101"),
    model("x/two:free", 0, 0, canonical_slug="x/two-20260101"),
    model("x/three-preview", 9, 9),
)


@pytest.mark.parametrize(
    ("models", "spend"),
    [
        ("x/uno", [15.0]),
        ("x/one", [15.0]),
        ("x/one-20260101", [15.0]),
        ("X/UNO", [15.0]),
        ("x/uno:batch", [5.0]),
        ('["x/uno:batch", "x/uno:standard"]', [15.0]),
        ('["x/uno:batch", "x/two"]', [0.0, 5.0]),
        ('"@free"', [0.0]),
        ('"*:free"', [0.0]),
        ("x/uno:thinking", []),
        ('"@preview"', []),
    ],
)
def test_models_match_by_id_permaslug_undated_and_variant(models: str, spend: list[float]) -> None:
    report = run(ban(models), memory(VARIANTS, catalogue=CATALOG))
    assert sorted(finding.spend_usd for finding in report.findings) == spend
    assert verdicts(report) == {"ban": "fail" if spend else "pass"}


def test_by_model_the_variant_is_a_second_dimension() -> None:
    report = run(ban("x/uno:batch", "    by: [model]\n"), memory(VARIANTS, catalogue=CATALOG))
    assert [finding.spend_usd for finding in report.findings] == [5.0]
    assert ["model", "variant"] in [query.request["dimensions"] for query in report.queries]


def test_traffic_without_a_variant_is_among_the_others() -> None:
    rows = [*VARIANTS, row(api_key_id="c", model="x/one-20260101", variant=None, total_usage=50.0)]
    report = run(ban('["x/uno:batch", "x/two"]'), memory(rows, catalogue=CATALOG))
    assert sorted(finding.spend_usd for finding in report.findings) == [0.0, 5.0]
    assert report.policies[0].rows_seen == 2


class Forgetful(Memory):
    """A source that loses what has no variant, as SQL does where nobody thinks of NULL."""

    def answer(self, query: Query) -> Answer:
        answer = super().answer(query)
        if any(item.operator is Operator.NOT_IN for item in query.filters):
            return replace(answer, table=answer.table.keep([]))
        return answer


def test_variants_asked_apart_must_be_all_traffic() -> None:
    source = Forgetful(memory(VARIANTS)._records, now=NOW, catalogue=CATALOG)  # noqa: SLF001
    assert reasons(run(ban("x/uno:batch"), source)) == {"ban": "control-mismatch"}


def test_people_read_the_id_that_callers_send() -> None:
    report = run(ban("x/uno"), memory(VARIANTS, catalogue=CATALOG))
    assert subjects(report) == [{"api_key_id": "a", "model": "x/uno"}]


@pytest.mark.parametrize("name", ["preview", "free", "frontier", "expiring"])
def test_built_in_sets_need_a_catalogue(name: str) -> None:
    report = run(ban(f'"@{name}"'), memory(VARIANTS))
    assert reasons(report) == {"ban": "no-catalogue"}


def test_and_can_be_replaced() -> None:
    text = 'model_sets: {preview: ["x/two"]}' + ban('"@preview"')
    report = run(text, memory(VARIANTS))
    assert [finding.subject["api_key_id"] for finding in report.findings] == ["b"]


def test_a_preview_model_that_left_the_catalogue_is_still_one() -> None:
    rows = [row(api_key_id="a", model="x/gone-preview-20250101", variant="standard", total_usage=3.0)]
    assert verdicts(run(ban('"@preview"'), memory(rows, catalogue=CATALOG))) == {"ban": "fail"}


def test_a_selector_of_an_empty_set_selects_nothing() -> None:
    source = memory(
        [row(api_key_id="a", model="x/one", total_usage=99.0)], catalogue=catalog(model("x/one", 1, 2))
    )
    report = run(limit('{model: "@free"}'), source)
    assert reasons(report) == {"limit": "nothing-matched"}


# What the account lists ----------------------------------------------------------------------------------


def test_a_metric_that_the_account_does_not_list_is_inconclusive() -> None:
    text = "policies: [{id: web, rule: surcharge-share, components: [web], fail_above: 0.1}]"
    report = run(text, memory(ROWS))
    assert reasons(report) == {"web": "unknown-metric"}
    assert "usage_web" in report.inconclusive[0].detail


def test_a_dimension_that_the_account_does_not_list_is_inconclusive() -> None:
    assert reasons(run(limit(by="[provider]"), memory(ROWS))) == {"limit": "unknown-dimension"}


def test_an_account_without_usage_is_inconclusive() -> None:
    rows = [row(date="2026-01-15", api_key_id="a", model="x/one", total_usage=5.0)]
    report = run(limit(), memory(rows))
    assert reasons(report) == {"limit": "empty-window"}
    assert report.verdict == "inconclusive"


def test_possible_metrics_go_by_model_alone() -> None:
    rows = [row(model="x/one", api_key_id="a", total_usage=5.0, possible_cached_tokens=10)]
    expression = """
policies:
  - {id: p, rule: metric, expression: possible_cached_tokens / tokens_prompt, fail_above: 2, by: [%s]}
"""
    assert reasons(run(expression % "api_key_id", memory(rows))) == {"p": "not-answerable"}
    assert verdicts(run(expression % "model", memory(rows))) == {"p": "pass"}


def test_a_pushed_selector_may_match_nothing_where_the_policy_allows_it() -> None:
    text = limit("{variant: thinking}", by="[api_key_id, model]", more="    allow_empty: true\n")
    assert verdicts(run(text, memory(ROWS))) == {"limit": "pass"}


def test_usage_without_a_model_leaves_a_ban_open() -> None:
    rows = [*VARIANTS, row(api_key_id="a", model=None, total_usage=5.0)]
    assert reasons(run(ban("x/uno"), memory(rows, catalogue=CATALOG))) == {"ban": "not-answerable"}
    floored = run(ban("x/uno", "    floor: {spend: 6}\n"), memory(rows, catalogue=CATALOG))
    assert verdicts(floored) == {"ban": "fail"}
