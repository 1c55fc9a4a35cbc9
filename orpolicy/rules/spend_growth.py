"""The rule kind ``spend-growth``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self, TypeVar

from orpolicy.divisia import Level, divisia
from orpolicy.nouns import dataclass
from orpolicy.policy.model import Thresholds
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import (
    Advice,
    Measured,
    Row,
    Rule,
    Skip,
    Traffic,
    check_thresholds,
    excess_usd,
    is_number,
)
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.policy.model import Policy
    from orpolicy.totals import Totals

T = TypeVar("T")

MIN_PERIODS = 4
DEFAULT_PERIODS = 8
MIN_Z = 3.0
SD_FLOOR = 0.10
MAD_TO_SD = 1.4826
"""Makes the median absolute deviation estimate a normal distribution's standard deviation."""
MIN_INCREASE_USD_PER_WEEK = 25.0
MIN_INCREASE_SHARE = 0.02
DAYS_PER_WEEK = 7
SMALLEST_USD = 0.01
"""Spend below a cent counts as a cent in logarithms."""


@dataclass(frozen=True, slots=True)
class SpendGrowth(Rule):
    """This period's spend against the median of the complete periods before it.

    The window must be a calendar month or a week, Monday to Sunday; the tested period is never part of
    its own baseline. A row breaches when all three hold: the ratio to the median reaches the threshold
    (2 where the policy sets none), the robust z-score of log spend (median and MAD, standard deviation
    at least 0.10) is 3 or more, and the increase is at least USD 25 a week and 2 % of all spend. The
    increase over the median is split into requests, tokens per request and price per token
    (logarithmic mean Divisia index), so that the finding says why. A subject whose first spend is fewer
    than four periods back is reported as new, and one that spent in the period before and not in this one as
    vanished; one whose median period spent nothing is not judged.

    Good example:
        id: sudden-growth
        rule: spend-growth
        by: [api_key_id]
        window: last-week
        fail_above: 2.0

    Bad example:
        id: sudden-growth
        rule: spend-growth
        baseline_periods: 3
    """

    measures = "this period against the ones before it"
    measure_name = "growth_ratio"
    unit = "x"
    default_by = ("api_key_id",)
    default_thresholds = Thresholds(fail_above=2.0)
    keys = {
        "baseline_periods": {
            "description": "How many weeks or months before the window to compare with; 8 if absent.",
            "type": "integer",
            "minimum": MIN_PERIODS,
            "maximum": 24,
        }
    }

    baseline_periods: int

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings."""
        check_thresholds(policy)
        periods = policy.settings.get("baseline_periods")
        return cls(int(periods) if is_number(periods) else DEFAULT_PERIODS)

    @property
    def history_periods(self) -> int:
        """The baseline."""
        return self.baseline_periods

    @property
    def reaching(self) -> bool:
        """A ratio that reaches the threshold breaches."""
        return True

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The ratio to the median of the periods since the subject's first spend."""
        baseline = since_first_spend(row.history)
        if len(baseline) < MIN_PERIODS:
            return Skip.NEW
        now, before = Level.of(row.totals), median_level(baseline)
        if before.spend_usd < SMALLEST_USD:
            return Skip.NOT_APPLICABLE
        needed_usd = max(
            MIN_INCREASE_USD_PER_WEEK * row.window.days / DAYS_PER_WEEK,
            MIN_INCREASE_SHARE * traffic.totals.spend_usd,
        )
        ratio = now.spend_usd / before.spend_usd
        score = 0.0
        if now.spend_usd - before.spend_usd >= needed_usd:
            score = robust_z(now.spend_usd, [period.spend_usd for period in baseline])
        if score < MIN_Z:  # most rows: nobody reads why
            return Measured(ratio, may_breach=False)
        note = f"{now.spend_usd:,.2f} USD against a median of {before.spend_usd:,.2f} (z {score:.1f}); "
        return Measured(ratio, note + explain(now, before))

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Exposure: the spend above so many times the median."""
        return Exposure(excess_usd(row.totals.spend_usd, value, threshold))

    def advice(self, row: Row, threshold: float) -> Advice:
        """Find out what changed."""
        return Advice(
            action="investigate-growth",
            text="Find the release, job or user behind the increase; limit the key if nobody meant it.",
            risk="Growth that is meant only needs a new baseline.",
            expect="growth_ratio falls below "
            f"{threshold:g} once the change is undone, or once it is part of the baseline",
        )


def since_first_spend(history: Sequence[Totals]) -> tuple[Totals, ...]:
    """The periods from the first with spend on; later empty ones stay."""
    first = next((index for index, period in enumerate(history) if period.spend_usd > 0), len(history))
    return tuple(history[first:])


def robust_z(spend_usd: float, baseline_usd: Sequence[float]) -> float:
    """How many standard deviations log spend lies above the baseline's median, by median and MAD."""
    logs = [math.log(max(usd, SMALLEST_USD)) for usd in baseline_usd]
    centre = _mean(_middle(sorted(logs)))
    spread = MAD_TO_SD * _mean(_middle(sorted(abs(value - centre) for value in logs)))
    return (math.log(max(spend_usd, SMALLEST_USD)) - centre) / max(spread, SD_FLOOR)


def median_level(baseline: Sequence[Totals]) -> Level:
    """The period in the middle by spend, or the mean of the two: its spend is the median."""
    middle = [Level.of(period) for period in _middle(sorted(baseline, key=lambda period: period.spend_usd))]
    return Level(
        requests=_mean([level.requests for level in middle]),
        tokens=_mean([level.tokens for level in middle]),
        spend_usd=_mean([level.spend_usd for level in middle]),
    )


def _middle(ranked: Sequence[T]) -> Sequence[T]:
    """The one or two in the middle; importing ``statistics`` takes as long as all the kinds."""
    return ranked[(len(ranked) - 1) // 2 : len(ranked) // 2 + 1]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def explain(now: Level, before: Level) -> str:
    """The split in words."""
    parts = divisia(now, before)
    if parts is None:
        return "no split: a period without requests or tokens"
    return (
        f"of the change {parts.volume_usd:+,.2f} USD by requests, "
        f"{parts.size_usd:+,.2f} by tokens per request, {parts.price_usd:+,.2f} by price per token"
    )
