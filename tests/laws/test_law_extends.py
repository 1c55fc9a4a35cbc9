"""Laws of files that build on one another: how policies are spread over files makes no difference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.location import Location
from orpolicy.policy.loader import load_texts
from orpolicy.policy_diff.compare import compare
from orpolicy.policy_kinds import Kinds

if TYPE_CHECKING:
    from orpolicy.policy.model import PolicySet

KINDS = Kinds()
NOWHERE = Location("", 1, 1)
FEW = settings(max_examples=25, deadline=None)

WHOLE: dict[str, Any] = {
    "defaults": {"window": "last-30d", "owner": "central", "floor": {"spend": 5}},
    "key_sets": {"batch": ["batch-*", "@night"], "night": ["nightly-*"]},
    "model_sets": {"dear": ["a/*", "@preview"]},
    "policies": [
        {"id": "cap", "rule": "spend-limit", "fail_above": 100, "warn_above": 50},
        {"id": "outlier", "rule": "blended-multiple", "fail_above": 15, "where": {"model": "@dear"}},
        {"id": "rate", "rule": "cache-hit-rate", "fail_below": 0.3, "severity": "warning"},
        {"id": "ban", "rule": "model-ban", "models": ["@dear"], "where": {"api_key_id": "@batch"}},
        {"id": "price", "rule": "usd-per-mtok", "fail_above": 20, "title": "Dear", "floor": {"requests": 3}},
    ],
    "waivers": [{"policy": "cap", "until": "2027-01-31", "reason": "r", "owner": "o"}],
}


class Files:
    """A library of files in memory."""

    def __init__(self, files: dict[str, dict[str, Any]]) -> None:
        self.files = {name: json.dumps({"version": 1, **data}).encode() for name, data in files.items()}

    def named(self, entry: str, _file: str) -> str:
        return entry

    def identity(self, name: str) -> str:
        return name

    def read(self, name: str) -> bytes:
        return self.files[name]


def loaded(files: dict[str, dict[str, Any]]) -> PolicySet:
    """What the first file comes to."""
    library = Files(files)
    first = next(iter(files))
    return load_texts({first: library.read(first)}, KINDS, library=library, check_names=True)


def said(policies: PolicySet) -> object:
    """Everything that a set says, wherever it says it."""
    return (
        sorted(
            (
                replace(
                    policy,
                    location=NOWHERE,
                    places={},
                    where=tuple(replace(selector, location=NOWHERE) for selector in policy.where),
                )
                for policy in policies.policies
            ),
            key=lambda policy: policy.id,
        ),
        [replace(waiver, location=NOWHERE) for waiver in policies.waivers],
        policies.key_sets,
        policies.model_sets,
        policies.window,
    )


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "severity": st.sampled_from(["error", "warning", "note"]),
        "title": st.sampled_from(["x", None]),
        "why": st.sampled_from(["because", None]),
        "owner": st.sampled_from(["us", None]),
        "window": st.sampled_from(["last-week", "last-7d", None]),
        "by": st.sampled_from([["model"], ["app"], [], None]),
        "floor": st.sampled_from([{"spend": 9}, {"share": 0.1, "requests": 2}, None]),
        "where": st.sampled_from([{"app": "x*"}, {"model": {"not": "@dear"}}, None]),
        "allow_empty": st.booleans(),
        "locked": st.booleans(),
    },
)
OVERRIDES = st.dictionaries(
    st.sampled_from([policy["id"] for policy in WHOLE["policies"]]), CHANGES.filter(bool), min_size=1
)


def written(overrides: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The whole, with its policies as if they had been written so."""
    policies = [{**policy, **overrides.get(policy["id"], {})} for policy in WHOLE["policies"]]
    plain = [{key: value for key, value in policy.items() if value is not None} for policy in policies]
    return {**WHOLE, "policies": plain}


@FEW
@given(st.data(), st.integers(2, 6))
def test_a_file_split_into_a_chain_says_the_same(data: st.DataObject, count: int) -> None:
    files: list[dict[str, Any]] = [{} for _ in range(count)]
    place = st.integers(0, count - 1)
    for section, entries in WHOLE.items():
        for entry in entries:
            file = files[data.draw(place)]
            if isinstance(entries, dict):
                file.setdefault(section, {})[entry] = entries[entry]
            else:
                file.setdefault(section, []).append(entry)
    for number, file in enumerate(files[:-1]):
        further = data.draw(st.sets(st.integers(number + 1, count - 1)))
        file["extends"] = [f"{other}.yaml" for other in sorted({number + 1, *further})]
    files[-1].setdefault("key_sets", {})["last"] = ["x"]
    whole = {**WHOLE, "key_sets": {**WHOLE["key_sets"], "last": ["x"]}}
    named = {f"{number}.yaml": file for number, file in enumerate(files)}
    assert said(loaded(named)) == said(loaded({"whole.yaml": whole}))


