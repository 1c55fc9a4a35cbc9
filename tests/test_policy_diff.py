"""What a change of one thing does, by the words of the policy language."""

from __future__ import annotations

import pytest
from world import KINDS

from orpolicy.policy.loader import load_texts
from orpolicy.policy_diff.compare import compare
from orpolicy.policy_diff.model import Effect, PolicyDiff

WEAKER, UNCLEAR, STRONGER, NEUTRAL = Effect.WEAKER, Effect.UNCLEAR, Effect.STRONGER, Effect.NEUTRAL
REVERSED = {WEAKER: {STRONGER, UNCLEAR}, STRONGER: {WEAKER}, UNCLEAR: {UNCLEAR, WEAKER}, NEUTRAL: {NEUTRAL}}
"""What undoing a change may be: only widening a scope can be less certain than narrowing it."""

DEAR = "rule: usd-per-mtok, fail_above: 15"
LIMIT = "rule: spend-limit, fail_above: 15"
BAN = "rule: model-ban"
HITS = "rule: cache-hit-rate, fail_below: 0.3"
WEB = "rule: surcharge-share, fail_above: 0.1, components"
HASH = "hash:" + "a" * 64


def diff(old: str, new: str) -> PolicyDiff:
    before, after = (
        load_texts({name: f"version: 1\n{text}".encode()}, KINDS)
        for name, text in (("old.yaml", old), ("new.yaml", new))
    )
    return compare(before, after)


def one(body: str, more: str = "") -> str:
    return f"policies:\n  - {{id: p, {body}}}\n{more}"


def effects(found: PolicyDiff) -> dict[str, Effect]:
    return {change.what: change.effect for change in found.changes}


