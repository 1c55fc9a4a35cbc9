"""One pattern covers another only if no name can tell them apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.policy.model import PolicySet
from orpolicy.policy.patterns import Patterns
from orpolicy.policy_diff.scope import Relation, Scope, glob_covers, pattern_covers, patterns, relation

GLOBS = st.text("ab*?", max_size=5)
NAMES = st.text("ab", max_size=6)
MODELS = st.builds(lambda base, variant: base + variant, st.text("a*?", min_size=1, max_size=3),
                   st.sampled_from(["", ":batch", ":Free"]))  # fmt: skip
MODEL_NAMES = st.builds(lambda base, variant: base + variant, st.text("ab", min_size=1, max_size=3),
                        st.sampled_from(["", ":batch", ":free"]))  # fmt: skip


@pytest.mark.parametrize(
    ("cover", "text", "expected"),
    [
        ("batch-*", "batch-eval", True),
        ("batch-*", "batch-eval-*", True),
        ("batch-eval-*", "batch-*", False),
        ("*", "", True),
        ("", "*", False),
        ("?", "*", False),
        ("?*", "*?", False),
        ("a?c", "abc", True),
        ("abc", "a?c", False),
        ("a**b", "a*b", True),
        ("*a*", "bab*", True),
        ("a", "ab", False),
    ],
)
def test_a_glob_covers_what_it_is_sure_to_match(cover: str, text: str, expected: bool) -> None:
    assert glob_covers(cover, text) is expected


@given(GLOBS, GLOBS, NAMES)
def test_a_covered_glob_matches_nothing_more(cover: str, text: str, name: str) -> None:
    if glob_covers(cover, text) and Patterns("app", (text,)).match(frozenset({name})):
        assert Patterns("app", (cover,)).match(frozenset({name}))


@given(MODELS, MODELS, MODEL_NAMES)
def test_a_covered_model_pattern_matches_nothing_more(cover: str, text: str, name: str) -> None:
    if pattern_covers(cover, text, "model") and Patterns("model", (text,)).match(frozenset({name})):
        assert Patterns("model", (cover,)).match(frozenset({name}))


@given(GLOBS)
def test_a_glob_covers_itself(glob: str) -> None:
    assert glob_covers(glob, glob)


@pytest.mark.parametrize(
    ("dimension", "cover", "text", "expected"),
    [
        ("model", "a/b", "a/b:batch", True),
        ("model", "a/b:batch", "a/b", False),
        ("model", "a/*:batch", "A/B:Batch", True),
        ("model", "*", "@preview", True),
        ("model", "p*", "@preview", False),
        ("model", "@preview", "@preview", True),
        ("model", "@preview", "a/preview", False),
        ("app", "@*", "@me", True),
        ("app", "h*", "hash:1", True),
        ("api_key_id", "h*", "hash:" + "0" * 64, False),
        ("api_key_id", "*", "hash:" + "0" * 64, True),
        ("api_key_id", "HASH:" + "A" * 64, "hash:" + "a" * 64, True),
    ],
)
def test_each_dimension_has_its_own_patterns(dimension: str, cover: str, text: str, expected: bool) -> None:
    assert pattern_covers(cover, text, dimension) is expected


ALL_LISTS = st.lists(st.text("ab*", min_size=1, max_size=3), max_size=3).map(tuple)
SCOPES = st.builds(Scope, st.just("app"), ALL_LISTS, ALL_LISTS)


@given(SCOPES, SCOPES, NAMES)
def test_a_wider_scope_loses_no_member(old: Scope, new: Scope, name: str) -> None:
    found = relation(old, new)
    was, now = (_means(scope, name) for scope in (old, new))
    if found in {Relation.SAME, Relation.WIDER}:
        assert now or not was
    if found in {Relation.SAME, Relation.NARROWER}:
        assert was or not now


@given(SCOPES, SCOPES)
def test_swapping_the_sides_swaps_the_relation(old: Scope, new: Scope) -> None:
    swapped = {Relation.WIDER: Relation.NARROWER, Relation.NARROWER: Relation.WIDER}
    found = relation(old, new)
    assert relation(new, old) is swapped.get(found, found)


def _means(scope: Scope, name: str) -> bool:
    included, excluded = (
        Patterns("app", texts).match(frozenset({name})) for texts in (scope.include, scope.exclude)
    )
    return included and not excluded


def test_a_scope_reads_as_a_sentence() -> None:
    assert str(Scope("app", ("a", "b"), ("c",))) == "a, b without c"
    assert str(Scope("app", ())) == "nothing"


def test_only_a_models_patterns_name_variants() -> None:
    assert Scope("model", ("a/b",), ("a/b:free",)).tells_variants
    assert not Scope("model", ("a/b",)).tells_variants
    assert not Scope("app", ("a:b",)).tells_variants


def test_sets_are_those_of_the_dimension() -> None:
    policies = PolicySet((), key_sets={"s": ("a",)}, model_sets={"s": ("b/c", "@free")})
    assert patterns("api_key_id", ("@s", "x"), policies) == ("a", "x")
    assert patterns("model", ("@s",), policies) == ("b/c", "@free")
