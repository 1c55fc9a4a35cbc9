"""The rule kind ``usd-per-mtok``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import SPEND, TOKENS
from orpolicy.rules.base import (
    Advice,
    Measured,
    Ratio,
    Row,
    Rule,
    Skip,
    Traffic,
    check_thresholds,
    excess_usd,
)
from orpolicy.savings.levers import Lever, Swap

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy


@dataclass(frozen=True, slots=True)
class UsdPerMtok(Rule):
    """What a million tokens cost, as billed: ``total_usage / tokens_total * 1e6``.

    A cap in dollars where ``blended-multiple`` would move with the rest of the account. Rows without
    tokens (images, video) are left out and counted.

    Good example:
        id: mtok-cap
        rule: usd-per-mtok
        by: [model]
        floor: {spend: 10}
        fail_above: 20

    Bad example:
        id: mtok-cap
        rule: usd-per-mtok
        fail_above: twenty
    """

    measures = "$/Mtok"
    measure_name = "usd_per_mtok"
    unit = "USD/Mtok"

    replacement: str

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings."""
        check_thresholds(policy)
        return cls(policy.replacement)

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND, TOKENS})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Spend over tokens."""
        return Ratio(SPEND, TOKENS, 1e6)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's $/Mtok."""
        rate = row.totals.usd_per_mtok
        return Skip.NOT_APPLICABLE if rate is None else Measured(rate)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Another model; at most the spend above the threshold's rate."""
        return Swap(self.replacement, excess_usd(row.totals.spend_usd, value, threshold))

    def advice(self, row: Row, threshold: float) -> Advice:
        """Move the traffic to a cheaper model."""
        return Advice(
            action="swap-model",
            text="Move this traffic to {replacement}, or cache and shorten what it is sent.",
            risk="Another model may answer differently: compare quality on your own task first.",
            expect=f"usd_per_mtok falls to {threshold:g} or below",
        )
