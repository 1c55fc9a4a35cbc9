"""What a run comes to, in a few words: how its policies ended and what its findings could save."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.reporters._figures import count, money, span
from orpolicy.reporters._words import plural
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.report import Report

CENT = 0.005
"""Dollars below this round to nothing."""

_WINDOWS = 3
"""So many windows are named."""

_ENDED = {
    Verdict.FAIL: "failed",
    Verdict.WARN: "warned",
    Verdict.PASS: "passed",
    Verdict.INCONCLUSIVE: "inconclusive",
}
"""In the order of the headline."""


def ended(report: Report) -> tuple[str, ...]:
    """How the policies ended: ``3 policies failed``, ``1 warned``, ``12 passed``, ``1 inconclusive``."""
    parts: list[str] = []
    for verdict, word in _ENDED.items():
        number = sum(policy.verdict is verdict for policy in report.policies)
        if number:
            noun = count(number) if parts else plural(number, "policy", "policies")
            parts.append(f"{noun} {word}")
    return tuple(parts) or ("no policy was evaluated",)


def net(report: Report, *, short: bool = False) -> str:
    """What all open findings together could save, or ""."""
    total = report.savings
    if total.net_high < CENT:
        return ""
    low, high = money(total.net_low), money(total.net_high)
    between = f"up to {high}" if total.net_low < CENT else high if low == high else f"{low} to {high}"
    if short or low == high or total.net_expected < CENT:
        return f"save {between} a month"
    return f"save {money(total.net_expected)} a month ({between})"


def beside_net(report: Report) -> tuple[str, ...]:
    """What the net leaves out: the gross, savings that are not known, and what is set aside."""
    total = report.savings
    facts: list[str] = []
    if money(total.gross) != money(total.net_expected):
        facts.append(f"gross {money(total.gross)}, not additive: findings overlap")
    unknown = sum(
        finding.status is Status.OPEN and finding.savings.expected is None for finding in report.findings
    )
    if unknown:
        facts.append(f"{plural(unknown, 'finding')} with unknown savings")
    facts += _set_aside(report, Status.WAIVED, total.waived, "waived")
    facts += _set_aside(report, Status.BASELINED, total.baselined, "accepted by the baseline")
    return tuple(facts)


def judged_elsewhere(report: Report) -> str:
    """The windows beside the baseline's that policies judged; "" where there is none.

    ``1 policy judged another window, 2026-06-01 to 2026-06-07 (7 days)``.
    """
    if report.baseline is None:
        return ""
    windows = [
        policy.window
        for policy in report.policies
        if policy.window
        and policy.window != report.baseline.window
        and policy.verdict is not Verdict.INCONCLUSIVE
    ]
    names = list(dict.fromkeys(span(window) for window in windows))
    if not names:
        return ""
    several = f"other windows: {'; '.join(names[:_WINDOWS])}"
    more = f" and {len(names) - _WINDOWS} more" if len(names) > _WINDOWS else ""
    where = f"another window, {names[0]}" if len(names) == 1 else f"{several}{more}"
    return f"{plural(len(windows), 'policy', 'policies')} judged {where}"


def _set_aside(report: Report, status: Status, saves_usd: float, words: str) -> list[str]:
    """What is set aside: its savings, else what it spent, so that its dollars are seen in any case."""
    if saves_usd >= CENT:
        return [f"{money(saves_usd)} {words}"]
    findings = [finding for finding in report.findings if finding.status is status]
    spent = money(math.fsum(finding.spend_usd for finding in findings))
    return [f"{plural(len(findings), 'finding')} of {spent} {words}"] if findings else []


def sentence(text: str) -> str:
    """The words with a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}."
