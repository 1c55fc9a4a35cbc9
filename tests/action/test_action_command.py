"""The command that the action runs: its arguments, its environment, and how it may end."""

from __future__ import annotations

import json
import venv
from typing import TYPE_CHECKING

import pytest
from action.gate_runs import KEY, Gate

if TYPE_CHECKING:
    from pathlib import Path

SPY = """
import json, os, pathlib, sys
with pathlib.Path(os.environ["RUNNER_TEMP"], "seen.jsonl").open("a") as seen:
    seen.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
exec(os.environ.get("SPY", ""))
"""
OTHERS = {"OPENROUTER_API_KEY": "sk-or-v1-other", "OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-other"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python whose orpolicy notes how it was called, and then does what the variable SPY says."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "orpolicy.py").write_text(SPY, encoding="utf-8")
    return str(folder / "bin" / "python")


@pytest.fixture
def gate(tmp_path: Path, python: str) -> Gate:
    return Gate.set_up(tmp_path, python)


def seen(gate: Gate, call: int = 0) -> tuple[list[str], dict[str, str]]:
    """The arguments of one call, without those that say where reports go, and its environment."""
    calls = (gate.folder / "temp/seen.jsonl").read_text(encoding="utf-8").splitlines()
    arguments, environ = json.loads(calls[call])
    return [each for each in arguments if not each.startswith("--format=")], environ


USAGE = {"SPY": "sys.exit(2)"}


def test_every_input_is_one_argument(gate: Gate) -> None:
    gate.run(
        "schedule",
        USAGE,
        policies="a b; touch c\n--help",
        source="$(demo)",
        window="last-week; x",
        select="one, two\nthree",
        fail_on="`never`",
        on_inconclusive="a b",
        baseline="$HOME",
        history="; x",
        extra_args="--pack 'a b' $(x) --now=\"1 2\"",
    )
    assert seen(gate)[0] == [
        *("check", "--source=$(demo)", "--window=last-week; x", "--fail-on=`never`", "--on-inconclusive=a b"),
        *("--baseline=$HOME", "--history=; x", "--select=one", "--select=two", "--select=three"),
        *("--pack", "a b", "$(x)", "--now=1 2", "--", "a b; touch c", "--help"),
    ]


def test_nothing_given_is_nothing_said(gate: Gate) -> None:
    gate.run("schedule", USAGE, source="demo", fail_on="", on_inconclusive="")
    assert seen(gate)[0] == ["check", "--source=demo", "--"]


def test_paths_below_are_named_from_the_root(gate: Gate) -> None:
    gate.write("team/notes.txt", "")
    gate.run(
        "schedule",
        USAGE,
        working_directory="team",
        source="records/*.csv",
        policies="a.yaml\n/etc/b.yaml",
        baseline="accepted",
        history="runs.jsonl",
        fail_on="",
        on_inconclusive="",
    )
    assert seen(gate)[0] == [
        *("check", "--source=team/records/*.csv", "--baseline=team/accepted", "--history=team/runs.jsonl"),
        *("--", "team/a.yaml", "/etc/b.yaml"),
    ]


@pytest.mark.parametrize("source", ["demo", "clickhouse://host/db"])
def test_a_source_that_is_no_path_is_left_alone(gate: Gate, source: str) -> None:
    gate.write("team/notes.txt", "")
    gate.run("schedule", USAGE, working_directory="team", source=source)
    assert f"--source={source}" in seen(gate)[0]


def test_the_key_of_the_input_is_the_only_one(gate: Gate) -> None:
    gate.run("schedule", {**OTHERS, **USAGE}, management_key=f" {KEY} ")
    keys = {name: value for name, value in seen(gate)[1].items() if "sk-or-" in value}
    assert keys == {"OPENROUTER_MANAGEMENT_KEY": KEY}


@pytest.mark.parametrize("source", ["demo", "records.csv", "clickhouse://host/db"])
def test_a_source_that_needs_no_key_gets_none(gate: Gate, source: str) -> None:
    gate.run("schedule", {**OTHERS, **USAGE}, source=source, management_key=KEY)
    assert [value for value in seen(gate)[1].values() if "sk-or-" in value] == []


def test_answers_are_kept_for_the_job_alone(gate: Gate) -> None:
    gate.run("schedule", USAGE, source="demo")
    assert seen(gate)[1]["ORPOLICY_CACHE_DIR"] == str(gate.folder / "temp/orpolicy-answers")
    gate.run("schedule", {**USAGE, "ORPOLICY_CACHE_DIR": "/elsewhere"}, source="demo")
    assert seen(gate, call=1)[1]["ORPOLICY_CACHE_DIR"] == "/elsewhere"


def test_modules_of_the_workspace_are_not_run(gate: Gate) -> None:
    for name in ("orpolicy.py", "json.py", "html.py", "sitecustomize.py"):
        gate.write(name, "raise SystemExit('pwned')")
    workspace = str(gate.folder / "workspace")
    ended = gate.run("schedule", {**USAGE, "PYTHONPATH": workspace}, source="demo")
    assert "pwned" not in ended.log
    assert seen(gate)[0][0] == "check"


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("sys.exit(70)", 70, "orpolicy ended with exit code 70"),
        ("print('not so', file=sys.stderr); sys.exit(2)", 2, "not so"),
        ("os.kill(os.getpid(), 9)", 137, "orpolicy ended with exit code 137"),
        ("os.write(2, b'caf\\xe9'); sys.exit(70)", 70, "caf\\xe9"),
        ("print('no end of line', end=''); sys.exit(70)", 70, "orpolicy ended with exit code 70"),
    ],
)
def test_however_it_ends_the_step_says_so(gate: Gate, script: str, code: int, said: str) -> None:
    ended = gate.run("schedule", {"SPY": script}, source="demo")
    assert (ended.code, ended.outputs) == (code, {"exit-code": str(code)})
    assert ended.commands == [f"::error title=orpolicy::{said}"]
    assert f"exit code {code}" in ended.summary


