"""``orpolicy notify`` as it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
import respx
from github.fake_github import TOKEN, refused
from github.notified import breach, judged, notify

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

    from github.fake_github import FakeGitHub

BREACH = judged(breach(1))
COMMENTS = "/issues/7/comments"


def test_it_says_what_it_sent(fake: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert notify(tmp_path, BREACH, "--pull-request", "7") == 0
    assert notify(tmp_path, BREACH, "--pull-request", "7") == 0
    assert capsys.readouterr() == ("sent POST /repos/acme/app/issues/7/comments\nnothing to tell\n", "")
    assert len(fake.comments[7]) == 1


def test_a_dry_run_reads_and_writes_nothing(
    fake: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notify(tmp_path, BREACH, "--pull-request", "7", "--issues", "--dry-run") == 0
    assert fake.sent == []
    assert {entry.partition(" ")[0] for entry in fake.log} == {"GET"}
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("would")] == [
        "would send POST /repos/acme/app/issues/7/comments",
        "would send POST /repos/acme/app/labels",
        "would send POST /repos/acme/app/issues",
    ]
    lines = out.splitlines()
    assert lines[1:3] == ["  body:", "    <!-- orpolicy report -->"]
    assert "  name: orpolicy" in lines
    assert '  labels: ["orpolicy"]' in lines
    assert "\\n" not in out


def test_a_dry_run_without_a_token_sends_nothing_at_all(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    assert notify(tmp_path, BREACH, "--pull-request", "7", "--issues", "--dry-run") == 0
    assert fake.log == []
    assert capsys.readouterr().out.count("would send") == 3


def test_the_repository_can_be_given(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "other/place")
    assert notify(tmp_path, BREACH, "--pull-request", "7", "--repository", "acme/app") == 0
    assert fake.changes() == [f"POST {COMMENTS}"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "nothing to do: give --pull-request N or --issues"),
        (("--pull-request", "7", "--no-comment"), "nothing to do"),
        (("--pull-request", "0"), "0 is not in the range"),
        (("--issues", "--repository", "acme"), "'acme' is no repository such as owner/name"),
        (("--issues", "--repository", "acme/.."), "is no repository"),
        (("--issues", "--repository", "acme/app/../../x"), "is no repository"),
        (("--issues", "--repository", "acme/app?x"), "is no repository"),
        (("--issues", "--repository", ""), "no repository: give --repository owner/name"),
    ],
)
def test_a_wrong_command_line_exits_with_2(
    fake: FakeGitHub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    assert notify(tmp_path, BREACH, *arguments) == 2
    assert expected in capsys.readouterr().err
    assert fake.log == []


@pytest.mark.parametrize(
    "case",
    [
        ("GITHUB_TOKEN=", "no token: set GITHUB_TOKEN"),
        ("GITHUB_TOKEN=two words", "GITHUB_TOKEN holds characters that no token has"),
        ("GITHUB_API_URL=api.github.com", "GITHUB_API_URL needs scheme and host"),
        ("GITHUB_API_URL=https://[", "GITHUB_API_URL is no URL"),
        ("GITHUB_API_URL=https://a:b@c", "must hold neither credentials"),
        ("GITHUB_API_URL=http://api.github.com", "plain http to api.github.com would show the token"),
        ("GITHUB_API_URL=http://10.0.0.1", "plain http to 10.0.0.1 would show the token"),
    ],
)
def test_a_wrong_environment_exits_with_2(
    fake: FakeGitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[str, str],
) -> None:
    setting, expected = case
    monkeypatch.setenv(*setting.split("=", 1))
    assert notify(tmp_path, BREACH, "--issues") == 2
    assert expected in capsys.readouterr().err
    assert fake.log == []


def test_githubs_own_address_is_the_default(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_API_URL")
    monkeypatch.setattr("orpolicy.github.site.DEFAULT_API_URL", "https://api.github.test")
    assert notify(tmp_path, BREACH, "--pull-request", "7") == 0
    assert fake.log[0] == "GET /user"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_plain_http_is_for_this_machine(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", f"http://{host}:9/")
    with respx.mock(base_url=f"http://{host}:9") as router:
        router.route().mock(side_effect=fake)
        assert notify(tmp_path, BREACH, "--pull-request", "7") == 0
    assert fake.changes() == [f"POST {COMMENTS}"]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ((401, "Bad credentials"), "HTTP 401: Bad credentials. Check GITHUB_TOKEN: it is wrong"),
        ((403, "Unable to create comment because issue is locked."), "issue is locked.. The token needs"),
        ((404, "Not Found"), "There is no such repository, pull request or issue"),
        ((410, "Issues are disabled"), "the repository has no issues"),
        ((422, "Validation Failed"), "HTTP 422: Validation Failed"),
        ((301, "Moved Permanently"), "the repository has moved"),
    ],
)
def test_a_refusal_is_explained_and_never_a_failed_policy(
    fake: FakeGitHub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    refusal: tuple[int, str],
    expected: str,
) -> None:
    fake.answers[f"POST {COMMENTS}"] = [refused(*refusal)]
    assert notify(tmp_path, BREACH, "--pull-request", "7") == 3
    out, err = capsys.readouterr()
    assert expected in err
    assert err.startswith("orpolicy: POST /repos/acme/app/issues/7/comments: HTTP ")
    assert "nothing to tell" not in out
    assert fake.log.count(f"POST {COMMENTS}") == 1


def test_what_was_sent_before_a_failure_is_said(
    fake: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers["POST /issues"] = [refused(403, "no")]
    assert notify(tmp_path, BREACH, "--pull-request", "7", "--issues") == 3
    assert capsys.readouterr().out.splitlines() == [
        "sent POST /repos/acme/app/issues/7/comments",
        "sent POST /repos/acme/app/labels",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"message": f"bad {TOKEN}"}),
        httpx.Response(422, json={"message": "x", "errors": [{"message": TOKEN}, TOKEN, 7]}),
        httpx.Response(200, text=f"<html>{TOKEN}"),
        httpx.ConnectError(f"proxy said {TOKEN}"),
    ],
)
def test_the_token_is_never_shown(
    fake: FakeGitHub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    answer: httpx.Response | Exception,
) -> None:
    caplog.set_level("DEBUG")
    fake.answers[f"GET {COMMENTS}"] = [answer] * 5
    assert notify(tmp_path, BREACH, "--pull-request", "7") == 3
    out, err = capsys.readouterr()
    assert TOKEN not in out + err + caplog.text
    assert err


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notify", "--help"]) == 0
    assert "0 done, whatever the report says" in " ".join(capsys.readouterr().out.split())
