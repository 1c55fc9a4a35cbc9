"""Where files that others extend come from: each once, bounded, by whatever name, from disk or a revision."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.cli.main import run
from orpolicy.errors import PolicyError, UsageError
from orpolicy.policy import library, packs
from orpolicy.policy.loader import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import PolicySet

    Read = Callable[..., PolicySet]
    Told = Callable[..., list[str]]
    Said = Callable[..., str]

CAP = "policies: [{id: cap, rule: cost, fail_above: 10}]\n"


def text(extends: str, more: str = "") -> str:
    return f"version: 1\nextends: {extends}\n{more}"


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def read(kinds: dict[str, Kind]) -> Read:
    """Write files by their paths, and read the first."""

    def read(files: dict[str, str], *names: str) -> PolicySet:
        for name, content in files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(content)
        return load([Path(name) for name in names or list(files)[:1]], kinds)

    return read


@pytest.fixture
def told(read: Read) -> Told:
    def told(files: dict[str, str], *names: str) -> list[str]:
        with pytest.raises(PolicyError) as error:
            read(files, *names)
        return [str(problem) for problem in error.value.problems]

    return told


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Packs of the test's own."""
    folder = tmp_path / "packs"
    folder.mkdir()
    monkeypatch.setattr(packs, "_folder", lambda: folder)

    def pack(**texts: str) -> None:
        for name, content in texts.items():
            (folder / f"{name}.yaml").write_text(content)

    return pack


def test_a_pack_extends_a_pack_by_name_and_a_file_of_its_folder(
    read: Read, pack: Callable[..., None]
) -> None:
    pack(base="version: 1\n" + CAP, outer=text("pack:base", "override: {cap: {fail_above: 3}}\n"))
    found = read({"a.yaml": text("[pack:outer, pack:base]")})
    assert found.files == ("a.yaml", "pack:outer", "pack:base")
    assert found.policies[0].thresholds.fail_above == 3.0
    assert str(found.overrides[0].location) == "pack:outer:3:18"
    assert str(found.policies[0].location) == "pack:base:2:12"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("pack:nobody", "there is no pack 'nobody' (packs: "),
        ("pack:../base", "there is no pack '../base'"),
        ("pack:", "must be pack:NAME"),
        ("https://example.com/a.yaml", "must be pack:NAME"),
        ("file:a.yaml", "must be pack:NAME"),
        ("C:\\\\policies\\\\a.yaml", "must be pack:NAME"),
        ("\\\\\\\\host\\\\a.yaml", "must be pack:NAME"),
        ("~/a.yaml", "must be pack:NAME"),
        ("/etc/a.yaml", "must be pack:NAME"),
        ("folder", "must be pack:NAME"),
        ("gone/a.yaml", "gone/a.yaml does not exist [ORP030]"),
        ("a.yaml/b.yaml", "a.yaml/b.yaml does not exist [ORP030]"),
        ("BASE.yaml", "BASE.yaml does not exist (did you mean base.yaml?) [ORP030]"),
        ("sub\\\\base.yaml", "sub\\base.yaml does not exist"),
    ],
)
def test_what_an_entry_cannot_be(told: Told, entry: str, expected: str) -> None:
    files = {"a.yaml": text(f'"{entry}"', CAP), "base.yaml": "version: 1\n" + CAP}
    (problem,) = told(files)
    assert problem.startswith("a.yaml:2:10: ")
    assert expected in problem


@pytest.mark.parametrize(
    ("extends", "expected"),
    [
        ("[]", "extends is empty"),
        ("[b.yaml, b.yaml]", "extends names b.yaml twice"),
        ("{b: c}", "extends must be"),
        ("5", "extends must be"),
        ("[5]", "extends[0] must be text, not 5"),
        ("", "extends must be"),
    ],
)
def test_the_shape_of_extends(told: Told, extends: str, expected: str) -> None:
    (problem,) = told({"a.yaml": text(extends, CAP), "b.yaml": "version: 1\nkey_sets: {a: [b]}\n"})
    assert expected in problem


