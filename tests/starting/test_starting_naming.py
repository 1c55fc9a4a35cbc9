"""One key and no other, whatever it is called."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from start_world import listed

from orpolicy.account import Account, ApiKey, Directory
from orpolicy.policy.patterns import Patterns
from orpolicy.query.model import Meta
from orpolicy.starting.naming import exact
from orpolicy.starting.prose import comment, scalar

META = Meta({}, frozenset())
NAMES = st.lists(
    st.text(st.sampled_from('ab*?@h:"\\\n#é\x1b\u2028😀'), min_size=1, max_size=4)
    | st.sampled_from(["@batch", "hash:x", "true", "1e3"]),
    min_size=1,
    max_size=6,
    unique=True,
)


def known(*names: str) -> Account:
    return Account(META, Directory(listed(names)))


UNKNOWN = Account(META, Directory())


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("batch-pipeline", "batch-pipeline"),
        ("a*b", f"hash:{1:064x}"),
        ("@batch", f"hash:{1:064x}"),
        ("hash:x", "?ash:x"),
        ("line\nbreak", f"hash:{1:064x}"),
    ],
)
def test_a_listed_key_goes_by_its_name_or_its_hash(name: str, pattern: str) -> None:
    assert exact(name, known(name, "other"), {name, "other"}) == pattern


@pytest.mark.parametrize(
    ("name", "pattern"), [("a*b", "a?b"), ("@batch", "?batch"), ("hash:x", "?ash:x"), ("a\x1bb", "a?b")]
)
def test_a_key_that_is_known_by_name_only_is_spelt_with_care(name: str, pattern: str) -> None:
    assert exact(name, UNKNOWN, {name, "other"}) == pattern


def test_no_pattern_tells_apart_what_differs_only_in_case_or_behind_a_wildcard() -> None:
    assert exact("a*b", UNKNOWN, {"a*b", "axb"}) is None
    assert exact("Batch", UNKNOWN, {"Batch", "batch"}) is None
    assert exact("Batch", known("Batch", "batch"), {"Batch"}) == f"hash:{1:064x}"


def test_namesakes_go_by_their_hash() -> None:
    directory = Directory((ApiKey("twin", f"{1:064x}"), ApiKey("twin", f"{2:064x}")))
    account = Account(META, directory)
    assert exact(f"hash:{2:064x}", account, {f"hash:{1:064x}"}) == f"hash:{2:064x}"
    assert exact("twin", account, {"twin"}) == "twin"
    assert exact("twin", account, {"twin", "TWIN"}) is None


def test_traffic_without_a_key_has_no_pattern() -> None:
    assert exact(None, UNKNOWN, ()) is None
    assert exact("", UNKNOWN, ()) is None


@given(NAMES)
def test_a_pattern_matches_its_key_alone(names: list[str]) -> None:
    for account in (UNKNOWN, known(*names)):
        for name in names:
            pattern = exact(name, account, names)
            if pattern is not None:
                test = Patterns("api_key_id", (pattern,))
                hit = [other for other in names if test.match(account.names("api_key_id", other))]
                assert hit == [name]


@given(st.text(max_size=40))
def test_a_scalar_reads_back_as_the_text(text: str) -> None:
    assert yaml.safe_load(f"[{scalar(text)}]") == [text]


@given(st.text(max_size=200))
def test_a_comment_is_nothing_but_comment(text: str) -> None:
    lines = "\n".join(comment(f"key {text}", 2)).splitlines()
    assert all(line.startswith("  # ") for line in lines)
    assert yaml.safe_load("\n".join([*lines, "a: 1"])) == {"a": 1}
