"""The token of GitHub in nothing that a delivery leaves behind, and on no other host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from github.fake_github import API, TOKEN
from github.notified import breach, judged, notify

from orpolicy.github.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from github.fake_github import FakeGitHub

COMMENTS = "/issues/7/comments"
BREACH = judged(breach(1))


@pytest.fixture
def left(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[[], str]:
    """Everything: both streams, every record of the log with its arguments, every file with its name."""
    caplog.set_level("DEBUG")

    def read() -> str:
        files = [
            str(path) + path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()
        ]
        records = [repr(vars(each)) for each in caplog.records]
        return "\n".join([*capfd.readouterr(), caplog.text, *records, *files])

    return read


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--issues", "--mention")])
def test_it_stays_in_its_header(
    fake: FakeGitHub,
    tmp_path: Path,
    left: Callable[[], str],
    options: tuple[str, ...],
) -> None:
    report = judged(breach(1, subject={"api_key_id": "someone"}))
    assert notify(tmp_path, report, "--pull-request", "7", *options) == 0
    assert TOKEN not in left() + repr(fake.sent)


@pytest.mark.parametrize("place", ["login", "listed", "write", "close"])
def test_a_bug_tells_nothing(
    fake: FakeGitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left: Callable[[], str],
    place: str,
) -> None:

    def explode(client: Client, *_: Any, **__: Any) -> None:
        raise RuntimeError(TOKEN, vars(client))

    monkeypatch.setattr(Client, place, explode)
    assert notify(tmp_path, BREACH, "--pull-request", "7") == 70
    said = left()
    assert "a bug in orpolicy" in said
    assert TOKEN not in said
    assert fake.comments.get(7, []) == [] or place == "close"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("request_", [f"GET {COMMENTS}", f"POST {COMMENTS}"])
def test_no_redirect_is_followed(
    fake: FakeGitHub,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    status: int,
    request_: str,
) -> None:
    with respx.mock(assert_all_called=False) as elsewhere:
        others = elsewhere.route(host="evil.test").respond(200, json=[])
        elsewhere.route(host=httpx.URL(API).host).mock(side_effect=fake)
        moved = httpx.Response(status, headers={"location": f"https://evil.test/{TOKEN}"})
        fake.answers[request_] = [moved]
        assert notify(tmp_path, BREACH, "--pull-request", "7") == 3
        assert not others.called
    said = "".join(capfd.readouterr())
    assert f"HTTP {status}" in said
    assert "Redirects are not followed" in said
    assert TOKEN not in said


def test_pages_are_counted_here_and_not_where_a_link_points(fake: FakeGitHub, tmp_path: Path) -> None:
    link = {"link": '<https://evil.test/repos/acme/app/issues/7/comments?page=2>; rel="next"'}
    fake.answers[f"GET {COMMENTS}"] = [httpx.Response(200, json=[], headers=link)]
    assert notify(tmp_path, BREACH, "--pull-request", "7") == 0
    assert fake.log.count(f"GET {COMMENTS}") == 2
