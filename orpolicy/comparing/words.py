"""What the formats for people say of a comparison, in the same words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from orpolicy.comparing.model import Presence
from orpolicy.reporters._figures import money, multiple, share, span
from orpolicy.reporters._words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.comparing.model import Change, Changes, Comparison

NOISE = 1e-9
"""Relative to all spend: what is smaller comes from adding up."""

HOW = (
    "Requests, mix, tokens per request and price per token are a logarithmic mean Divisia split by model, "
    "and add up to the change. Of a key, price holds its mix of models."
)
UNSPLIT = "no split: a window without spend, requests or tokens"


class Kind(Enum):
    """What a step of the waterfall is."""

    LEVEL = auto()
    RISE = auto()
    FALL = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the waterfall.

    Attributes:
        usd: the level, or the change.
        start: where it begins on the scale of dollars.
        end: where it ends.
    """

    label: str
    usd: float
    start: float
    end: float

    @property
    def kind(self) -> Kind:
        """A level begins at nothing by its nature; a step by chance only."""
        if self.usd == self.end and self.start == 0:
            return Kind.LEVEL
        return Kind.RISE if self.usd > 0 else Kind.FALL

    @property
    def figure(self) -> str:
        """The dollars, of a change with their sign."""
        return money(self.usd) if self.kind is Kind.LEVEL else signed(self.usd)


def waterfall(found: Comparison) -> tuple[Step, ...]:
    """From all spend before to all spend after; causes that matter to nobody are left out."""
    causes = found.bridge
    steps = [
        ("requests", causes.volume_usd, True),
        ("mix of models", causes.mix_usd, True),
        ("tokens per request", causes.size_usd, True),
        ("price per token", causes.price_usd, True),
        ("new models", causes.new_usd, False),
        ("vanished models", causes.vanished_usd, False),
        ("models without a split", causes.unsplit_usd, False),
        ("not in any row", found.models.rest_usd, False),
    ]
    least = NOISE * max(found.before_usd, found.after_usd)
    drawn = [Step(span(found.before.window), found.before_usd, 0.0, found.before_usd)]
    at = found.before_usd
    for label, usd, is_always_shown in steps:
        if is_always_shown or abs(usd) > least:
            drawn.append(Step(label, usd, at, at + usd))
            at += usd
    drawn.append(Step(span(found.after.window), found.after_usd, 0.0, found.after_usd))
    return tuple(drawn)


@dataclass(frozen=True, slots=True)
class Axis:
    """The scale of a waterfall in dollars; where steps are small beside the levels it begins above 0."""

    low: float
    high: float

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Axis:
        """Wide enough for every step."""
        ends = [step.end for step in steps]
        low, high = min(ends), max(ends)
        is_flat = low > 0 and (high - low) < _FLAT * high
        start = max(low - (high - low), 0.0) if is_flat else min(low, 0.0)
        return cls(start, high if high > start else start + 1.0)

    @property
    def note(self) -> str:
        """What must be said of it; else ""."""
        return f"bars begin at {money(self.low)}" if self.low > 0 else ""

    def span(self, step: Step) -> tuple[float, float]:
        """Where a step's bar begins and ends, 0 to 1."""
        places = (max(usd - self.low, 0.0) / (self.high - self.low) for usd in (step.start, step.end))
        start, end = sorted(places)
        return start, end


_FLAT = 0.25
"""Steps that together move less than this part of the level could not be seen on a scale from 0."""


def signed(usd: float) -> str:
    """A change: ``+$120``, ``-$3.10``, ``$0``."""
    return f"+{money(usd)}" if usd > 0 else money(usd)


def unit(found: Comparison) -> str:
    """What stands behind dollars: `` a day``, or nothing."""
    return " a day" if found.is_per_day else ""


def headline(found: Comparison) -> str:
    """``April 2026 -> May 2026: +$27.52 a day (+4 %), $681 to $708 a day``."""
    return f"{span(found.before.window)} -> {span(found.after.window)}: {verdict(found)}"


def verdict(found: Comparison) -> str:
    """``+$27.52 a day (+4 %), $681 to $708 a day``."""
    levels = f"{money(found.before_usd)} to {money(found.after_usd)}{unit(found)}"
    return f"{signed(found.change_usd)}{unit(found)}{_relative(found.ratio)}, {levels}"


def _relative(ratio: float | None) -> str:
    if ratio is None:
        return ""
    if ratio >= 2:  # noqa: PLR2004 - from twice on, people think in multiples
        return f" ({multiple(ratio, 1)})"
    return f" ({'+' if ratio >= 1 else '-'}{share(abs(ratio - 1))})"


def lengths(found: Comparison) -> str:
    """What is said where the windows differ in length; else ""."""
    if not found.is_per_day:
        return ""
    before, after = (
        f"{money(side.spend_usd)} in {side.window.days:g} days" for side in (found.before, found.after)
    )
    return f"The windows differ in length ({before}, {after}): all dollars below are those of a day."


def why(change: Change) -> str:
    """``requests +$10.30, tokens per request -$1.76, price per token +$5.44``."""
    if change.presence is not Presence.BOTH:
        return change.presence.value
    if change.split is None:
        return UNSPLIT
    volume, size, price = map(signed, change.split.causes)
    return f"requests {volume}, tokens per request {size}, price per token {price}"


def missing(changes: Changes) -> str:
    """What is said where rows are missing; else ""."""
    least = [
        f"{when} at most {money(usd)} each"
        for when, usd in (("before", changes.before_below_usd), ("after", changes.after_below_usd))
        if usd is not None
    ]
    if not least:
        return ""
    return f"Small rows are missing ({', '.join(least)}, unscaled): new and vanished may mean below that."


def others(shown: Sequence[Change], every: Sequence[Change], noun: str) -> str:
    """What is said of those that are not shown; else ""."""
    rest = every[len(shown) :]
    if not rest:
        return ""
    return f"{plural(len(rest), f'more {noun}')}: {signed(sum(item.change_usd for item in rest))} together"
