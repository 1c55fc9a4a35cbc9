"""What a file may still change of a locked policy that it extends: words, and whatever only tightens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.policy.kinds import DISABLED, THRESHOLD_KEYS
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.policy.model import Json

WORDS = frozenset({"title", "why", "owner", "link", "replacement"})
"""What a policy says to people; it catches the same without."""

_STRICTEST: Mapping[str, Json] = {"allow_empty": False, "locked": True, DISABLED: False}
_SEVERITIES = [severity.value for severity in Severity]


def loosens(key: str, before: Json, after: Json, *, has_thresholds: bool) -> bool:
    """Whether a change of a key may let something pass that was caught before.

    Args:
        key: of the policy.
        before: what it says; None: nothing.
        after: what it would say; None: nothing any more.
        has_thresholds: whether the policy sets a threshold; otherwise a first one takes the place of
            those of its kind.
    """
    if key in WORDS:
        return False
    if key in _STRICTEST:
        return after is not _STRICTEST[key]
    if key in THRESHOLD_KEYS:
        return not has_thresholds or _is_laxer(key, before, after)
    if key == "severity":
        return after not in _SEVERITIES or _rank(after) > _rank(before or Severity.ERROR.value)
    return after != before


def _is_laxer(key: str, before: Json, after: Json) -> bool:
    """Whether a threshold would be reached later; one more is reached earlier than none."""
    if not isinstance(after, int | float):
        return True
    if not isinstance(before, int | float):
        return False
    return after > before if key.endswith("above") else after < before


def _rank(severity: Json) -> int:
    return _SEVERITIES.index(str(severity))
