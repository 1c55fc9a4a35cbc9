"""``orpolicy diff-policy`` with a part of the policies, a baseline, pseudonyms, and its JSON Schema."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from action.act_runs import make_repository
from jsonschema import Draft202012Validator

from orpolicy.cli.main import run
from orpolicy.policy_diff.json import diff_schema

HEAD = "version: 1\npolicies:\n"
A = "  - {id: a, rule: spend-limit, where: {api_key_id: [batch-pipeline, 'acme-top-*']}, fail_above: 100}\n"
B = "  - {id: b, rule: usd-per-mtok, fail_above: 10}\n"
OUTLIER = "  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}\n"
NOBODY = "0" * 32
ENTRY = "{name} {policy} blended_multiple<={value} spend_usd_per_month<={usd}\n"
VALIDATOR = Draft202012Validator(json.loads(diff_schema()))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without git; the older side is the folder ``old``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "old").mkdir()
    return tmp_path


def sides(old: str, new: str) -> None:
    Path("old/orpolicy.yaml").write_text(HEAD + old, encoding="utf-8")
    Path("orpolicy.yaml").write_text(HEAD + new, encoding="utf-8")


def entry(policy: str = "outlier", value: float = 25, usd: float = 6067, name: str = NOBODY) -> str:
    return ENTRY.format(name=name, policy=policy, value=value, usd=f"{usd:.2f}")


def baselines(old: str | None, new: str | None) -> None:
    for path, text in (("old/accepted", old), ("accepted", new)):
        if text is not None:
            Path(path).write_text(f"orpolicy-baseline 1\n{text}", encoding="utf-8")


def diff(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> Any:
    assert run(["diff-policy", "old", "orpolicy.yaml", "--format", "json", *arguments]) == code
    value = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(value)
    return value


def said(value: Any) -> list[tuple[str, str, str, str, str]]:
    keys = ("effect", "policy", "what", "before", "after")
    return [tuple(change[key] for key in keys) for change in value["changes"]]


def loosened_both() -> None:
    sides(A + B, A.replace("100", "200") + B.replace("10", "20"))


@pytest.mark.parametrize(
    ("arguments", "policies"),
    [
        ([], ["a", "b"]),
        (["--select", "a"], ["a"]),
        (["--ignore", "a"], ["b"]),
        (["--select", "a", "--select", "b", "--ignore", "b"], ["a"]),
    ],
)
def test_a_part_of_the_policies(
    arguments: list[str], policies: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    loosened_both()
    assert [change["policy"] for change in diff(capsys, *arguments)["changes"]] == policies


def test_what_is_not_chosen_weakens_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    sides(A + B, A + B.replace("10", "20"))
    assert diff(capsys, "--select", "a", code=0)["changes"] == []


def test_a_policy_that_is_gone_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    sides(A + OUTLIER, A)
    value = diff(capsys, "--select", "outlier", "--source", "demo")
    assert said(value) == [("weaker", "outlier", "policy", "blended-multiple", "")]
    assert [each["why"] for each in value["figures"]["hidden"]["findings"]] == ["no policy"]
    assert value["figures"]["net_savings_usd_per_month"]["after"] == 0.0


@pytest.mark.parametrize("id_", ["outlier", "another"])
def test_a_renamed_policy_goes_by_either_id(id_: str, capsys: pytest.CaptureFixture[str]) -> None:
    sides(A + OUTLIER, A.replace("100", "200") + OUTLIER.replace("id: outlier", "id: another"))
    value = diff(capsys, "--select", id_, "--source", "demo", code=0)
    assert said(value) == [("neutral", "another", "id", "outlier", "another")]
    assert value["renamed"] == {"outlier": "another"}
    assert value["figures"]["hidden"]["findings"] == value["figures"]["shown"]["findings"] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--select", "outlir"], "there is no policy 'outlir' on either side (did you mean outlier?)"),
        (["--ignore", "x"], "there is no policy 'x' on either side"),
        (["--ignore", "outlier"], "leave no policy to compare"),
        (["--baseline", "accepted"], "there is no baseline accepted"),
    ],
)
def test_a_wrong_choice_is_an_error(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sides(OUTLIER, OUTLIER)
    assert run(["diff-policy", "old", "orpolicy.yaml", *arguments]) == 2
    assert complaint in capsys.readouterr().err


ZERO, FULL = "$0.00 a month", "$6,067.00 a month"


@pytest.mark.parametrize(
    ("old", "new", "expected", "note"),
    [
        ("", entry(), ("weaker", ZERO, FULL), "1 entry added"),
        (entry(), "", ("stronger", FULL, ZERO), "1 entry dropped"),
        (entry(), entry(usd=7000), ("weaker", FULL, "$7,000.00 a month"), "1 entry loosened"),
        (entry(), entry(usd=1000), ("stronger", FULL, "$1,000.00 a month"), "1 entry tightened"),
        (entry(), entry(value=26), ("weaker", FULL, FULL), "1 entry loosened"),
        (entry(), entry().replace("<=25", ">=25"), ("weaker", FULL, FULL), "1 entry loosened"),
        (
            entry() + entry(name="1" * 32),
            entry(usd=1) + entry(name="2" * 32, usd=1) + entry(name="3" * 32, usd=1),
            ("weaker", "$12,134.00 a month", "$3.00 a month"),
            "2 entries added, 1 tightened, 1 dropped",
        ),
        ("", entry("other"), None, ""),
        (entry(), entry(), None, ""),
    ],
)
def test_a_baseline_that_accepts_more_weakens(
    old: str, new: str, expected: tuple[str, str, str] | None, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sides(OUTLIER, OUTLIER)
    baselines(old, new)
    value = diff(capsys, "--baseline", "accepted", code=1 if expected and expected[0] == "weaker" else 0)
    found = [change for change in value["changes"] if change["policy"] == "outlier"]
    if expected is None:
        assert found == []
        return
    (change,) = found
    assert (change["effect"], change["before"], change["after"], change["note"]) == (*expected, note)
    assert change["new_place"] == {"file": "accepted", "line": 1}
    assert change["old_place"] == {"file": "old/accepted", "line": 1}


def test_a_baseline_that_is_new_or_gone_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    sides(OUTLIER, OUTLIER)
    baselines(None, entry())
    value = diff(capsys, "--baseline", "accepted")
    assert value["notes"] == ["old has no accepted: all that it accepts is new"]
    assert value["changes"][0]["old_place"] is None
    Path("accepted").rename("old/accepted")
    value = diff(capsys, "--baseline", "accepted", code=0)
    assert said(value) == [("stronger", "outlier", "baseline", FULL, ZERO)]


def test_entries_that_hold_nothing_weaken_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    locked = OUTLIER.replace("fail_above", "locked: true, fail_above")
    sides(locked, locked + B)
    baselines("", entry() + entry("b", name="1" * 32))
    value = diff(capsys, "--baseline", "accepted", code=0)
    effects = {
        change["policy"]: change["effect"] for change in value["changes"] if change["what"] == "baseline"
    }
    assert effects == {"outlier": "neutral", "b": "neutral"}


def test_more_entries_of_a_renamed_policy_cannot_be_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    sides(OUTLIER, OUTLIER.replace("id: outlier", "id: another"))
    baselines(entry(), entry("another", name="1" * 32))
    value = diff(capsys, "--baseline", "accepted")
    assert said(value)[0] == ("may-weaken", "another", "baseline", FULL, FULL)


def test_what_the_baseline_hides_is_said_in_dollars(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    sides(OUTLIER, OUTLIER)
    write = ["baseline", "write", "orpolicy.yaml", "--source", "demo", "--file", "accepted"]
    assert run(write) == 0
    capsys.readouterr()
    value = diff(capsys, "--baseline", "accepted", "--source", "demo")
    hidden = value["figures"]["hidden"]
    assert [each["why"] for each in hidden["findings"]] == ["accepted by the baseline"]
    assert hidden["spend_usd"] == hidden["findings"][0]["finding"]["spend_usd"] > 6000
    (folder / "accepted").rename(folder / "old" / "accepted")
    value = diff(capsys, "--baseline", "accepted", "--source", "demo", code=0)
    assert [each["why"] for each in value["figures"]["shown"]["findings"]] == ["accepted by the baseline"]


def test_a_baseline_in_git(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    files = {"orpolicy.yaml": HEAD + OUTLIER, "ci/accepted": f"orpolicy-baseline 1\n{entry()}"}
    monkeypatch.chdir(make_repository(Path("repository"), files))
    Path("ci/accepted").write_text(f"orpolicy-baseline 1\n{entry(usd=9000)}", encoding="utf-8")
    arguments = ["diff-policy", "HEAD", "--baseline", "ci/accepted"]
    assert run(arguments) == 1
    out = capsys.readouterr().out
    assert "  outlier: baseline $6,067.00 a month -> $9,000.00 a month (1 entry loosened)\n" in out
    assert "    HEAD:ci/accepted:1 -> ci/accepted:1\n" in out
    assert run([*arguments[:-1], "elsewhere"]) == 2
    assert "there is no baseline elsewhere" in capsys.readouterr().err
    Path("link").symlink_to("ci/accepted")
    assert run([*arguments[:-1], "link"]) == 1  # on the older side it was not there
    git = ("git", "-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run([*git, "add", "link"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=x"], check=True)
    capsys.readouterr()
    assert run([*arguments[:-1], "link"]) == 2
    assert "HEAD:link is a link or a submodule" in capsys.readouterr().err


def test_git_gets_no_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sides(OUTLIER, OUTLIER)
    (folder / "git").write_text(f"#!/bin/sh\nenv >>{folder}/seen\nexit 1\n", encoding="utf-8")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    for name in ("OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_API_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "sk-or-v1-nobody")
    diff(capsys, code=0)
    seen = (folder / "seen").read_text(encoding="utf-8")
    assert "PATH=" in seen
    assert "nobody" not in seen


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_names_are_redacted(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    waiver = (
        "waivers:\n  - {policy: a, where: {api_key_id: ACME-prod}, until: 2027-01-31, owner: o,\n"
        "     reason: ACME-prod may}\n"
    )
    new = A.replace("'acme-top-*'", "'acme-*'") + waiver
    sides(A, new)
    assert run(["diff-policy", "old", "orpolicy.yaml", "--redact", "--format", form, "--source", "demo"]) == 1
    out = capsys.readouterr().out
    assert "acme" not in out.lower()
    assert "batch-pipeline" not in out
    assert "key-" in out


def test_a_pseudonym_is_that_of_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    sides(A, A.replace(", 'acme-top-*'", "").replace("fail_above: 100", "fail_above: 100000"))
    value = diff(capsys, "--redact", "--source", "demo")
    (hidden,) = value["figures"]["hidden"]["findings"]
    key = hidden["finding"]["subject"]["api_key_id"]
    (where,) = (change for change in value["changes"] if change["what"] == "where.api_key_id")
    assert where["after"] == key
    assert key.startswith("key-")


def test_members_of_a_set_are_names_too(capsys: pytest.CaptureFixture[str]) -> None:
    policy = "  - {id: a, rule: spend-limit, where: {model: 'x/*', api_key_id: '@ours'}, fail_above: 100}\n"
    for name, members in (("old/orpolicy.yaml", "acme-one"), ("orpolicy.yaml", "acme-one, acme-two")):
        Path(name).write_text(
            f"version: 1\nkey_sets: {{ours: [{members}]}}\npolicies:\n{policy}", encoding="utf-8"
        )
    (change,) = diff(capsys, "--redact", code=0)["changes"]
    assert "acme" not in change["after"]
    assert change["after"].startswith(f"{change['before']}, key-")


@pytest.mark.parametrize("source", [[], ["--source", "demo"]])
def test_the_json_is_as_its_schema_says(source: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    sides(A + B + OUTLIER, A.replace("100", "1") + OUTLIER.replace("15", "1000"))
    value = diff(capsys, *source)
    assert (value["figures"] is None) == (not source)
    wrong = {**value, "changes": [{**value["changes"][0], "effect": "better"}]}
    assert not VALIDATOR.is_valid(wrong)
