"""Whether a policy is worth listening to, in a sentence."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from orpolicy.backtest.model import Mark
from orpolicy.reporters._figures import amount, share
from orpolicy.reporters._words import PLAIN, plural, prose, subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.backtest.model import PolicyLine, SubjectLine

LEAST_WEEKS = 3
"""Fewer judged weeks say nothing about noise."""

NEAR = 0.10
"""Where half of the values are so near the threshold, relative to it, it is crossed by chance."""

LEAST_SHARE = 0.01
"""Distances below are not told apart."""

MARGIN = 1.05
"""How far beyond the flapping values a threshold is proposed."""

MOST_MOVE = 1.5
"""A threshold that would have to move further than by this factor is not the cause."""


def noise_of(line: PolicyLine) -> str:
    """What the weeks mean for whoever would have been told."""
    if not line.judged:
        return f"never judged: {_why_not(line)}"
    if not line.fired:
        return f"quiet: it did not fire in {_weeks(line.judged)}{_unjudged(line)}"
    if line.flaps:
        return f"flaps: {_flapping(line)}"
    if line.windows == 1 and line.judged > 1:
        return f"{_weeks(line.judged)} look at one and the same window: nothing is known of its noise yet"
    if line.judged < LEAST_WEEKS:
        return f"fired in {line.fired} of {_weeks(line.judged)}: too few to know its noise"
    return _steady(line) if line.fired == line.judged else _sometimes(line)


def _steady(line: PolicyLine) -> str:
    always = [item for item in line.subjects if item.fired == line.judged]
    if len(always) == len(line.subjects):
        these = "it" if len(always) == 1 else "them"
        return (
            f"fires every week on {_same(line, always)}: "
            f"fix {these}, or accept {these} with a baseline or waivers"
        )
    if always:
        others = len(line.subjects) - len(always)
        return (
            f"fires every week on {_same(line, always)}, and on {others} more now and then: "
            "with a baseline or waivers for the former only news would be left"
        )
    return f"fires every week, on {_count(line, len(line.subjects))} in turn: too often for an alarm"


def _sometimes(line: PolicyLine) -> str:
    who = _count(line, len(line.subjects))
    return f"fired in {line.fired} of {_weeks(line.judged)}, on {who}, without flapping{_unjudged(line)}"


def _flapping(line: PolicyLine) -> str:
    worst = max(line.subjects, key=lambda item: (item.flaps, item.spend_usd, item.fingerprint))
    again = "once" if line.flaps == 1 else f"{line.flaps} times"
    told = (
        f"{subject(worst.subject)} stopped and fired again"
        if line.flaps == worst.flaps
        else "subjects stopped and fired again"
    )
    return f"{told} {again}{_nearness(line, worst)}"


def _nearness(line: PolicyLine, worst: SubjectLine) -> str:
    """Where the threshold lies beside what is usual; "" where that is not why it flaps."""
    values = [value for value in worst.values if value is not None]
    limit = worst.threshold
    if not values or not limit or not _decides(worst):
        return ""
    usual = median(values)
    away = median(abs(value - limit) for value in values) / abs(limit)
    if away > NEAR:
        return ""
    distance = share(max(away, LEAST_SHARE))
    near = f"half of its weeks are within {distance} of the threshold {amount(limit, line.unit, 1)}"
    said = f"; {near} (usual: {amount(usual, line.unit, 1)})"
    return said + _proposal(line, worst)


def _proposal(line: PolicyLine, worst: SubjectLine) -> str:
    """A threshold at which nobody would have flapped, if one is near."""
    flapping = [item for item in line.subjects if item.flaps]
    values = [value for item in flapping for value in item.values if value is not None]
    above = _fires_above(worst)
    limit = worst.threshold
    proposed = _rounded(max(values) * MARGIN, up=True) if above else _rounded(min(values) / MARGIN, up=False)
    factor = proposed / limit if above else limit / proposed if proposed else math.inf
    if not 1 < factor <= MOST_MOVE or not all(_decides(item) for item in line.subjects):
        return ""
    left = [
        item for item in line.subjects if any(_crosses(value, proposed, above=above) for value in item.values)
    ]
    verb = "raise" if above else "lower"
    rest = f"{_count(line, len(left))} would still have fired" if left else "nothing else would have fired"
    return f": {verb} it to {amount(proposed, line.unit, 1)}, at which {rest}"


def _fires_above(item: SubjectLine) -> bool:
    fired = [
        value
        for value, mark in zip(item.values, item.marks, strict=True)
        if mark.is_fired and value is not None
    ]
    return all(value >= item.threshold for value in fired)


def _decides(item: SubjectLine) -> bool:
    """Whether the threshold alone decided when it fired; some kinds ask for more than that."""
    above = _fires_above(item)
    return all(
        mark.is_fired == (value == item.threshold or _crosses(value, item.threshold, above=above))
        for value, mark in zip(item.values, item.marks, strict=True)
        if value is not None
    )


def _crosses(value: float | None, limit: float, *, above: bool) -> bool:
    return value is not None and (value > limit if above else value < limit)


def _rounded(value: float, *, up: bool) -> float:
    """A number to two digits, no nearer to zero if ``up``, else no further from it."""
    if not value:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{(math.ceil if up else math.floor)(value / step) * step:.10g}")


def _why_not(line: PolicyLine) -> str:
    """The commonest reason, and that there are more."""
    reasons = Counter(week.detail or str(week.reason) for week in line.weeks if week.mark is Mark.NOT_JUDGED)
    commonest = prose(reasons.most_common(1)[0][0])
    return commonest if len(reasons) == 1 else f"{commonest} (one of {len(reasons)} reasons)"


def _unjudged(line: PolicyLine) -> str:
    missing = len(line.weeks) - line.judged
    return f"; {_weeks(missing)} not judged: {_why_not(line)}" if missing else ""


def _same(line: PolicyLine, always: Sequence[SubjectLine]) -> str:
    if len(always) == 1:
        return subject(always[0].subject)
    return f"the same {_count(line, len(always))}"


def _count(line: PolicyLine, number: int) -> str:
    names = {name for item in line.subjects for name in item.subject}
    if names == {"api_key_id", "model"}:
        return plural(number, "pair of key and model", "pairs of key and model")
    return plural(number, PLAIN.get(*names, *names) if len(names) == 1 else "subject")


def _weeks(number: int) -> str:
    return plural(number, "week")
