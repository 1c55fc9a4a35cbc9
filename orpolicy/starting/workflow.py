"""The scheduled workflow, from the example that ships with orpolicy."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from orpolicy.starting.prose import scalar

_PACKAGE = Path(__file__).resolve().parent.parent
_NAME = "scheduled-gate.yml"
_CRON = re.compile(r'cron: "\d+ ')
_HEAD = re.compile(r"\A(?:#.*\n)+")
_KEY = re.compile(r"^( +)management-key: .*\n", re.MULTILINE)

_BESIDE = "; heartbeat.yml reads it"
"""Speaks of another example, which is not written."""

_HEADER = """\
# Judges last month's spend every Monday. Before the first run:
# - put a management key into the secret OPENROUTER_MANAGEMENT_KEY of the environment llm-spend, which only
#   the default branch may use: such a key can also make and delete keys;
# - pin the action to the commit of the release that you use.
"""


def workflow(seed: str, baseline: str = "") -> str:
    """The workflow.

    Args:
        seed: what the minute of its schedule is derived from, so that not everybody starts at the same one.
        baseline: the file of accepted findings, from the root of the repository; "" is none.
    """
    text = _example().read_text(encoding="utf-8")
    text = _HEAD.sub(lambda _: _HEADER, text)
    text = text.replace(_BESIDE, "")
    text = _CRON.sub(f'cron: "{minute_of(seed)} ', text)
    if baseline:
        text = _KEY.sub(lambda line: f"{line[0]}{line[1]}baseline: {scalar(baseline)}\n", text)
    return text


def minute_of(seed: str) -> int:
    """An odd minute, 3 to 57: at full hours schedules start late."""
    return 3 + 2 * (
        int.from_bytes(hashlib.sha256(seed.encode("utf-8", "backslashreplace")).digest()[:4]) % 28
    )


def _example() -> Path:
    """Inside the package where it was installed from a wheel, among the examples in a checkout."""
    installed = _PACKAGE / "data" / "workflows"
    return (installed if installed.is_dir() else _PACKAGE.parent / "examples" / "workflows") / _NAME
