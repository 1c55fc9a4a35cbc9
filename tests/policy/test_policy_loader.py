"""What a run reads, and what only all files together can get wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.errors import PolicyError, UsageError
from orpolicy.location import Location
from orpolicy.policy.files import default_paths, policy_files
from orpolicy.policy.loader import load as load_paths
from orpolicy.policy.loader import load_texts
from orpolicy.policy.model import Floor, Selector, Thresholds
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import PolicySet

    Load = Callable[..., PolicySet]
    Refused = Callable[..., list[str]]

HASH = "0123456789abcdef" * 4
POLICY = "version: 1\npolicies:\n- {id: a, rule: cost, fail_above: 1}\n"


def test_a_policy_says_what_its_file_says(load: Load) -> None:
    (policy,) = load(
        """\
version: 1
policies:
  - id: no-preview
    rule: ban
    title: No previews
    why: |
      They change.
    owner: data
    link: https://example.com/why
    severity: note
    window: {start: 2026-05-01, end: 2026-06-01}
    by: [api_key_id]
    where:
      api_key_id: ["batch-*", {not: [batch-9, batch-8]}]
      app: {not: chat}
      user: alice
    floor: {spend: 5, requests: 10, share: 0.01}
    fail_above: 3
    warn_above: 1.5
    allow_empty: true
    locked: true
    replacement: google/gemini-3-flash
    models: ["@preview"]
    strict: true
"""
    ).policies
    assert (policy.id, policy.rule, policy.title, policy.why) == (
        "no-preview",
        "ban",
        "No previews",
        "They change.",
    )
    assert (policy.owner, policy.link, policy.severity) == ("data", "https://example.com/why", Severity.NOTE)
    assert policy.window == "2026-05-01..2026-06-01"
    assert policy.by == ("api_key_id",)
    assert policy.where == (
        Selector("api_key_id", ("batch-*",), ("batch-9", "batch-8"), Location("a.yaml", 14, 19)),
        Selector("app", (), ("chat",), Location("a.yaml", 15, 12)),
        Selector("user", ("alice",), (), Location("a.yaml", 16, 13)),
    )
    assert policy.floor == Floor(5.0, 10, 0.01)
    assert policy.thresholds == Thresholds(fail_above=3.0, warn_above=1.5)
    assert policy.allow_empty
    assert policy.locked
    assert policy.replacement == "google/gemini-3-flash"
    assert policy.settings == {"models": ["@preview"], "strict": True}
    assert policy.location == Location("a.yaml", 3, 5)
    assert policy.place("fail_above") == Location("a.yaml", 18, 17)
    assert policy.place("models[0]") == Location("a.yaml", 23, 14)
    assert policy.place("floor.share") == Location("a.yaml", 17, 44)
    assert policy.place("nothing") == policy.location


def test_a_short_policy_leaves_the_rest_to_its_kind(load: Load) -> None:
    found = load(POLICY)
    (policy,) = found.policies
    assert policy.by is None
    assert policy.window is None
    assert (policy.floor, policy.where, policy.severity) == (Floor(), (), Severity.ERROR)
    assert policy.thresholds == Thresholds(fail_above=1.0)
    assert not policy.allow_empty
    assert not policy.locked
    assert (found.window, found.waivers, found.files) == (None, (), ("a.yaml",))


def test_all_traffic_is_no_dimension(load: Load) -> None:
    (policy,) = load(POLICY.replace("fail_above", "by: [], fail_above")).policies
    assert policy.by == ()


def test_defaults_of_any_file_hold_for_all(load: Load) -> None:
    defaults = "version: 1\ndefaults: {window: last-week, floor: {spend: 10, share: 0.1}, "
    defaults += "owner: x, severity: note}\n"
    own = POLICY.replace(
        "fail_above: 1", "fail_above: 1, floor: {spend: 0, requests: 3}, owner: y, severity: error"
    )
    found = load(POLICY.replace("id: a", "id: b"), own, defaults)
    first, second = found.policies
    assert found.window == "last-week"
    assert (first.window, first.owner, first.severity) == (None, "x", Severity.NOTE)
    assert first.floor == Floor(10.0, 0, 0.1)
    assert (second.owner, second.severity) == ("y", Severity.ERROR)
    assert second.floor == Floor(0.0, 3, 0.1)


def test_sets_of_any_file_hold_for_all_and_are_expanded(load: Load) -> None:
    found = load(
        POLICY.replace("fail_above", f'where: {{api_key_id: ["@batch", "hash:{HASH}"]}}, fail_above'),
        'version: 1\nkey_sets: {batch: ["@night", "batch-*"], night: [nightly]}\n',
        'version: 1\nmodel_sets: {old: ["@free", "openai/gpt-4:batch"], free: [a],'
        ' bad: ["@preview", "@old"]}\n',
    )
    assert found.key_sets == {"batch": ("nightly", "batch-*"), "night": ("nightly",)}
    assert found.model_sets == {
        "old": ("a", "openai/gpt-4:batch"),
        "free": ("a",),
        "bad": ("@preview", "a", "openai/gpt-4:batch"),
    }


def test_a_waiver_says_what_its_file_says(load: Load) -> None:
    (waiver,) = load(
        POLICY
        + "waivers:\n- policy: a\n  where: {api_key_id: x}\n  until: 2027-01-31\n  max_spend: 500\n"
        + "  reason: Agreed.\n  owner: data\n"
    ).waivers
    assert (waiver.policy, waiver.until, waiver.reason, waiver.owner) == (
        "a",
        date(2027, 1, 31),
        "Agreed.",
        "data",
    )
    assert waiver.where == (Selector("api_key_id", ("x",), (), Location("a.yaml", 6, 23)),)
    assert waiver.max_spend_usd_per_month == 500.0
    assert waiver.location == Location("a.yaml", 5, 3)


def test_a_waiver_without_a_bound_has_none(load: Load) -> None:
    text = POLICY + "waivers: [{policy: a, until: 2027-01-31, reason: r, owner: o}]\n"
    (waiver,) = load(text).waivers
    assert waiver.max_spend_usd_per_month is None
    assert waiver.where == ()


TEST = """\
tests:
- name: fails
  now: {now}
  rows: [{{api_key_id: x, model: m, total_usage: 6067, request_count: 37000, user: null}}]
  expect: [{{policy: {policy}, verdict: fail, api_key_id: x}}]
  todo: true
