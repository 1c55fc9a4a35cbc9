"""What a comparison of two windows finds out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orpolicy.divisia import Bridge, Level, Split
    from orpolicy.errors import Reason
    from orpolicy.finding import Subject
    from orpolicy.period import Window


class Presence(StrEnum):
    """In which of the two windows a subject has usage."""

    BOTH = "both"
    NEW = "new"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class Side:
    """All traffic of one window, as it was; nothing here is scaled."""

    window: Window
    spend_usd: float
    tokens_total: int
    request_count: int


@dataclass(frozen=True, slots=True)
class Change:
    """One subject in both windows, in the comparison's unit.

    Attributes:
        subject: as people see it.
        split: why its spend changed; None where it is new, vanished, or a factor is not positive.
    """

    subject: Subject
    presence: Presence
    before: Level
    after: Level
    split: Split | None

    @property
    def change_usd(self) -> float:
        """More spend after than before."""
        return self.after.spend_usd - self.before.spend_usd


@dataclass(frozen=True, slots=True)
class Changes:
    """Every subject of one kind, the largest absolute change first.

    Attributes:
        rest_usd: the change in what no listed subject has: rows that were too small to be answered, and
            what control totals may differ by.
        before_below_usd: rows may be missing before that spend at most this each, unscaled; None: none is.
        after_below_usd: the same, after.
    """

    items: tuple[Change, ...]
    rest_usd: float
    before_below_usd: float | None = None
    after_below_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Surcharge:
    """A paid extra, in the comparison's unit."""

    name: str
    before_usd: float
    after_usd: float

    @property
    def change_usd(self) -> float:
        """More spend after than before."""
        return self.after_usd - self.before_usd


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that could not be answered.

    Attributes:
        part: ``keys`` or ``pairs``.
    """

    part: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two windows of one account.

    Attributes:
        now: the clock.
        source: the kind of source.
        is_per_day: whether dollars, requests and tokens are those of a day, as the windows differ in length.
        bridge: the change in all spend by cause, models being the subjects of its mix.
        models: by model.
        keys: by key, or None where that is not known.
        pairs: models that are new on a key which is not, or gone from one which is still there, or None.
        surcharges: of those that both windows know.
        unknown: what could not be answered.
        notices: what the reader should know.
        queries_asked: analytics queries.
    """

    now: datetime
    source: str
    before: Side
    after: Side
    is_per_day: bool
    bridge: Bridge
    models: Changes
    keys: Changes | None
    pairs: tuple[Change, ...] | None
    surcharges: tuple[Surcharge, ...]
    unknown: tuple[Unknown, ...]
    notices: tuple[str, ...]
    queries_asked: int
    names: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def before_usd(self) -> float:
        """All spend before, in the comparison's unit."""
        return self.before.spend_usd / (self.before.window.days if self.is_per_day else 1.0)

    @property
    def after_usd(self) -> float:
        """All spend after, in the comparison's unit."""
        return self.after.spend_usd / (self.after.window.days if self.is_per_day else 1.0)

    @property
    def change_usd(self) -> float:
        """More spend after than before."""
        return self.after_usd - self.before_usd

    @property
    def ratio(self) -> float | None:
        """All spend after as a multiple of that before; None where there was none."""
        ratio = self.after_usd / self.before_usd if self.before_usd > 0 else math.inf
        return ratio if math.isfinite(ratio) else None
