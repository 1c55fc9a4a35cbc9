"""The closed words of a judgement."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """How a policy, or a whole run, ends."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """Greater is worse."""
        return list(Verdict).index(self)


class Severity(StrEnum):
    """How much a breach of a policy matters; of its author's choosing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Status(StrEnum):
    """Whether a finding counts against the verdict."""

    OPEN = "open"
    WAIVED = "waived"
    BASELINED = "baselined"


def worst(verdicts: list[Verdict]) -> Verdict:
    """The worst verdict of a run: fail, then inconclusive, then warn, then pass (also for none)."""
    return max(verdicts, key=lambda verdict: verdict.rank, default=Verdict.PASS)