def test_a_file_that_cannot_be_opened_says_why(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise UsageError(f"cannot read {path}: Permission denied")

    Path("b.yaml").touch()
    monkeypatch.setattr(library, "read_file", refuse)
    assert told({"a.yaml": text("b.yaml", CAP)}) == [
        "a.yaml:2:10: cannot read b.yaml: Permission denied [ORP030]"
    ]


def test_the_problems_of_a_broken_file_are_told_once_and_in_it(told: Told) -> None:
    files = {
        "a.yaml": text(
            "[b.yaml, c.yaml]", "waivers: [{policy: x, until: 2027-01-01, reason: r, owner: o}]\n"
        ),
        "b.yaml": text("c.yaml", "override: {cap: {fail_above: 1}}\n"),
        "c.yaml": "version: 1\npolicies: [{id: cap, rule: cost, fail_abov: 1}\n",
    }
    (problem,) = told(files)
    assert problem.startswith("c.yaml:3:1: ")
    files["c.yaml"] = (
        "version: 1\npolicies: [{id: cap, rule: cost, fail_abov: 1}, {id: x, rule: cost, fail_above: 2}]\n"
    )
    assert told(files) == ["c.yaml:2:34: unknown key 'fail_abov' (did you mean fail_above?) [ORP010]"]


def test_a_diamond_is_read_once(read: Read) -> None:
    files = {
        "a.yaml": text("[b.yaml, c.yaml, ./d.yaml, sub/../d.yaml]"),
        "b.yaml": text("d.yaml", "override: {cap: {fail_above: 1}}\n"),
        "c.yaml": text("d.yaml", "override: {cap: {severity: note}}\n"),
        "d.yaml": "version: 1\n" + CAP,
        "sub/e.yaml": "version: 1\n" + CAP,
    }
    found = read(files)
    assert found.files == ("a.yaml", "b.yaml", "d.yaml", "c.yaml")
    assert [item.location.file for item in found.overrides] == ["b.yaml", "c.yaml"]


def test_a_link_is_the_file_behind_it_and_is_seen_from_where_it_stands(read: Read, told: Told) -> None:
    read({"real/d.yaml": "version: 1\n" + CAP, "real/b.yaml": text("d.yaml")})
    Path("link.yaml").symlink_to("real/d.yaml")
    Path("folder").symlink_to("real")
    found = read({"a.yaml": text("[link.yaml, real/b.yaml, folder/b.yaml, real/d.yaml]")})
    assert found.files == ("a.yaml", "link.yaml", "real/b.yaml")
    Path("up").symlink_to("real", target_is_directory=True)
    assert read({"x.yaml": text("up/../link.yaml")}).files == ("x.yaml", "link.yaml")
    Path("hard.yaml").hardlink_to("real/d.yaml")
    assert read({"h.yaml": text("[real/d.yaml, hard.yaml]")}).files == ("h.yaml", "real/d.yaml")
    Path("loop.yaml").symlink_to("loop.yaml")
    (problem,) = told({"y.yaml": text("loop.yaml", CAP)})
    assert problem.startswith("y.yaml:2:10: loop.yaml does not exist")


def test_a_folder_above_a_link_is_the_one_behind_it(read: Read) -> None:
    read({"deep/down/b.yaml": text("../c.yaml"), "deep/c.yaml": "version: 1\n" + CAP})
    Path("short").symlink_to("deep/down", target_is_directory=True)
    assert read({"a.yaml": text("short/b.yaml")}).files == ("a.yaml", "short/b.yaml", "short/../c.yaml")


@pytest.mark.parametrize(("files", "is_bounded"), [(16, True), (17, False)])
def test_a_chain_of_sixteen_files_and_no_more(read: Read, told: Told, files: int, is_bounded: bool) -> None:
    chain = {f"{number}.yaml": text(f"{number + 1}.yaml") for number in range(files - 1)}
    chain[f"{files - 1}.yaml"] = "version: 1\n" + CAP
    if is_bounded:
        assert len(read(chain).files) == 16
    else:
        assert told(chain) == [
            "15.yaml:2:10: more than 16 files extend one another (0.yaml is the first of them) [ORP032]"
        ]


def test_two_hundred_files_and_no_more(read: Read, told: Told) -> None:
    files = {"a.yaml": text(f"[{', '.join(f'{n}.yaml' for n in range(200))}]", CAP)}
    files |= {f"{number}.yaml": f"version: 1\nkey_sets: {{s{number}: [x]}}\n" for number in range(201)}
    assert len(read(files).files) == 201
    (problem,) = told({"b.yaml": text("[a.yaml, 200.yaml]")})
    assert problem.startswith("a.yaml:2:")
    assert problem.endswith("a run pulls in at most 200 files [ORP032]")


def test_many_paths_to_the_same_files_take_no_time(read: Read) -> None:
    """Fifteen layers of thirteen files, each of which extends all of the next: 13^14 ways."""
    layers = [[f"{layer}-{file}.yaml" for file in range(13)] for layer in range(15)]
    files = {"a.yaml": text(f"[{', '.join(layers[0])}]", CAP)}
    for layer, following in zip(layers, [*layers[1:], []], strict=True):
        extends = f"extends: [{', '.join(following)}]\n" if following else ""
        files |= {name: f"version: 1\n{extends}key_sets: {{s{name[:-5]}: [x]}}\n" for name in layer}
    assert len(read(files).files) == 196


def test_files_that_all_extend_each_other_are_refused_once_each(told: Told) -> None:
    names = [f"{number}.yaml" for number in range(40)]
    files = {name: text(f"[{', '.join(names)}]", f"key_sets: {{s{name[:-5]}: [x]}}\n") for name in names}
    problems = told(files)
    assert len(problems) == len({problem.partition(":")[0] for problem in problems}) + 1
    assert sum(problem.endswith("[ORP032]") for problem in problems) == 1
    assert {problem[-8:] for problem in problems} == {"[ORP031]", "[ORP032]"}


@pytest.fixture
def commit() -> Callable[..., None]:
    def commit(files: dict[str, str]) -> None:
        for name, content in files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(content)
        for command in (
            ["init", "--quiet"],
            ["add", "--all"],
            [
                "-c",
                "user.name=n",
                "-c",
                "user.email=e@x",
                "-c",
                "commit.gpgsign=false",
                "commit",
                "--quiet",
                "-m",
                "m",
            ],
        ):
            subprocess.run(["git", *command], check=True)  # noqa: S607 - the machine's own git

    return commit


CAP_USD = "policies: [{id: cap, rule: spend-limit, fail_above: 10}]\n"


@pytest.fixture
def compared(capsys: pytest.CaptureFixture[str]) -> Said:
    def compared(*options: str) -> str:
        run(["diff-policy", "HEAD", *options])
        printed = capsys.readouterr()
        return printed.out + printed.err

    return compared


def test_the_files_of_a_revision_extend_those_of_the_same_revision(
    commit: Callable[..., None], compared: Said
) -> None:
    top = text("[pack:starter, ../shared/base.yaml]", "override: {cap: {warn_above: 5}}\n")
    commit({"policies/top.yaml": top, "shared/base.yaml": "version: 1\n" + CAP_USD})
    assert "no change" in compared().lower() or "nothing" in compared().lower()
    Path("shared/base.yaml").write_text("version: 1\n" + CAP_USD.replace("10", "20"))
    Path("policies/top.yaml").write_text(top.replace("warn_above: 5", "warn_above: 7"))
    said = compared()
    assert "fail_above" in said
    assert "warn_above" in said
    assert "HEAD:shared/base.yaml:2" in said
    assert "HEAD:policies/top.yaml:3" in said


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("../../base.yaml", "HEAD:policies/top.yaml:2:10: ../base.yaml is not in the repository [ORP030]"),
        ("../shared/bse.yaml", "HEAD:shared/bse.yaml does not exist (did you mean base.yaml?) [ORP030]"),
        ("pack:startr", "there is no pack 'startr' (did you mean starter?) [ORP030]"),
        ("link.yaml", "HEAD:policies/link.yaml does not exist"),
        ("top.yaml", "this file extends itself: HEAD:policies/top.yaml -> HEAD:policies/top.yaml [ORP031]"),
    ],
)
def test_what_a_revision_does_not_hold(
    commit: Callable[..., None], compared: Said, entry: str, expected: str
) -> None:
    Path("policies").mkdir()
    os.symlink("../shared/base.yaml", "policies/link.yaml")  # noqa: PTH211 - Path.symlink_to says it backwards
    commit(
        {"policies/top.yaml": text(entry, CAP_USD), "shared/base.yaml": "version: 1\nkey_sets: {a: [b]}\n"}
    )
    Path("policies/top.yaml").write_text("version: 1\n" + CAP_USD)
    assert expected in compared("policies/top.yaml")
