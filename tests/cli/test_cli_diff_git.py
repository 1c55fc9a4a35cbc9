"""diff-policy against real repositories: names that mislead, places that git cannot see, odd checkouts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orpolicy.cli.main import run

OLD = """version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
"""
LOOSE = OLD.replace("15", "1000")
SUBMODULE = "160000"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose first commit is strict and whose second is loose; it is the working directory."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    git("init", "--quiet", "--initial-branch=main")
    write("policies/team.yaml", OLD)
    commit()
    write("policies/team.yaml", LOOSE)
    commit()
    return folder


def git(*arguments: str) -> str:
    me = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    command = ["git", *me, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def commit() -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message=policies")


def diff(*arguments: str) -> int:
    return run(["diff-policy", *arguments])


def test_a_whole_hash_is_the_commit_whatever_is_named_like_it(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = git("rev-parse", "HEAD~1")
    git("tag", before[:12])
    git("tag", before)
    assert repository.is_dir()
    assert diff(before) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(f"1 change against {before[:12]} (weakens: 1)\n")
    assert f"    {before[:12]}:policies/team.yaml:3 -> policies/team.yaml:3\n" in shown
    assert diff(before[:12]) == 0  # a tag comes before an abbreviation, in git as well


@pytest.mark.usefixtures("repository")
def test_a_whole_hash_is_short_wherever_it_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    before = git("rev-parse", "HEAD~1")
    write("more/new.yaml", OLD.replace("outlier", "new"))
    write("accepted", "orpolicy-baseline 1\n")
    assert diff(before, "policies", "more", "--baseline", "accepted") == 1
    assert diff(before, "more") == 2
    assert diff(before, "more", "--allow-no-base") == 0
    captured = capsys.readouterr()
    assert before not in captured.out + captured.err
    assert f"{before[:12]} has no more\n" in captured.out
    assert f"{before[:12]} has no accepted: all that it accepts is new\n" in captured.out


@pytest.mark.parametrize("value", ["../.git", "/nowhere"])
def test_what_git_tells_its_hooks_misleads_nobody(
    repository: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "policies")
    monkeypatch.setenv("GIT_DIR", value)
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
    assert diff("main~1", "team.yaml") == 1


def test_a_work_tree_that_is_given_counts(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (repository / ".git").rename(elsewhere)
    monkeypatch.setenv("GIT_DIR", str(elsewhere))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    assert diff("main~1") == 1


@pytest.mark.usefixtures("repository")
def test_policies_inside_of_a_submodule_are_not_new(capsys: pytest.CaptureFixture[str]) -> None:
    git("update-index", "--add", "--cacheinfo", f"{SUBMODULE},{git('rev-parse', 'HEAD')},sub")
    git("commit", "--quiet", "--message=submodule")
    write("sub/policies/team.yaml", LOOSE)
    assert diff("HEAD", "sub/policies", "--allow-no-base") == 2
    assert "HEAD:sub is a link or a submodule" in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_a_folder_that_was_a_link_is_not_new(capsys: pytest.CaptureFixture[str]) -> None:
    Path("linked").symlink_to("policies")
    commit()
    Path("linked").unlink()
    write("linked/team.yaml", LOOSE)
    assert diff("HEAD", "linked/team.yaml", "--allow-no-base") == 2
    assert "HEAD:linked is a link or a submodule" in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_a_folder_that_was_a_file_is_new() -> None:
    write("more", "a file")
    commit()
    Path("more").unlink()
    write("more/new.yaml", OLD.replace("outlier", "new"))
    assert diff("HEAD", "more/new.yaml", "--allow-no-base") == 0


@pytest.mark.usefixtures("repository")
def test_a_repository_of_somebody_else_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert diff("main~1") == 2
    assert "git says: fatal: detected dubious ownership" in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_a_shallow_clone_lacks_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = git("rev-parse", "HEAD~1")
    git("clone", "--quiet", "--depth=1", Path.cwd().as_uri(), str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    assert diff(before) == 2
    assert "a shallow checkout has no other revisions" in capsys.readouterr().err
    assert diff("HEAD") == 0


@pytest.mark.usefixtures("repository")
def test_what_a_partial_clone_cannot_fetch_is_said_in_gits_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = git("rev-parse", "HEAD~1")
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "--quiet", "--filter=blob:none", Path.cwd().as_uri(), str(tmp_path / "partial"))
    monkeypatch.chdir(tmp_path / "partial")
    git("remote", "set-url", "origin", "file:///nowhere")
    assert diff(before) == 2
    assert ":policies/team.yaml: fatal: " in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_line_ends_modes_and_file_names_change_nothing() -> None:
    file = Path("policies/team.yaml")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    file.chmod(0o755)
    file.rename("policies/renamed.yaml")
    assert diff("HEAD") == 0
    assert diff("HEAD~1") == 1


@pytest.mark.usefixtures("repository")
def test_a_repository_in_a_folder_of_another_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    write("inner/policies/team.yaml", OLD)
    monkeypatch.chdir("inner")
    git("init", "--quiet", "--initial-branch=main")
    commit()
    write("policies/team.yaml", LOOSE)
    assert diff("HEAD") == 1
    assert diff("HEAD", os.path.abspath("policies")) == 1  # noqa: PTH100 - as it was, links and all


@pytest.mark.usefixtures("repository")
def test_the_merge_base_is_a_base_like_any_other() -> None:
    git("switch", "--quiet", "--create", "topic")
    write("policies/other.yaml", OLD.replace("outlier", "other"))
    commit()
    git("switch", "--quiet", "main")
    write("policies/team.yaml", OLD)
    commit()
    git("switch", "--quiet", "topic")
    assert diff(git("merge-base", "main", "HEAD")) == 0
    assert diff("main") == 1  # main has become stricter since