@FEW
@given(OVERRIDES)
def test_an_override_is_as_if_the_policy_had_been_written_so(overrides: dict[str, dict[str, Any]]) -> None:
    top = {"extends": "base.yaml", "override": overrides}
    changed = loaded({"top.yaml": top, "base.yaml": WHOLE})
    assert said(changed) == said(loaded({"whole.yaml": written(overrides)}))
    assert len(changed.overrides) == sum(map(len, overrides.values()))
    assert compare(loaded({"whole.yaml": written(overrides)}), changed).changes == ()


@FEW
@given(OVERRIDES, st.randoms(use_true_random=False))
def test_the_order_of_independent_overrides_does_not_matter(overrides: Any, random: Any) -> None:
    halves: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for policy, changes in overrides.items():
        for key, value in changes.items():
            if key != "locked":  # who loosens beside a lock is refused
                random.choice(halves).setdefault(policy, {})[key] = value
    files = {
        f"{name}.yaml": {
            "extends": "base.yaml",
            **({"override": half} if half else {"key_sets": {name: ["x"]}}),
        }
        for name, half in zip("ab", halves, strict=True)
    }
    both = [
        loaded({"top.yaml": {"extends": order}, **files, "base.yaml": WHOLE})
        for order in (["a.yaml", "b.yaml"], ["b.yaml", "a.yaml", "base.yaml"])
    ]
    assert said(both[0]) == said(both[1])
    assert set(map(str, both[0].overrides)) == set(map(str, both[1].overrides))


WEAKENING = [
    ("cap", {"fail_above": 101}),
    ("cap", {"warn_above": None}),
    ("cap", {"fail_above": None}),
    ("outlier", {"severity": "warning"}),
    ("outlier", {"where": {"model": "a/b"}}),
    ("rate", {"fail_below": 0.2}),
    ("rate", {"severity": "note"}),
    ("ban", {"allow_empty": True}),
    ("ban", {"models": ["a/b"]}),
    ("ban", {"disabled": True}),
    ("price", {"floor": {"requests": 4}}),
    ("price", {"floor": {"spend": 6, "requests": 3}}),
    ("price", {"window": "last-7d"}),
    ("price", {"by": ["model", "app"]}),
]


@FEW
@given(st.sampled_from(WEAKENING), st.dictionaries(st.sampled_from(["cap", "rate", "ban"]), CHANGES))
def test_an_override_that_weakens_is_never_called_harmless(
    weakening: tuple[str, dict[str, Any]], beside: dict[str, dict[str, Any]]
) -> None:
    policy, change = weakening
    overrides = {name: changes for name, changes in beside.items() if changes and name != policy}
    top = {"extends": "base.yaml", "override": {**overrides, policy: change}}
    found = compare(loaded({"base.yaml": WHOLE}), loaded({"top.yaml": top, "base.yaml": WHOLE}))
    worse = [item for item in found.changes if item.policy == policy and item.effect.weakens]
    assert worse
    assert {item.places.new.file for item in worse if item.places.new} == {"top.yaml"}


@FEW
@given(st.data())
def test_no_pack_is_loosened_where_it_is_locked(data: st.DataObject) -> None:
    """What a file above a locked one may do without a problem weakens nothing, as diff-policy sees it."""
    pack = Path(__file__).parents[2] / "policies" / "starter.yaml"
    base = yaml.safe_load(pack.read_text(encoding="utf-8"))
    base = {
        key: value for key, value in base.items() if key in {"defaults", "key_sets", "model_sets", "policies"}
    }
    base["policies"] = [{**policy, "locked": True} for policy in base["policies"]]
    shared = {
        "defaults": {"window": "last-7d", "severity": "note", "floor": {"spend": 1000}, "owner": "us"},
        "model_sets": {"own": ["*"]},
    }
    chosen = {key: shared[key] for key in data.draw(st.sets(st.sampled_from(sorted(shared)), min_size=1))}
    found = loaded({"top.yaml": {"extends": "base.yaml", **chosen}, "base.yaml": base})
    assert not compare(loaded({"base.yaml": base}), found).weakens
