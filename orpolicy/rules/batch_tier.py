"""The rule kind ``batch-tier``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.catalog.model import STANDARD
from orpolicy.nouns import dataclass
from orpolicy.policy.model import Thresholds
from orpolicy.query.vocabulary import CACHED, COMPLETION, PROMPT, SPEND
from orpolicy.rules.base import Advice, Measured, Row, Rule, SettingError, Skip, Traffic, check_thresholds
from orpolicy.savings.batch import BATCH, batch_tier
from orpolicy.savings.billing import Tokens
from orpolicy.savings.levers import Lever, UseBatch

if TYPE_CHECKING:
    from orpolicy.policy.model import Policy

MODEL = "model"


@dataclass(frozen=True, slots=True)
class BatchTier(Rule):
    """Spend at the standard price on models that are sold for less as ``:batch``.

    ``where`` says whose work can wait for hours: name the keys, apps or users by their labels. Only the
    standard variant is judged, and only where the catalogue lists a ``:batch`` that costs less for the
    row's own tokens. Without a threshold any spend is a breach. A source that does not tell variants
    apart makes the policy inconclusive.

    Good example:
        id: batch-work-in-batch-tier
        rule: batch-tier
        where: {api_key_id: ["batch-*", "nightly-*"]}
        floor: {spend: 10}

    Bad example:
        id: batch-work-in-batch-tier
        rule: batch-tier
        warn_above: 100
    """

    measures = "batch-labelled keys that do not use `:batch`"
    measure_name = "spend_usd"
    unit = "USD"
    default_by = ("api_key_id", MODEL)
    default_thresholds = Thresholds(fail_above=0.0)
    needs_catalogue = True

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for negative thresholds, where rows would name no model, and where nothing says
                whose work can wait.
        """
        check_thresholds(policy)
        if policy.by is not None and MODEL not in policy.by:
            raise SettingError("by", "batch-tier looks models up: `by` must have model")
        if all(selector.dimension == MODEL for selector in policy.where):
            raise SettingError(
                "where", "batch-tier needs `where`", "name the keys, apps or users whose work can wait"
            )
        return cls()

    @property
    def models(self) -> tuple[str, ...]:
        """The standard variant of every model."""
        return (f"*:{STANDARD}",)

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND, PROMPT, COMPLETION, CACHED})

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's spend in the window, where a cheaper ``:batch`` is listed."""
        name = row.subject.get(MODEL)
        if traffic.catalogue is None or not name or traffic.catalogue.find(name) is None:
            return Skip.UNLISTED
        if traffic.catalogue.find(name, BATCH) is None:
            return Skip.OUT_OF_SCOPE
        if Tokens.of(row.totals) is None:
            return Skip.NOT_APPLICABLE
        tier = batch_tier(traffic.catalogue, name, row.totals)
        if tier is None or not tier.is_cheaper:
            return Skip.OUT_OF_SCOPE
        share = tier.batch.mean / tier.standard_usd
        return Measured(row.totals.spend_usd, f"{tier.model.id} costs {share:.0%} of it for these tokens")

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """The batch tier."""
        return UseBatch()

    def advice(self, row: Row, threshold: float) -> Advice:
        """Send what can wait to the batch tier."""
        return Advice(
            action="use-batch-tier",
            text="Send this traffic as {replacement}: the same model for less, where nobody waits for it.",
            risk="Answers come hours later, and some parameters are not taken there.",
            expect=f"spend_usd at the standard price falls to {threshold:g}",
        )
