"""What is learnt of single requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.errors import Reason
    from orpolicy.finding import Finding, Subject
    from orpolicy.period import Window
    from orpolicy.query.generation import Generation
    from orpolicy.totals import Totals


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        generation_id: its identifier.
        members: the other dimension that it was asked with, as people see it.
        totals: its row.
        details: what the source tells of it beyond the row; None where it does not.
    """

    generation_id: str
    members: Subject
    totals: Totals
    details: Generation | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Requests of which the source did not tell more, though it was asked.

    Attributes:
        number: how many.
        reason: of the first.
        detail: of the first.
    """

    number: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Drill:
    """The dearest requests behind a finding.

    Attributes:
        now: the clock.
        source: the kind of source.
        finding: from the report.
        window: what was looked at.
        requests: the dearest first.
        unanswered: what could not be learnt of them, or None.
        notices: what the reader should know.
    """

    now: datetime
    source: str
    finding: Finding
    window: Window
    requests: tuple[Request, ...]
    unanswered: Unanswered | None
    notices: tuple[str, ...]

    @property
    def spend_usd(self) -> float:
        """Of the listed requests together."""
        return sum(item.totals.spend_usd for item in self.requests)
