"""What to do about a policy that could not be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.errors import Reason, SourceError
from orpolicy.finding import Inconclusive

if TYPE_CHECKING:
    from orpolicy.policy.model import Policy

ADVICE = {
    Reason.API_ERROR: "Run again later; if it stays, ask for less with --select.",
    Reason.ACCESS_DENIED: "Set OPENROUTER_MANAGEMENT_KEY to a management key of this account.",
    Reason.DEADLINE: "Run again later, or ask for less with --select or a shorter window.",
    Reason.MALFORMED_ANSWER: "The source sent what cannot be trusted: check the records, or report it.",
    Reason.TRUNCATED: "Raise the policy's floor.spend, narrow its `where`, or shorten its window.",
    Reason.STALE_ANSWER: "Run again in a few minutes, when the API has computed its answer anew.",
    Reason.UNRESOLVED_FILTER: "Check the hash or name in `where`; a deleted key can only be matched by name.",
    Reason.CONTROL_MISMATCH: "Run again: figures of running days can move; for a closed window report it.",
    Reason.AMBIGUOUS_KEY: "Give the keys different names, or group by model instead.",
    Reason.UNKNOWN_METRIC: "Use a metric that the account's analytics lists, or another source.",
    Reason.UNKNOWN_DIMENSION: "Use a dimension that the account's analytics lists, or another source.",
    Reason.NOT_ANSWERABLE: "Ask it of another source, or with fewer dimensions.",
    Reason.NO_CATALOGUE: "Give a saved /models answer with --catalog FILE.",
    Reason.EMPTY_WINDOW: "Check the window and the source; --now and --window judge another time.",
    Reason.NOTHING_MATCHED: "Correct the pattern, or set allow_empty: true if that is meant to happen.",
    Reason.NOTHING_JUDGED: "Use another rule for this traffic, or set a floor that leaves it out.",
    Reason.UNSUITABLE_WINDOW: "Set window: last-week or last-month.",
    Reason.TOO_LITTLE_HISTORY: "Wait until there are four complete periods, or use spend-limit until then.",
}


def inconclusive(policy: Policy, error: SourceError) -> Inconclusive:
    """The policy's entry among the inconclusive ones."""
    return Inconclusive(policy.id, error.reason, error.detail, ADVICE[error.reason], policy.location)
