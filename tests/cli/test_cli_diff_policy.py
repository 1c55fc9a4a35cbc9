"""``orpolicy diff-policy`` as a pull request runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from orpolicy.cli.main import run

OLD = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
"""
LOOSE = OLD.replace("15", "1000")
STRICT = OLD.replace("15", "10")
LOST = OLD + "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}\n"
BROKEN = OLD.replace("fail_above", "fail_abov")
ME = ("-c", "user.name=me", "-c", "user.email=me@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose main branch has policies/team.yaml, in which each test works."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("OPENROUTER_API_KEY", "OPENROUTER_MANAGEMENT_KEY", "GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    git("init", "--quiet", "--initial-branch=main")
    write("policies/team.yaml", OLD)
    commit()
    return folder


def git(*arguments: str) -> None:
    subprocess.run(["git", *ME, *arguments], check=True, capture_output=True)  # noqa: S607 - as its users do


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit() -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message=policies")


def diff(*arguments: str) -> int:
    return run(["diff-policy", *arguments])


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    diff(*arguments, "--format", "json")
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (OLD, [], 0),
        (STRICT, [], 0),
        (LOOSE, [], 1),
        (LOOSE, ["--fail-on", "never"], 0),
        (LOOSE, ["--format", "json"], 1),
        (LOOSE, ["--format", "markdown"], 1),
        (OLD.replace("floor", "window: last-7d, floor"), [], 1),
        (BROKEN, [], 2),
        (OLD.replace("floor", "by: [modle], floor"), [], 2),
        (LOST, [], 0),
        (LOST, ["--source", "demo"], 3),
        (LOST.replace("15", "1000"), ["--source", "demo"], 1),
        (LOST.replace("15", "1000"), ["--source", "demo", "--fail-on", "never"], 3),
        (OLD, ["--source", "demo", "--window", "yesterday"], 2),
        (OLD, ["--source", "nothing.csv"], 2),
    ],
)
def test_the_exit_code(text: str, arguments: list[str], code: int) -> None:
    write("policies/team.yaml", text)
    assert diff("main", *arguments) == code


def test_it_needs_neither_key_nor_network_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", LOOSE)
    assert diff("main") == 1
    assert capsys.readouterr().out == (
        "1 change against main (weakens: 1)\n"
        "\n"
        "Weakens\n"
        "  outlier: fail_above 15 -> 1000\n"
        "    main:policies/team.yaml:4 -> policies/team.yaml:4\n"
        "\n"
        "No figures were looked at: --source says which findings the change hides, and their dollars.\n"
    )


def test_nothing_changed_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff("HEAD") == 0
    assert capsys.readouterr().out.startswith("Nothing changed against HEAD\n")


def test_the_work_tree_and_the_index_stay_as_they_are() -> None:
    write("policies/team.yaml", LOOSE)
    diff("main", "--source", "demo")
    status = subprocess.run(["git", "status", "--porcelain"], check=True, capture_output=True, text=True)  # noqa: S607 - as above
    assert status.stdout == " M policies/team.yaml\n"