CASES = [
    # thresholds
    (DEAR, "rule: usd-per-mtok, fail_above: 16", {"fail_above": WEAKER}),
    (DEAR, "rule: usd-per-mtok, warn_above: 15", {"fail_above": WEAKER}),
    (DEAR, "rule: usd-per-mtok, warn_above: 20", {"fail_above": WEAKER, "warn_above": WEAKER}),
    (DEAR, "rule: usd-per-mtok, warn_above: 10", {"fail_above": WEAKER, "warn_above": STRONGER}),
    (DEAR, f"{DEAR}, warn_above: 10", {"warn_above": STRONGER}),
    (f"{DEAR}, warn_above: 10", f"{DEAR}, warn_above: 12", {"warn_above": WEAKER}),
    (f"{DEAR}, warn_above: 10", "rule: usd-per-mtok, fail_above: 10", {"fail_above": STRONGER}),
    (HITS, "rule: cache-hit-rate, fail_below: 0.2", {"fail_below": WEAKER}),
    (HITS, f"{HITS}, warn_below: 0.5", {"warn_below": STRONGER}),
    ("rule: spend-growth", "rule: spend-growth, fail_above: 2", {}),
    ("rule: spend-growth", "rule: spend-growth, fail_above: 3", {"fail_above": WEAKER}),
    (f"{BAN}, models: a/b", f"{BAN}, models: a/b, fail_above: 5", {"fail_above": WEAKER}),
    # severity, floor, switches
    (DEAR, f"{DEAR}, severity: error", {}),
    (DEAR, f"{DEAR}, severity: note", {"severity": WEAKER}),
    (f"{DEAR}, severity: note", f"{DEAR}, severity: warning", {"severity": STRONGER}),
    (DEAR, f"{DEAR}, floor: {{spend: 1}}", {"floor.spend": WEAKER}),
    (DEAR, f"{DEAR}, floor: {{requests: 1}}", {"floor.requests": WEAKER}),
    (f"{DEAR}, floor: {{share: 0.2}}", f"{DEAR}, floor: {{share: 0.1}}", {"floor.share": STRONGER}),
    (DEAR, f"{DEAR}, allow_empty: true", {"allow_empty": WEAKER}),
    (DEAR, f"{DEAR}, locked: true", {"locked": STRONGER}),
    # scope
    (DEAR, f"{DEAR}, where: {{model: a/*}}", {"where.model": WEAKER}),
    (f"{DEAR}, where: {{model: a/*}}", DEAR, {"where.model": STRONGER}),
    (f"{DEAR}, where: {{model: a/*}}", f"{DEAR}, where: {{model: [A/*, a/b]}}", {}),
    (f"{DEAR}, where: {{model: 'a/b:batch'}}", f"{DEAR}, where: {{model: a/b}}", {"where.model": UNCLEAR}),
    (f"{DEAR}, where: {{app: x}}", DEAR, {"where.app": UNCLEAR}),
    (f"{LIMIT}, where: {{app: x}}", LIMIT, {"where.app": STRONGER}),
    (f"{LIMIT}, where: {{app: x}}", f"{LIMIT}, where: {{app: y}}", {"where.app": UNCLEAR}),
    (
        f"{LIMIT}, where: {{api_key_id: [b-*, p-*]}}",
        f"{LIMIT}, where: {{api_key_id: b-*}}",
        {"where.api_key_id": WEAKER},
    ),
    (LIMIT, f"{LIMIT}, where: {{app: {{not: x}}}}", {"where.app": WEAKER}),
    (
        f"{LIMIT}, where: {{app: {{not: x*}}}}",
        f"{LIMIT}, where: {{app: {{not: xy}}}}",
        {"where.app": STRONGER},
    ),
    (
        f"{LIMIT}, where: {{app: x}}",
        f"{LIMIT}, where: {{user: x}}",
        {"where.app": STRONGER, "where.user": WEAKER},
    ),
    # what a subject is, and when
    (DEAR, f"{DEAR}, by: [model]", {}),
    (f"{DEAR}, by: [model, api_key_id]", f"{DEAR}, by: [api_key_id, model]", {}),
    (f"{DEAR}, by: [model, api_key_id]", DEAR, {"by": UNCLEAR}),
    (DEAR, f"{DEAR}, by: [api_key_id]", {"by": UNCLEAR}),
    (DEAR, f"{DEAR}, window: last-month", {}),
    (DEAR, f"{DEAR}, window: last-7d", {"window": UNCLEAR}),
    # a kind's own keys
    (f"{BAN}, models: [a/*, b/c]", f"{BAN}, models: a/*", {"models": WEAKER}),
    (f"{BAN}, models: ['@preview', b/c]", f"{BAN}, models: ['@preview']", {"models": WEAKER}),
    (f"{BAN}, models: '@free'", f"{BAN}, models: a/*", {"models": UNCLEAR}),
    (f"{BAN}, models: b/c", f"{BAN}, models: [B/C]", {}),
    (f"{WEB}: [web, file]", f"{WEB}: [web]", {"components": WEAKER}),
    (f"{WEB}: [web, file]", f"{WEB}: [web_fetch]", {"components": UNCLEAR}),
    (f"{WEB}: [web, file]", f"{WEB}: [file, web]", {"components": NEUTRAL}),
    (HITS, f"{HITS}, prompt_heavy: {{prompt_per_completion_above: 10}}", {"prompt_heavy": NEUTRAL}),
    (HITS, f"{HITS}, prompt_heavy: {{prompt_per_completion_above: 12}}", {"prompt_heavy": WEAKER}),
    ("rule: spend-growth", "rule: spend-growth, baseline_periods: 5", {"baseline_periods": UNCLEAR}),
    (
        "rule: metric, fail_above: 1, expression: usage_web / total_usage",
        "rule: metric, fail_above: 1, expression: usage_web   /   total_usage",
        {"expression": NEUTRAL},
    ),
    (
        "rule: metric, fail_above: 1, expression: usage_web / total_usage",
        "rule: metric, fail_above: 1, expression: usage_file / total_usage",
        {"expression": UNCLEAR},
    ),
    # words
    (DEAR, f"{DEAR}, title: T, why: W, owner: o, link: 'https://x.example'",
     {"title": NEUTRAL, "why": NEUTRAL, "owner": NEUTRAL, "link": NEUTRAL}),
    (DEAR, f"{DEAR}, replacement: a/b", {"replacement": NEUTRAL}),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_each_change_has_its_effect(old: str, new: str, expected: dict[str, Effect]) -> None:
    assert effects(diff(one(old), one(new))) == expected


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_undoing_a_change_has_the_opposite_effect(old: str, new: str, expected: dict[str, Effect]) -> None:
    undone = effects(diff(one(new), one(old)))
    assert undone.keys() == expected.keys()
    assert all(undone[what] in REVERSED[effect] for what, effect in expected.items())


@pytest.mark.parametrize("text", sorted({text for old, new, _ in CASES for text in (old, new)}))
def test_a_set_held_against_itself_says_nothing(text: str) -> None:
    assert diff(one(text), one(text)).changes == ()


WAIVER = "waivers:\n  - {policy: p, reason: r, owner: o, "
WAIVERS = [
    ("", WAIVER + "until: 2026-07-01}", {"waiver": WEAKER}),
    (WAIVER + "until: 2026-07-01}", WAIVER + "until: 2026-07-02}", {"waiver.until": WEAKER}),
    (
        WAIVER + "until: 2026-07-01, max_spend: 5}",
        WAIVER + "until: 2026-07-01}",
        {"waiver.max_spend": WEAKER},
    ),
    (
        WAIVER + "until: 2026-07-01, max_spend: 5}",
        WAIVER + "until: 2026-07-01, max_spend: 4}",
        {"waiver.max_spend": STRONGER},
    ),
    (
        WAIVER + "until: 2026-07-01, where: {model: a/b}}",
        WAIVER + "until: 2026-07-01}",
        {"waiver.where.model": WEAKER},
    ),
    (
        WAIVER + "until: 2026-07-01, where: {model: a/b}}",
        WAIVER + "until: 2026-07-01, where: {model: a/*}}",
        {"waiver.where.model": WEAKER},
    ),
    (
        WAIVER + "until: 2026-07-01, where: {model: a/b}}",
        WAIVER + "until: 2026-07-01, where: {model: a/c}}",
        {"waiver.where.model": UNCLEAR},
    ),
    (
        WAIVER + "until: 2026-07-01, where: {model: a/b}}",
        WAIVER + "until: 2026-07-01, where: {model: [A/B]}}",
        {"waiver.where.model": NEUTRAL},
    ),
    (
        WAIVER + "until: 2026-07-01}",
        WAIVER.replace("reason: r, owner: o", "reason: s, owner: x") + "until: 2026-07-01}",
        {"waiver.reason": NEUTRAL, "waiver.owner": NEUTRAL},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), WAIVERS)
def test_whatever_waives_more_weakens(old: str, new: str, expected: dict[str, Effect]) -> None:
    known = {
        what: effect for what, effect in expected.items() if "where" not in what or effect is not NEUTRAL
    }
    found, undone = diff(one(DEAR, old), one(DEAR, new)), diff(one(DEAR, new), one(DEAR, old))
    assert effects(found) == known
    assert effects(undone) == {what: effect.opposite for what, effect in known.items()}


def test_waivers_of_the_same_subjects_are_the_same_waiver_in_any_order() -> None:
    first = "  - {policy: p, reason: r, owner: o, until: 2026-07-01, where: {model: a/b}}\n"
    second = "  - {policy: p, reason: r, owner: o, until: 2026-08-01, where: {model: c/d}}\n"
    old, new = (one(DEAR, "waivers:\n" + both) for both in (first + second, second + first))
    assert diff(old, new).changes == ()
    assert effects(diff(one(DEAR, "waivers:\n" + first), old)) == {"waiver": WEAKER}
    (change,) = diff(one(DEAR, "waivers:\n" + first), old).changes
    assert change.after == "model c/d until 2026-08-01"
    assert change.places.old is None
    assert str(change.places.new) == "new.yaml:6:5"


def test_a_waiver_says_how_much_it_lets_pass() -> None:
    (change,) = diff(one(DEAR), one(DEAR, WAIVER + "until: 2026-07-01, max_spend: 500}")).changes
    assert change.after == "every subject until 2026-07-01, up to 500 USD a month"


def test_a_new_policy_may_come_with_a_waiver() -> None:
    old = "policies:\n  - {id: q, rule: spend-growth}\n"
    new = old + f"  - {{id: p, {DEAR}}}\n{WAIVER}until: 2026-07-01}}"
    assert effects(diff(old, new)) == {"policy": STRONGER, "waiver": NEUTRAL}
    assert effects(diff(new, old)) == {"policy": WEAKER, "waiver": NEUTRAL}


def test_places_are_those_of_the_key_on_both_sides() -> None:
    old = "policies:\n  - id: p\n    rule: usd-per-mtok\n    fail_above: 15\n"
    new = "\n\n" + old.replace("15", "30")
    (change,) = diff(old, new).changes
    assert [str(change.places.old), str(change.places.new)] == ["old.yaml:5:17", "new.yaml:7:17"]
    assert (change.before, change.after) == ("15", "30")


def test_a_policy_of_another_kind_is_one_less_and_one_more() -> None:
    found = diff(one(DEAR), one(LIMIT))
    assert [(change.effect, change.what, change.note) for change in found.changes] == [
        (WEAKER, "rule", "usd-per-mtok is no longer checked"),
        (STRONGER, "rule", "spend-limit is checked now"),
    ]


def test_a_policy_with_another_id_and_the_same_content_is_renamed() -> None:
    waived = WAIVER + "until: 2026-07-01}"
    found = diff(
        one(DEAR, waived), one(DEAR, waived).replace("id: p", "id: q").replace("policy: p", "policy: q")
    )
    assert [(change.effect, change.what, change.before, change.after) for change in found.changes] == [
        (NEUTRAL, "id", "p", "q")
    ]
    assert found.renamed == {"p": "q"}


@pytest.mark.parametrize(
    "body", ["rule: usd-per-mtok, fail_above: 16", f"{DEAR}, where: {{app: x}}", f"{DEAR}, locked: true"]
)
def test_a_policy_with_another_id_and_other_content_is_removed(body: str) -> None:
    found = diff(one(DEAR), one(body).replace("id: p", "id: q"))
    assert [(change.effect, change.policy, change.what) for change in found.changes] == [
        (WEAKER, "p", "policy"),
        (STRONGER, "q", "policy"),
    ]
    assert found.renamed == {}


def test_a_renamed_policy_whose_set_shrank_is_removed() -> None:
    ban = "policies:\n  - {id: p, rule: model-ban, models: '@mine'}\nmodel_sets: {mine: [a/b, c/d]}\n"
    new = ban.replace("id: p", "id: q").replace(", c/d", "")
    assert effects(diff(ban, ban.replace("id: p", "id: q"))) == {"id": NEUTRAL}
    assert diff(ban, new).of(WEAKER)[0].note == "policy removed"


def test_one_of_two_equal_policies_is_renamed_and_the_other_removed() -> None:
    old = f"policies:\n  - {{id: a, {DEAR}}}\n  - {{id: b, {DEAR}}}\n"
    found = diff(old, f"policies:\n  - {{id: c, {DEAR}}}\n")
    assert [(change.effect, change.policy, change.what) for change in found.changes] == [
        (WEAKER, "b", "policy"),
        (NEUTRAL, "c", "id"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("key_sets: {s: [a, b]}", "key_sets: {s: [a]}", {"where.api_key_id": WEAKER}),
        ("key_sets: {s: [a]}", "key_sets: {s: [a, b]}", {"where.api_key_id": STRONGER}),
        ("key_sets: {s: [a, b]}", "key_sets: {t: [b, a], s: ['@t']}", {}),
        (f"key_sets: {{s: ['{HASH}']}}", "key_sets: {s: [h*]}", {"where.api_key_id": UNCLEAR}),
        (f"key_sets: {{s: ['{HASH}']}}", "key_sets: {s: ['*']}", {"where.api_key_id": STRONGER}),
    ],
)
def test_sets_count_by_what_they_hold(old: str, new: str, expected: dict[str, Effect]) -> None:
    body = f"{LIMIT}, where: {{api_key_id: '@s'}}"
    assert effects(diff(one(body, old), one(body, new))) == expected


def test_a_built_in_set_that_is_replaced_cannot_be_told() -> None:
    body = f"{BAN}, models: '@preview'"
    assert effects(diff(one(body), one(body, "model_sets: {preview: [a/b]}"))) == {"models": UNCLEAR}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("floor: {spend: 5}", "floor: {spend: 10}", {"floor.spend": WEAKER}),
        ("window: last-month", "window: last-week", {"window": UNCLEAR}),
        ("severity: error", "severity: note", {"severity": WEAKER}),
    ],
)
def test_defaults_count_by_what_they_do(old: str, new: str, expected: dict[str, Effect]) -> None:
    found = diff(one(DEAR, f"defaults: {{{old}}}"), one(DEAR, f"defaults: {{{new}}}"))
    assert effects(found) == expected
    own = f"{DEAR}, {old}"
    assert diff(one(own, f"defaults: {{{old}}}"), one(own, f"defaults: {{{new}}}")).changes == ()


def test_the_worst_comes_first() -> None:
    found = diff(
        one(f"{DEAR}, title: old, allow_empty: true"),
        one(f"{DEAR}, title: new, window: last-7d, floor: {{spend: 1}}"),
    )
    assert [change.effect for change in found.changes] == [WEAKER, UNCLEAR, STRONGER, NEUTRAL]
    assert found.weakens
    assert not diff(one(DEAR), one(f"{DEAR}, title: new")).weakens
    assert diff(one(DEAR), one(f"{DEAR}, window: last-7d")).weakens
