"""``orpolicy snapshot`` and what its file is good for, as users run it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from orpolicy.cli.main import run
from orpolicy.cli.options import source_name
from orpolicy.plugins import REPORTERS

POLICIES = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
  - {id: batch, rule: spend-limit, where: {api_key_id: "batch-*"}, fail_above: 100}
"""
LOST = POLICIES + "  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}\n"
NOTE = "may.orpolicy: a snapshot; its clock stands at 2026-06-10T00:00:00Z\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "OPENROUTER_API_KEY", "OPENROUTER_MANAGEMENT_KEY"):
        monkeypatch.delenv(name, raising=False)
    Path("orpolicy.yaml").write_text(POLICIES, encoding="utf-8")
    return tmp_path


def snap(*arguments: str, code: int = 0, file: str = "may.orpolicy") -> None:
    assert run(["snapshot", file, "--source", "demo", *arguments]) == code


def check(source: str, *arguments: str) -> int:
    return run(["check", "--source", source, *arguments])


def test_it_says_what_it_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    snap()
    told = capsys.readouterr()
    assert told.out.startswith("may.orpolicy: ")
    assert told.out.endswith(" kB\ndemo at 2026-06-10T00:00:00Z; verdict: fail\n")
    assert " answers that the run asked for and " in told.out
    assert not told.err
    snap("--only-asked", "--redact")
    told = capsys.readouterr()
    assert " beyond" not in told.out
    assert ", names as pseudonyms\n" in told.out
    snap("-q")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", list(REPORTERS))
def test_every_format_comes_out_the_same(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    snap("-q")
    assert check("demo", "--format", form) == 1
    live = capsys.readouterr()
    assert check("may.orpolicy", "--format", form) == 1
    replayed = capsys.readouterr()
    assert replayed.out == live.out
    assert (live.err, replayed.err) == ("", NOTE)


def test_options_are_recorded_with_and_checked_with(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--pack", "starter", "--window", "2026-04-01..2026-05-01", "--now", "2026-06-01", "--redact"]
    snap(*chosen[:-1], "--ignore", "outlier", "orpolicy.yaml", "-q")
    options = [*chosen, "--ignore", "outlier", "orpolicy.yaml", "--format", "json"]
    code = check("demo", *options)
    live = capsys.readouterr().out
    options[options.index("--now") : options.index("--now") + 2] = []
    assert check("may.orpolicy", *options) == code
    assert capsys.readouterr().out == live
    assert json.loads(live)["generated_at"] == "2026-06-01T00:00:00Z"


def test_plan_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    snap("-q")
    assert run(["plan", "--source", "demo"]) == 0
    live = capsys.readouterr().out
    assert run(["plan", "--source", "may.orpolicy"]) == 0
    assert capsys.readouterr() == (live, NOTE)


def test_a_reviewer_sees_dollars_without_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    snap("-q")
    Path("base").mkdir()
    Path("base/orpolicy.yaml").write_text(POLICIES, encoding="utf-8")
    looser = POLICIES.replace("fail_above: 100}", "fail_above: 9000}").replace(
        "fail_above: 15", "fail_above: 20"
    )
    tighter = "  - {id: models, rule: spend-limit, by: [model], fail_above: 4000}\n"
    Path("orpolicy.yaml").write_text(looser + tighter, encoding="utf-8")
    diff = ["diff-policy", "./base/orpolicy.yaml", "orpolicy.yaml", "--format", "json", "--source"]
    assert run([*diff, "demo"]) == 1
    live = capsys.readouterr().out
    assert run([*diff, "may.orpolicy"]) == 1
    assert capsys.readouterr().out == live
    assert "6109" in live


def test_another_catalogue_and_clock_replace_the_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    snap("-q")
    models = {"data": [{"id": "a/b", "pricing": {"prompt": "1", "completion": "1"}}]}
    Path("models.json").write_text(json.dumps(models), encoding="utf-8")
    assert check("may.orpolicy", "--catalog", "models.json", "--now", "2026-06-12", "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["catalogue"]["models"] == 1
    assert report["generated_at"] == "2026-06-12T00:00:00Z"
    assert check("may.orpolicy", "--now", "2026-07-12") == 3
    told = capsys.readouterr()
    assert "not in this snapshot" in " ".join(told.out.split())
    assert told.err == (
        "may.orpolicy: a snapshot of 2026-06-10T00:00:00Z; its clock stands at 2026-07-12T00:00:00Z\n"
    )


@pytest.mark.parametrize(("now", "state"), [("2026-06-11", "expiring"), ("2026-06-12", "expired")])
def test_a_waiver_ends_by_the_clock_that_is_set(
    now: str, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    waiver = "waivers:\n  - {policy: outlier, until: 2026-06-11, reason: agreed, owner: us}\n"
    Path("orpolicy.yaml").write_text(POLICIES + waiver, encoding="utf-8")
    snap("-q")
    reports = []
    for source in ("demo", "may.orpolicy"):
        check(source, "--now", now, "--format", "json")
        reports.append(capsys.readouterr().out)
    assert reports[0] == reports[1]
    assert json.loads(reports[1])["waivers"][0]["state"] == state


def test_what_could_not_be_judged_is_named_and_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    Path("orpolicy.yaml").write_text(LOST, encoding="utf-8")
    snap("-q", code=3)
    assert capsys.readouterr() == ("", "not judged: lost: nothing-matched\n")
    assert check("may.orpolicy", "-q") == 1


def test_nothing_but_a_snapshot_is_replaced_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    snap("-q", file="orpolicy.yaml", code=2)
    snap("-q", file=".", code=2)
    assert Path("orpolicy.yaml").read_text(encoding="utf-8") == POLICIES
    assert "--force" in capsys.readouterr().err
    Path("other").write_text("x", encoding="utf-8")
    snap("-q", "--force", file="other")
    snap("-q", file="other")
    assert source_name("other") == "snapshot"
    assert check("other", "-q") == 1


def test_a_snapshot_is_told_from_records(tmp_path: Path) -> None:
    assert source_name("absent.orpolicy") == "snapshot"
    Path("folder.orpolicy").mkdir()
    for text in ("folder.orpolicy", "absent.jsonl", "*.csv", str(tmp_path)):
        assert source_name(text) == "local"


@pytest.mark.parametrize(
    "content", [b"", b"orpolicy-snapshot 99 later\n", b"orpolicy-snapshot 1 5 " + b"0" * 64 + b"\nhello"]
)
def test_a_broken_file_is_the_users_fault(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.orpolicy").write_bytes(content)
    for command in (["check"], ["plan"], ["snapshot", "b.orpolicy"], ["diff-policy", "./orpolicy.yaml"]):
        assert run([*command, "orpolicy.yaml", "--source", "bad.orpolicy"]) == 2
        assert capsys.readouterr().err.startswith("orpolicy: bad.orpolicy: ")
    assert check("absent.orpolicy") == 2
    assert "absent.orpolicy: cannot be read: No such file" in capsys.readouterr().err


def test_git_keeps_it_as_it_is() -> None:
    """The bytes hold a zero, by which git knows that lines mean nothing here."""
    snap("-q")
    subprocess.run(["git", "init", "-q"], check=True)  # noqa: S607 - git is where the developer has it
    subprocess.run(["git", "add", "may.orpolicy"], check=True)  # noqa: S607 - as above
    shown = subprocess.run(
        ["git", "diff", "--cached", "--numstat"],  # noqa: S607 - as above
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert shown.stdout.startswith("-\t-\t")
