"""What every kind says of itself holds: its examples, its class attributes, the table of the contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orpolicy.errors import PolicyError
from orpolicy.manual import example_file, manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds
from orpolicy.query.vocabulary import DIMENSIONS, METRICS
from orpolicy.rules.base import Bound

KINDS = RULES.names
CONTRACT = Path(__file__).parents[3] / "shared" / "design" / "policy-language.md"
ALL_TRAFFIC = {"(all traffic)": (), "any": ()}

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_the_good_example_is_a_policy_of_its_kind(kind: str) -> None:
    manual = manual_of(RULES[kind].__doc__ or "")
    (policy,) = load_texts({"good": example_file(manual.good).encode()}, Kinds()).policies
    assert policy.rule == kind
    rule = RULES[kind].read(policy)
    assert rule.metrics <= set(METRICS)
    assert all(METRICS[name].additive for name in rule.metrics)


@every_kind
def test_the_bad_example_is_refused_for_one_reason(kind: str) -> None:
    manual = manual_of(RULES[kind].__doc__ or "")
    assert f"rule: {kind}\n" in f"{manual.bad}\n"
    with pytest.raises(PolicyError) as error:
        load_texts({"bad": example_file(manual.bad).encode()}, Kinds())
    assert len(error.value.problems) == 1


@every_kind
def test_the_summary_is_one_sentence(kind: str) -> None:
    summary = manual_of(RULES[kind].__doc__ or "").summary
    assert re.fullmatch(r"[A-Z].*\.", summary)


@every_kind
def test_class_attributes_fit_together(kind: str) -> None:
    rule = RULES[kind]
    assert rule.__module__ == f"orpolicy.rules.{kind.replace('-', '_')}"
    assert rule.__name__ == "".join(word.capitalize() for word in kind.split("-"))
    assert set(rule.default_by) <= set(DIMENSIONS)
    assert rule.bounds <= set(Bound)
    assert rule.bounds
    assert set(rule.required) <= set(rule.keys)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", rule.measure_name)
    defaults = rule.default_thresholds
    assert Bound.ABOVE in rule.bounds or (defaults.fail_above, defaults.warn_above) == (None, None)
    assert Bound.BELOW in rule.bounds or (defaults.fail_below, defaults.warn_below) == (None, None)


def _table(when: str) -> dict[str, tuple[str, str]]:
    """Kind -> (what it measures, default by), from the contract's table."""
    if not CONTRACT.exists():
        pytest.skip(f"{CONTRACT.name} is not here: the table that the kinds are held against")
    rows = re.findall(
        rf"^\| `([a-z-]+)` \| (.+) \| (.+) \| (?:{when}) \|$", CONTRACT.read_text(), re.MULTILINE
    )
    return {kind: (measures, by) for kind, measures, by in rows}


def test_the_kinds_are_those_of_the_contract() -> None:
    assert set(_table("yes")) <= set(KINDS) <= set(_table("yes|later"))


@every_kind
def test_measures_and_default_by_are_those_of_the_contract(kind: str) -> None:
    measures, by = _table("yes|later")[kind]
    assert RULES[kind].measures == measures
    assert RULES[kind].default_by == ALL_TRAFFIC.get(by, tuple(by.split(", ")))
