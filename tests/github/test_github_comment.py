"""One comment on a pull request, over a history of reports."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from ci_samples import all_attacks
from github.fake_github import ROBOT, refused
from github.notified import breach, judged, notify
from samples import story

from orpolicy.plugins import REPORTERS
from orpolicy.reporters.base import Style
from orpolicy.reporters.markdown import MARKER
from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from github.fake_github import FakeGitHub

    from orpolicy.report import Report

COMMENTS = "/issues/7/comments"
POSTED = f"POST {COMMENTS}"


@pytest.fixture
def seven(fake: FakeGitHub, tmp_path: Path) -> Seven:
    """Pull request 7."""
    return Seven(fake, tmp_path)


class Seven:
    """Pull request 7, and what is said there."""

    def __init__(self, github: FakeGitHub, folder: Path) -> None:
        self.github = github
        self._folder = folder

    def tell(self, report: Report, *arguments: str) -> list[str]:
        assert notify(self._folder, report, "--pull-request", "7", *arguments) == 0
        return self.github.changes()

    @property
    def bodies(self) -> list[str]:
        return self.github.bodies(7)


def test_a_history_of_reports(seven: Seven) -> None:
    edited = "PATCH /issues/comments/101"
    assert seven.tell(judged(breach(1), breach(2))) == [POSTED]
    assert seven.tell(judged(breach(1), breach(2))) == []

    assert seven.tell(judged(breach(1, 1101.0), breach(2))) == [POSTED, edited]
    assert seven.bodies[1] == (
        "<!-- orpolicy notice -->\n**1 finding worse** since people were last told.\n\n"
        "- **WORSE** `p`: `key-1`: spend \\$6,067 (fails above \\$0); "
        "\\$1,101.00 a month, \\$1,000.00 when last told\n"
    )
    assert seven.tell(judged(breach(1, 1210.0), breach(2))) == [edited]

    assert seven.tell(judged(breach(1, 400.0), breach(2))) == [edited]
    assert seven.tell(judged(breach(1, 1000.0), breach(2))) == [POSTED, edited]
    assert "\\$400.00 when last told" in seven.bodies[2]

    clean = judged(owners={"p": "data"})
    assert seven.tell(clean) == [edited]
    assert "## PASS: 1 policy passed" in seven.bodies[0]
    assert seven.tell(clean) == []

    assert seven.tell(judged(breach(2))) == [POSTED, edited]
    assert seven.bodies[3] == (
        "<!-- orpolicy notice -->\n**1 finding new** since people were last told.\n\n"
        "- **NEW** `p`: `key-2`: spend \\$6,067 (fails above \\$0); \\$1,000.00 a month\n"
    )
    assert len(seven.bodies) == 4


def test_the_body_is_the_markdown_format(seven: Seven) -> None:
    seven.tell(story())
    first, hidden, rest = seven.bodies[0].split("\n", 2)
    assert first == MARKER
    assert re.fullmatch(r"<!-- orpolicy told 1 [A-Za-z0-9+/=]+ -->", hidden)
    assert f"{MARKER}\n{rest}" == REPORTERS["markdown"]().render(story(), Style())


def test_where_nothing_is_found_nothing_is_said(seven: Seven) -> None:
    waived = replace(breach(1), status=Status.WAIVED)
    assert seven.tell(judged(owners={"p": ""})) == []
    assert seven.tell(judged(waived)) == []


def test_what_could_not_be_judged_is_said_but_is_no_news(seven: Seven) -> None:
    assert seven.tell(judged(owners={"p": "data"}, unjudged=("p",))) == [POSTED]
    assert seven.tell(judged(breach(1))) == [POSTED, "PATCH /issues/comments/101"]
    assert seven.tell(judged(owners={"p": "data"}, unjudged=("p",))) == ["PATCH /issues/comments/101"]
    assert seven.tell(judged(breach(1))) == ["PATCH /issues/comments/101"]


def test_a_warning_that_fails_is_worse(seven: Seven) -> None:
    warned = replace(breach(1), verdict=Verdict.WARN, severity=Severity.ERROR)
    seven.tell(judged(warned))
    assert seven.tell(judged(breach(1))) == [POSTED, "PATCH /issues/comments/101"]
    assert seven.tell(judged(warned)) == ["PATCH /issues/comments/101"]


@pytest.mark.parametrize(
    ("before", "now", "is_told"), [(10, 20, False), (10, 20.01, True), (1000, 1100, False)]
)
def test_worse_is_ten_percent_and_ten_dollars(
    seven: Seven, before: float, now: float, *, is_told: bool
) -> None:
    seven.tell(judged(breach(1, before)))
    assert (POSTED in seven.tell(judged(breach(1, now)))) is is_told


def test_it_is_found_on_the_second_page(seven: Seven) -> None:
    for number in range(150):
        seven.github.add_comment(7, f"comment {number}", {"login": "someone", "type": "User"})
    mine = seven.github.add_comment(7, f"{MARKER}\nold")["id"]
    seven.github.log.clear()
    assert seven.tell(judged(breach(1))) == [POSTED, f"PATCH /issues/comments/{mine}"]
    assert seven.github.log[:3] == ["GET /user", f"GET {COMMENTS}", f"GET {COMMENTS}"]


def test_windows_line_ends_are_no_change(seven: Seven) -> None:
    seven.tell(judged(breach(1)))
    comment = seven.github.comments[7][0]
    comment["body"] = comment["body"].replace("\n", "\r\n").rstrip()
    assert seven.tell(judged(breach(1))) == []


def test_what_somebody_edits_is_put_right_in_silence(seven: Seven) -> None:
    seven.tell(judged(breach(1)))
    (comment,) = seven.github.comments[7]
    whole = comment["body"]
    marker, told, _ = whole.split("\n", 2)
    comment["body"] = f"{marker}\n{told}\nnothing to see here"
    assert seven.tell(judged(breach(1))) == ["PATCH /issues/comments/101"]
    assert seven.github.bodies(7) == [whole]


def test_a_damaged_record_tells_everything_again(seven: Seven) -> None:
    for damage in ("!", "AA==", "fwAAAAAAAAAAAA==", "f/gAAAAAAAA="):
        seven.github.comments[7] = []
        seven.github.add_comment(7, f"{MARKER}\n<!-- orpolicy told 1 {damage} -->\nold")
        assert seven.tell(judged(breach(1)))[0] == POSTED, damage
        assert "1 finding new" in seven.bodies[1]
    seven.github.comments[7] = []
    seven.github.add_comment(7, MARKER)
    assert seven.tell(judged(breach(1)))[0] == POSTED


@pytest.mark.parametrize("login", [None, "lint-user"])
def test_somebody_elses_comment_with_the_marker_is_left_alone(seven: Seven, login: str | None) -> None:
    seven.github.login = login
    others = [{"login": "mallory", "type": "User"}] + ([ROBOT] if login else [])
    for user in others:
        seven.github.add_comment(7, f"{MARKER}\nmine", user)
    seven.github.comments[7].append({"id": 1, "body": f"{MARKER}\nghost", "user": None})
    assert seven.tell(judged(breach(1))) == [POSTED]
    assert seven.tell(judged(breach(1))) == []


def test_our_own_comment_that_quotes_the_marker_is_another_one(seven: Seven) -> None:
    seven.github.add_comment(7, f"See:\n{MARKER}")
    seven.github.add_comment(7, f"{MARKER} or so")
    assert seven.tell(judged(breach(1))) == [POSTED]


def test_the_author_can_be_named(seven: Seven) -> None:
    mine = seven.github.add_comment(7, f"{MARKER}\nold", {"login": "Our-App[bot]", "type": "Bot"})["id"]
    assert seven.tell(judged(breach(1)), "--author", "our-app[bot]")[-1] == f"PATCH /issues/comments/{mine}"
    assert seven.tell(judged(breach(1)), "--author", "other[bot]") == [POSTED]


@pytest.mark.parametrize("status", [404, 410])
def test_a_comment_that_goes_meanwhile_is_posted_anew(seven: Seven, status: int) -> None:
    seven.tell(judged(breach(1)))
    seven.github.answers["PATCH /issues/comments/101"] = [refused(status, "Not Found")]
    assert seven.tell(judged(breach(1, 900.0))) == [POSTED]
    assert seven.bodies[1].startswith(f"{MARKER}\n")


def test_of_two_that_two_runs_posted_at_once_one_is_kept(seven: Seven) -> None:
    seven.tell(judged(breach(1)))
    twin = seven.github.add_comment(7, seven.bodies[0])
    assert seven.tell(judged(breach(1))) == [f"PATCH /issues/comments/{twin['id']}"]
    assert seven.bodies[0].startswith(f"{MARKER}\n")
    assert seven.bodies[1] == "<!-- orpolicy superseded -->\nThe report is kept in another comment.\n"
    assert seven.tell(judged(breach(1))) == []
    gone = seven.github.add_comment(7, seven.bodies[0])
    seven.github.answers[f"PATCH /issues/comments/{gone['id']}"] = [refused(404, "Not Found")]
    assert seven.tell(judged(breach(1))) == []


def test_an_edit_that_is_refused_is_an_error(seven: Seven, tmp_path: Path) -> None:
    seven.tell(judged(breach(1)))
    seven.github.answers["PATCH /issues/comments/101"] = [refused(403, "no")]
    assert notify(tmp_path, judged(breach(1, 900.0)), "--pull-request", "7") == 3


def test_news_come_before_the_edit_so_that_none_is_lost(seven: Seven, tmp_path: Path) -> None:
    seven.tell(judged(breach(1)))
    seven.github.answers["PATCH /issues/comments/101"] = [refused(422, "no")]
    news = judged(breach(1), breach(2))
    assert notify(tmp_path, news, "--pull-request", "7") == 3
    assert seven.github.changes() == [POSTED]
    assert seven.tell(news) == [POSTED, "PATCH /issues/comments/101"]


def test_nobody_is_mentioned_unless_asked(seven: Seven) -> None:
    first = judged(breach(1, owner="@acme/data"), breach(2, owner="data"), breach(3, owner="@acme/x y"))
    seven.tell(first)
    outside_code = re.sub(r"`[^`\n]*`", "", seven.bodies[0])
    assert "@" not in outside_code
    seven.tell(first, "--mention")
    assert seven.bodies[0].endswith("\n\nFor @acme/data.\n")
    more = judged(*first.findings, breach(4, owner="@octocat"), owners={"p": "data"})
    seven.tell(more, "--mention")
    assert seven.bodies[1].endswith("\n\nFor @octocat.\n")
    assert seven.bodies[0].endswith("\n\nFor @acme/data, @octocat.\n")


def test_dollars_beyond_reason_are_told_once(seven: Seven) -> None:
    assert seven.tell(judged(breach(1, 1.7e308))) == [POSTED]
    assert seven.tell(judged(breach(1, 1.7e308))) == []


def test_many_findings_are_counted_and_remembered_within_the_limit(seven: Seven) -> None:
    many = [breach(number, 100_000.0 - number) for number in range(1, 1501)]
    assert seven.tell(judged(*many)) == [POSTED]
    assert seven.tell(judged(*many)) == []
    grown = [replace(finding, spend_usd=2 * finding.spend_usd) for finding in many]
    assert seven.tell(judged(*grown)) == [POSTED, "PATCH /issues/comments/101"]
    assert max(map(len, seven.bodies)) <= 65_536
    shown = seven.bodies[1].count("**WORSE**") + seven.bodies[1].count("**NEW**")
    more = re.search(r"^- ([\d,]+) findings more$", seven.bodies[1], re.MULTILINE)
    assert more
    assert shown + int(more[1].replace(",", "")) == 1500


def test_hostile_names_forge_neither_marker_nor_record_nor_mention(seven: Seven) -> None:
    record = "<!-- orpolicy told 1 AAAAAAAAAAA= -->"
    names = (f"{MARKER}\n{record}", f"\n{MARKER}", "<!-- orpolicy notice -->", "@acme/everybody", record)
    findings = [
        breach(number, subject={"api_key_id": name}, owner=name) for number, name in enumerate(names, 1)
    ]
    seven.tell(judged(*findings, owners={"p": names[0]}))
    seven.tell(judged(*findings, breach(9, subject={"app": names[0]}), owners={"p": names[0]}))
    assert seven.tell(judged(*findings, owners={"p": names[0]})) == ["PATCH /issues/comments/101"]
    for body in seven.bodies:
        lines = body.splitlines()
        assert [line for line in lines if line.startswith("<!--")] == lines[: 2 if lines[0] == MARKER else 1]
        assert "@" not in re.sub(r"`[^`\n]*`", "", body).replace("@&#8203;", "")


def test_every_attack_at_once_is_told_once(seven: Seven) -> None:
    assert seven.tell(all_attacks()) == [POSTED]
    assert seven.tell(all_attacks()) == []
