"""What the language is told of a rule kind; the kinds themselves live elsewhere."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.policy.model import Json, Policy

THRESHOLD_KEYS = ("fail_above", "warn_above", "fail_below", "warn_below")
DISABLED = "disabled"
"""The key of an override, and of no policy, that switches a policy off."""


@dataclass(frozen=True, slots=True)
class KindSchema:
    """A kind's share of the language.

    Attributes:
        name: the value of ``rule``.
        description: for people who hover over it.
        keys: JSON Schema of each key of the kind's own.
        required: which of them must be there.
        bounds: which thresholds fit: ``above``, ``below``, both or neither.
        has_default: whether the kind has thresholds of its own where a policy sets none.
        default_by: the dimensions where the policy names none.
    """

    name: str
    description: str
    keys: Mapping[str, Json] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    bounds: frozenset[str] = frozenset({"above"})
    has_default: bool = False
    default_by: tuple[str, ...] = ("model",)

    @property
    def thresholds(self) -> tuple[str, ...]:
        """The threshold keys that fit the kind."""
        return tuple(key for key in THRESHOLD_KEYS if key.partition("_")[2] in self.bounds)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the loader needs it.

    Attributes:
        schema: its share of the language.
        read: reads a policy that the schema has admitted and gives the model patterns among the kind's
            own settings; raises ``PolicyError`` for settings that make no sense to the kind.
        metrics: the names of the metrics that a policy's measure reads; raises as ``read``.
    """

    schema: KindSchema
    read: Callable[[Policy], tuple[str, ...]]
    metrics: Callable[[Policy], frozenset[str]] = field(default=lambda _policy: frozenset())
