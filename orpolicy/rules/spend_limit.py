"""The rule kind ``spend-limit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import Advice, Measured, Ratio, Row, Rule, Skip, Traffic, check_thresholds
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy


@dataclass(frozen=True, slots=True)
class SpendLimit(Rule):
    """USD a month.

    A calendar month counts as it is, and so does ``this-month``, which is judged on what is already
    spent. Any other window is scaled by 30.4375 / days, and the finding says so.

    Good example:
        id: key-budget
        rule: spend-limit
        by: [api_key_id]
        where: {api_key_id: "batch-*"}
        warn_above: 4000
        fail_above: 5000

    Bad example:
        id: key-budget
        rule: spend-limit
        fail_above: 5000
        warn_above: 9000
    """

    measures = "USD a month"
    measure_name = "usd_per_month"
    unit = "USD/month"
    default_by = ("api_key_id",)

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind has no settings of its own."""
        check_thresholds(policy)
        return cls()

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Spend, as a month's."""
        return Ratio(SPEND, times=_factor(window))

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's spend, as a month's."""
        factor = _factor(row.window)
        note = "" if factor == 1 else f"{row.totals.spend_usd:,.2f} USD in {row.window.days:g} days, scaled"
        return Measured(row.totals.spend_usd * factor, "so far this month" if row.window.to_date else note)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Exposure: as a month's, what lies above the limit; a running month is not projected."""
        return Exposure((value - threshold) / row.window.monthly_factor)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Give the key a hard limit."""
        return Advice(
            action="set-key-limit",
            text="Find what drives it below; set a monthly limit on the key or a guardrail, so that the bill "
            "cannot pass it.",
            risk="A hard limit refuses requests once it is reached.",
            expect=f"usd_per_month falls to {threshold:g} or below",
        )


def _factor(window: Window) -> float:
    return 1.0 if window.to_date else window.monthly_factor
