"""What can go wrong, and whose fault it is.

    OrpolicyError
    ├── UsageError       the command line or its files are wrong      exit 2
    ├── PolicyError      the policy files are wrong, all problems     exit 2
    ├── SourceError      a question could not be answered             inconclusive, exit 3
    └── DeliveryError    nobody could be told                         exit 3

Anything else that escapes is a bug in orpolicy and exits 70. Each carries a code, for whose page
``orpolicy explain`` is asked.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.codes import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.location import Problem


class Reason(StrEnum):
    """Why a policy could not be judged; the values appear in reports."""

    API_ERROR = "api-error"
    ACCESS_DENIED = "access-denied"
    DEADLINE = "deadline"
    MALFORMED_ANSWER = "malformed-answer"
    TRUNCATED = "truncated"
    STALE_ANSWER = "stale-answer"
    UNRESOLVED_FILTER = "unresolved-filter"
    CONTROL_MISMATCH = "control-mismatch"
    AMBIGUOUS_KEY = "ambiguous-key"
    UNKNOWN_METRIC = "unknown-metric"
    UNKNOWN_DIMENSION = "unknown-dimension"
    NOT_ANSWERABLE = "not-answerable"
    NO_CATALOGUE = "no-catalogue"
    EMPTY_WINDOW = "empty-window"
    NOTHING_MATCHED = "nothing-matched"
    NOTHING_JUDGED = "nothing-judged"
    UNSUITABLE_WINDOW = "unsuitable-window"
    TOO_LITTLE_HISTORY = "too-little-history"

    @property
    def code(self) -> Code:
        """The code of the same name."""
        return Code[self.name]


class OrpolicyError(Exception):
    """Base of every error that orpolicy raises on purpose."""


class UsageError(OrpolicyError):
    """The command line, an option's value or a file that it names is wrong.

    Attributes:
        code: which class of problem it is.
    """

    def __init__(self, message: str, *, code: Code = Code.COMMAND_LINE) -> None:
        self.code = code
        super().__init__(message)


class PolicyError(OrpolicyError):
    """The policy files are wrong.

    Attributes:
        problems: every problem of every file, ordered by place; never empty.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceError(OrpolicyError):
    """A question that the source could not answer; the policies behind it are inconclusive.

    Attributes:
        reason: the closed word for reports.
        detail: one sentence for people, with the server's own message where there is one.
        is_too_heavy: whether the source might answer less at a time.
    """

    def __init__(self, reason: Reason, detail: str, *, is_too_heavy: bool = False) -> None:
        self.reason = reason
        self.detail = detail
        self.is_too_heavy = is_too_heavy
        super().__init__(f"{reason}: {detail}")

    @property
    def code(self) -> Code:
        """The reason's."""
        return self.reason.code


class DeliveryError(OrpolicyError):
    """A report that did not reach where it was sent; it says nothing about the report."""

    code = Code.NOT_DELIVERED
