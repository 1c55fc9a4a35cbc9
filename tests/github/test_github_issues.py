"""An issue for each owner, over a history of reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from github.fake_github import refused
from github.notified import breach, judged, notify

from orpolicy.github.told import Entry, Told, policy_hash

if TYPE_CHECKING:
    from pathlib import Path

    from github.fake_github import FakeGitHub

    from orpolicy.report import Report

MADE = ["POST /labels", "POST /issues"]
EDITED = "PATCH /issues/1"
TOLD = "POST /issues/1/comments"
CLEAN = (
    "<!-- orpolicy notice -->\n"
    "**Clean**: no open finding as of 2026-06-10 00:00 UTC, and every policy was judged.\n"
)


@pytest.fixture
def tracker(fake: FakeGitHub, tmp_path: Path) -> Tracker:
    """The issues of an empty repository."""
    return Tracker(fake, tmp_path)


class Tracker:
    """The repository's issues."""

    def __init__(self, github: FakeGitHub, folder: Path) -> None:
        self.github = github
        self.folder = folder

    def tell(self, report: Report, *arguments: str) -> list[str]:
        assert notify(self.folder, report, "--issues", *arguments) == 0
        return self.github.changes()

    @property
    def first(self) -> dict[str, Any]:
        return self.github.issues[0]


def test_a_history_of_reports(tracker: Tracker) -> None:
    assert tracker.tell(judged(breach(1), breach(2))) == MADE
    assert tracker.first["title"] == "LLM spend: findings of data"
    assert "2 open findings of `data`, as of 2026-06-10 00:00 UTC." in tracker.first["body"]
    assert tracker.tell(judged(breach(1), breach(2))) == []
    assert tracker.tell(judged(breach(1, 2000.0), breach(2))) == [TOLD, EDITED]
    assert tracker.tell(judged(breach(1, 900.0))) == [EDITED]

    assert tracker.tell(judged(owners={"p": "data"})) == [TOLD, EDITED]
    assert (tracker.first["state"], tracker.first["state_reason"]) == ("closed", "completed")
    assert tracker.github.bodies(1)[-1] == CLEAN
    assert tracker.tell(judged(owners={"p": "data"})) == []

    assert tracker.tell(judged(breach(1, 900.0))) == [TOLD, EDITED]
    assert tracker.first["state"] == "open"
    assert "**1 finding new**" in tracker.github.bodies(1)[-1]
    assert len(tracker.github.issues) == 1


def test_a_later_report_is_dated_in_silence_and_only_while_the_issue_is_open(tracker: Tracker) -> None:
    clean = judged(owners={"p": "data"})
    later = datetime(2026, 6, 17, tzinfo=UTC)
    tracker.tell(judged(breach(1)))
    assert tracker.tell(replace(judged(breach(1)), generated_at=later)) == [EDITED]
    assert "as of 2026-06-17 00:00 UTC" in tracker.first["body"]
    tracker.tell(clean)
    assert tracker.tell(replace(clean, generated_at=later)) == []


def test_each_owner_has_one_and_policies_without_owner_share_one(tracker: Tracker) -> None:
    owners = {"p": "", "a": "Data", "b": "data", "c": "data!", "d": "nobody"}
    findings = [
        breach(n, policy=policy, owner=owner) for n, (policy, owner) in enumerate(owners.items(), 1) if n < 5
    ]
    assert tracker.tell(judged(*findings, owners=owners)) == ["POST /labels", *["POST /issues"] * 4]
    assert [issue["title"] for issue in tracker.github.issues] == [
        "LLM spend: findings without an owner",
        "LLM spend: findings of Data",
        "LLM spend: findings of data",
        "LLM spend: findings of data!",
    ]
    markers = [issue["body"].splitlines()[0] for issue in tracker.github.issues]
    assert markers[0] == "<!-- orpolicy issue unowned -->"
    assert len(set(markers)) == 4
    assert all(issue["body"].count("**FAIL**") == 1 for issue in tracker.github.issues)
    assert tracker.tell(judged(*findings, owners=owners)) == []