def test_what_is_printed_commands_nothing(gate: Gate) -> None:
    script = "print('::error::out'); print('::add-mask::x', file=sys.stderr); sys.exit(70)"
    ended = gate.run("schedule", {"SPY": script}, source="demo")
    assert ended.commands == ["::error title=orpolicy::::add-mask::x"]


def test_a_complaint_is_cut(gate: Gate) -> None:
    ended = gate.run("schedule", {"SPY": "print('x' * 9000, file=sys.stderr); sys.exit(70)"}, source="demo")
    assert ended.commands == ["::error title=orpolicy::" + "x" * 4000]
    assert "x" * 9000 in ended.summary


@pytest.mark.parametrize("line", ["<" * 99, "<" * 300_000])
def test_the_summary_stays_within_what_github_takes(gate: Gate, line: str) -> None:
    script = f"sys.stderr.write((chr(60) * {len(line)} + chr(10)) * {400_000 // len(line)}); sys.exit(2)"
    ended = gate.run("schedule", {"SPY": script}, source="demo")
    assert ended.code == 2
    assert len(ended.summary.encode()) < 1024 * 1024
    shown, _, rest = ended.summary.partition("\n... ")
    left = 400_000 // len(line) * (len(line) + 1) - 1 - shown.count("&lt;") - shown.count(";\n&lt;")
    assert rest.startswith(f"{left:,} more characters are in the log</pre>")


def test_without_a_key_the_policies_are_validated_and_tested(gate: Gate) -> None:
    gate.run("pull_request", policies="a.yaml", extra_args="--pack one -v --pack=two --now x")
    for call, command in enumerate(("validate", "test")):
        assert seen(gate, call)[0] == [command, "--pack", "one", "--pack=two", "--", "a.yaml"]


def test_tests_that_fail_fail_the_step(gate: Gate) -> None:
    ended = gate.run("pull_request", {"SPY": "sys.exit(sys.argv[1] == 'test')"}, policies="a.yaml")
    assert (ended.code, ended.outputs) == (1, {"exit-code": "1"})
