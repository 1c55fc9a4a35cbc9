"""A fake GitHub, a clock that does not wait, and reports in files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import respx
from github.fake_github import API, REPOSITORY, TOKEN, FakeGitHub

sys.path.insert(0, str(Path(__file__).parent.parent / "reporters"))  # the samples of reports

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """GitHub with an empty repository, named by the environment."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", API)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    github = FakeGitHub()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="api.github.test").mock(side_effect=github)
        yield github


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every wait; none takes any time."""
    waits: list[float] = []
    clock = "orpolicy.sources._clock.SystemClock"
    monkeypatch.setattr(f"{clock}.sleep", lambda _clock, seconds: waits.append(seconds))
    monkeypatch.setattr(f"{clock}.monotonic", lambda _clock: 1000.0)
    monkeypatch.setattr(f"{clock}.time", lambda _clock: 1_780_000_000.0)
    return waits
