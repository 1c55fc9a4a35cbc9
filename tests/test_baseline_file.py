"""The baseline as a file: what it looks like, what is refused, and how git merges it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.baseline import Accepted, Figures, Ratchet, Side
from orpolicy.baseline_file import MAX_BYTES, parse, read, text_of
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "orpolicy-baseline 1\n"
LINE = "a" * 32 + " no-preview spend_usd<=6067 spend_usd_per_month<=6067.00\n"


def entry(number: int, value: float = 5.0, usd: float = 100.0, policy: str = "no-preview") -> Accepted:
    """Numbers are the first digits of the fingerprint, and so the order in the file."""
    figures = Figures("spend_usd", Side.AT_MOST, value, usd)
    return Accepted(f"{number:02x}" + "0" * 30, policy, figures, f"batch-{number:02} on x/dear")


def test_what_it_looks_like() -> None:
    cache = Accepted(
        "b" * 32, "cache", Figures("cache_hit_rate", Side.AT_LEAST, 1 / 8, 2424.4), "all traffic"
    )
    assert text_of(Ratchet.of([cache, entry(1, value=1e-7, usd=-0.5)])) == (
        "orpolicy-baseline 1\n"
        "# Findings that are accepted while their measure and dollars a month stay within these bounds.\n"
        "# `orpolicy baseline update` lowers them; nothing raises them unasked.\n"
        "\n"
        "# no-preview: batch-01 on x/dear\n"
        "01000000000000000000000000000000 no-preview spend_usd<=1e-07 spend_usd_per_month<=-0.50\n"
        "\n"
        "# cache: all traffic\n"
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cache cache_hit_rate>=0.125 spend_usd_per_month<=2424.40\n"
        "\n"
        "# end\n"
    )


numbers = st.floats(-1e12, 1e12)
entries = st.builds(
    Accepted,
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True),
    st.builds(
        Figures, st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True), st.sampled_from(Side), numbers, numbers
    ).map(Figures.rounded),
    st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs"]), min_size=1),
)


@given(st.lists(entries, unique_by=lambda item: item.fingerprint))
def test_what_is_written_is_read(items: list[Accepted]) -> None:
    ratchet = Ratchet.of(items)
    text = text_of(ratchet)
    assert parse(text.encode(), "f") == ratchet
    assert parse(text.replace("\n", "\r\n").encode("utf-8-sig"), "f") == ratchet
    assert len([line for line in text.splitlines() if line.startswith(tuple("0123456789abcdef"))]) == len(
        items
    )


def test_the_order_of_lines_does_not_matter() -> None:
    lines = LINE + LINE.replace("a" * 32, "0" * 32)
    assert [item.fingerprint[0] for item in parse((HEADER + lines).encode(), "f").entries] == ["0", "a"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "f:1:1: this is no baseline (its first line must be 'orpolicy-baseline 1')"),
        (b"version: 1\n", "f:1:1: this is no baseline"),
        (b"orpolicy-baseline 2\n", "f:1:1: baselines of version 2 are not known here (update orpolicy)"),
        (b"orpolicy-baseline x\n", "f:1:1: this is no baseline"),
        (HEADER.encode() + b"# \xff\n", "f:2:3: the file is not UTF-8 from here on"),
        (HEADER + "what\n", "f:2:1: a fingerprint of 32 hex digits must stand here"),
        (HEADER + " " + LINE, "f:2:1: a fingerprint of 32 hex digits must stand here"),
        (HEADER + LINE.upper(), "f:2:1: a fingerprint of 32 hex digits must stand here"),
        (HEADER + LINE.replace(" no-preview", " No_Preview"), "f:2:34: a policy id must stand here"),
        (HEADER + LINE.replace(" no-preview", "  no-preview"), "f:2:34: a policy id must stand here"),
        (
            HEADER + LINE.replace("<=6067 ", "<6067 "),
            "f:2:45: a bound such as spend_usd<=6067 must stand here",
        ),
        (
            HEADER + LINE.replace("<=6067 ", "<=nan "),
            "f:2:45: a bound such as spend_usd<=6067 must stand here",
        ),
        (HEADER + LINE.replace("<=6067 ", "<=1e999 "), "f:2:45: a bound is out of range"),
        (
            HEADER + LINE.replace("<=6067 ", "<=\u0661 "),
            "f:2:45: a bound such as spend_usd<=6067 must stand here",
        ),
        (HEADER + LINE.replace("6067.00", "9e999"), "f:2:45: a bound is out of range"),
        (
            HEADER + LINE.replace("month<=", "month>="),
            "f:2:61: a bound such as spend_usd_per_month<=6067.00 must stand here",
        ),
        (
            HEADER + LINE.replace(" spend_usd_per_month<=6067.00", ""),
            "f:2:60: a bound such as spend_usd_per_month<=6067.00 is missing",
        ),
        (HEADER + LINE.replace("\n", " more\n"), "f:2:90: nothing more must stand here"),
        (HEADER + LINE + LINE, "f:3:1: the same finding as in line 2 (keep the stricter one)"),
        (HEADER + "<<<<<<< HEAD\n", "f:2:1: an unresolved merge conflict (keep one of the two sides)"),
        (HEADER + "\n=======\n", "f:3:1: an unresolved merge conflict"),
        (HEADER + ">>>>>>> branch\r\n", "f:2:1: an unresolved merge conflict"),
        (HEADER + "||||||| base\n", "f:2:1: an unresolved merge conflict"),
    ],
)
def test_broken_files_are_refused_with_a_place(content: bytes | str, says: str) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(UsageError) as caught:
        parse(raw, "f")
    assert str(caught.value).startswith(says)


def test_windows_checkouts_are_read() -> None:
    text = text_of(Ratchet.of([entry(number) for number in range(3)]))
    for content in (text.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + text.encode()):
        assert text_of(parse(content, "f")) == text


def test_all_problems_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse((HEADER + "what\n" + LINE + "<<<<<<< a\n" + LINE).encode(), "dir/f")
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        "dir/f:2:1",
        "dir/f:4:1",
        "dir/f:5:1",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"there is no baseline .*absent: `orpolicy baseline write` makes one"
    ):
        read(tmp_path / "absent")
    with pytest.raises(UsageError, match="cannot read the baseline"):
        read(tmp_path)
    (tmp_path / "large").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(UsageError, match="large:1:1: the file is larger than 32 MiB"):
        read(tmp_path / "large")


# Merges, by git itself ------------------------------------------------------------------------------------

SIX = [entry(number) for number in (0x10, 0x20, 0x30, 0x40, 0x50, 0x60)]


class Repository:
    """A repository whose one file is a baseline."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "orpolicy.baseline"
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, fails: bool = False) -> None:
        who = {
            f"GIT_{role}_{what}": "x@y.z" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - the git that people use
            cwd=self.folder,
            env={**os.environ, **who, **nothing},
            capture_output=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done

    def commit(self, items: list[Accepted]) -> None:
        self.file.write_text(text_of(Ratchet.of(items)), encoding="utf-8")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "x")

    def merge(
        self, base: list[Accepted], ours: list[Accepted], theirs: list[Accepted], *, fails: bool = False
    ) -> None:
        self.commit(base)
        self.git("checkout", "-q", "-b", "theirs")
        self.commit(theirs)
        self.git("checkout", "-q", "main")
        self.commit(ours)
        self.git("merge", "-q", "--no-edit", "theirs", fails=fails)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def tightened(items: list[Accepted], number: int, usd: float = 50.0) -> list[Accepted]:
    return [
        replace(item, figures=replace(item.figures, usd_per_month=usd)) if item == entry(number) else item
        for item in items
    ]


