"""The rule kind ``expiring-model``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from orpolicy.catalog.sets import EXPIRING_WITHIN, is_expiring
from orpolicy.nouns import dataclass
from orpolicy.policy.model import Thresholds
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import (
    Advice,
    Measured,
    Row,
    Rule,
    SettingError,
    Skip,
    Traffic,
    check_thresholds,
    is_number,
)
from orpolicy.savings.levers import Lever, Swap

if TYPE_CHECKING:
    from datetime import date, datetime

    from orpolicy.catalog.model import Catalog
    from orpolicy.policy.model import Policy

MODEL = "model"


@dataclass(frozen=True, slots=True)
class ExpiringModel(Rule):
    """Spend on a model that is about to be removed.

    The catalogue says of some models, or of one variant, after which day they may be removed. Those within
    ``within_days`` of the run's clock (60 where the policy does not say) are found, with the date and the
    keys that still use them; so are those whose day is past. Without a threshold any use is a breach, even
    one that cost nothing. A model that the catalogue does not list is named and not judged: nobody knows
    its date.

    Good example:
        id: leave-in-time
        rule: expiring-model
        within_days: 90
        replacement: google/gemini-3-flash

    Bad example:
        id: leave-in-time
        rule: expiring-model
        by: [api_key_id]
    """

    measures = "spend on a model that is about to be removed"
    measure_name = "spend_usd"
    unit = "USD"
    default_thresholds = Thresholds(fail_above=0.0)
    keys = {
        "within_days": {
            "description": "How many days ahead a removal matters; 60 if absent.",
            "type": "integer",
            "minimum": 0,
            "maximum": 3650,
        }
    }
    needs_catalogue = True

    replacement: str
    within_days: int
    any_use: bool

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for negative thresholds, and for rows that are of no one model.
        """
        check_thresholds(policy)
        if policy.by is not None and MODEL not in policy.by:
            raise SettingError("by", "the day of its removal belongs to a model", "add model to `by`")
        days = policy.settings.get("within_days")
        limits = (policy.thresholds.fail_above, policy.thresholds.warn_above)
        return cls(
            policy.replacement,
            int(days) if is_number(days) else EXPIRING_WITHIN.days,
            any_use=0.0 in limits or limits == (None, None),
        )

    @property
    def reaching(self) -> bool:
        """Any use is a breach where a threshold is 0: free models cost nothing."""
        return self.any_use

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def listed_models(self, catalogue: Catalog, now: datetime) -> tuple[str, ...]:
        """The ids of the models that are removed by then, or already were."""
        within = timedelta(days=self.within_days)
        return tuple(sorted(model.id for model in catalogue.models if is_expiring(model, now, within)))

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's spend in the window, with the day of the removal."""
        totals = row.totals
        if traffic.catalogue is None or traffic.now is None:
            return Skip.UNLISTED
        day = self._day(row, traffic.catalogue, traffic.now)
        used = totals.spend_usd > 0 or totals.requests > 0 or totals.tokens > 0
        note = f"{_when(day, traffic.now.date())}; {totals.requests:,} requests" if day else ""
        return Measured(totals.spend_usd, note, may_breach=used)

    def _day(self, row: Row, catalogue: Catalog, now: datetime) -> date | None:
        """When the first variant of the row's model is removed, among those that are soon."""
        member = row.subject.get(MODEL) or ""
        names = catalogue.names_of(member) | {member}
        within = timedelta(days=self.within_days)
        days = [
            model.expires
            for model in catalogue.models
            if not names.isdisjoint({model.base_id, model.permaslug}) and is_expiring(model, now, within)
        ]
        return min((day for day in days if day is not None), default=None)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """The replacement; where it is not cheaper nothing is claimed, as the traffic must move anyhow."""
        return Swap(self.replacement, None)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Move before requests fail."""
        return Advice(
            action="swap-model",
            text="Change the model id to {replacement} before the day: requests to a removed model fail.",
            risk="Another model may answer differently: compare quality on your own task while both answer.",
            expect=f"spend_usd falls to {threshold:g}",
        )


def _when(day: date, today: date) -> str:
    """``may be removed after 2026-07-15, in 35 days``."""
    ahead = (day - today).days
    if ahead < 0:
        return f"may have been removed since {day}, {_days(-ahead)} ago"
    return f"may be removed after {day}, {f'in {_days(ahead)}' if ahead else 'today'}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"
