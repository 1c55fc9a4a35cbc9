from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.reporters import _words as words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name", "plain name"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b", r"\x9b"),
        ("\u202egpj", r"\u202egpj"),
        ("\u2028\u200b", r"\u2028\u200b"),
        ("\udce9", r"\udce9"),
        ("\U000e0041", r"\U000e0041"),
        ("é批😀", "é批😀"),
        ("\u0301x", r"\u0301x"),
        (r"C:\dir", r"C:\dir"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert words.visible(text) == shown


@given(st.text(st.characters()))
def test_visible_twice_is_visible_once(text: str) -> None:
    once = words.visible(text)
    assert words.visible(once) == once
    once.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("批处理", 6), ("e\u0301", 1), ("\uff21", 2), ("", 0)]
)
def test_columns(text: str, columns: int) -> None:
    assert words.columns(text) == columns


def test_names_are_elided_in_the_middle() -> None:
    assert words.name("abcdefghijklmnop", 9) == "abcd…mnop"
    assert words.name("abcdefghi", 9) == "abcdefghi"
    assert words.name("批处理流水线", 9) == "批处…水线"


@given(st.text(st.characters()), st.integers(2, 90))
def test_names_keep_their_limit(text: str, limit: int) -> None:
    assert words.columns(words.name(text, limit)) <= limit


def test_subjects() -> None:
    assert words.subject({}) == "all traffic"
    assert words.subject({"model": "a/b"}) == "a/b"
    assert words.subject({"api_key_id": "k", "model": "a/b"}) == "k on a/b"
    assert words.subject({"api_key_id": "k", "workspace": "w"}) == "k, w"
    assert words.subject({"api_key_id": None, "model": None}) == "no key on no model"
    assert words.subject({"api_key_id": "short", "model": "m" * 40}, 29) == "short on mmmmmmmmmm…mmmmmmmmm"
    assert words.subject({"api_key_id": "short", "model": "m" * 20}, 29) == "short on " + "m" * 20


def test_plural() -> None:
    assert [words.plural(number, "finding") for number in (0, 1, 1234)] == [
        "0 findings",
        "1 finding",
        "1,234 findings",
    ]
    assert words.plural(2, "policy", "policies") == "2 policies"


def test_noncharacters_come_out_as_escapes() -> None:
    for char in ("\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"):
        assert words.visible(char).isascii()
    assert words.visible("\ufdcf\ufdf0\ufffd") == "\ufdcf\ufdf0\ufffd"
