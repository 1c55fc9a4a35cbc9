"""Patience with limits and failures, against the fake GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from github.fake_github import refused
from github.notified import breach, judged, notify

if TYPE_CHECKING:
    from pathlib import Path

    from github.fake_github import FakeGitHub

COMMENTS = "/issues/7/comments"
NOW = 1_780_000_000


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refused(403, "You have exceeded a secondary rate limit", **{"retry-after": "17"}), 17),
        (refused(403, "You have exceeded a secondary rate limit"), 60),
        (refused(429, "Too many"), 60),
        (refused(403, "x", **{"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW + 40)}), 40),
        (refused(403, "x", **{"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW - 40)}), 0),
        (refused(403, "x", **{"x-ratelimit-remaining": "0"}), 60),
    ],
)
def test_a_limit_is_waited_out_also_for_a_post(
    fake: FakeGitHub, tmp_path: Path, slept: list[float], answer: httpx.Response, seconds: float
) -> None:
    fake.answers[f"POST {COMMENTS}"] = [answer]
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 0
    assert slept == [seconds]
    assert fake.changes() == [f"POST {COMMENTS}"]


def test_a_wait_that_is_too_long_is_an_error(
    fake: FakeGitHub, tmp_path: Path, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers[f"GET {COMMENTS}"] = [refused(429, "slow down", **{"retry-after": "3600"})]
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 3
    assert slept == []
    assert "HTTP 429: slow down; GitHub asks to wait 3600 s" in capsys.readouterr().err


def test_all_waits_together_are_bounded(fake: FakeGitHub, tmp_path: Path, slept: list[float]) -> None:
    fake.answers[f"GET {COMMENTS}"] = [refused(429, "x", **{"retry-after": "100"}) for _ in range(4)]
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 3
    assert slept == [100, 100, 100]


def test_a_limit_does_not_make_anybody_an_app(fake: FakeGitHub, tmp_path: Path) -> None:
    fake.answers["GET /user"] = [refused(403, "rate limit", **{"retry-after": "9999"})]
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 3
    assert fake.log == ["GET /user"]


@pytest.mark.parametrize(
    "failure", [httpx.Response(502, text="<html>"), httpx.ReadTimeout("x"), httpx.ConnectError("x")]
)
def test_reads_and_edits_are_tried_again(
    fake: FakeGitHub, tmp_path: Path, slept: list[float], failure: httpx.Response | Exception
) -> None:
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 0
    fake.changes()
    fake.answers[f"GET {COMMENTS}"] = [failure, failure]
    fake.answers["PATCH /issues/comments/101"] = [failure]
    assert notify(tmp_path, judged(breach(1, 900.0)), "--pull-request", "7") == 0
    assert fake.changes() == ["PATCH /issues/comments/101"]
    assert slept == [1, 2, 1]


@pytest.mark.parametrize("failure", [httpx.Response(500, json=[]), httpx.ReadTimeout("x")])
def test_a_post_that_may_have_been_done_is_not_done_twice(
    fake: FakeGitHub, tmp_path: Path, failure: httpx.Response | Exception
) -> None:
    fake.answers[f"POST {COMMENTS}"] = [failure]
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 3
    assert fake.log.count(f"POST {COMMENTS}") == 1


def test_a_post_that_never_left_is_tried_again(fake: FakeGitHub, tmp_path: Path) -> None:
    fake.answers[f"POST {COMMENTS}"] = [httpx.ConnectError("x"), httpx.ConnectTimeout("x")]
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 0
    assert fake.changes() == [f"POST {COMMENTS}"]


def test_five_failures_are_enough(
    fake: FakeGitHub, tmp_path: Path, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers[f"GET {COMMENTS}"] = [httpx.ConnectError("x")] * 9
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 3
    assert slept == [1, 2, 4, 8]
    assert "the connection failed (ConnectError)" in capsys.readouterr().err


def test_writes_keep_a_second_between_them(fake: FakeGitHub, tmp_path: Path, slept: list[float]) -> None:
    owners = {"p": "a", "q": "b"}
    report = judged(breach(1, owner="a"), breach(2, policy="q", owner="b"), owners=owners)
    assert notify(tmp_path, report, "--issues") == 0
    assert fake.changes() == ["POST /labels", "POST /issues", "POST /issues"]
    assert slept == [1, 1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json={}), "the answer is no list"),
        (httpx.Response(200, json=[7]), "the answer is no object"),
        (httpx.Response(200, text="<html>"), "the answer is no JSON"),
        (
            httpx.Response(200, json=[{"body": "<!-- orpolicy report -->", "user": {"type": "Bot"}}]),
            "GitHub sent something without id",
        ),
    ],
)
def test_an_answer_without_sense_is_an_error(
    fake: FakeGitHub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    answer: httpx.Response,
    expected: str,
) -> None:
    fake.answers[f"GET {COMMENTS}"] = [answer]
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 3
    assert expected in capsys.readouterr().err


def test_pages_without_end_are_an_error(
    fake: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = httpx.Response(200, json=[], headers={"link": '<https://evil.test/>; rel="next"'})
    fake.answers[f"GET {COMMENTS}"] = [endless] * 200
    assert notify(tmp_path, judged(breach(1)), "--pull-request", "7") == 3
    assert "more than 100 pages" in capsys.readouterr().err
    assert fake.log.count(f"GET {COMMENTS}") == 100
