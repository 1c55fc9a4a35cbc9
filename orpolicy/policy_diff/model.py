"""What a change of policies comes to, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from orpolicy.location import Location


class Effect(StrEnum):
    """What a change does to what the policies catch; the worst first."""

    WEAKER = "weaker"
    UNCLEAR = "may-weaken"
    """Which way it goes depends on the figures; it counts as weaker."""
    STRONGER = "stronger"
    NEUTRAL = "neutral"

    @property
    def rank(self) -> int:
        """Smaller is worse."""
        return list(Effect).index(self)

    @property
    def weakens(self) -> bool:
        """Whether a finding may be lost by it."""
        return self in {Effect.WEAKER, Effect.UNCLEAR}

    @property
    def opposite(self) -> Effect:
        """The effect of undoing it, where that is known."""
        return {Effect.WEAKER: Effect.STRONGER, Effect.STRONGER: Effect.WEAKER}.get(self, self)


@dataclass(frozen=True, slots=True)
class Places:
    """Where something stands: on the older side, and on the newer; None where it is not there."""

    old: Location | None
    new: Location | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different.

    Attributes:
        policy: the id, on the newer side where it is there.
        what: the key that changed, such as ``fail_above`` or ``where.model``; ``policy`` or ``waiver`` for
            one that came or went.
        before: the older value for people; "" where there was none.
        after: likewise the newer one.
        note: why it has its effect, or "".
    """

    effect: Effect
    policy: str
    what: str
    before: str
    after: str
    places: Places
    note: str = ""

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """The worst effect first, then by policy and key."""
        return (self.effect.rank, self.policy, self.what, self.before, self.after)


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """Everything that is different between two policy sets.

    Attributes:
        changes: the worst effect first, then by policy and key.
        renamed: older policy id -> newer one, where all else is equal.
    """

    changes: tuple[Change, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def weakens(self) -> bool:
        """Whether anything weakens, or may."""
        return any(change.effect.weakens for change in self.changes)

    def joined(self, changes: Iterable[Change]) -> PolicyDiff:
        """This with more changes."""
        both = sorted((*self.changes, *changes), key=lambda change: change.order)
        return PolicyDiff(tuple(both), self.renamed)

    def only(self, policies: Collection[str]) -> PolicyDiff:
        """The part about some policies, by their ids on either side."""
        return PolicyDiff(
            tuple(change for change in self.changes if change.policy in policies),
            {old: new for old, new in self.renamed.items() if old in policies},
        )

    def of(self, effect: Effect) -> tuple[Change, ...]:
        """The changes of one effect."""
        return tuple(change for change in self.changes if change.effect is effect)
