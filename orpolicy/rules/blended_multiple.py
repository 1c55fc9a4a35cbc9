"""The rule kind ``blended-multiple``."""

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
class BlendedMultiple(Rule):
    """How many times the blended rate a model (or key, app, ...) costs per token.

    The blended rate is ``total_usage / tokens_total * 1e6`` over all traffic of the window, whatever
    ``where`` selects. A multiple far above 1 is the first place to look for waste. Rows without
    tokens (images, video) are left out and counted.

    Good example:
        id: blended-outlier
        rule: blended-multiple
        by: [model]
        floor: {spend: 10}
        warn_above: 5
        fail_above: 15

    Bad example:
        id: blended-outlier
        rule: blended-multiple
        fail_below: 15
    """

    measures = "$/Mtok of the row divided by the blended $/Mtok"
    measure_name = "blended_multiple"
    unit = "x"

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
        """Spend over tokens, in blended rates."""
        blended = traffic.totals.usd_per_mtok
        return Ratio(SPEND, TOKENS, 1e6 / blended) if blended else None

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's $/Mtok over the blended $/Mtok."""
        rate, blended = row.totals.usd_per_mtok, traffic.totals.usd_per_mtok
        if rate is None or not blended:
            return Skip.NOT_APPLICABLE
        return Measured(rate / blended, f"{rate:,.2f} $/Mtok against a blended {blended:,.2f}")

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Another model; at most the spend above the threshold's rate."""
        return Swap(self.replacement, excess_usd(row.totals.spend_usd, value, threshold))

    def advice(self, row: Row, threshold: float) -> Advice:
        """Move the traffic to a model nearer the blended rate."""
        return Advice(
            action="swap-model",
            text="Move this traffic to {replacement}, or agree on the higher rate with a waiver.",
            risk="Another model may answer differently: compare quality on your own task first.",
            expect=f"blended_multiple falls to {threshold:g} or below",
        )
