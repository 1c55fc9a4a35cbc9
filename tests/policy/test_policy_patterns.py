"""Globs against an independent matcher, and what a selector means."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.location import Location
from orpolicy.policy.model import Selector
from orpolicy.policy.patterns import Matcher, Patterns, expand, pattern_fault

HASH = "0123456789abcdef" * 4


def matcher(
    dimension: str, include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), **sets: tuple[str, ...]
) -> Matcher:
    return Matcher.of(Selector(dimension, include, exclude, Location("f", 1, 1)), sets)


def glob(pattern: str, name: str) -> bool:
    """The textbook table: row i says which prefixes of the name the first i characters match."""
    row = [True] + [False] * len(name)
    for character in pattern:
        new = [row[0] and character == "*"]
        for index, letter in enumerate(name):
            if character == "*":
                new.append(row[index + 1] or new[index])
            else:
                new.append(row[index] and character in {"?", letter})
        row = new
    return row[-1]


@given(st.text("ab*?.", max_size=8), st.text("ab.\n", max_size=10))
def test_globs_agree_with_the_textbook(pattern: str, name: str) -> None:
    assert Patterns("app", (pattern,)).match(frozenset({name})) == glob(pattern, name)


@given(st.lists(st.text("ab*?|", max_size=5), min_size=1, max_size=4), st.text("ab|", max_size=6))
def test_several_patterns_match_if_any_does(patterns: list[str], name: str) -> None:
    expected = any(glob(pattern, name) for pattern in patterns)
    assert Patterns("app", tuple(patterns)).match(frozenset({name})) == expected


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("Batch-*", "BATCH-1", True),
        ("ÄPP", "äpp", True),
        ("a[b]", "a[b]", True),
        ("a[b]", "ab", False),
        ("a.c", "abc", False),
        ("a+", "aa", False),
        ("*", "", True),
        ("?*", "", False),
        ("a*", "ba", False),
        ("*\n*", "two\nlines", True),
    ],
)
def test_only_stars_and_question_marks_are_special(pattern: str, name: str, expected: bool) -> None:
    assert matcher("app", (pattern,)).matches(frozenset({name})) is expected


def test_a_hostile_pattern_takes_no_time() -> None:
    started = time.perf_counter()
    assert not matcher("app", ("*a" * 60 + "b",)).matches(frozenset({"a" * 5000}))
    assert time.perf_counter() - started < 1


def test_any_of_a_members_names_will_do() -> None:
    names = frozenset({"a", "b"})
    assert matcher("user", ("b",)).matches(names)
    assert not matcher("user", (), ("b",)).matches(names)
    assert not matcher("user", ("a",), ("b",)).matches(names)


def test_no_condition_includes_everything_and_an_empty_set_nothing() -> None:
    names = frozenset({"x"})
    assert matcher("model").matches(names)
    assert not matcher("model", ("@expiring",), expiring=()).matches(names)
    assert matcher("model", (), ("@expiring",), expiring=()).matches(names)


def test_sets_stand_for_their_patterns() -> None:
    sets = {"batch": ("batch-*", "@night"), "night": ("nightly", "batch-*")}
    assert expand(("a", "@batch", "a"), sets) == ("a", "batch-*", "nightly")
    assert expand(("@night", "@batch", "@night"), sets) == ("nightly", "batch-*")
    assert expand(("@batch", "@free"), sets, keep=("free", "night")) == ("batch-*", "nightly", "@free")
    assert matcher("api_key_id", ("@batch",), **sets).matches(frozenset({"NIGHTLY"}))
    with pytest.raises(KeyError, match="gone"):
        expand(("@gone",), sets)


def test_a_bare_model_pattern_holds_for_every_variant() -> None:
    found = matcher("model", ("openai/gpt-5",))
    for variant in (None, "standard", "batch"):
        assert found.matches(frozenset({"openai/gpt-5"}), variant)
    assert found.matches(frozenset({"openai/gpt-5:batch"}))
    assert not found.matches(frozenset({"openai/gpt-5-mini"}))


def test_a_model_pattern_with_a_variant_holds_for_that_one() -> None:
    found = matcher("model", ("openai/*:batch",))
    name = frozenset({"openai/gpt-5", "openai/gpt-5-2025-08-07"})
    assert found.matches(name, "batch")
    assert found.matches(name, "Batch")
    assert not found.matches(name, "standard")
    assert not found.matches(name)
    assert found.matches(frozenset({"openai/gpt-5:batch"}))
    assert not found.matches(frozenset({"openai/gpt-5:free"}))
    assert not found.matches(frozenset({"x-ai/grok:batch"}))
    assert not matcher("model", (), ("openai/*:batch",)).matches(name, "batch")
    assert matcher("model", (), ("openai/*:batch",)).matches(name, "standard")


def test_a_colon_means_nothing_elsewhere() -> None:
    assert matcher("app", ("a:b",)).matches(frozenset({"a:b"}))
    assert not matcher("app", ("a",)).matches(frozenset({"a:b"}))
    assert Patterns("app", ("a:b",)).variants == {}
    assert Patterns("app", ("a:b",)).bare == ("a:b",)


def test_a_planner_sees_what_the_patterns_name() -> None:
    models = Patterns("model", ("a/*", "a/b:batch", "c:batch", "d:Free"))
    assert models.bare == ("a/*",)
    assert models.variants == {"batch": ("a/b", "c"), "free": ("d",)}
    assert models.hashes == frozenset()
    keys = Patterns("api_key_id", ("x", "hash:" + HASH.upper()))
    assert keys.hashes == {HASH}
    assert keys.match(frozenset({"other", "hash:" + HASH}))


@pytest.mark.parametrize(
    ("dimension", "pattern", "is_fine"),
    [
        ("api_key_id", "hash:" + HASH, True),
        ("api_key_id", "hash:" + HASH[1:], False),
        ("api_key_id", "hash:" + HASH + "0", False),
        ("api_key_id", "hash:" + "g" * 64, False),
        ("api_key_id", "hash:*", False),
        ("api_key_id", "name:with:colons*", True),
        ("app", "hash:*", True),
        ("model", "openai/gpt-5:batch", True),
        ("model", "*:free", True),
        ("model", "@preview", True),
        ("model", "openai/gpt-5:", False),
        ("model", ":batch", False),
        ("model", "a:b*", False),
        ("model", "a:b?", False),
        ("model", "a:b:c", False),
    ],
)
def test_patterns_that_can_match_nothing_are_known(dimension: str, pattern: str, is_fine: bool) -> None:
    fault = pattern_fault(dimension, pattern)
    assert (fault == "") is is_fine
    assert is_fine or repr(pattern) in fault
