"""The step that runs the check: what it makes of its inputs, and what it tells GitHub."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from action.act_runs import ACTION
from action.gate_runs import KEY, Gate

if TYPE_CHECKING:
    from pathlib import Path

    from loopback.server import LoopbackServer

POLICY = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
  - {id: other, rule: blended-multiple, floor: {spend: 10}, fail_above: 1000}
"""


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    made = Gate.set_up(tmp_path)
    made.write("policies/cost.yaml", POLICY)
    return made


@pytest.mark.parametrize(
    ("inputs", "code", "verdict"),
    [
        ({}, 1, "fail"),
        ({"select": "other"}, 0, "pass"),
        ({"select": "other,\n outlier"}, 1, "fail"),
        ({"fail_on": "never"}, 0, "fail"),
        ({"window": "2020-01-01..2020-02-01"}, 3, "inconclusive"),
        ({"window": "2020-01-01..2020-02-01", "on_inconclusive": "warn"}, 0, "inconclusive"),
        ({"extra_args": "--ignore 'outlier' --no-cache"}, 0, "pass"),
        ({"policies": "\n policies/cost.yaml \n\n"}, 1, "fail"),
    ],
)
def test_inputs_are_options_of_check(gate: Gate, inputs: dict[str, str], code: int, verdict: str) -> None:
    ended = gate.run(source="demo", **inputs)
    assert (ended.code, ended.outputs["exit-code"], ended.outputs["verdict"]) == (code, str(code), verdict)


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({"summary": "yes"}, "summary: true or false, not 'yes'"),
        ({"annotations": ""}, "annotations: true or false, not ''"),
        ({"working_directory": "nowhere"}, "working-directory: there is no folder nowhere"),
        ({"working_directory": "caf\udce9"}, "there is no folder caf\\udce9"),
        ({"extra_args": "--now '2026"}, "extra-args: No closing quotation"),
        (
            {"html_file": "policies/cost.yaml/o.html"},
            "sarif-file, html-file: cannot make policies/cost.yaml: ",
        ),
        ({"fail_on": "always"}, "Invalid value for '--fail-on'"),
        ({"policies": "--help"}, "orpolicy: --help does not exist"),
    ],
)
def test_a_wrong_input_is_an_error_that_names_it(gate: Gate, inputs: dict[str, str], complaint: str) -> None:
    ended = gate.run(source="demo", **inputs)
    assert (ended.code, ended.outputs) == (2, {"exit-code": "2"})
    (command,) = ended.commands
    assert command.startswith("::error title=orpolicy::")
    assert complaint in command
    assert "not run, exit code 2" in ended.summary


HOSTILE = "$(touch pwned) `touch pwned`; touch pwned | ' \" \\\n::error::pwned\r\nverdict=pass\n%0A::error::x"
INPUTS = [name for name in ACTION["inputs"] if name not in {"version", "python-version", "github-token"}]


@pytest.mark.parametrize("name", INPUTS)
def test_whatever_an_input_holds_it_is_one_value(gate: Gate, name: str) -> None:
    ended = gate.run("pull_request", **{"source": "demo", name.replace("-", "_"): HOSTILE})
    assert not list(gate.folder.rglob("pwned"))
    kinds = {line.removeprefix("::").partition("::")[0].partition(" ")[0] for line in ended.commands}
    assert kinds <= {"error", "notice", "add-mask"}
    assert not [line for line in ended.commands if line.startswith("::error::")]
    assert set(ended.outputs) <= set(ACTION["outputs"])
    assert ended.outputs["exit-code"] == str(ended.code)
    assert (ended.outputs.get("verdict", ""), ended.code) in {("", 2), ("fail", 1)}


@pytest.mark.parametrize("event", ["schedule", "push", "workflow_dispatch"])
def test_no_key_is_an_error_where_there_should_be_one(gate: Gate, event: str) -> None:
    other = {"OPENROUTER_API_KEY": "sk-or-v1-other", "OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-other"}
    ended = gate.run(event, other, management_key=" ")
    assert ended.code == 2
    assert f"management-key is empty on {event}" in ended.commands[0]


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])
def test_no_key_is_no_error_where_there_may_be_none(gate: Gate, event: str) -> None:
    ended = gate.run(event)
    assert (ended.code, ended.outputs) == (0, {"exit-code": "0"})
    assert "2 policies in 1 file, no problems" in ended.log
    assert ended.commands[0].startswith("::notice title=orpolicy::No data was judged")


@pytest.mark.parametrize("extra", ["--pack strict", "--now 2026-06-10 --pack=strict"])
def test_packs_are_validated_as_well(gate: Gate, extra: str) -> None:
    (gate.folder / "workspace/policies/cost.yaml").unlink()
    (gate.folder / "workspace/policies").rmdir()
    ended = gate.run("pull_request", extra_args=extra)
    assert ended.code == 0
    assert "in 1 file, no problems" in ended.log


