"""The step that tells people: what it asks of orpolicy, and how a failed delivery shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from action.gate_runs import KEY, Gate
from github.fake_github import REPOSITORY, TOKEN, FakeGitHub, refused
from github.github_server import Served, serving
from github.notified import breach, judged, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMENTS = "/issues/7/comments"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    made = Gate.set_up(tmp_path)
    written(tmp_path / "temp" / "report.json", judged(breach(1, owner="@acme/data")))
    return made


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(FakeGitHub()) as running:
        yield running


def environ(served: Served) -> dict[str, str]:
    return {"GITHUB_API_URL": served.url, "GITHUB_REPOSITORY": REPOSITORY, "OPENROUTER_API_KEY": KEY}


@pytest.mark.parametrize(
    ("notify", "sent"),
    [
        ("comment", [f"POST {COMMENTS}"]),
        ("issues", ["POST /labels", "POST /issues"]),
        ("comment,\n issues", [f"POST {COMMENTS}", "POST /labels", "POST /issues"]),
    ],
)
def test_what_is_asked_for_is_sent(gate: Gate, served: Served, notify: str, sent: list[str]) -> None:
    ended = gate.tell(notify, f" {TOKEN}\n", environ(served), "7")
    assert (ended.code, ended.commands) == (0, [f"::add-mask::{TOKEN}"])
    assert served.github.changes() == sent


@pytest.mark.parametrize(("notify", "named"), [("comment", 0), ("comment mention", 1)])
def test_owners_are_mentioned_on_request(gate: Gate, served: Served, notify: str, named: int) -> None:
    gate.tell(notify, TOKEN, environ(served), "7")
    (body,) = served.github.bodies(7)
    assert body.count("For @acme/data.") == named


def test_the_token_is_masked_first_and_said_once(gate: Gate, served: Served) -> None:
    served.github.answers[f"POST {COMMENTS}"] = [refused(422, f"no, {TOKEN}")]
    ended = gate.tell("comment", TOKEN, environ(served), "7")
    assert ended.log.splitlines()[0] == f"::add-mask::{TOKEN}"
    assert ended.log.count(TOKEN) == 1
    assert KEY not in ended.log


def test_a_failed_delivery_is_one_warning(gate: Gate, served: Served) -> None:
    served.github.answers[f"POST {COMMENTS}"] = [refused(403, "no\n::error::evil, 100 %")]
    ended = gate.tell("comment", TOKEN, environ(served), "7")
    assert ended.code == 0
    _, warning = ended.commands
    assert warning.startswith("::warning title=orpolicy%3A not delivered::")
    assert "HTTP 403" in warning
    assert "pull-requests: write" in warning
    assert "100 %25" in warning


def test_a_report_that_is_none_is_one_warning(gate: Gate, served: Served) -> None:
    (gate.folder / "temp" / "report.json").write_text('{"verdict": "pass"}', encoding="utf-8")
    ended = gate.tell("issues", TOKEN, environ(served))
    assert (ended.code, len(ended.commands), served.github.log) == (0, 2, [])
    assert "is no report" in ended.commands[1]


def test_without_a_token_nobody_is_told_and_that_is_said(gate: Gate, served: Served) -> None:
    ended = gate.tell("comment", " ", environ(served) | {"GITHUB_TOKEN": TOKEN}, "7")
    assert (ended.code, served.github.log) == (0, [])
    (warning,) = ended.commands
    assert "github-token is empty" in warning


@pytest.mark.parametrize(
    ("notify", "sent"), [("comment", []), ("comment issues", ["POST /labels", "POST /issues"])]
)
def test_where_there_is_no_pull_request_there_is_no_comment(
    gate: Gate, served: Served, notify: str, sent: list[str]
) -> None:
    ended = gate.tell(notify, TOKEN, environ(served))
    assert (ended.code, ended.commands) == (0, [f"::add-mask::{TOKEN}"])
    assert "nothing to comment on" in ended.log
    assert served.github.changes() == sent


def test_a_hostile_account_commands_nothing_on_its_way(gate: Gate, served: Served) -> None:
    name = "x\n::error::evil %0A @everyone </details><img src=https://evil.test/x> `|` \u202e =cmd()"
    record = {
        "created_at": "2026-05-03T10:00:00Z",
        "model": f"m/{name}",
        "api_key_id": name,
        "total_usage": 900.0,
        "tokens_total": 1_000_000,
        "request_count": 10,
    }
    gate.write("records.jsonl", json.dumps(record) + "\n")
    gate.write("policies/a.yaml", "version: 1\npolicies: [{id: a, rule: spend-limit, fail_above: 1}]\n")
    judging = gate.run(source="records.jsonl", extra_args="--now 2026-06-10 -v", notify="comment issues")
    assert judging.code == 1
    (command,) = judging.commands
    assert command.startswith(
        "::error file=policies/a.yaml,line=2,title=a%3A x\\n%3A%3Aerror%3A%3Aevil %250A"
    )
    report = {"REPORT": judging.outputs["report-file"]}
    told = gate.tell("comment issues", TOKEN, environ(served) | report, "7")
    assert (told.code, told.commands) == (0, [f"::add-mask::{TOKEN}"])
    (issue,) = served.github.issues
    for text in (judging.summary, *served.github.bodies(7), issue["body"]):
        assert "evil" in text
        assert "<img" not in text
        assert "\u202e" not in text
        assert not [line for line in text.splitlines() if line.startswith("::")]


@pytest.mark.parametrize(
    ("notify", "complaint"),
    [
        ("slack", "notify: comment or issues or mention, not 'slack'"),
        ("comment $(touch pwned)", "not '$(touch'"),
        ("--dry-run", "not '--dry-run'"),
        ("mention", "mention adds to comment or issues"),
    ],
)
def test_a_wrong_destination_stops_the_check(gate: Gate, notify: str, complaint: str) -> None:
    ended = gate.run(source="demo", notify=notify)
    assert (ended.code, ended.outputs) == (2, {"exit-code": "2"})
    assert complaint in ended.commands[0]
