"""What ``scripts/make_docs.py`` writes, finds stale and takes away."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import make_docs
import pytest
from gallery.markdown import MADE, prose, table, terms
from gallery.nav import with_nav

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(make_docs.DOCS, tmp_path / "docs")
    shutil.copy(make_docs.SETTINGS, tmp_path)
    monkeypatch.setattr(make_docs, "ROOT", tmp_path)
    monkeypatch.setattr(make_docs, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(make_docs, "SETTINGS", tmp_path / "zensical.toml")
    monkeypatch.setattr(make_docs, "generated", lambda: {"reference/kinds/one.md": f"{MADE}\n\n# one\n"})
    return tmp_path


def test_check_names_what_is_stale_and_writes_nothing(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = copy / "docs/reference/kinds/metric.md"
    before = old.read_bytes()
    assert make_docs.main(["--check"]) == 1
    named = capsys.readouterr().out.splitlines()
    assert {"docs/reference/kinds/one.md", "docs/reference/kinds/metric.md", "zensical.toml"} <= set(named)
    assert old.read_bytes() == before
    assert not (copy / "docs/reference/kinds/one.md").exists()


def test_a_generated_page_that_nothing_makes_any_more_goes_and_written_ones_stay(copy: Path) -> None:
    assert make_docs.main([]) == 0
    assert [path.name for path in (copy / "docs/reference/kinds").iterdir()] == ["one.md"]
    assert (copy / "docs/reference/numbers.md").exists()
    assert '"one" = "reference/kinds/one.md"' in (copy / "zensical.toml").read_text(encoding="utf-8")
    assert make_docs.main(["--check"]) == 0


def test_record_brings_what_a_page_shows_up_to_date(copy: Path) -> None:
    page = copy / "docs/recipes/mine.md"
    page.write_text("# Mine\n\n```console\n$ orpolicy --version\n$ echo $?\n1\n```\n", encoding="utf-8")
    for other in (copy / "docs").rglob("*.md"):
        if other != page:
            other.unlink()
    assert make_docs.main(["--record"]) == 0
    shown = page.read_text(encoding="utf-8").splitlines()
    assert shown[3] == "$ orpolicy --version"
    assert shown[4].startswith("orpolicy ")
    assert shown[5:] == ["$ echo $?", "0", "```"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain  words,\n on one line", "plain words, on one line"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a * b_c | d [e](f)", "a \\* b\\_c \\| d \\[e\\](f)"),
        ("``code * here`` & not", "`code * here` &amp; not"),
        ("", ""),
    ],
)
def test_text_for_people_is_no_markup(text: str, expected: str) -> None:
    assert prose(text) == expected


def test_tables_and_terms() -> None:
    assert table(("a", "b"), [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert terms([("`a`", "one"), ("`b`", "two")]) == "`a`\n:   one\n\n`b`\n:   two"


def test_the_contents_follow_each_index() -> None:
    pages = {
        "index.md": "# Home\n",
        "recipes/index.md": "# Recipes\n\n[b](b.md) and [a](a.md)\n",
        "recipes/a.md": "# `A`\n",
        "recipes/b.md": "# B\n",
        "recipes/c.md": "no title\n",
    }
    made = with_nav("# nav: made by scripts/make_docs.py\nold\n# /nav\nrest\n", pages)
    places = [made.index(f'"{name}"') for name in pages if name != "index.md"]
    assert made.endswith("# /nav\nrest\n")
    assert "old" not in made
    assert '{ "A" = "recipes/a.md" }' in made
    assert '{ "c.md" = "recipes/c.md" }' in made
    index, a, b, c = places
    assert index < b < a < c
