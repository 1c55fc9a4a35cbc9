"""A starter file held against the account that it was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.binding import closed_window
from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.lint import lint
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds
from orpolicy.staging import Choice
from orpolicy.starting.memo import Memo
from orpolicy.starting.starter import starter
from orpolicy.starting.survey import survey

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.report import Report
    from orpolicy.sources.base import Source
    from orpolicy.starting.survey import Survey

LASTING = frozenset(
    {
        Reason.EMPTY_WINDOW,
        Reason.NOTHING_MATCHED,
        Reason.NOTHING_JUDGED,
        Reason.TOO_LITTLE_HISTORY,
        Reason.NO_CATALOGUE,
        Reason.NOT_ANSWERABLE,
        Reason.UNKNOWN_METRIC,
        Reason.UNKNOWN_DIMENSION,
    }
)
"""Why a policy cannot be judged on an account as it is: asking again would not help."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy file made from an account's figures.

    Attributes:
        text: the file.
        survey: what it was made from.
        report: the file judged today; None where there were no figures.
        queries: how many analytics queries it took.
    """

    text: str
    survey: Survey
    report: Report | None
    queries: int

    @property
    def is_whole(self) -> bool:
        """Whether everything that this account can tell was told."""
        reasons = [error.reason for error in self.survey.unknown.values()]
        reasons += [item.reason for item in self.report.inconclusive] if self.report else []
        return LASTING.issuperset(reasons)


def propose(source: Source, name: str, window: str | None, file: str) -> Proposal:
    """Ask an account, and write the policies that fit it.

    Args:
        source: where figures come from.
        name: what it is called in the file.
        window: the window to look at, or None for last month.
        file: what the file is called where it is judged.

    Raises:
        UsageError: for a window that makes no sense.
    """
    check_window(window, source.now)
    memo = Memo(source)
    found = survey(memo, window)
    lasting = None if is_interval(window) else window
    text = starter(found, name, lasting)
    if not found.has_traffic:
        return Proposal(text, found, None, memo.queries)
    report = _judged(starter(found, name, window), memo, file)
    left_out = _left_out(report)
    if left_out:
        text = starter(found, name, lasting, left_out)
        report = _judged(starter(found, name, window, left_out), memo, file)
    return Proposal(text, found, report, memo.queries)


def is_interval(window: str | None) -> bool:
    """Whether a window is two dates: one that stands still, which no lasting policy should have."""
    return window is not None and window.strip()[:1].isdigit()


def _judged(text: str, source: Source, file: str) -> Report:
    return lint(load_texts({file: text.encode()}, Kinds()), source, Choice())


def _left_out(report: Report) -> dict[str, str]:
    """Policy id -> why it cannot be judged here; none where that would leave no policy at all."""
    found = {item.policy: str(item.reason) for item in report.inconclusive if item.reason in LASTING}
    return found if len(found) < len(report.policies) else {}


def check_window(window: str | None, now: datetime) -> None:
    """Refuse a window that is none, empty, or not over yet.

    Raises:
        UsageError: for such a window.
    """
    try:
        closed_window(window or "last-month", now)
    except ValueError as error:
        raise UsageError(f"--window: {error}", code=Code.BAD_CLOCK) from error
    except SourceError as error:
        raise UsageError(f"--window: {error.detail}", code=Code.BAD_CLOCK) from error
