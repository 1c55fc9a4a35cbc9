"""Files that build on others: what is pulled in, what is changed, and what neither may do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.errors import PolicyError
from orpolicy.location import Location
from orpolicy.policy.loader import load as load_paths
from orpolicy.policy.model import Override, Thresholds
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import PolicySet

    Write = Callable[..., None]
    Load = Callable[..., PolicySet]
    Refused = Callable[..., list[str]]

BASE = """\
version: 1
defaults: {owner: central}
key_sets: {batch: ["batch-*"]}
policies:
- {id: cap, rule: cost, where: {api_key_id: "@batch"}, fail_above: 10, warn_above: 5}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(**texts: str) -> None:
        for name, text in texts.items():
            Path(f"{name}.yaml").write_text(text)

    return write


@pytest.fixture
def read(kinds: dict[str, Kind]) -> Load:
    return lambda *names: load_paths([Path(name) for name in names], kinds)


@pytest.fixture
def told(read: Load) -> Refused:
    def told(*names: str) -> list[str]:
        with pytest.raises(PolicyError) as error:
            read(*names)
        return [str(problem) for problem in error.value.problems]

    return told


def top(override: str, more: str = "") -> str:
    return f"version: 1\nextends: base.yaml\n{more}override: {override}\n"


def test_a_policy_is_changed_where_it_is_used(write: Write, read: Load) -> None:
    change = "{cap: {fail_above: 20, warn_above: null, severity: note}}"
    write(base=BASE, top=top(change, 'defaults: {owner: us}\nkey_sets: {batch: ["etl-*"]}\n'))
    found = read("top.yaml")
    (policy,) = found.policies
    assert policy.thresholds == Thresholds(fail_above=20.0)
    assert (policy.severity, policy.owner) == (Severity.NOTE, "us")
    assert policy.location == Location("base.yaml", 5, 3)
    assert policy.overridden("fail_above") == Location("top.yaml", 5, 30)
    assert policy.overridden("warn_above") == Location("top.yaml", 5, 34)
    assert policy.overridden("where") is None
    assert found.key_sets == {"batch": ("etl-*",)}
    assert found.files == ("top.yaml", "base.yaml")
    assert found.overrides == (
        Override("", "defaults.owner", "central", "us", Location("top.yaml", 3, 12)),
        Override("", "key_sets.batch", ["batch-*"], ["etl-*"], Location("top.yaml", 4, 12)),
        Override("cap", "fail_above", 10, 20, Location("top.yaml", 5, 18)),
        Override("cap", "warn_above", 5, None, Location("top.yaml", 5, 34)),
        Override("cap", "severity", None, "note", Location("top.yaml", 5, 52)),
    )


def test_a_disabled_policy_is_not_run_and_an_outer_file_may_bring_it_back(write: Write, read: Load) -> None:
    other = "policies: [{id: other, rule: cost, fail_above: 1}]\n"
    write(base=BASE, top=top("{cap: {disabled: true}}", other))
    assert [policy.id for policy in read("top.yaml").policies] == ["other"]
    write(outer="version: 1\nextends: [top.yaml, base.yaml]\noverride: {cap: {disabled: false}}\n")
    found = read("outer.yaml")
    assert [policy.id for policy in found.policies] == ["other", "cap"]
    assert [(item.before, item.after) for item in found.overrides] == [(None, True), (True, False)]


