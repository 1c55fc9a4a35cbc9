"""The rule kind ``spend-limit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.policy.model import Thresholds
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules._projection import MIN_DAYS, projection
from orpolicy.rules.base import (
    Advice,
    Measured,
    Ratio,
    Row,
    Rule,
    SettingError,
    Skip,
    Traffic,
    check_thresholds,
)
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy
    from orpolicy.rules._projection import Projection


RUNNING = "this-month"


@dataclass(frozen=True, slots=True)
class SpendLimit(Rule):
    """USD a month.

    A calendar month counts as it is, and so does ``this-month``, which is judged on what is already
    spent. Any other window is scaled by 30.4375 / days, and the finding says so.

    With ``projected: true``, ``this-month`` is also carried on to the month's end at the pace of its
    complete days, from the third on: working days and weekend days by their own means, with the range in
    which 80 % of such months end. What is only projected to cross a threshold warns, and is labelled;
    ``fail_on: projected`` lets it fail. What is spent already fails in any case.

    Good example:
        id: key-budget
        rule: spend-limit
        by: [api_key_id]
        where: {api_key_id: "batch-*"}
        warn_above: 4000
        fail_above: 5000
        window: this-month
        projected: true

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

    keys = {
        "projected": {
            "description": "Carry this-month on to the month's end, at the pace of its complete days.",
            "type": "boolean",
        },
        "fail_on": {
            "description": "Whether a projection may fail, or only warn while it is not certain (if absent).",
            "enum": ["certain", "projected"],
        },
    }

    limits: Thresholds = Thresholds()
    projected: bool = False
    fails_on_projected: bool = False

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for negative thresholds, and for settings of a projection where there is none.
        """
        check_thresholds(policy)
        projected, fail_on = policy.settings.get("projected") is True, policy.settings.get("fail_on")
        if fail_on is not None and not projected:
            raise SettingError("fail_on", "fail_on is about a projection", "add `projected: true`")
        if projected and policy.window not in (None, RUNNING):
            raise SettingError("projected", f"only {RUNNING} is projected, not {policy.window}")
        return cls(policy.thresholds, projected, fail_on == "projected")

    @property
    def by_day(self) -> bool:
        """A pace needs days."""
        return self.projected

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """Spend, as a month's."""
        return Ratio(SPEND, times=_factor(window))

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's spend, as a month's; of a running month the projection, if that is worse."""
        spent_usd = row.totals.spend_usd
        if not row.window.to_date:
            factor = _factor(row.window)
            note = "" if factor == 1 else f"{spent_usd:,.2f} USD in {row.window.days:g} days, scaled"
            return Measured(spent_usd * factor, note)
        found = self._projection(row)
        if found is None:
            few = f", projected from {MIN_DAYS} complete days on" if self.projected else ""
            return Measured(spent_usd, f"so far this month{few}")
        crossed = self.limits.crossed(spent_usd)
        words = _words(found)
        if crossed == self.limits.crossed(found.expected):
            return Measured(spent_usd, f"so far this month; {words}")
        note = f"{words}; {spent_usd:,.2f} USD so far"
        return Measured(found.expected, note, at_most_warns=not self.fails_on_projected)

    def _projection(self, row: Row) -> Projection | None:
        days = [day.spend_usd for day in row.history]
        return projection(row.window, row.totals.spend_usd, days) if self.projected else None

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Exposure: as a month's, what lies above the limit; of a running month as far as it was measured."""
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


def _words(found: Projection) -> str:
    return (
        f"projected: {found.expected:,.2f} USD at the month's end ({found.low:,.2f} to {found.high:,.2f}), "
        f"by the pace of {found.days} complete days"
    )