def test_a_key_is_masked_before_anything_else(gate: Gate, loopback: LoopbackServer) -> None:
    ended = gate.run("schedule", {"OPENROUTER_BASE_URL": loopback.url}, management_key=f"{KEY}\n")
    assert ended.code == 3
    assert ended.log.splitlines()[0] == f"::add-mask::{KEY}"
    assert ended.log.count(KEY) == 1
    assert f"Bearer {KEY}" in {request.headers.get("authorization") for request in loopback.requests}
    files = [file for file in gate.folder.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []


def test_a_key_with_lines_is_masked_line_by_line(gate: Gate) -> None:
    ended = gate.run(management_key="first 100%\r\n\nsecond")
    assert ended.code == 2
    assert ended.log.splitlines()[:2] == ["::add-mask::first 100%25", "::add-mask::second"]


def test_a_key_that_was_put_elsewhere_is_not_repeated(gate: Gate) -> None:
    ended = gate.run(management_key=KEY, extra_args=f"--{KEY}")
    assert ended.code == 2
    assert ended.log.count(KEY) == 1
    assert KEY not in ended.summary
    assert "No such option" in ended.summary


def test_annotations_and_summary_can_be_switched_off(gate: Gate) -> None:
    ended = gate.run(source="demo", annotations="false", summary="false")
    assert (ended.code, ended.commands, ended.summary) == (1, [], "")
    assert "outlier" in ended.log


def test_names_in_policies_command_nothing(gate: Gate) -> None:
    gate.write("policies/::warning::x.yaml", "version: 1\npolicies: [{id: '\n\n::error::evil'}]\n")
    ended = gate.run(source="demo")
    assert ended.code == 2
    assert ended.commands
    assert [
        line for line in ended.commands if not line.startswith("::error file=policies/%3A%3Awarning")
    ] == []
    gate.write("policies/::warning::x.yaml", POLICY.replace("id: ", 'owner: "a\\n::error::evil", id: new-'))
    ended = gate.run(source="demo")
    assert ended.code == 1
    assert [line for line in ended.commands if not line.startswith("::error file=")] == []
    assert len(ended.commands) == 2


def test_at_most_ten_problems_are_annotated(gate: Gate) -> None:
    lines = "".join(f"  - {{id: p{number}, rule: nothing}}\n" for number in range(12))
    gate.write("policies/cost.yaml", f"version: 1\npolicies:\n{lines}")
    ended = gate.run("pull_request")
    assert ended.code == 2
    assert [line.split(",")[1] for line in ended.commands] == [f"line={3 + number}" for number in range(10)]
    assert ended.summary.count("policies/cost.yaml:") == 12


def test_a_summary_is_no_markup(gate: Gate) -> None:
    ended = gate.run(source="demo", policies="</pre><img src=x>.yaml")
    assert "&lt;/pre&gt;&lt;img src=x&gt;.yaml does not exist" in ended.summary


@pytest.mark.parametrize("name", ["policies/cost.yaml", "orpolicy.yaml", "orpolicy.yml"])
def test_a_folder_below_has_its_own_policies(gate: Gate, name: str) -> None:
    gate.write(f"team/{name}", POLICY.replace("15", "2000"))
    gate.write("team/records.csv", "created_at,model,total_usage\n")
    ended = gate.run(source="demo", working_directory="team", sarif_file="out/o.sarif")
    assert (ended.code, ended.outputs["verdict"]) == (0, "pass")
    assert (gate.folder / "workspace/team/out/o.sarif").is_file()


def test_a_folder_below_without_policies_does_not_take_those_above(gate: Gate) -> None:
    gate.write("team/notes.txt", "")
    ended = gate.run(source="demo", working_directory="team")
    assert ended.code == 2
    assert "team/policies does not exist" in ended.summary


def test_what_the_baseline_accepts_is_no_open_finding(gate: Gate) -> None:
    gate.write("team/orpolicy.yaml", POLICY)
    write = ["baseline", "write", "--source=demo", "--file=team/accepted", "team/orpolicy.yaml"]
    workspace = gate.folder / "workspace"
    subprocess.run([sys.executable, "-m", "orpolicy", *write], cwd=workspace, check=True, capture_output=True)
    ended = gate.run(source="demo", working_directory="team", baseline="accepted")
    assert (ended.code, ended.outputs["verdict"], ended.outputs["findings"]) == (0, "pass", "0")


def test_files_of_a_folder_below_are_named_from_there(gate: Gate) -> None:
    gate.write("team/orpolicy.yaml", POLICY)
    ended = gate.run(source="records.csv", working_directory="team")
    assert ended.code == 2
    assert "team/records.csv" in ended.summary


def test_a_source_with_a_scheme_is_left_as_it_is(gate: Gate) -> None:
    ended = gate.run(source="nothing://host", working_directory="policies", policies="cost.yaml")
    assert "--source nothing://" in ended.summary
