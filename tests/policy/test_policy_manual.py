"""Each kind's docstring is its manual: the good example is admitted, the bad one is refused."""

from __future__ import annotations

import pytest

from orpolicy.errors import PolicyError
from orpolicy.location import Location
from orpolicy.manual import example_file, manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds

DOCSTRING = """What it measures.

    First paragraph,
    two lines.

    Second: with a colon.

    Attributes:
        x: a field.

    Good example:
        id: a
        where:
          app: x

    Bad example:
        id: b
    """


def test_a_docstring_is_taken_apart() -> None:
    manual = manual_of(DOCSTRING)
    assert manual.summary == "What it measures."
    assert manual.prose == "First paragraph,\ntwo lines.\n\nSecond: with a colon."
    assert manual.good == "id: a\nwhere:\n  app: x"
    assert manual.bad == "id: b"
    assert example_file(manual.good) == "version: 1\npolicies:\n  - id: a\n    where:\n      app: x\n"


@pytest.mark.parametrize("lacking", ["Good example", "Bad example"])
def test_a_manual_needs_both_examples(lacking: str) -> None:
    with pytest.raises(ValueError, match=f"the docstring has no {lacking}"):
        manual_of(DOCSTRING.replace(lacking, "An example"))


def test_a_manual_may_be_short() -> None:
    assert manual_of("One line.\n\nGood example:\n    a: 1\n\nBad example:\n    b: 1\n").prose == ""


@pytest.mark.parametrize("name", RULES.names)
def test_the_good_example_is_admitted(name: str) -> None:
    manual = manual_of(RULES[name].__doc__ or "")
    (policy,) = load_texts({"f": example_file(manual.good).encode()}, Kinds()).policies
    assert policy.rule == name


@pytest.mark.parametrize("name", RULES.names)
def test_the_bad_example_is_refused_for_one_reason(name: str) -> None:
    manual = manual_of(RULES[name].__doc__ or "")
    assert f"rule: {name}\n" in f"{manual.bad}\n"
    with pytest.raises(PolicyError) as error:
        load_texts({"f": example_file(manual.bad).encode()}, Kinds())
    assert len(error.value.problems) == 1


def test_a_setting_that_a_kind_refuses_is_placed_at_its_key() -> None:
    text = "version: 1\npolicies:\n- id: a\n  rule: metric\n  fail_above: 1\n  expression: cache_hit_rate\n"
    with pytest.raises(PolicyError) as error:
        load_texts({"f": text.encode()}, Kinds())
    (problem,) = error.value.problems
    assert problem.location == Location("f", 6, 15)
    assert "cached_tokens / tokens_prompt" in problem.hint


def test_the_kinds_are_the_registry() -> None:
    kinds = Kinds()
    assert tuple(kinds) == RULES.names
    assert len(kinds) == len(RULES.names)
    assert kinds["model-ban"] is kinds["model-ban"]
    schema = kinds["model-ban"].schema
    assert (schema.name, schema.has_default, schema.required) == ("model-ban", True, ("models",))
    assert (schema.bounds, schema.default_by) == (frozenset({"above"}), ("api_key_id", "model"))
    assert "none" not in kinds
