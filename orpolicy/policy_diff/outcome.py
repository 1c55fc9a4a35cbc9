"""What ``diff-policy`` shows, and the words that its formats share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.policy_diff.impact import Dollars, Why
from orpolicy.policy_diff.model import Effect
from orpolicy.reporters._figures import cents
from orpolicy.reporters._plain_finding import saved
from orpolicy.reporters._words import plural, prose, visible

if TYPE_CHECKING:
    from orpolicy.policy_diff.impact import Impact, Shift
    from orpolicy.policy_diff.model import Change, PolicyDiff

TITLES = {
    Effect.WEAKER: "Weakens",
    Effect.UNCLEAR: "May weaken",
    Effect.STRONGER: "Strengthens",
    Effect.NEUTRAL: "Catches the same",
}
NO_FIGURES = "No figures were looked at: --source says which findings the change hides, and their dollars."

_WHYS = {
    Why.NO_POLICY: "no policy asks any more",
    Why.NOT_JUDGED: "the policy could not be judged",
    Why.NO_BREACH: "no longer a breach",
    Why.WAIVED: "waived",
    Why.BASELINED: "accepted by the baseline",
    Why.MILDER: "counts less",
}
_WHYS_BEFORE = {
    Why.NO_POLICY: "no policy asked",
    Why.NOT_JUDGED: "the policy could not be judged before",
    Why.NO_BREACH: "was no breach",
    Why.WAIVED: "was waived",
    Why.BASELINED: "was accepted by the baseline",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that one run of the command found out.

    Attributes:
        base: as the user named it.
        notes: what the reader should know about the base.
        impact: None where no figures were looked at.
    """

    base: str
    diff: PolicyDiff
    notes: tuple[str, ...] = ()
    impact: Impact | None = None

    @property
    def weakens(self) -> bool:
        """Whether the change weakens, may weaken, or loses a finding."""
        return self.diff.weakens or (self.impact is not None and self.impact.weakens)

    @property
    def not_judged(self) -> tuple[str, ...]:
        """Ids of policies that either side could not judge."""
        return self.impact.not_judged if self.impact else ()

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if not self.diff.changes:
            return f"Nothing changed against {visible(self.base)}"
        counts = {effect: len(self.diff.of(effect)) for effect in Effect}
        words = [f"{TITLES[effect].lower()}: {count}" for effect, count in counts.items() if count]
        return f"{plural(len(self.diff.changes), 'change')} against {visible(self.base)} ({', '.join(words)})"


def said(change: Change) -> str:
    """What changed, without the policy: ``fail_above 15 -> 30``."""
    values = f"{_value(change.before)} -> {_value(change.after)}"
    if change.what in {"policy", "waiver"}:
        return prose(f"{change.note}: {change.before or change.after}")
    return prose(f"{change.what} {values}") + (f" ({change.note})" if change.note else "")


def _value(text: str) -> str:
    return text or "none"


def places(change: Change) -> str:
    """Where it stands on both sides: ``main:policies/a.yaml:12 -> policies/a.yaml:12``."""
    known = [place for place in (change.places.old, change.places.new) if place is not None]
    return " -> ".join(visible(f"{place.file}:{place.line}") for place in known)


def parts(impact: Impact) -> tuple[tuple[str, str, tuple[Shift, ...]], ...]:
    """The parts of an impact, each with its word for machines and its title, the worst first."""
    return (
        ("hidden", "Findings that the change hides", impact.hidden),
        ("softened", "Findings that count less", impact.softened),
        ("shown", "Findings that are new", impact.shown),
    )


def reason(part: str, shift: Shift) -> str:
    """Why a finding moved."""
    return (_WHYS_BEFORE if part == "shown" else _WHYS)[shift.why]


def worth(shift: Shift) -> str:
    """A finding's dollars: ``spent $6,167.00, saves $5,340.12 a month``."""
    return f"spent {cents(shift.finding.spend_usd)}, saves {saved(shift.finding.savings)} a month"


def total(shifts: tuple[Shift, ...]) -> str:
    """The dollars of one part, in one sentence."""
    dollars = Dollars.of(shifts)
    unknown = f" and {dollars.unknown} unknown" if dollars.unknown else ""
    return (
        f"{plural(len(shifts), 'finding')}, spent {cents(dollars.spend_usd)}, "
        f"expected savings {cents(dollars.saves_usd_per_month)} a month{unknown}"
    )


def net(impact: Impact) -> str:
    """What all open findings would save, before and after."""
    before, after = impact.net_before_usd_per_month, impact.net_after_usd_per_month
    return f"Net savings a month of all open findings, no dollar twice: {cents(before)} -> {cents(after)}"