def test_an_issue_stays_open_while_something_could_not_be_judged(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    unjudged = judged(owners={"p": "data"}, unjudged=("p",))
    assert tracker.tell(unjudged) == [EDITED]
    assert tracker.first["state"] == "open"
    body = tracker.first["body"]
    assert "0 open findings of `data`, as of" in body
    assert "1 finding told before cannot be seen: the policy was not judged." in body
    assert "- `p`, truncated: rows are missing. narrow it. `p.yaml:3`" in body
    assert tracker.tell(judged(breach(1))) == [EDITED]


def test_an_issue_stays_open_where_a_policy_was_not_selected(tracker: Tracker) -> None:
    owners = {"p": "data", "q": "data"}
    tracker.tell(judged(breach(1), owners=owners))
    assert tracker.tell(judged(owners={"q": "data"})) == [EDITED]
    assert tracker.first["state"] == "open"
    assert tracker.tell(judged(owners=owners)) == [TOLD, EDITED]
    assert tracker.first["state"] == "closed"


def test_nothing_is_opened_for_what_is_only_inconclusive(tracker: Tracker) -> None:
    assert tracker.tell(judged(owners={"p": "data"}, unjudged=("p",))) == []


def test_an_owner_without_policies_in_the_report_is_left_alone(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    assert tracker.tell(judged(owners={"q": "web"})) == []
    assert tracker.tell(judged(owners={"p": "web"}, unjudged=("p",))) == []
    assert tracker.first["state"] == "open"


def test_an_owner_with_another_name_has_another_issue_and_the_first_is_closed(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    renamed = judged(breach(1, owner="web"))
    assert tracker.tell(renamed) == ["POST /issues", TOLD, EDITED]
    assert tracker.tell(renamed) == []
    first, second = tracker.github.issues
    assert (first["state"], second["state"]) == ("closed", "open")
    assert tracker.github.bodies(1)[-1] == (
        "<!-- orpolicy notice -->\n**No policy left**: as of 2026-06-10 00:00 UTC, every policy that this "
        "issue was about has another owner.\n"
    )
    assert "key-1" not in first["body"]


def test_what_returns_to_an_owner_is_news(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    tracker.tell(judged(breach(1, owner="web")))
    assert tracker.tell(judged(breach(1))) == [TOLD, EDITED, "POST /issues/2/comments", "PATCH /issues/2"]
    assert [issue["state"] for issue in tracker.github.issues] == ["open", "closed"]


@pytest.mark.parametrize(
    "told", [Told(), Told((Entry(b"\x01" * 8, policy_hash("p"), 50.0, is_failure=True),), left_out_usd=9.0)]
)
def test_nobody_knows_what_an_issue_without_a_whole_record_was_about(tracker: Tracker, told: Told) -> None:
    tracker.tell(judged(breach(1)))
    first_line = tracker.first["body"].partition("\n")[0]
    tracker.first["body"] = f"{first_line}\n{told.line(200)}\n"
    assert tracker.tell(judged(breach(1, owner="web"))) == ["POST /issues"]


def test_ten_runs_over_the_same_account_write_once(tracker: Tracker) -> None:
    findings = [breach(number, owner=f"team-{number % 3}", policy=f"p-{number % 3}") for number in range(9)]
    report = judged(*findings)
    assert len(tracker.tell(report)) == 4
    assert [tracker.tell(report) for _ in range(9)] == [[]] * 9


def test_what_somebody_closed_stays_closed_until_it_is_worse(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    tracker.first["state"] = "closed"
    assert tracker.tell(judged(breach(1))) == []
    assert tracker.tell(judged(breach(1, 800.0))) == [EDITED]
    assert tracker.first["state"] == "closed"
    assert tracker.tell(judged(breach(1, 1000.0))) == [TOLD, EDITED]
    assert tracker.first["state"] == "open"


def test_what_somebody_closed_and_was_mended_is_news_when_it_breaks_again(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    tracker.first["state"] = "closed"
    assert tracker.tell(judged(owners={"p": "data"})) == [EDITED]
    assert tracker.tell(judged(breach(1))) == [TOLD, EDITED]
    assert tracker.first["state"] == "open"


def test_issues_of_others_and_pull_requests_are_left_alone(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    tracker.first["user"] = {"login": "mallory", "type": "User"}
    assert tracker.tell(judged(breach(1))) == ["POST /issues"]
    tracker.github.issues[1]["pull_request"] = {}
    assert tracker.tell(judged(breach(1))) == ["POST /issues"]


def test_the_oldest_of_two_is_kept(tracker: Tracker) -> None:
    tracker.tell(judged(breach(1)))
    tracker.github.issues.append({**tracker.first, "number": 2})
    assert tracker.tell(judged(breach(1, 900.0))) == [EDITED]


def test_issues_are_found_on_the_second_page(tracker: Tracker) -> None:
    for number in range(1, 131):
        issue = {"number": number, "body": None, "labels": [{"name": "orpolicy"}], "state": "open"}
        tracker.github.issues.append({**issue, "user": tracker.github.user})
    tracker.github.labels.add("orpolicy")
    assert tracker.tell(judged(breach(1))) == ["POST /issues"]
    assert tracker.tell(judged(breach(1))) == []


def test_a_label_that_another_run_makes_meanwhile_is_fine(tracker: Tracker) -> None:
    tracker.github.labels.add("orpolicy")
    tracker.github.answers["GET /labels/orpolicy"] = [refused(404, "Not Found")]
    tracker.github.answers["POST /labels"] = [refused(422, "already_exists")]
    assert tracker.tell(judged(breach(1))) == ["POST /issues"]


def test_no_issue_is_opened_that_could_not_be_labelled(
    tracker: Tracker, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker.github.answers["POST /labels"] = [refused(403, "Resource not accessible by integration")]
    assert notify(tracker.folder, judged(breach(1)), "--issues") == 3
    assert tracker.github.changes() == []
    assert "issues: write" in capsys.readouterr().err


@pytest.mark.parametrize("labels", [[], None])
def test_a_label_that_github_drops_is_said(
    tracker: Tracker, capsys: pytest.CaptureFixture[str], labels: list[str] | None
) -> None:
    tracker.github.drops_labels = True
    if labels is None:
        answer = refused(201, "")
        tracker.github.labels.add("orpolicy")
        tracker.github.answers["POST /issues"] = [answer]
    assert notify(tracker.folder, judged(breach(1)), "--issues") == 3
    assert "was opened without its label orpolicy" in capsys.readouterr().err


def test_only_the_owner_is_mentioned_and_only_when_asked(tracker: Tracker) -> None:
    report = judged(breach(1, owner="@acme/data"))
    tracker.tell(report)
    assert "For @" not in tracker.first["body"]
    tracker.tell(report, "--mention")
    assert "\n\nFor @acme/data.\n\n" in tracker.first["body"]
    tracker.tell(judged(breach(1, 2000.0, owner="@acme/data")), "--mention")
    assert tracker.github.bodies(1)[-1].endswith("\n\nFor @acme/data.\n")


def test_an_owner_named_like_a_marker_has_an_issue_of_its_own(tracker: Tracker) -> None:
    hostile = "unowned -->\n<!-- orpolicy issue unowned -->"
    report = judged(breach(1, owner=hostile), breach(2, policy="q", owner=""), owners={"p": hostile, "q": ""})
    assert tracker.tell(report) == [*MADE, "POST /issues"]
    assert tracker.tell(report) == []
    for issue in tracker.github.issues:
        lines = issue["body"].splitlines()
        assert [line for line in lines if line.startswith("<!--")] == lines[:2]
        assert "\n" not in issue["title"]


def test_many_findings_fit_and_the_rest_is_counted(tracker: Tracker) -> None:
    owners = {f"p{number}": "data" for number in range(900)}
    findings = [breach(number, policy="p0") for number in range(1, 901)]
    tracker.tell(judged(*findings, owners=owners, unjudged=tuple(list(owners)[1:])))
    body = tracker.first["body"]
    shown = body.count("| **FAIL** |")
    assert 20 < shown < 900
    assert f"\n{900 - shown} findings more: see the JSON report.\n" in body
    unjudged = body.count(", truncated: ")
    assert f"\n{899 - unjudged} policies more: see the JSON report.\n" in body
