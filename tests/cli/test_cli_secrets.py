"""The management key and GitHub's token in nothing that a command leaves behind, at any verbosity."""

from __future__ import annotations

import json
import logging
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.cli.main import run
from orpolicy.plugins import REPORTERS
from orpolicy.sources.openrouter import OpenRouter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loopback.server import LoopbackServer

POLICIES = """
version: 1
policies:
  - {id: spend, rule: spend-limit, fail_above: 10, owner: data}
  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}
"""
NOW = ("--now", "2026-06-10")
SECRET_PART = b"loopback-management"


@pytest.fixture
def folder(
    tmp_path: Path,
    loopback: LoopbackServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Path:
    """A folder with policies, whose account has a key that is named like the management key."""
    caplog.set_level(logging.DEBUG)
    secret = loopback.environ["OPENROUTER_MANAGEMENT_KEY"]
    assert SECRET_PART in secret.encode()
    account = loopback.account
    account.add_model("x/dear-20260101")
    key = account.add_key(f"named like {secret}")
    account.spend(date(2026, 5, 15), model="x/dear-20260101", key=key, usd=100.0, prompt=900, completion=100)
    for name, value in {**loopback.environ, "ORPOLICY_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "orpolicy.yaml").write_text(POLICIES, encoding="utf-8")
    (tmp_path / "old.yaml").write_text(POLICIES.replace("10,", "5,"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def left(
    folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[[], bytes]:
    """Everything: both streams, every record of the log with its arguments, every file with its name."""

    def read() -> bytes:
        records = [repr(vars(record)) for record in caplog.records]
        texts = [*capfd.readouterr(), caplog.text, *records]
        files = [str(path).encode() + path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        return b"\n".join([*(text.encode(errors="backslashreplace") for text in texts), *files])

    return read


@pytest.mark.parametrize("verbosity", [[], ["-q"], ["-v"]])
@pytest.mark.parametrize("form", list(REPORTERS))
def test_check_in_every_format(
    form: str,
    verbosity: list[str],
    left: Callable[[], bytes],
) -> None:
    outputs = [f"--format={form}", f"--format={form}=out.{form}"]
    assert run(["check", *NOW, *outputs, *verbosity]) == 1
    everything = left()
    assert b"x/dear" in everything
    assert SECRET_PART not in everything


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan"], 0),
        (["validate", "orpolicy.yaml"], 0),
        (["baseline", "write", *NOW], 3),
        (["diff-policy", "old.yaml", "orpolicy.yaml", "--source", "openrouter", *NOW], 1),
        (["diff-policy", "old.yaml", "orpolicy.yaml", "--source", "openrouter", "--format", "json", *NOW], 1),
        (["check", "--no-cache", "--select", "nothing"], 2),
    ],
)
def test_other_commands(
    arguments: list[str],
    code: int,
    left: Callable[[], bytes],
) -> None:
    assert run(arguments) == code
    assert SECRET_PART not in left()


@pytest.mark.parametrize("place", ["meta", "answers", "info"])
@pytest.mark.parametrize("verbosity", ["-q", "-v"])
def test_a_bug_in_the_middle_of_a_run(
    loopback: LoopbackServer,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    verbosity: str,
    left: Callable[[], bytes],
) -> None:
    """The error itself holds the key, and so do the variables around it."""

    def explode(source: OpenRouter, *_: Any, **__: Any) -> None:
        secret = loopback.environ["OPENROUTER_MANAGEMENT_KEY"]
        raise RuntimeError(f"{secret} {vars(source)}", secret)

    monkeypatch.setattr(OpenRouter, place, explode)
    assert run(["check", *NOW, "--no-cache", verbosity, "--format=json=a.json"]) == 70
    everything = left()
    assert b"a bug in orpolicy" in everything
    assert SECRET_PART not in everything


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 500}, {"status": 302}, {"status": 200}])
def test_a_server_that_repeats_the_key(
    loopback: LoopbackServer,
    fault: dict[str, Any],
    left: Callable[[], bytes],
) -> None:
    secret = loopback.environ["OPENROUTER_MANAGEMENT_KEY"]
    body = json.dumps({"error": {"code": 1, "message": f"no: {secret}"}}).encode()
    headers = {"Location": f"https://elsewhere.example/?{secret}", "X-Echo": secret, "Retry-After": "9999"}
    loopback.fail_next(100, body=body, headers=headers, **fault)
    assert run(["check", *NOW, "-v", *(f"--format={form}=out.{form}" for form in REPORTERS)]) in (2, 3)
    assert SECRET_PART not in left()
