"""Finding members by how their names begin finds what matching each of them finds."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.policy.patterns import NameIndex, Patterns

ODD = "\N{LATIN SMALL LETTER LONG S}\N{KELVIN SIGN}\N{EURO SIGN}"
"""The first two are other cases of s and k."""

NAMES = st.lists(st.frozensets(st.text("aAskK1-.[\n" + ODD, max_size=4), max_size=2), max_size=6)
GLOBS = st.lists(st.text("aASkK1-.[*?" + ODD, max_size=4), max_size=3)


def like(name: str, glob: str) -> bool:
    """By the standard library's globs, which know brackets as well."""
    pattern = fnmatch.translate(glob.replace("[", "[[]"))
    return re.fullmatch(pattern, name, re.IGNORECASE) is not None


@given(NAMES, GLOBS)
def test_an_index_finds_what_matching_one_by_one_finds(names: list[frozenset[str]], globs: list[str]) -> None:
    patterns = Patterns("app", tuple(globs))
    expected = [any(like(name, glob) for name in some for glob in globs) for some in names]
    assert patterns.match_each(NameIndex(names)) == expected
    assert [patterns.match(some) for some in names] == expected


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("team-*", [0, 1]),
        ("TEAM-0?", [0, 1]),
        ("*-02", [1, 2]),
        ("team-01", [0]),
        ("", [4]),
        ("*", [0, 1, 2, 3, 4]),
        ("K*", [3]),
        ("nobody", []),
    ],
)
def test_who_is_found(glob: str, found: list[int]) -> None:
    names = [{"team-01", "hash:ab"}, {"Team-02"}, {"batch-02"}, {"\N{KELVIN SIGN}elvin"}, {""}]
    index = NameIndex([frozenset(some) for some in names])
    assert sorted(set(index.like(glob))) == found