def test_a_file_that_is_named_and_extended_is_read_once(write: Write, read: Load) -> None:
    write(base=BASE, top=top("{cap: {fail_above: 7}}"))
    for names in (("base.yaml", "top.yaml"), ("top.yaml", "base.yaml"), ("./base.yaml", "top.yaml")):
        (policy,) = read(*names).policies
        assert policy.thresholds.fail_above == 7.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extends: bse.yaml", "top.yaml:2:10: bse.yaml does not exist (did you mean base.yaml?) [ORP030]"),
        (
            "extends: [pack:startr]",
            "top.yaml:2:11: there is no pack 'startr' (did you mean starter?) [ORP030]",
        ),
        ("extends: folder.yaml", "top.yaml:2:10: folder.yaml is a folder (name a file in it) [ORP030]"),
        ("extends: top.yaml", "top.yaml:2:10: this file extends itself: top.yaml -> top.yaml [ORP031]"),
        ("extends: /base.yaml", "top.yaml:2:10: extends must be pack:NAME or the relative path"),
        (
            "override: {cap: {fail_above: 1}}",
            "top.yaml:2:12: nothing that this file extends has a policy 'cap'",
        ),
        (
            "extends: base.yaml\noverride: {cpa: {fail_above: 1}}",
            "top.yaml:3:12: nothing that this file extends has a policy 'cpa' (did you mean cap?) [ORP033]",
        ),
        (
            "extends: base.yaml\noverride: {cap: {fail_below: 1}}",
            "top.yaml:3:18: fail_below does not fit this rule (it takes fail_above and warn_above) [ORP017]",
        ),
        (
            "extends: base.yaml\noverride: {cap: {fail_above: 4}}",
            "top.yaml:3:30: warn_above 5 can never show",
        ),
        (
            "extends: base.yaml\noverride: {cap: {fail_above: null, warn_above: null}}",
            "top.yaml:3:36: fail_above or warn_above is missing [ORP011]",
        ),
        (
            "policies: [{id: own, rule: cost, fail_above: 1}]\noverride: {own: {fail_above: 2}}",
            "top.yaml:3:12: nothing that this file extends has a policy 'own'",
        ),
        ("extends: base.yaml\noverride: {cap: {id: x}}", "top.yaml:3:18: id cannot be overridden"),
        ("extends: base.yaml\noverride: {cap: {disabled: true}}", "top.yaml:1:1: every policy is disabled"),
    ],
)
def test_what_is_refused(write: Write, told: Refused, text: str, expected: str) -> None:
    write(base=BASE, top=f"version: 1\n{text}\n")
    Path("folder.yaml").mkdir()
    (problem,) = [line for line in told("top.yaml") if "no policy in" not in line]
    assert problem.startswith(expected)


def test_the_whole_circle_is_shown(write: Write, told: Refused) -> None:
    for name, following in (("a", "b"), ("b", "c"), ("c", "b")):
        write(**{name: f"version: 1\nextends: {following}.yaml\nkey_sets: {{{name}: [x]}}\n"})
    (problem,) = told("a.yaml")
    assert problem == "c.yaml:2:10: this file extends itself: b.yaml -> c.yaml -> b.yaml [ORP031]"


def test_files_of_which_neither_extends_the_other_must_agree(write: Write, told: Refused) -> None:
    write(base=BASE, a=top("{cap: {fail_above: 7}}"), b=top("{cap: {fail_above: 8}}"))
    assert told("a.yaml", "b.yaml") == [
        "b.yaml:3:18: another file overrides fail_above as well (first at a.yaml:3:18) [ORP034]"
    ]


@pytest.mark.parametrize(
    ("change", "is_allowed"),
    [
        ("fail_above: 9", True),
        ("fail_above: 11", False),
        ("fail_above: null", False),
        ("warn_above: 4", True),
        ("severity: error", True),
        ("severity: warning", False),
        ("title: x", True),
        ("disabled: true", False),
        ("locked: false", False),
        ("allow_empty: true", False),
        ("where: {app: x}", False),
        ("floor: {spend: 5}", False),
    ],
)
def test_a_locked_policy_can_only_be_tightened(
    write: Write, read: Load, told: Refused, change: str, is_allowed: bool
) -> None:
    write(base=BASE.replace("id: cap", "id: cap, locked: true"), top=top(f"{{cap: {{{change}}}}}"))
    if is_allowed:
        assert len(read("top.yaml").overrides) == 1
    else:
        assert "[ORP035]" in told("top.yaml")[0]


def test_a_locked_policy_takes_no_defaults_from_above(write: Write, read: Load) -> None:
    more = "defaults: {floor: {spend: 1000}, severity: note, owner: us}\n"
    write(base=BASE.replace("id: cap", "id: cap, locked: true"), top=top("{cap: {title: t}}", more))
    (policy,) = read("top.yaml").policies
    assert (policy.floor.spend_usd, policy.severity, policy.owner) == (0.0, Severity.ERROR, "central")


def test_a_policy_beside_is_not_changed_unless_its_file_is_extended(write: Write, told: Refused) -> None:
    write(base=BASE, top="version: 1\noverride: {cap: {fail_above: 2}}\n")
    (problem,) = told("base.yaml", "top.yaml")
    assert problem.startswith("top.yaml:2:12: nothing that this file extends has a policy 'cap'")
    assert problem.endswith("(it is at base.yaml:5:8: add that file to extends) [ORP033]")
