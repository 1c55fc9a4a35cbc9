"""What could be done about a finding, as the rule kinds say it and the estimates read it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from orpolicy.table import Member


Rates = tuple[tuple["Member", float], ...]
"""Model -> a share."""


class LeverKind(IntEnum):
    """The order in which levers apply to what remains of a cell's spend."""

    SWAP = 1
    BATCH = 2
    CACHE = 3
    REASONING = 4
    SURCHARGE = 5


@dataclass(frozen=True, slots=True)
class Swap:
    """Run the same traffic on another model.

    Attributes:
        replacement: the model id that the user names, or "" to look for a candidate.
        excess_usd: the row's spend above the threshold in the window: the bound where no model is found;
            None: then nothing is claimed, as the traffic must move whatever it costs.
        avoid: ids of models that must not be proposed, as the policy itself forbids them.
        variant: of the current model that the traffic runs on; "": the standard one.
        quality_floor: least intelligence index of a candidate, as a share of the current model's; None: the
            usual one.
    """

    replacement: str
    excess_usd: float | None
    avoid: frozenset[str] = frozenset()
    variant: str = ""
    quality_floor: float | None = None


@dataclass(frozen=True, slots=True)
class UseBatch:
    """Run the same traffic in the batch tier of its model."""


@dataclass(frozen=True, slots=True)
class RaiseCacheHitRate:
    """Cache the prompt until the hit rate reaches a target.

    Attributes:
        target: cached / prompt tokens, 0 to 1: the policy's threshold.
        reachable: model and the highest rate that its prompts allow, where that is known.
    """

    target: float
    reachable: Rates = ()


@dataclass(frozen=True, slots=True)
class StopCaching:
    """No longer write what is hardly read."""


@dataclass(frozen=True, slots=True)
class CutReasoning:
    """Think less.

    Attributes:
        target: the allowed reasoning / completion tokens, 0 to 1.
    """

    target: float


@dataclass(frozen=True, slots=True)
class CutSurcharge:
    """Switch the paid extras off.

    Attributes:
        metrics: the components, as metrics in USD.
        target: the allowed share of spend, 0 to 1.
    """

    metrics: tuple[str, ...]
    target: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """Spend that is too high, without a claim that it can be saved.

    Attributes:
        excess_usd: above the threshold in the window, or None where that has no dollar value.
    """

    excess_usd: float | None


Lever = Swap | UseBatch | RaiseCacheHitRate | StopCaching | CutReasoning | CutSurcharge | Exposure