def test_figures_say_what_is_hidden_and_for_how_many_dollars(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", LOOSE)
    found = as_json(capsys, "main", "--source", "demo")["figures"]
    (hidden,) = found["hidden"]["findings"]
    assert hidden["why"] == "no breach"
    assert hidden["finding"]["subject"] == {"model": "northwind/atlas-3-pro-preview"}
    assert found["hidden"]["spend_usd"] == 6185
    assert (found["shown"]["findings"], found["softened"]["findings"]) == ([], [])
    assert found["net_savings_usd_per_month"]["after"] == 0
    assert round(found["hidden"]["saves_usd_per_month"], 2) == 5907.72
    diff("main", "--source", "demo")
    shown = capsys.readouterr().out
    assert (
        "Findings that the change hides: 1 finding, spent $6,185.00, expected savings $5,907.72 a month"
        in shown
    )
    assert "  outlier: northwind/atlas-3-pro-preview: spent $6,185.00, saves $5,907.72 a month" in shown
    assert f"(no longer a breach)\n    {hidden['finding']['fingerprint']}\n" in shown
    assert "no dollar twice: $5,907.72 -> $0.00" in shown


def test_figures_name_what_could_not_be_judged(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", LOST)
    assert as_json(capsys, "main", "--source", "demo")["figures"]["not_judged"] == ["lost"]
    diff("main", "--source", "demo")
    assert "not judged on both sides: lost\n" in capsys.readouterr().out
    diff("main", "--source", "demo", "--format", "markdown")
    assert "Not judged on both sides: `lost`" in capsys.readouterr().out


def test_json_is_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", LOOSE + "  - {id: new, rule: spend-growth}\n")
    found = as_json(capsys, "main")
    assert (found["schema_version"], found["base"], found["weakens"]) == ("1.0", "main", True)
    assert found["counts"] == {"weaker": 1, "may-weaken": 0, "stronger": 1, "neutral": 0}
    assert (found["figures"], found["notes"], found["renamed"]) == (None, [], {})
    assert found["changes"][0] == {
        "effect": "weaker",
        "policy": "outlier",
        "what": "fail_above",
        "before": "15",
        "after": "1000",
        "note": "",
        "old_place": {"file": "main:policies/team.yaml", "line": 4},
        "new_place": {"file": "policies/team.yaml", "line": 4},
    }
    assert found["changes"][1]["old_place"] is None


def test_markdown_is_inert(capsys: pytest.CaptureFixture[str]) -> None:
    evil = '"|<img src=x>\\n@everyone `x` [a](http://x.example)\\u202e"'
    write("policies/team.yaml", LOOSE.replace("floor", f"title: {evil}, floor"))
    assert diff("main", "--source", "demo", "--format", "markdown") == 1
    shown = capsys.readouterr().out
    assert "<img" not in shown
    assert "\u202e" not in shown
    assert "@everyone" not in shown
    tokens = MarkdownIt("gfm-like").parse(shown)
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "code_inline", "strong_open", "strong_close"}
    assert sum(token.type == "table_open" for token in tokens) == 3
    assert "Findings that are new" in shown


@pytest.mark.parametrize(("title", "shown"), [("t", 100), ("@" * 500, 10)])
def test_markdown_stays_within_a_comment(title: str, shown: int, capsys: pytest.CaptureFixture[str]) -> None:
    many = "".join(f'  - {{id: p{number}, rule: spend-growth, title: "old"}}\n' for number in range(104))
    write("policies/team.yaml", OLD + many)
    commit()
    write("policies/team.yaml", OLD + many.replace('"old"', f'"{title}"'))
    assert diff("main~1", "--format", "markdown") == 0
    text = capsys.readouterr().out
    assert text.count("policy added") == 100
    assert "4 more rows not shown." in text
    assert diff("main", "--format", "markdown") == 0
    text = capsys.readouterr().out
    assert len(text) <= 60_000
    assert text.count("| title ") == shown
    assert f"{104 - shown} more rows not shown." in text


def test_markdown_that_never_fits_is_its_headline(capsys: pytest.CaptureFixture[str]) -> None:
    paths = [f"more/{'@' * 100}{number}.yaml" for number in range(80)]
    for number, path in enumerate(paths):
        write(path, OLD.replace("outlier", f"p{number}"))
    assert diff("main", "policies", *paths, "--format", "markdown") == 0
    assert capsys.readouterr().out == "### orpolicy: 80 changes against main (strengthens: 80)\n"


def test_markdown_names_some_of_what_could_not_be_judged(capsys: pytest.CaptureFixture[str]) -> None:
    lost = LOST.partition("policies:")[2].splitlines()[2]
    more = "".join(f"{lost.replace('id: lost', f'id: lost-{number:03}')}\n" for number in range(103))
    write("policies/team.yaml", OLD + more)
    assert diff("main", "--source", "demo", "--format", "markdown") == 3
    assert "`lost-099` and 3 more\n" in capsys.readouterr().out


def test_terminals_are_safe_from_names(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", OLD.replace("floor", r'title: "\u202e\n", floor'))
    assert diff("main") == 0
    shown = capsys.readouterr().out
    assert r"title none -> \u202e\n" in shown
    assert "\u202e" not in shown


def test_a_folder_or_a_file_may_be_the_base(capsys: pytest.CaptureFixture[str]) -> None:
    write("older/a.yaml", STRICT)
    assert diff("older") == 1
    assert "    older/a.yaml:4 -> policies/team.yaml:4\n" in capsys.readouterr().out
    assert diff("older/a.yaml", "older") == 0
    assert diff("policies", "older") == 0


def test_a_revision_wins_over_a_folder_of_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    write("main/a.yaml", STRICT)
    assert diff("main") == 0
    assert diff("./main") == 1
    assert "./main: " not in capsys.readouterr().err


@pytest.mark.parametrize("base", ["nowhere", "--", "main:policies", "main~5", "-x", "--upload-pack=x"])
def test_a_base_that_does_not_exist_is_wrong(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff-policy", "--", base]) == 2
    assert "is neither a git revision nor a path here (in CI, fetch it first" in capsys.readouterr().err


def test_without_a_repository_only_paths_are_a_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write("policies/a.yaml", OLD)
    write("older.yaml", OLD)
    assert diff("main") == 2
    assert "this folder is in no git repository" in capsys.readouterr().err
    assert diff("older.yaml") == 0


def test_without_git_only_paths_are_a_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert diff("main") == 2
    assert "neither a git revision" in capsys.readouterr().err
    assert diff("policies") == 0


def test_paths_are_those_of_check_from_any_folder(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write("teams/a b/ünï.yaml", OLD)
    write("teams/.hidden.yaml", BROKEN)
    write("teams/.hidden/x.yaml", BROKEN)
    write("teams/README.md", "nothing")
    write("teams/Makefile", "all:")
    commit()
    write("teams/a b/ünï.yaml", LOOSE)
    assert diff("main", "teams") == 1
    assert diff("main", str(repository / "teams/a b/ünï.yaml")) == 1
    assert diff("main", "policies") == 0
    monkeypatch.chdir(repository / "teams")
    capsys.readouterr()
    assert diff("main", "a b") == 1
    assert "    main:teams/a b/ünï.yaml:4 -> a b/ünï.yaml:4\n" in capsys.readouterr().out
    assert diff("main", "../policies") == 0
    assert diff("main") == 2


def test_the_whole_repository_may_be_the_path(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", LOOSE)
    assert diff("main", ".") == 1
    assert "fail_above 15 -> 1000" in capsys.readouterr().out


def test_policies_that_moved_between_the_default_places_are_found(repository: Path) -> None:
    git("mv", "policies/team.yaml", "orpolicy.yaml")
    shutil.rmtree("policies", ignore_errors=True)
    write("orpolicy.yaml", LOOSE)
    assert diff("main") == 1
    commit()
    assert diff("HEAD~1") == 1
    assert diff("HEAD") == 0
    assert (repository / "orpolicy.yaml").is_file()


def test_a_path_outside_of_the_repository_has_no_revision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.yaml").write_text(OLD, encoding="utf-8")
    assert diff("main", "../other.yaml") == 2
    assert "../other.yaml is not in the repository" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["policies/linked.yaml", "policies/linked"])
def test_a_link_in_a_revision_is_refused_not_overlooked(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write("shared/more.yaml", OLD.replace("outlier", "more"))
    Path(name).symlink_to("../shared/more.yaml" if name.endswith(".yaml") else "../shared")
    commit()
    assert diff("main") == 2
    assert f"main:{name} is a link or a submodule" in capsys.readouterr().err
    assert diff("policies") == 0


def test_a_path_that_the_base_lacks_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write("more/new.yaml", OLD.replace("outlier", "more"))
    assert diff("main", "policies", "more") == 0
    assert "main has no more\n" in capsys.readouterr().out
    assert diff("main", "policies", "more", "--format", "markdown") == 0
    assert "Note: main has no more.\n" in capsys.readouterr().out


def test_a_base_without_policies_is_wrong_unless_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    write("more/new.yaml", OLD)
    assert diff("main", "more") == 2
    assert "main has no policies there: --allow-no-base takes all as new" in capsys.readouterr().err
    assert diff("main", "more", "--allow-no-base", "--source", "demo") == 0
    shown = capsys.readouterr().out
    assert "main has no policies there: all are new\n" in shown
    assert "outlier: policy added: blended-multiple\n" in shown
    assert "(no policy asked)" in shown


def test_a_broken_base_is_wrong_unless_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", BROKEN)
    commit()
    write("policies/team.yaml", OLD)
    assert diff("main") == 2
    complaint = capsys.readouterr().err
    assert "main:policies/team.yaml:4:63: unknown key 'fail_abov'" in complaint
    assert "the policies of main are broken: --allow-no-base takes all as new" in complaint
    assert diff("main", "--allow-no-base") == 0
    captured = capsys.readouterr()
    assert "the policies of main are broken: all are taken as new\n" in captured.out
    assert "fail_abov" in captured.err


def test_a_repository_that_cannot_be_read_is_said(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["git", "rev-parse", "main:policies/team.yaml"]
    name = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    (repository / ".git/objects" / name[:2] / name[2:]).unlink()
    assert diff("main") == 2
    assert "git could not read the base: git cat-file blob" in capsys.readouterr().err


def test_packs_are_the_same_on_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", LOOSE)
    assert diff("main", "policies", "--pack", "starter") == 1
    assert capsys.readouterr().out.startswith("1 change against main")
    assert diff("main", "--pack", "starter") == 2
    assert "--pack alone is the same on both sides" in capsys.readouterr().err


def test_rename_and_removal_read_as_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    write("policies/team.yaml", OLD.replace("id: outlier", "id: dear"))
    assert diff("main", "--source", "demo") == 0
    shown = capsys.readouterr().out
    assert "1 change against main (catches the same: 1)" in shown
    assert "dear: id outlier -> dear (renamed: " in shown
    assert "Findings that the change hides: none\n" in shown
    write("policies/team.yaml", "version: 1\npolicies:\n  - {id: growth, rule: spend-growth}\n")
    diff("main")
    shown = capsys.readouterr().out
    assert "  outlier: policy removed: blended-multiple\n    main:policies/team.yaml:4\n" in shown


def test_findings_without_a_figure_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    free = "version: 1\npolicies:\n  - {id: e, rule: metric, expression: total_usage, fail_above: 1}\n"
    write("policies/team.yaml", free)
    commit()
    write("policies/team.yaml", free.replace("1}", "1000000}"))
    diff("main", "--source", "demo")
    assert "expected savings $0.00 a month and 1 unknown" in capsys.readouterr().out


def test_help_says_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff-policy", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Exit codes: 0 nothing weakens, 1 something weakens or may" in shown
