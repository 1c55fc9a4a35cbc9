"""What the formats for people say of a study, in the same words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.backtest.model import Mark
from orpolicy.reporters._figures import money
from orpolicy.reporters._words import plural

if TYPE_CHECKING:
    from orpolicy.backtest.model import Dollars, PolicyLine, Study, Verdict
    from orpolicy.period import Window

SIGNS = {Mark.PASS: "·", Mark.WARN: "~", Mark.FAIL: "!", Mark.NOT_JUDGED: "?"}
ASCII_DOT = "."
LEGEND = {Mark.PASS: "passed", Mark.WARN: "warned", Mark.FAIL: "failed", Mark.NOT_JUDGED: "not judged"}

HOW = (
    "Each sign is what `orpolicy check` would have said on the Monday after a week, 00:00 UTC, by the window "
    "that the policy names: last-month is the same for all weeks of a month, and --window last-week judges "
    "each week by itself."
)
DOLLARS = (
    "Dollars are of the studied weeks: each week takes 7/30.4375 of what its findings come to a month. "
    "Subjects of several policies overlap, so that only net adds up."
)


def sign(mark: Mark, *, ascii_only: bool = False) -> str:
    """One character."""
    return ASCII_DOT if ascii_only and mark is Mark.PASS else SIGNS[mark]


def strip(weeks: tuple[Verdict, ...], *, ascii_only: bool = False) -> str:
    """A character a week, oldest first."""
    return "".join(sign(week.mark, ascii_only=ascii_only) for week in weeks)


def legend(*, ascii_only: bool = False) -> str:
    """``· passed   ~ warned   ! failed   ? not judged``."""
    return "   ".join(f"{sign(mark, ascii_only=ascii_only)} {word}" for mark, word in LEGEND.items())


def span(weeks: tuple[Window, ...]) -> str:
    """The first and the last day."""
    last = weeks[-1].end - timedelta(days=1)
    return f"{weeks[0].start:%Y-%m-%d} to {last:%Y-%m-%d}"


def headline(study: Study) -> str:
    """``8 weeks, 2026-04-13 to 2026-06-07: 3 policies fired, 1 was quiet, 1 was never judged``."""
    fired = sum(policy.fired > 0 for policy in study.policies)
    unjudged = sum(not policy.judged for policy in study.policies)
    quiet = len(study.policies) - fired - unjudged
    parts = [f"{plural(fired, 'policy', 'policies')} fired"]
    if quiet:
        parts.append(f"{quiet} quiet")
    if unjudged:
        parts.append(f"{unjudged} never judged")
    return f"{plural(len(study.weeks), 'week')}, {span(study.weeks)}: {', '.join(parts)}"


def worth(study: Study) -> str:
    """What acting on every finding would have saved."""
    net = study.net
    if net.high <= 0:
        return "No savings known in these weeks."
    spread = f" ({money(net.low)} to {money(net.high)})" if money(net.low) != money(net.high) else ""
    unknown = f"; {plural(net.unknown, 'finding')} with unknown savings" if net.unknown else ""
    return f"Acting on all of it would have saved {money(net.expected)}{spread} net{unknown}."


def facts(policy: PolicyLine, study: Study) -> str:
    """When it fired, on how many, and how often it flapped; "" for a quiet one."""
    first, last = policy.edge(last=False), policy.edge(last=True)
    if first is None or last is None:
        return ""
    when = [_weeks(study.weeks[first], study.weeks[last])]
    if policy.windows < policy.judged:
        when.append(f"{plural(policy.judged, 'week')} look at {plural(policy.windows, 'window')}")
    return ", ".join([*when, *dollars(policy.dollars)])


def dollars(found: Dollars) -> list[str]:
    """What would have been caught."""
    parts = [f"{money(found.spend)} spent"]
    if found.high > 0:
        amount = money(found.expected) if found.expected > 0 else f"up to {money(found.high)}"
        parts.append(f"saves {amount}")
        if found.expected > 0 and found.net < found.expected * 0.995:
            parts[-1] += f" ({money(found.net)} net)"
    if found.exposure > 0:
        parts.append(f"{money(found.exposure)} above the threshold")
    return parts


def _weeks(first: Window, last: Window) -> str:
    if first == last:
        return f"only in the week of {first.start:%Y-%m-%d}"
    return f"from the week of {first.start:%Y-%m-%d} to that of {last.start:%Y-%m-%d}"
