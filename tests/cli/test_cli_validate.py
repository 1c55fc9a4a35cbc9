"""``orpolicy validate`` as it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

POLICY = "version: 1\npolicies:\n- {id: a, rule: spend-limit, fail_above: 1}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_valid_files_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policies").mkdir()
    (folder / "policies" / "a.yaml").write_text(POLICY)
    assert run(["validate"]) == 0
    assert capsys.readouterr() == ("1 policy in 1 file, no problems\n", "")
    (folder / "policies" / "b.yaml").write_text(POLICY.replace("id: a", "id: b"))
    assert run(["validate", "policies"]) == 0
    assert capsys.readouterr() == ("2 policies in 2 files, no problems\n", "")


def test_problems_are_listed_and_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.yaml").write_text(POLICY.replace("fail_above", "fail_abov"))
    (folder / "b.yaml").write_text("{}\n")
    assert run(["validate", "a.yaml", "b.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "a.yaml:3:30: unknown key 'fail_abov' (did you mean fail_above?) [ORP010]\n"
        "b.yaml:1:1: version is missing [ORP011]\n"
        "2 problems in 2 files\n"
    )


def test_one_problem_is_one_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "orpolicy.yaml").write_text("")
    assert run(["validate"]) == 2
    assert capsys.readouterr().err == (
        "orpolicy.yaml:1:1: the file holds nothing (it needs version: 1 and policies) [ORP008]\n"
        "1 problem in 1 file\n"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["validate"], "orpolicy: no policies here: there is neither a folder policies/"),
        (["validate", "gone.yaml"], "orpolicy: gone.yaml does not exist [ORP102]\n"),
        (["validate", "--pack", "gone"], "orpolicy: there is no pack 'gone'"),
    ],
)
def test_a_wrong_command_line_is_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err.startswith(expected)


def test_a_pack_is_read_instead_of_the_usual_places_and_beside_paths(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pack.yaml").write_text(POLICY)
    (folder / "own.yaml").write_text(POLICY.replace("id: a", "id: b"))
    monkeypatch.setattr("orpolicy.policy.packs.pack_path", lambda name: folder / f"{name}.yaml")
    assert run(["validate", "--pack", "pack"]) == 0
    assert run(["validate", "own.yaml", "--pack", "pack"]) == 0
    assert capsys.readouterr().out == "1 policy in 1 file, no problems\n2 policies in 2 files, no problems\n"


def test_names_that_nobody_knows_are_problems(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.yaml").write_text(
        "version: 1\npolicies:\n"
        "- {id: a, rule: spend-limit, by: [apikey], fail_above: 1}\n"
        "- {id: b, rule: metric, expression: usage_wbe / total_usage, fail_above: 1}\n"
    )
    assert run(["validate", "a.yaml"]) == 2
    err = capsys.readouterr().err
    assert "a.yaml:3:35: unknown dimension 'apikey'" in err
    assert "a.yaml:4:37: unknown metric 'usage_wbe' (did you mean usage_web?)" in err
