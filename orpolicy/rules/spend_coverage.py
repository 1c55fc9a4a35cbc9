"""The rule kind ``spend-coverage``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.errors import Reason, SourceError
from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import (
    Advice,
    Bound,
    Measured,
    Row,
    Rule,
    SettingError,
    Skip,
    Traffic,
    View,
    check_thresholds,
)
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from orpolicy.policy.model import Policy, Thresholds

GRID = ("api_key_id", "model")


@dataclass(frozen=True, slots=True)
class SpendCoverage(Rule):
    """The share of spend that some policy judged.

    Every other policy of the run counts that held rows of the same window against its thresholds, whatever
    came of it: a waived finding was judged, an inconclusive policy judged nothing, and neither did rows under
    a floor. No dollar counts twice. A policy about all traffic together judges every dollar; ``judged_by``
    counts only policies that tell one of these dimensions apart. Policies by key and model are laid over each
    other; where others leave it open which side of a threshold the share is on, it is inconclusive.

    Good example:
        id: nothing-unwatched
        rule: spend-coverage
        judged_by: [api_key_id, model]
        fail_below: 0.90

    Bad example:
        id: nothing-unwatched
        rule: spend-coverage
        by: [model]
        fail_below: 0.90
    """

    measures = "share of spend that some policy judged"
    measure_name = "judged_share"
    unit = "share"
    default_by = ()
    bounds = frozenset({Bound.BELOW})
    keys = {
        "judged_by": {
            "description": "Count only policies that tell one of these apart; every policy if absent.",
            "type": "array",
            "items": {"$ref": "#/$defs/dimension"},
            "minItems": 1,
            "uniqueItems": True,
        }
    }
    judges_spend = False
    judges_policies = True

    limits: Thresholds
    judged_by: tuple[str, ...]

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for shares beyond 0 to 1, and for less than all traffic.
        """
        check_thresholds(policy, most=1.0)
        if policy.by:
            raise SettingError("by", "it is all traffic together that is covered or not", "leave it out")
        if policy.where:
            raise SettingError("where", "it is all traffic that is covered or not", "leave it out")
        chosen = policy.settings.get("judged_by")
        return cls(policy.thresholds, tuple(map(str, chosen)) if isinstance(chosen, list) else ())

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def views(self, by: tuple[str, ...]) -> tuple[View, ...]:
        """The cells that policies are laid over."""
        return (View(GRID),)

    def counts(self, by: tuple[str, ...]) -> bool:
        """Whether a policy by these dimensions is wanted."""
        return not self.judged_by or not set(self.judged_by).isdisjoint(by)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """What was judged over what was spent.

        Raises:
            SourceError: NOT_ANSWERABLE where a threshold lies within what is known of it.
        """
        covered, spend_usd = traffic.covered, row.totals.spend_usd
        if covered is None or spend_usd <= 0:
            return Skip.NOT_APPLICABLE
        least, most = min(covered.least_usd / spend_usd, 1.0), min(covered.most_usd / spend_usd, 1.0)
        if self.limits.crossed(least) != self.limits.crossed(most):
            raise SourceError(
                Reason.NOT_ANSWERABLE,
                f"between {least:.1%} and {most:.1%} of spend was judged: policies by other dimensions than "
                "key and model cannot be laid over the others",
            )
        skipped = f"; {covered.unjudged} inconclusive, which do not count" if covered.unjudged else ""
        policies = "1 policy" if covered.judged == 1 else f"{covered.judged} policies"
        note = f"{covered.least_usd:,.2f} of {spend_usd:,.2f} USD judged by {policies}{skipped}"
        return Measured(least, note, behind=covered.gaps)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """None: what nobody looked at may be well spent."""
        return Exposure(None)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Look at the rest."""
        return Advice(
            action="add-policies",
            text="Write a policy that judges the keys below, or lower the floor or widen the `where` of one "
            "that is there; repair those that are inconclusive.",
            risk="More policies find more: start them with severity warning.",
            expect=f"judged_share rises to {threshold:g} or above",
        )