"""


def test_tests_of_policies_are_admitted(load: Load) -> None:
    assert len(load(POLICY + TEST.format(now="2026-06-10", policy="a")).policies) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("window: last-0d", "'last-0d' is not a window"),
        ("window: yesterday", "'yesterday' is not a window"),
        ("window: 2026-02-30..2026-03-01", "day"),
        ("window: {start: 2026-06-01, end: 2026-05-01}", "the window 2026-06-01..2026-05-01 is empty"),
        ("window: {start: noon, end: 2026-05-01}", "'noon' is not a UTC date"),
        (
            "warn_above: 1",
            "warn_above 1 can never show: fail_above 1 is reached first (set warn_above below 1)",
        ),
        ("warn_above: 10", "warn_above 10 can never show"),
        ("where: {api_key_id: hash:abc}", "'hash:abc' is no key hash"),
        ("where: {app: hash:abc}", "hash: names an API key, and app is something else"),
        ('where: {model: "a:b*"}', "'a:b*' names no variant"),
        ('where: {api_key_id: "@batch"}', "there is no set '@batch' (define it in key_sets)"),
        ('where: {model: ["x", {not: "@previw"}]}', "there is no set '@previw' (did you mean preview?)"),
        ('where: {model: "@zzz"}', "there is no set '@zzz' (sets: preview, free, frontier, expiring)"),
        ('where: {user: "@corp"}', "user has no sets: they are of api_key_id and model"),
    ],
)
def test_what_makes_no_sense_is_refused(refused_policy: Refused, line: str, expected: str) -> None:
    (problem,) = refused_policy(line)
    assert expected in problem
    assert problem.startswith("3:")


@pytest.mark.parametrize(
    "window",
    ["last-month", "this-month", "last-week", "last-30d", "2026-05-01..2026-06-01", "2026-05-01/2026-06-01"],
)
def test_every_form_of_window_is_admitted(load: Load, window: str) -> None:
    found = load(POLICY.replace("fail_above", f"window: {window}, fail_above"))
    assert found.policies[0].window == window


def test_a_warning_below_a_failure_from_below_can_never_show(refused: Refused, load: Load) -> None:
    policy = "version: 1\npolicies:\n- {{id: a, rule: rate, fail_below: 0.3, warn_below: {}}}\n"
    (problem,) = refused(policy.format(0.2))
    assert problem == (
        "a.yaml:3:52: warn_below 0.2 can never show: fail_below 0.3 is reached first"
        " (set warn_below above 0.3)"
    )
    assert load(policy.format(0.4)).policies[0].thresholds == Thresholds(fail_below=0.3, warn_below=0.4)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ("sour", "a.yaml:3:30: sour models (sweeten them)"),
        ('"a:b*"', "a.yaml:3:30: 'a:b*' names no variant"),
        ('[x, "@gone"]', "a.yaml:3:34: there is no set '@gone'"),
    ],
)
def test_the_kind_has_its_say(refused: Refused, models: str, expected: str) -> None:
    (problem,) = refused(f"version: 1\npolicies:\n- {{id: a, rule: ban, models: {models}}}\n")
    assert problem.startswith(expected)


def test_models_are_placed_where_they_stand_among_the_settings(kinds: dict[str, Kind]) -> None:
    schema = replace(kinds["ban"].schema, keys={"strict": {"type": "string"}, "models": {"type": "string"}})
    reads = {"ban": type(kinds["ban"])(schema, lambda _policy: ("x:*",))}
    text = POLICY.replace("rule: cost", 'rule: ban, strict: y, models: "x:*"')
    with pytest.raises(PolicyError, match=r"^f:3:41: 'x:\*' names no variant"):
        load_texts({"f": text.encode()}, reads)


def test_models_that_a_kind_made_up_are_placed_at_the_policy(kinds: dict[str, Kind]) -> None:
    made = {"cost": type(kinds["cost"])(kinds["cost"].schema, lambda _policy: ("x:*",))}
    with pytest.raises(PolicyError, match=r"^f:3:3: 'x:\*' names no variant"):
        load_texts({"f": POLICY.encode()}, made)


def test_what_is_said_twice_is_refused_with_both_places(refused: Refused) -> None:
    one = POLICY + "key_sets: {k: [x]}\nmodel_sets: {k: [x]}\ndefaults: {owner: me, window: last-week}\n"
    two = one.replace("window: last-week", "severity: note")
    assert refused(one, two) == [
        "b.yaml:3:8: the policy id 'a' is already used (first at a.yaml:3:8)",
        "b.yaml:4:12: the set 'k' is already defined (first at a.yaml:4:12)",
        "b.yaml:5:14: the set 'k' is already defined (first at a.yaml:5:14)",
        "b.yaml:6:12: the default owner is already defined (first at a.yaml:6:12)",
    ]


def test_a_default_window_must_be_one(refused: Refused) -> None:
    (problem,) = refused(POLICY + "defaults: {window: last-0d}\n")
    assert problem.startswith("a.yaml:4:20: 'last-0d' is not a window")


def test_sets_must_not_hold_themselves(refused: Refused) -> None:
    found = refused(
        POLICY
        + 'key_sets:\n  a: ["@b"]\n  b: [x, "@c"]\n  c: ["@a"]\n  d: ["@d"]\n  e: ["@a", "@nope"]\n'
        + 'model_sets:\n  preview: ["@preview"]\n  x: [5, "a:*", "@free"]\n'
    )
    assert found == [
        "a.yaml:5:3: the set 'a' holds itself: @a -> @b -> @c -> @a",
        "a.yaml:8:3: the set 'd' holds itself: @d -> @d",
        "a.yaml:9:13: there is no set '@nope' (sets: a, b, c, d, e)",
        "a.yaml:11:3: the set 'preview' holds itself: @preview -> @preview",
        "a.yaml:12:7: model_sets.x[0] must be text, not 5 (quote it)",
        "a.yaml:12:10: 'a:*' names no variant: what follows the colon is a plain word such as batch",
    ]


def test_waivers_and_tests_must_make_sense(refused: Refused) -> None:
    found = refused(
        POLICY
        + 'waivers:\n- {policy: b, until: soon, reason: r, owner: o, where: {app: "@x"}}\n'
        + "- {policy: c, until: 5}\n"
        + TEST.format(now="noon", policy="aa")
    )
    assert [line.partition(" (")[0] for line in found] == [
        "a.yaml:5:12: there is no policy 'b'",
        "a.yaml:5:22: until: 'soon' is not a day such as 2026-05-01",
        "a.yaml:5:62: app has no sets: they are of api_key_id and model",
        "a.yaml:6:3: reason and owner are missing",
        "a.yaml:6:12: there is no policy 'c'",
        "a.yaml:6:22: until must be text, not 5",
        "a.yaml:9:8: now: 'noon' is not a UTC date",
        "a.yaml:11:21: there is no policy 'aa'",
    ]


def test_everything_is_told_at_once_even_where_other_things_are_wrong(refused: Refused) -> None:
    found = refused(
        "version: 2\nkey_sets: {k: x}\npolicies:\n"
        '- {id: a, rule: cost, fail_above: high, window: last-0d, where: {api_key_id: "@kk"}}\n'
        "- {id: a, rule: rate, warn_below: 1, fail_below: 2}\n- text\n",
        "a: b: c",
    )
    assert [line.split(": ")[0] for line in found] == [
        "a.yaml:1:10", "a.yaml:2:15", "a.yaml:4:35", "a.yaml:4:49", "a.yaml:5:8", "a.yaml:5:35", "a.yaml:6:3",
        "b.yaml:1:5",
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_may_hold_what_another_refers_to(refused: Refused) -> None:
    waiver = 'waivers: [{policy: b, until: 2026-01-01, reason: r, owner: o, where: {model: "@old"}}]\n'
    (problem,) = refused(POLICY + waiver, "a: b: c")
    assert problem.startswith("b.yaml:1:5: this is not YAML")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            ["version: 1\nkey_sets: {a: [x]}"],
            "a.yaml:1:1: no policy in the file (policies: is where they go)",
        ),
        (
            ["version: 1\nkey_sets: {a: [x]}", "version: 1\nkey_sets: {b: [x]}"],
            "no policy in any of 2 files",
        ),
        ([], ".:1:1: no policy in any of 0 files"),
    ],
)
def test_a_run_without_a_policy_is_an_error(refused: Refused, texts: list[str], expected: str) -> None:
    (problem,) = refused(*texts)
    assert expected in problem


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_folder_is_all_its_yaml_files(tmp_path: Path, kinds: dict[str, Kind]) -> None:
    write(tmp_path, b_yaml=POLICY, a__x_yml=POLICY.replace("id: a", "id: b"), notes_txt="x", a__z_json="{")
    write(tmp_path / ".hidden", c_yaml="{")
    write(tmp_path / "dir.yaml", d_yaml=POLICY.replace("id: a", "id: d"))
    (tmp_path / ".c.yaml").write_text("{")
    found = load_paths([tmp_path], kinds)
    names = ("a/x.yml", "b.yaml", "dir.yaml/d.yaml")
    assert found.files == tuple(str(tmp_path / name) for name in names)
    assert [policy.id for policy in found.policies] == ["b", "a", "d"]


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, a__x_yaml=POLICY)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    assert policy_files([tmp_path, tmp_path / "a" / "x.yaml"]) == (tmp_path / "a" / "x.yaml",)


def test_a_link_to_nothing_is_a_policy_file_that_is_missing(tmp_path: Path, kinds: dict[str, Kind]) -> None:
    write(tmp_path, a_yaml=POLICY)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"cannot read .*gone\.yaml"):
        load_paths([tmp_path], kinds)


def test_a_file_may_have_any_name(tmp_path: Path, kinds: dict[str, Kind]) -> None:
    path = tmp_path / "rules.txt"
    path.write_text(POLICY)
    assert load_paths([path], kinds).policies[0].location.file == str(path)


def test_what_is_not_there_or_cannot_be_read_is_an_error_of_use(
    tmp_path: Path, kinds: dict[str, Kind]
) -> None:
    with pytest.raises(UsageError, match="gone does not exist"):
        load_paths([tmp_path / "gone"], kinds)
    with pytest.raises(UsageError, match=r"holds no \.yaml or \.yml file"):
        load_paths([tmp_path], kinds)


def test_a_folder_or_file_that_cannot_be_read_is_not_passed_over(
    tmp_path: Path, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a_yaml=POLICY)

    def denied(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", "a.yaml")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        with pytest.raises(UsageError, match=r"cannot read a\.yaml: Permission denied"):
            load_paths([tmp_path], kinds)
    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(UsageError, match=r"cannot read a\.yaml: Permission denied"):
        load_paths([tmp_path], kinds)


def test_policies_are_looked_for_in_the_usual_places(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"neither a folder policies/ nor a file orpolicy\.yaml"):
        default_paths(tmp_path)
    write(tmp_path, orpolicy_yml=POLICY)
    assert default_paths(tmp_path) == (tmp_path / "orpolicy.yml",)
    write(tmp_path, orpolicy_yaml=POLICY)
    assert default_paths(tmp_path) == (tmp_path / "orpolicy.yaml",)
    (tmp_path / "policies").mkdir()
    assert default_paths(tmp_path) == (tmp_path / "policies",)
