"""Policies about keys: what each may spend, and how fast it may grow."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from datetime import date
from statistics import median
from typing import TYPE_CHECKING

from orpolicy.binding import KEY
from orpolicy.reporters._figures import money, multiple, share
from orpolicy.reporters._words import plural
from orpolicy.starting.figures import FEWEST, Point, Spread, plain, round_up, two_digits_up
from orpolicy.starting.naming import exact
from orpolicy.starting.prose import listing, scalar
from orpolicy.starting.sections import GROWTH, Section
from orpolicy.table import DATE

if TYPE_CHECKING:
    from orpolicy.starting.survey import Survey
    from orpolicy.table import Member

MOST_OWN_BUDGETS = 3
_OWN_SHARE = 0.10
"""A key with this share of all spend has a budget of its own."""

_ROOM = 1.5
_LEAST_BUDGET_USD = 10.0
_WEEKS = 9
_DAYS_PER_WEEK = 7
_LEAST_WEEKS = 5
_CALM = 1.6
"""Weeks that grow less than this leave the usual threshold alone."""


def sudden_growth(survey: Survey | None) -> Section:
    """Keys that grow from one week to the next."""
    limit, remark = GROWTH, "Last week against the median of up to eight weeks before it; four are needed."
    if survey:
        limit, remark = _growth_limit(Spread.of(weekly_growth(survey)))
    return Section(
        "sudden-growth",
        (remark,),
        (
            "- id: sudden-growth",
            "  title: No key grows suddenly",
            "  rule: spend-growth",
            "  by: [api_key_id]",
            "  window: last-week",
            f"  fail_above: {plain(limit)}",
            "  why: A key that spends far more than its usual week has a new use or a bug; know it early.",
        ),
    )


def weekly_growth(survey: Survey) -> list[Point]:
    """Last week over the median week before it, of each key with five weeks of history or more."""
    weeks: dict[Member, list[float]] = defaultdict(lambda: [0.0] * _WEEKS)
    rows = survey.rows("days")
    if not rows:
        return []
    first = survey.stage.bounds[[bound.policy.id for bound in survey.stage.bounds].index("days")].periods[0]
    for members, totals in rows:
        day = date.fromisoformat(str(members[DATE])[:10])
        weeks[members[KEY]][(day - first.start.date()).days // _DAYS_PER_WEEK] += totals.spend_usd
    return [
        Point(survey.key_name(member), spent[-1] / median(_since_first(spent)), spent[-1])
        for member, spent in weeks.items()
        if spent[-1] >= survey.floor_usd / 4
        and len(_since_first(spent)) >= _LEAST_WEEKS - 1
        and median(_since_first(spent)) > 0
    ]


def _since_first(spent: list[float]) -> list[float]:
    """The weeks before the last one, from the first with spend on."""
    start = next((number for number, usd in enumerate(spent) if usd > 0), len(spent))
    return spent[start:-1]


def _growth_limit(spread: Spread) -> tuple[float, str]:
    if len(spread.points) < FEWEST:
        return GROWTH, (
            f"Only {plural(len(spread.points), 'key')} with five weeks of history, so the usual doubling."
        )
    top, most = spread.top, spread.quantile(0.9)
    limit = GROWTH if most < _CALM else round_up(1.25 * most)
    rule = "doubling is unusual here" if limit == GROWTH else "the limit lies above that"
    return limit, (
        f"Your {len(spread.points)} keys with five weeks of history: 90 % spent at most "
        f"{multiple(most)} their median week last week, the most {listing([top.name])} with "
        f"{multiple(top.value)}; {rule}."
    )


def budgets(survey: Survey | None) -> list[Section]:
    """What keys may spend a month: those with much of it each, the others alike."""
    if not survey:
        return []
    spent = sorted(
        ((totals.spend_usd, members[KEY]) for members, totals in survey.rows("keys") if totals.spend_usd > 0),
        key=lambda item: (-item[0], item[1] or ""),
    )
    own = [
        (usd, member, pattern)
        for usd, member in spent[:MOST_OWN_BUDGETS]
        if usd >= _OWN_SHARE * survey.traffic.spend_usd and len(spent) > MOST_OWN_BUDGETS
        if (pattern := exact(member, survey.stage.scene.account, survey.key_members))
    ]
    taken = {member for _, member, _ in own}
    others = [(usd, member) for usd, member in spent if member not in taken]
    ids: set[str] = set()
    sections = [_own_budget(survey, usd, member, pattern, ids) for usd, member, pattern in own]
    return sections + ([_shared_budget(survey, others, [pattern for *_, pattern in own])] if others else [])


def _own_budget(survey: Survey, usd: float, member: Member, pattern: str, ids: set[str]) -> Section:
    name, a_month = survey.key_name(member), usd * survey.window.monthly_factor
    policy_id = _id_for(name, ids)
    return Section(
        policy_id,
        (
            (
                f"{listing([name])} spent {money(a_month)} a month, "
                f"{share(usd / survey.traffic.spend_usd)} of all: its own budget, half as much again."
            ),
        ),
        (
            f"- id: {policy_id}",
            f"  title: {scalar(f'Budget of {listing([name])}')}",
            "  rule: spend-limit",
            f"  where: {{api_key_id: {scalar(pattern)}}}",
            "  allow_empty: true # a month without it is a pass",
            f"  fail_above: {_budget(a_month)} # USD a month",
            "  why: A key that passes its budget should be noticed before the invoice arrives.",
        ),
    )


def _budget(a_month_usd: float) -> str:
    """Half as much again as a key spends, in two digits; cents are no budget."""
    return plain(two_digits_up(max(_ROOM * a_month_usd, _LEAST_BUDGET_USD)))


def _id_for(name: str, ids: set[str]) -> str:
    """A policy id that shows the key's name, as far as an id can."""
    words = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:60].strip("-")
    base = f"budget-{words}" if words else "budget-key"
    number = 1
    while (policy_id := base if number == 1 else f"{base}-{number}") in ids:
        number += 1
    ids.add(policy_id)
    return policy_id


def _shared_budget(survey: Survey, spent: list[tuple[float, Member]], apart: list[str]) -> Section:
    factor = survey.window.monthly_factor
    top_usd, top = spent[0]
    together = math.fsum(usd for usd, _ in spent) * factor
    known = sum(member is not None for _, member in spent)
    keyless = "" if known == len(spent) else " and usage without a key"
    where = [f"  where: {{api_key_id: {{not: [{', '.join(map(scalar, apart))}]}}}}"] if apart else []
    return Section(
        "key-budget",
        (
            (
                f"{'The other' if apart else 'Your'} {plural(known, 'key')}{keyless} spent {money(together)} "
                f"a month, the most {listing([survey.key_name(top)])} with {money(top_usd * factor)}: half "
                "as much again."
            ),
        ),
        (
            "- id: key-budget",
            "  title: Every key keeps to its budget",
            "  rule: spend-limit",
            "  by: [api_key_id]",
            *where,
            f"  fail_above: {_budget(top_usd * factor)} # USD a month",
            "  why: A key without a limit is an open bill; set the figure on the key as well.",
        ),
    )
