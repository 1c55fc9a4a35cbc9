"""What the formats for people say of a verification, in the same words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.reporters._figures import against_threshold, money, share, span
from orpolicy.reporters._words import plural, prose, saving, saving_range
from orpolicy.verdict import Status
from orpolicy.verifying.model import Standing
from orpolicy.verifying.naming import brief_unit, measure_name
from orpolicy.verifying.realised import at_later_volume

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.verifying.model import Calibration, Checked, Verification

CENT = 0.005
SAME_VOLUME = 0.05
"""Months differ in length: a volume within 5 % counts as the same, and is told to one digit more."""

HOW = (
    "Fixed: the measure no longer breaches. Gone: no usage any more. Partly: at least a quarter of the way "
    "to the threshold. Worse: further off by a tenth of the way, and by 5 %. Realised: what the later volume "
    "would have cost at the report's price, minus what it did cost; volume that moved to other models counts "
    "with what it costs there, usage that stopped does not count. Findings overlap, so that sums are not "
    "additive."
)


def counts(verification: Verification) -> str:
    """``2 fixed, 1 gone, 1 unchanged``."""
    found = Counter(item.standing for item in verification.checked)
    parts = [f"{found[standing]} {standing}" for standing in Standing if found[standing]]
    return ", ".join(parts) or "no findings to verify"


def headline(verification: Verification) -> str:
    """``2 fixed, 1 unchanged of the report of 2026-06-10, in June 2026``."""
    windows = list(dict.fromkeys(span(item.later) for item in verification.checked if item.later))
    where = f", in {windows[0]}" if len(windows) == 1 else ""
    return f"{counts(verification)}; report of {verification.report_at:%Y-%m-%d}{where}"


def worth(verification: Verification) -> Iterator[str]:
    """The calibration: over all, and over those that somebody did something about where that differs."""
    every, some = verification.overall, verification.acted_on
    if every.findings:
        yield _calibrated(every)
    if some.findings and some != every:
        yield f"Of what was fixed, gone or partly fixed: {_lower(_calibrated(some))}"


def _calibrated(found: Calibration) -> str:
    ratio = "" if found.ratio is None else f" ({share(found.ratio)})"
    return (
        f"Realised {money(found.realised)} a month of {money(found.expected)} expected at today's volume"
        f"{ratio} over {plural(found.findings, 'finding')}; {found.within} within low to high."
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def measured(item: Checked) -> str:
    """``blended multiple 25x in May 2026, 1.2x in June 2026 (threshold 15x)``."""
    measure = item.finding.measure
    unit = brief_unit(measure.unit)
    tail = "" if unit else f" {prose(measure.unit)}".rstrip()
    brief = replace(measure, unit=unit)
    before, limit = against_threshold(brief)
    called = prose(measure.label) if measure.label else measure_name(measure.name)
    was = f"{called} {before}".strip() + (f" in {span(item.window)}" if item.window else "")
    against = f"(threshold {limit}{tail})"
    if item.later is None:
        return f"{was} {against}"
    when = span(item.later)
    if item.value is not None:
        now = f"{against_threshold(replace(brief, value=item.value))[0]} in {when}"
    else:
        now = f"no usage in {when}" if item.standing is Standing.GONE else f"not known in {when}"
    return f"{was}, {now} {against}"


def dollars(item: Checked) -> str:
    """What was realised, beside the estimate; "" where there is neither."""
    return "; ".join(_dollars(item))


def _dollars(item: Checked) -> Iterator[str]:
    found = item.realised
    if found is None:
        return
    if found.usd_per_month is not None:
        yield f"realised {money(found.usd_per_month)} a month"
    yield from _estimate(item, found.volume_ratio)
    if found.stopped_usd_per_month > max(CENT, SAME_VOLUME * _monthly_usd(item)):
        yield f"usage that cost {money(found.stopped_usd_per_month)} a month has stopped"


def _monthly_usd(item: Checked) -> float:
    """What the subject cost a month in the report."""
    return item.finding.spend_usd * (item.window.monthly_factor if item.window else 1.0)


def _estimate(item: Checked, volume_ratio: float) -> Iterator[str]:
    savings, scaled = item.finding.savings, at_later_volume(item)
    if scaled is None or savings.low is None or savings.expected is None or savings.high is None:
        return
    if savings.confidence is Confidence.BOUNDED:
        said, was, now = f"{saving(savings)} a month", savings.high, scaled[2]
    else:
        said = saving_range(savings.low, savings.expected, savings.high)
        was, now = savings.expected, scaled[1]
    if volume_ratio and money(now) != money(was):
        digits = int(abs(volume_ratio - 1) <= SAME_VOLUME)
        said += f", {money(now)} at today's volume ({share(volume_ratio, digits)})"
    yield f"estimated {said}"


def aside(item: Checked) -> str:
    """Whether the report set the finding aside, and why nothing can be said of it."""
    parts = [] if item.finding.status is Status.OPEN else [f"{item.finding.status} in the report"]
    if item.reason:
        parts.append(f"{item.reason}: {prose(item.detail)}")
    return "; ".join(parts)
