"""The management key reaches the Authorization header and no other place, whatever goes wrong."""

from __future__ import annotations

import contextlib
import json
import logging
import pickle
import traceback
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from loopback.client import QUERY, impatient, opened

from orpolicy.errors import OrpolicyError
from orpolicy.sources._secret import Secret
from orpolicy.sources.base import Setting
from orpolicy.sources.openrouter import OpenRouter

if TYPE_CHECKING:
    from pathlib import Path

    from loopback.server import LoopbackServer

KEY = "sk-or-v1-loopback-management-0123456789abcdef"
ECHO = json.dumps({"error": {"code": 403, "message": f"no: {KEY}"}}).encode()

FAULTS: list[dict[str, Any]] = [
    {},
    *({"status": status, "body": ECHO} for status in (400, 401, 403, 404, 408, 429, 500, 503)),
    {"status": 302, "headers": {"Location": f"https://elsewhere.example/?{KEY}"}},
    {"body": ECHO},
    {"body": KEY.encode()},
    {"body": b"<html>"},
    {"body": b"["},
    {"body": json.dumps({"data": KEY}).encode()},
    {
        "body": json.dumps(
            {"data": {"data": [{"total_usage": KEY}], "metadata": {"truncated": False}}}
        ).encode()
    },
    {
        "body": json.dumps(
            {
                "data": {
                    "data": [{"model": KEY, "total_usage": 1, "request_count": 1}],
                    "metadata": {"truncated": False},
                    "warnings": [KEY],
                }
            }
        ).encode()
    },
    {"body": json.dumps({"data": [], "links": {"next": f"https://{KEY}.example/"}}).encode()},
    {"drop": True},
    {"cut": True},
    {"delay_seconds": 0.3},
    {"body": b" " * 100, "drip_seconds": 0.05},
    {"body": b"x", "headers": {"Content-Encoding": KEY}},
    {"status": 429, "headers": {"Retry-After": "9999"}},
]


def told(error: BaseException | None) -> list[str]:
    """Everything that an error and those behind it tell, with every variable but those of this file."""
    lines: list[str] = []
    while error is not None:
        frames = [
            step for step in traceback.walk_tb(error.__traceback__) if step[0].f_code.co_filename != __file__
        ]
        lines += [str(error), repr(error)]
        lines += traceback.StackSummary.extract(iter(frames), capture_locals=True).format()
        error = error.__cause__ or error.__context__
    return lines


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(sorted(fault)))
def test_no_trace_of_it(
    loopback: LoopbackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    loopback.account.spend(date(2026, 5, 2), model="lab/a", usd=1)
    loopback.fail_next(100, **fault)
    environ = loopback.environ | {"ORPOLICY_CACHE_DIR": str(tmp_path)}
    patience = impatient(attempts=2, silence_seconds=0.1, question_seconds=0.5)
    said: list[str] = []
    with opened(environ, patience=patience) as source:
        for ask in (source.meta, source.directory, source.catalogue, lambda: source.answer(QUERY)):
            try:
                said.append(repr(ask()))
            except OrpolicyError as error:
                said += told(error)
        said += [repr(source), repr(vars(source)), repr(source.info()), repr(source.answers([QUERY]))]
    said += [caplog.text, *(str(vars(record)) for record in caplog.records)]
    said += [str(path) + path.read_bytes().decode() for path in tmp_path.rglob("*") if path.is_file()]
    assert said
    assert "loopback-management" not in "\n".join(said)
    assert loopback.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "environ",
    [
        {"OPENROUTER_MANAGEMENT_KEY": f"{KEY} x"},
        {"OPENROUTER_MANAGEMENT_KEY": f"{KEY}\x00"},
        {"OPENROUTER_MANAGEMENT_KEY": KEY, "OPENROUTER_BASE_URL": "http://example.com"},
        {"OPENROUTER_MANAGEMENT_KEY": KEY, "OPENROUTER_BASE_URL": "https://[::"},
    ],
)
def test_not_even_when_it_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(OrpolicyError) as caught:
        OpenRouter.open(Setting("openrouter", environ))
    lines = told(caught.value)
    assert len(lines) >= 5
    assert KEY not in "\n".join(lines)


def test_the_holder_is_silent() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {secret.account()} {vars(Secret)}"
    assert len(secret.account()) == 32
    assert secret.account() == Secret(KEY).account() != Secret(KEY + "0").account()
    with contextlib.suppress(TypeError):
        assert not pickle.dumps(secret)
