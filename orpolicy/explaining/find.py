"""Which finding of a report a fingerprint means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.reporters._words import name, subject

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.report import Report

MOST_SHOWN = 5
_PREFIX = re.compile(r"[0-9a-f]{4,32}")


def is_fingerprint(text: str) -> bool:
    """Whether a text could be the beginning of a fingerprint, or one."""
    return _PREFIX.fullmatch(text.lower()) is not None


def find(report: Report, prefix: str) -> Finding | None:
    """The one finding whose fingerprint begins so; None if there is none.

    Raises:
        UsageError: if there are several.
    """
    found = [item for item in report.findings if item.fingerprint.startswith(prefix.lower())]
    if len(found) > 1:
        lines = [
            f"  {item.fingerprint}  {name(item.policy)}: {subject(item.subject)}"
            for item in found[:MOST_SHOWN]
        ]
        raise UsageError(
            "\n".join([f"{prefix} is the beginning of {len(found)} fingerprints", *lines]),
            code=Code.UNKNOWN_NAME,
        )
    return found[0] if found else None
