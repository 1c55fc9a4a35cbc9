"""How the commands of a page are found, run and compared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gallery.console import agrees, blocks, page_folder, recorded, redone, steps

PAGE = """# A page

```yaml title="orpolicy.yaml"
version: 1
policies:
  - {id: mix, rule: usd-per-mtok, by: [], fail_above: 2}
```

- in a list:

    ```console
    $ orpolicy validate
    1 policy in 1 file, no problems
    $ echo $?
    0
    ```

```sh
not run
```
"""


def test_blocks_know_their_file_and_lose_their_indentation() -> None:
    policy, console, other = blocks(PAGE)
    assert (policy.kind, policy.file, policy.line) == ("yaml", "orpolicy.yaml", 3)
    assert console.text.splitlines()[0] == "$ orpolicy validate"
    assert (other.kind, other.file) == ("sh", "")
    assert [step.command for step in steps(console)] == ["orpolicy validate", "echo $?"]


def test_a_block_begins_with_a_command() -> None:
    (block,) = blocks("```console\nPASS\n```\n")
    with pytest.raises(ValueError, match="line 1: a console block begins with a command"):
        list(steps(block))


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ((), (), True),
        (("a",), ("a",), True),
        (("a",), ("a", "b"), False),
        (("a", "..."), ("a", "b", "c"), True),
        (("a", "..."), ("a",), True),
        (("...", "c"), ("a", "b", "c"), True),
        (("a", "...", "d"), ("a", "b", "c"), False),
        (("a", "  ...", "c"), ("a", "c"), True),
        (("a.b",), ("axb",), False),
        (("...",), (), True),
        (("a", "b"), ("b", "a"), False),
    ],
)
def test_an_ellipsis_stands_for_any_lines_and_nothing_else_does(
    shown: tuple[str, ...], printed: tuple[str, ...], expected: bool
) -> None:
    assert agrees(shown, printed) is expected


def test_a_page_that_agrees_is_left_alone() -> None:
    assert recorded(PAGE) == PAGE


def test_what_a_page_shows_is_brought_up_to_date() -> None:
    stale = PAGE.replace("1 policy in", "7 policies in").replace("    0\n", "    1\n")
    assert recorded(stale) == PAGE


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (("1 a", "...", "5 e"), ("1 A", "...", "5 E")),
        (("...", "5 e"), ("...", "5 E")),
        (("1 a", "..."), ("1 A", "...")),
        (("1 a", "x"), ("1 A", "2 B", "3 C", "4 D", "5 E")),
    ],
)
def test_what_an_ellipsis_left_out_stays_out(shown: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert redone(shown, ("1 A", "2 B", "3 C", "4 D", "5 E")) == expected


def test_a_session_keeps_the_callers_key_folder_and_environment_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", "sk-or-secret")
    before, here = dict(os.environ), Path.cwd()
    with page_folder() as session:
        assert "OPENROUTER_MANAGEMENT_KEY" not in os.environ
        assert Path.cwd() == session.folder.resolve()
        assert list(session.folder.iterdir()) == []
        session.ran("orpolicy schema > schema.json")
        session.ran("cp schema.json copy.json")
        assert session.ran("cat copy.json")[0] == "{"
        session.ran("orpolicy explain no-such-kind")
        assert session.ran("echo $?") == ("2",)
        with pytest.raises(ValueError, match="a page cannot run 'rm -r x'"):
            session.ran("rm -r x")
    assert (dict(os.environ), Path.cwd()) == (before, here)
    assert not session.folder.exists()
