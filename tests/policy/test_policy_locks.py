"""A locked policy catches what its own files say, whatever is built on them: overrides, sets and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.errors import PolicyError
from orpolicy.policy.loader import load
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import PolicySet

    Run = Callable[..., PolicySet]
    Told = Callable[..., list[str]]

CENTRAL = """\
version: 1
key_sets: {batch: ["@night", "batch-*"], night: ["nightly-*"], other: [x]}
policies:
- {id: cap, rule: cost, locked: true, where: {api_key_id: {not: "@batch"}}, fail_above: 10}
"""
TOP = "version: 1\nextends: central.yaml\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: dict[str, Kind]) -> Run:
    """Read files that are written first; with names, those alone are on the command line."""
    monkeypatch.chdir(tmp_path)

    def run(*names: str, **texts: str) -> PolicySet:
        for name, text in texts.items():
            Path(f"{name}.yaml").write_text(text)
        return load([Path(f"{name}.yaml") for name in names], kinds)

    return run


@pytest.fixture
def told(run: Run) -> Told:
    def told(*names: str, **texts: str) -> list[str]:
        with pytest.raises(PolicyError) as error:
            run(*names, **texts)
        return [str(problem) for problem in error.value.problems]

    return told


def test_a_set_that_it_uses_cannot_be_replaced(told: Told) -> None:
    top = TOP + 'key_sets: {batch: ["*"], other: [y]}\n'
    assert told("top", central=CENTRAL, top=top) == [
        (
            "top.yaml:3:12: the locked policy 'cap' uses the set 'batch', which nobody may replace "
            "(the policy is at central.yaml:4:3, the set at central.yaml:2:12) [ORP035]"
        )
    ]
    (problem,) = told("top", top=TOP + 'key_sets: {night: ["*"]}\n')
    assert problem.startswith("top.yaml:3:12: the locked policy 'cap' uses the set 'night'")


def test_nor_a_built_in_one_nor_one_of_its_kind(told: Told) -> None:
    ban = CENTRAL.replace("rule: cost", 'rule: ban, models: ["@preview"]').replace(
        "fail_above: 10", "title: t"
    )
    assert told("top", central=ban, top=TOP + "model_sets: {preview: [x], free: [y]}\n") == [
        (
            "top.yaml:3:14: the locked policy 'cap' uses the set 'preview', which nobody may replace "
            "(the policy is at central.yaml:4:3, and @preview is built in) [ORP035]"
        )
    ]


def test_settings_that_make_no_sense_are_told_once(told: Told) -> None:
    ban = CENTRAL.replace("rule: cost", "rule: ban, models: sour").replace("fail_above: 10", "title: t")
    (problem,) = told("top", central=ban, top=TOP + "defaults: {owner: us}\n")
    assert "sour models" in problem


def test_a_set_that_nobody_defined_may_be_defined_once(run: Run, told: Told) -> None:
    open_set = CENTRAL.replace("night: [", "later: [")
    top = TOP + 'key_sets: {night: ["etl-*"]}\n'
    assert run("top", central=open_set, top=top).key_sets["batch"] == ("etl-*", "batch-*")
    (problem,) = told("last", last='version: 1\nextends: top.yaml\nkey_sets: {night: ["*"]}\n')
    assert problem.startswith("last.yaml:3:12: the locked policy 'cap' uses the set 'night'")


def test_what_is_brought_in_from_the_side_does_not_loosen_it_either(run: Run, told: Told) -> None:
    side = (
        "version: 1\ndefaults: {severity: note, floor: {spend: 9}, window: last-week}\nmodel_sets: {a: [b]}\n"
    )
    top = "version: 1\nextends: [central.yaml, side.yaml]\n"
    (policy,) = run("top", central=CENTRAL, side=side, top=top).policies
    assert (policy.severity, policy.floor.spend_usd, policy.window) == (Severity.ERROR, 0.0, "last-month")
    ban = CENTRAL.replace("{api_key_id", '{model: "@free", api_key_id')
    (problem,) = told("top", central=ban, side=side.replace("{a:", "{free:"))
    assert problem.startswith("side.yaml:3:14: the locked policy 'cap' uses the set 'free'")


def test_the_files_of_a_command_line_share_sets_and_defaults(run: Run) -> None:
    """As long as none of them extends the locked one."""
    side = "version: 1\ndefaults: {severity: note}\nmodel_sets: {free: [x]}\n"
    use = "version: 1\nextends: side.yaml\nkey_sets: {more: [x]}\n"
    central = CENTRAL.replace("{api_key_id", '{model: "@free", api_key_id')
    for names in (("central", "side"), ("use", "central")):
        (policy,) = run(*names, central=central, side=side, use=use).policies
        assert policy.severity is Severity.NOTE


def test_its_window_is_the_one_of_its_own_files(run: Run) -> None:
    central = CENTRAL.replace("key_sets", "defaults: {window: last-90d}\nkey_sets")
    own = CENTRAL.replace("rule: cost", "rule: cost, window: last-7d")
    top = TOP + "defaults: {window: last-1d}\n"
    for text, expected in ((central, "last-90d"), (CENTRAL, "last-month"), (own, "last-7d")):
        found = run("top", central=text, top=top)
        assert (found.policies[0].window, found.window) == (expected, "last-1d")
    assert run("top", central=central, top=TOP).policies[0].window is None


def test_who_locks_a_policy_of_another_file_is_not_bound_by_that(run: Run, told: Told) -> None:
    free = CENTRAL.replace(", locked: true", "")
    lock = (
        TOP + 'defaults: {severity: warning}\nkey_sets: {batch: ["etl-*"]}\noverride: {cap: {locked: true, '
    )
    found = run("lock", central=free, lock=lock + "fail_above: 20}}\n")
    assert (found.policies[0].thresholds.fail_above, found.policies[0].severity) == (20.0, Severity.WARNING)
    for text, place in (
        ("override: {cap: {fail_above: 30}}", "top.yaml:3:18: the policy 'cap' is locked"),
        ("override: {cap: {locked: false}}", "top.yaml:3:18: the policy 'cap' is locked"),
        ("key_sets: {batch: [x]}", "top.yaml:3:12: the locked policy 'cap' uses the set 'batch'"),
    ):
        (problem,) = told("top", top=f"version: 1\nextends: lock.yaml\n{text}\n")
        assert problem.startswith(place)


def test_to_lock_it_again_frees_nobody(told: Told) -> None:
    text = TOP + "key_sets: {batch: [x]}\noverride: {cap: {locked: true, fail_above: 30}}\n"
    first, second = told("top", central=CENTRAL, top=text)
    assert (first[:13], second[:13]) == ("top.yaml:3:12", "top.yaml:4:32")


def test_a_file_beside_the_one_that_locks_may_not_loosen(told: Told) -> None:
    free = CENTRAL.replace(", locked: true", "")
    lock, loose = (
        TOP + f"override: {{cap: {{{change}}}}}\n" for change in ("locked: true", "fail_above: 30")
    )
    top = "version: 1\nextends: [{}]\n"
    for names in ("lock.yaml, loose.yaml", "loose.yaml, lock.yaml"):
        (problem,) = told("top", central=free, lock=lock, loose=loose, top=top.format(names))
        assert problem.startswith("loose.yaml:3:18: the policy 'cap' is locked")


def test_a_further_threshold_tightens_and_a_first_one_may_not(run: Run, told: Told) -> None:
    top = TOP + "override: {cap: {warn_above: 9}}\n"
    assert run("top", central=CENTRAL, top=top).policies[0].thresholds.warn_above == 9.0
    bare = CENTRAL.replace("rule: cost", "rule: ban, models: x").replace("fail_above: 10", "title: t")
    (problem,) = told("top", central=bare, top=TOP + "override: {cap: {fail_above: 9}}\n")
    assert problem.startswith("top.yaml:3:18: the policy 'cap' is locked, and this change of fail_above may")
