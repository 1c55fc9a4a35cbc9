"""How often ``spend-growth`` cries wolf, and how often it sees one: ``python -m benchmarks.growth``.

Each test is one subject's last week against its baseline, judged by the kind itself. A false positive is a
breach though every week has the same distribution; power is the share of last weeks three times as dear that
breach. The dollars of the increase never decide: the subject is large, and all spend is its own.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orpolicy.period import Window
from orpolicy.query.vocabulary import REQUESTS, SPEND, TOKENS
from orpolicy.rules.base import Measured, Row, Traffic
from orpolicy.rules.spend_growth import MIN_Z, SpendGrowth, robust_z
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TESTS = 10_000
"""So many for each seed."""

SEEDS = (1, 2, 3)
BASELINES = (4, 8, 12)
JUMP = 3.0
FEW = {4: 1.363, 5: 1.206, 6: 1.200, 7: 1.140, 8: 1.129, 9: 1.107}
"""What makes the MAD of so few values estimate a standard deviation (Croux and Rousseeuw, 1992)."""
MEAN_USD = 10_000.0
WEEK = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 8, tzinfo=UTC))
WEEKDAYS = (1.3, 1.3, 1.25, 1.25, 1.2, 0.4, 0.3)
"""Monday to Sunday, times the mean of a day."""

IDLE_SHARE = 0.25
"""Of the weeks of an intermittent job."""

TREND = 0.03
"""More spend with every week."""


@dataclass(frozen=True, slots=True)
class World:
    """How a week's spend comes about.

    Attributes:
        cv: coefficient of variation of a week's spend, idle weeks and growth aside.
        draw: one week's spend from a generator, that coefficient and the number of the week.
    """

    name: str
    cv: float
    draw: Callable[[random.Random, float, int], float]


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the tests, with the lowest and highest of the seeds."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.2%} ({self.low:.2%} to {self.high:.2%})"


def lognormal(generator: random.Random, cv: float, _: int) -> float:
    spread = math.sqrt(math.log1p(cv * cv))
    return MEAN_USD * math.exp(generator.gauss(-spread * spread / 2, spread))


def gamma(generator: random.Random, cv: float, _: int) -> float:
    shape = 1 / (cv * cv)
    return generator.gammavariate(shape, MEAN_USD / shape)


def weekdays(generator: random.Random, cv: float, number: int) -> float:
    """Seven days with a pattern, noise of their own, and a week's common level that makes up for the rest."""
    own = 0.3
    share = own * own * sum(day * day for day in WEEKDAYS) / sum(WEEKDAYS) ** 2
    common = math.sqrt(max((cv * cv - share) / (1 + share), 0.0))
    level = lognormal(generator, common, number) / MEAN_USD
    days = (day * lognormal(generator, own, number) for day in WEEKDAYS)
    return level * sum(days) / sum(WEEKDAYS)


def intermittent(generator: random.Random, cv: float, number: int) -> float:
    return 0.0 if generator.random() < IDLE_SHARE else lognormal(generator, cv, number)


def growing(generator: random.Random, cv: float, number: int) -> float:
    return lognormal(generator, cv, number) * (1 + TREND) ** number


WORLDS = (
    World("lognormal", 0.3, lognormal),
    World("gamma", 0.3, gamma),
    World("weekday pattern", 0.3, weekdays),
    World("intermittent, a quarter idle", 0.3, intermittent),
    World("growing 3 % a week", 0.3, growing),
    World("lognormal", 0.1, lognormal),
    World("lognormal", 0.2, lognormal),
    World("lognormal", 0.5, lognormal),
)


def totals(usd: float) -> Totals:
    return Totals({SPEND: usd, REQUESTS: 1000, TOKENS: 1_000_000})


def breaches(kind: SpendGrowth, weeks: Sequence[float]) -> bool:
    """Whether the last of these weeks breaches by the kind's own threshold."""
    last = totals(weeks[-1])
    measured = kind.measure(Row({}, last, WEEK, tuple(map(totals, weeks[:-1]))), Traffic(last))
    if not isinstance(measured, Measured):
        return False
    return measured.may_breach and measured.value >= (kind.default_thresholds.fail_above or 0)


def corrected(weeks: Sequence[float]) -> bool:
    """Whether the score of a breach holds with a MAD that is corrected for few values."""
    count = len(weeks) - 1
    factor = FEW.get(count, count / (count - 0.8))
    return robust_z(weeks[-1], weeks[:-1]) / factor >= MIN_Z


def shares(world: World, periods: int, jump: float, tests: int, seed: int) -> tuple[float, float]:
    """The share of tests that breach where the last week is ``jump`` times what it would be.

    By the kind as it is, and with the corrected MAD.
    """
    generator = random.Random(f"{world.name} {world.cv} {periods} {jump} {seed}")  # noqa: S311 - a simulation
    kind = SpendGrowth(periods)
    found = stricter = 0
    for _ in range(tests):
        weeks = [world.draw(generator, world.cv, number) for number in range(periods + 1)]
        while weeks[-1] == 0:
            weeks[-1] = world.draw(generator, world.cv, periods)
        weeks[-1] *= jump
        if breaches(kind, weeks):
            found += 1
            stricter += corrected(weeks)
    return found / tests, stricter / tests


def rates(world: World, periods: int, jump: float, tests: int = TESTS) -> tuple[Rates, Rates]:
    """The shares over all seeds."""
    each = zip(*(shares(world, periods, jump, tests, seed) for seed in SEEDS), strict=True)
    plain, strict = (Rates(sum(found) / len(found), min(found), max(found)) for found in each)
    return plain, strict


def table(tests: int) -> list[str]:
    """A line of Markdown a world and baseline."""
    head = "weeks are | cv | baseline | false positives a test | 3x jumps found | corrected: false | found"
    lines = [f"| {head} |", "|---|---|---|---|---|---|---|"]
    for world in WORLDS:
        for periods in BASELINES:
            wrong, less = rates(world, periods, 1.0, tests)
            right, fewer = rates(world, periods, JUMP, tests)
            figures = f"{wrong} | {right} | {less.mean:.2%} | {fewer.mean:.1%}"
            lines.append(f"| {world.name} | {world.cv:g} | {periods} | {figures} |")
    return lines


def main() -> None:
    tests = int(sys.argv[1]) if len(sys.argv) > 1 else TESTS
    print(
        f"{tests:,} tests for each of the seeds {', '.join(map(str, SEEDS))}, whose extremes are in brackets."
    )
    print("\n".join(table(tests)))


if __name__ == "__main__":
    main()