def without(items: list[Accepted], number: int) -> list[Accepted]:
    return [item for item in items if item != entry(number)]


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        pytest.param(
            [*SIX, entry(0x15)], [*SIX, entry(0x45)], [*SIX, entry(0x15), entry(0x45)], id="both add"
        ),
        pytest.param(
            [*SIX, entry(0x15)],
            [*SIX, entry(0x25)],
            [*SIX, entry(0x15), entry(0x25)],
            id="both add side by side",
        ),
        pytest.param(
            [*SIX, entry(0x15)],
            tightened(SIX, 0x40),
            [*tightened(SIX, 0x40), entry(0x15)],
            id="adds and tightens",
        ),
        pytest.param(
            [*SIX, entry(0x15)],
            tightened(SIX, 0x10),
            [*tightened(SIX, 0x10), entry(0x15)],
            id="adds after tightened",
        ),
        pytest.param(
            [*SIX, entry(0x15)],
            tightened(SIX, 0x20),
            [*tightened(SIX, 0x20), entry(0x15)],
            id="adds before tightened",
        ),
        pytest.param(
            tightened(SIX, 0x20),
            tightened(SIX, 0x30),
            tightened(tightened(SIX, 0x20), 0x30),
            id="both tighten neighbours",
        ),
        pytest.param(
            without(SIX, 0x20),
            tightened(SIX, 0x30),
            tightened(without(SIX, 0x20), 0x30),
            id="fixed before tightened",
        ),
        pytest.param(
            without(SIX, 0x30),
            tightened(SIX, 0x20),
            tightened(without(SIX, 0x30), 0x20),
            id="fixed after tightened",
        ),
        pytest.param(
            [*SIX, entry(0x65)],
            tightened(SIX, 0x60),
            [*tightened(SIX, 0x60), entry(0x65)],
            id="adds at the end",
        ),
        pytest.param(
            [*SIX, entry(0x05)],
            tightened(SIX, 0x10),
            [*tightened(SIX, 0x10), entry(0x05)],
            id="adds at the start",
        ),
        pytest.param(tightened(SIX, 0x20), tightened(SIX, 0x20), tightened(SIX, 0x20), id="the same twice"),
    ],
)
def test_git_merges_what_two_branches_change(
    repository: Repository, ours: list[Accepted], theirs: list[Accepted], merged: list[Accepted]
) -> None:
    repository.merge(SIX, ours, theirs)
    assert read(repository.file) == Ratchet.of(merged)
    assert repository.file.read_text(encoding="utf-8") == text_of(Ratchet.of(merged))


def test_a_true_conflict_is_refused_until_it_is_resolved(repository: Repository) -> None:
    repository.merge(SIX, tightened(SIX, 0x20, 50.0), tightened(SIX, 0x20, 40.0), fails=True)
    with pytest.raises(UsageError) as caught:
        read(repository.file)
    assert str(caught.value).count("an unresolved merge conflict") == 3
    assert "the same finding as in line" in str(caught.value)


def test_with_the_union_driver_additions_in_one_place_merge_too(repository: Repository) -> None:
    (repository.folder / ".gitattributes").write_text("orpolicy.baseline merge=union\n", encoding="utf-8")
    repository.merge([], [entry(0x12), entry(0x30)], [entry(0x20), entry(0x40)])
    assert read(repository.file) == Ratchet.of([entry(0x12), entry(0x20), entry(0x30), entry(0x40)])


def test_with_the_union_driver_a_true_conflict_is_refused_all_the_same(repository: Repository) -> None:
    (repository.folder / ".gitattributes").write_text("orpolicy.baseline merge=union\n", encoding="utf-8")
    repository.merge(SIX, tightened(SIX, 0x20, 50.0), tightened(SIX, 0x20, 40.0))
    with pytest.raises(UsageError, match="the same finding as in line"):
        read(repository.file)
