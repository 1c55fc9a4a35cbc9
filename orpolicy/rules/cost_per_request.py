"""The rule kind ``cost-per-request``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import REQUESTS, SPEND
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
class CostPerRequest(Rule):
    """What one request costs on average: ``total_usage / request_count``.

    It holds for every kind of model, also those billed by the image or the second.

    Good example:
        id: dear-requests
        rule: cost-per-request
        by: [api_key_id, model]
        floor: {spend: 50, requests: 100}
        fail_above: 0.50

    Bad example:
        id: dear-requests
        rule: cost-per-request
        fail_over: 0.50
    """

    measures = "USD per request"
    measure_name = "usd_per_request"
    unit = "USD/request"
    default_by = ("api_key_id", "model")

    replacement: str

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings."""
        check_thresholds(policy)
        return cls(policy.replacement)

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND, REQUESTS})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Spend over requests."""
        return Ratio(SPEND, REQUESTS)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """Spend over requests."""
        if row.totals.requests <= 0:
            return Skip.NOT_APPLICABLE
        return Measured(row.totals.spend_usd / row.totals.requests)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Another model; at most the spend above the threshold."""
        return Swap(self.replacement, excess_usd(row.totals.spend_usd, value, threshold))

    def advice(self, row: Row, threshold: float) -> Advice:
        """Cheaper requests."""
        return Advice(
            action="swap-model",
            text="Move this traffic to {replacement}, or make its requests smaller.",
            risk="Another model may answer differently: compare quality on your own task first.",
            expect=f"usd_per_request falls to {threshold:g} or below",
        )
