"""The world that faults are put into: an account and policies that all pass, and one run of the CLI."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from fault_file import content
from fault_server import FaultyServer, Script
from loopback.account import LoopbackAccount
from loopback.client import IMPATIENT, NOW

from orpolicy.cli.main import run
from orpolicy.sources import openrouter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pytest
    from fault_file import FaultFile

CLEAN = """\
version: 1
defaults: {window: last-month, floor: {spend: 10}}
key_sets: {batch: ["batch-*"]}
model_sets: {retired: ["acme/zero*"]}
policies:
  - {id: key-budget, rule: spend-limit, fail_above: 5000}
  - {id: cached, rule: cache-hit-rate, fail_below: 0.3}
  - {id: web-cap, rule: surcharge-share, components: [web], fail_above: 0.05}
  - {id: outlier, rule: blended-multiple, warn_above: 5, fail_above: 15}
  - {id: no-preview, rule: model-ban, where: {api_key_id: "@batch"}, models: ["@preview", "@retired"]}
"""
"""Five policies that pass."""

BREACHED = CLEAN.replace("fail_above: 5000", "fail_above: 500")
"""One of them fails: ``prod`` spends more than 500 USD."""

PATIENCE = replace(
    IMPATIENT, silence_seconds=0.3, question_seconds=300, run_seconds=900, max_body_bytes=1 << 20
)
MAY = (date(2026, 5, 3), date(2026, 5, 17))


class SkippingClock:
    """The machine's clock, moved to the run's day; whoever waits is at once where he waited for."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._began = time.monotonic()

    def time(self) -> float:
        return NOW.timestamp() + self.monotonic() - self._began

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += seconds

    def wake(self) -> None:
        """Nobody waits here."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        printed: standard output and error, each run of white space as one blank.
        folder: where it ran.
    """

    code: int
    printed: str
    folder: Path


def make_account() -> LoopbackAccount:
    """Two keys, three models, USD 1,500 in May, all of it within the clean policies."""
    account = LoopbackAccount(cached_at=NOW.timestamp() - 3600)
    batch, prod = account.add_key("batch-eval"), account.add_key("prod")
    for slug, prompt in (("acme/one", 1.0), ("acme/two", 2.0), ("acme/three-preview", 3.0)):
        pricing = {"prompt": f"{prompt / 1e6:.9f}", "completion": f"{4 * prompt / 1e6:.9f}"}
        account.add_model(f"{slug}-20260101", id=slug, name=slug, pricing=pricing)
    for day in MAY:
        account.spend(day, model="acme/one-20260101", usd=200.0, key=batch, **_usage(usage_web=1.0))
        account.spend(day, model="acme/one-20260101", usd=250.0, key=prod, **_usage(usage_web=1.0))
        account.spend(day, model="acme/two-20260101", usd=250.0, key=prod, **_usage())
        account.spend(day, model="acme/three-preview-20260101", usd=50.0, key=prod, **_usage())
    return account


def _usage(**extra: float) -> dict[str, Any]:
    tokens = {"prompt": 90_000_000, "completion": 3_000_000, "cached": 60_000_000, "requests": 3_000}
    return {**tokens, **extra}


def with_changes(account: LoopbackAccount, changes: Mapping[str, Any]) -> LoopbackAccount:
    """The account with further keys and usage, and other attributes set."""
    for key in changes.get("keys", ()):
        account.add_key(**key)
    keys = {key.name: key for key in account.keys}
    for usage in changes.get("spend", ()):
        name = usage.get("key")
        key = account.keys[name] if isinstance(name, int) else keys.get(name)
        account.spend(**_usage() | {"day": MAY[0], "model": "acme/one-20260101"} | usage | {"key": key})
    for name in changes.keys() - {"keys", "spend"}:
        value = frozenset(changes[name]) if name == "hidden" else changes[name]
        setattr(account, name, value)
    return account


def play(
    fault: FaultFile, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
) -> Outcome:
    """One run with a fault, in a folder of its own; what it printed is also searched for the key."""
    account = with_changes(make_account(), fault.account)
    with FaultyServer(account, ()) as server:
        known = {"url": server.url, "key": account.management_key, "folder": str(folder)}
        environ = _environ(fault, folder, server.environ, known)
        _furnish(fault, folder)
        if fault.before:
            _in_process(fault.before, folder, environ, patch, capture)
            _spoil(fault.spoil, folder)
        server.scripts = [Script(**script) for script in fault.answers]
        args = [arg.format(**known) for arg in fault.args]
        if fault.shell:
            outcome = _in_shell(fault.shell, args, folder, environ)
        else:
            outcome = _in_process(args, folder, environ, patch, capture)
    _assert_secret(account.management_key, outcome, folder)
    return outcome


def _environ(
    fault: FaultFile, folder: Path, server: Mapping[str, str], known: Mapping[str, str]
) -> dict[str, str]:
    base = {"COLUMNS": "140", "HOME": str(folder), "PATH": os.environ["PATH"], **server}
    base["ORPOLICY_CACHE_DIR"] = str(folder / "cache")
    changes = {name: value and value.format(**known) for name, value in fault.environ.items()}
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def _furnish(fault: FaultFile, folder: Path) -> None:
    text = fault.policies if fault.policies is not None else CLEAN
    for old, new in fault.edit.items():
        assert old in text, f"{fault.name}: the policies hold no {old!r}"
        text = text.replace(old, new)
    _put(folder / "policies" / "cost.yaml", text)
    for name, spec in fault.files.items():
        _put(folder / name, spec)


def _put(path: Path, spec: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(spec, str) or not spec.keys() & {"link", "folder", "gone"}:
        path.write_bytes(content(spec))
    elif "link" in spec:
        path.symlink_to(spec["link"])
    elif "gone" in spec:
        path.unlink()
    else:
        path.mkdir()


def _spoil(spoil: Mapping[str, Any], folder: Path) -> None:
    for pattern, spec in spoil.items():
        paths = [path for path in folder.glob(pattern) if path.is_file()]
        assert paths, f"there is no {pattern} to spoil"
        for path in paths:
            path.write_bytes(content(spec))


def _in_process(
    args: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    patch: pytest.MonkeyPatch,
    capture: pytest.CaptureFixture[str],
) -> Outcome:
    capture.readouterr()
    with patch.context() as here:
        for name in os.environ:
            here.delenv(name)
        for name, value in environ.items():
            here.setenv(name, value)
        here.chdir(folder)
        here.setattr(openrouter, "Patience", lambda: PATIENCE)
        here.setattr(openrouter, "SystemClock", SkippingClock)
        code = run(args)
    printed = capture.readouterr()
    return Outcome(code, " ".join(f"{printed.out} {printed.err}".split()), folder)


def _in_shell(shell: str, args: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Outcome:
    command = ["/bin/sh", "-c", shell, "sh", sys.executable, "-m", "orpolicy", *args]
    done = subprocess.run(
        command, cwd=folder, env=dict(environ), capture_output=True, timeout=30, check=False
    )
    text = (done.stdout + b" " + done.stderr).decode("utf-8", "replace")
    return Outcome(done.returncode, " ".join(text.split()), folder)


def _assert_secret(key: str, outcome: Outcome, folder: Path) -> None:
    assert key not in outcome.printed, "the key was printed"
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert key.encode() not in path.read_bytes(), f"the key is in {path.name}"
