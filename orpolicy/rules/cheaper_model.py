"""The rule kind ``cheaper-model``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.catalog.model import STANDARD
from orpolicy.finding import Confidence
from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import CACHED, COMPLETION, PROMPT, SPEND
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
from orpolicy.savings.billing import Tokens
from orpolicy.savings.estimate import estimate
from orpolicy.savings.levers import Lever, Swap
from orpolicy.totals import Cell

if TYPE_CHECKING:
    from orpolicy.catalog.model import Catalog, Model
    from orpolicy.policy.model import Policy
    from orpolicy.savings.estimate import Estimate

MODEL, KEY, VARIANT = "model", "api_key_id", "variant"


@dataclass(frozen=True, slots=True)
class CheaperModel(Rule):
    """USD a month that a cheaper model of equal benchmark index would save.

    The candidate's intelligence index is at least ``quality_floor`` times the current model's (0.95 where
    the policy does not say; 1 for the same or better). Its context length, modalities and parameters cover
    the current model's; previews, routers, free models and those that are removed within 180 days are left
    out. What counts is today's bill against the row's own tokens at catalogue prices, with 15 % more tokens
    and the conditional prices of its mean prompt. ``replacement`` names the candidate instead, whatever its
    index. With ``by: [model, variant]`` a variant is held against its own index and its own kind.

    Good example:
        id: cheaper-model-exists
        rule: cheaper-model
        floor: {spend: 50}
        quality_floor: 1
        warn_above: 100

    Bad example:
        id: cheaper-model-exists
        rule: cheaper-model
        by: [api_key_id]
        warn_above: 100
    """

    measures = "a cheaper model of equal benchmark index exists"
    measure_name = "possible_saving"
    unit = "USD/month"
    default_by = (KEY, MODEL)
    needs_catalogue = True
    keys = {
        "quality_floor": {
            "description": "Least benchmark index of a candidate, as a share of the current model's.",
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
        }
    }

    replacement: str
    quality_floor: float | None = None

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for negative thresholds, and where rows would name no model.
        """
        check_thresholds(policy)
        if policy.by is not None and MODEL not in policy.by:
            raise SettingError("by", "cheaper-model compares models: `by` must have model")
        floor = policy.settings.get("quality_floor")
        return cls(policy.replacement, float(floor) if is_number(floor) else None)

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND, PROMPT, COMPLETION, CACHED})

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """What the lever saves in the expected case, as a month's."""
        if traffic.catalogue is None or traffic.now is None:
            return Skip.UNLISTED
        current = self._current(row, traffic.catalogue)
        if current is None or (self.replacement and traffic.catalogue.find(self.replacement) is None):
            return Skip.UNLISTED
        if Tokens.of(row.totals) is None:
            return Skip.NOT_APPLICABLE
        cell = Cell(row.subject.get(KEY), row.subject[MODEL], row.totals)
        factor = row.window.monthly_factor
        worth = estimate(self._swap(row), (cell,), row.totals, (), traffic.catalogue, factor, traffic.now)
        if worth.confidence is not Confidence.PRICED or not worth.expected:
            return Measured(0.0, self._none())
        return Measured(worth.expected, _note(worth, current, traffic.catalogue))

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """The candidate, or what the policy names."""
        return self._swap(row)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Try the candidate on a part of the traffic."""
        return Advice(
            action="swap-model",
            text="Try {replacement} on a part of this traffic, and move the rest once it does as well.",
            risk="A benchmark index is an average over other people's tasks.",
            expect=f"possible_saving falls to {threshold:g} or below",
        )

    def _current(self, row: Row, catalogue: Catalog) -> Model | None:
        """The row's model, where there is something to compare."""
        name = row.subject.get(MODEL)
        model = catalogue.find(name, _variant(row)) if name else None
        has_index = model is not None and model.intelligence_index is not None
        return model if has_index or self.replacement else None

    def _none(self) -> str:
        if self.replacement:
            return f"{self.replacement} would not cost less"
        return "no cheaper model of an equal benchmark index covers what it can do"

    def _swap(self, row: Row) -> Swap:
        return Swap(self.replacement, 0.0, variant=_variant(row), quality_floor=self.quality_floor)


def _variant(row: Row) -> str:
    return row.subject.get(VARIANT) or STANDARD


def _note(worth: Estimate, current: Model, catalogue: Catalog) -> str:
    """Both models with their indexes, and what each costs a month."""
    found = catalogue.find(worth.replacement)
    indexes = [model.intelligence_index if model else None for model in (found, current)]
    index = f" (index {indexes[0]:g}, now {indexes[1]:g})" if None not in indexes else ""
    now_usd = worth.spend_usd_per_month
    then_usd = now_usd - (worth.expected or 0.0)
    return f"{worth.replacement}{index}: {then_usd:,.2f} instead of {now_usd:,.2f} USD a month"
