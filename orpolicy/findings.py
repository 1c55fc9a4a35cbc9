"""From breaches to findings: identity, savings, drivers, what to do and how to check it."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.account import HASH_PREFIX
from orpolicy.binding import KEY, MODEL
from orpolicy.drivers import drivers_of
from orpolicy.finding import Confidence, Finding, Measure, Recommendation, Savings, Verify
from orpolicy.nouns import dataclass
from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.query.model import Filter, Operator, Query
from orpolicy.query.vocabulary import BASE_METRICS
from orpolicy.reproducing import selection
from orpolicy.savings.estimate import estimate
from orpolicy.savings.levers import Exposure, RaiseCacheHitRate, Swap
from orpolicy.totals import Cell
from orpolicy.verdict import Severity, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from orpolicy.account import Account
    from orpolicy.binding import Bound
    from orpolicy.evaluation import Breach, Judgement
    from orpolicy.gather import Gathered
    from orpolicy.lay_out import Layout
    from orpolicy.location import Location
    from orpolicy.policy.model import Policy
    from orpolicy.reproducing import Selection
    from orpolicy.savings.estimate import Estimate
    from orpolicy.savings.levers import Lever
    from orpolicy.table import Member

API_URL = "https://openrouter.ai/api/v1/analytics/query"
ANOTHER_MODEL = "a cheaper model"


@dataclass(frozen=True, slots=True)
class Draft:
    """A breach with everything but its share of the net, which takes all findings.

    Attributes:
        finding: without its net, and still open.
        estimate: what it is worth.
        subject: dimension -> member.
        usd_per_month: the subject's spend as a month's.
    """

    finding: Finding
    estimate: Estimate
    subject: Mapping[str, Member]
    usd_per_month: float


def drafts(
    judgement: Judgement, gathered: Gathered, layout: Layout, account: Account, now: datetime
) -> list[Draft]:
    """A policy's breaches, priced and explained."""
    banned = _banned(judgement.bound, account)
    beside = selection(judgement.bound, gathered, account)
    return [_draft(judgement, breach, layout, account, now, banned, beside) for breach in judgement.breaches]


def _draft(  # noqa: PLR0913, PLR0917 - the breach, what surrounds it, and the clock
    judgement: Judgement,
    breach: Breach,
    layout: Layout,
    account: Account,
    now: datetime,
    banned: frozenset[str],
    beside: Selection,
) -> Draft:
    bound = judgement.bound
    lever = bound.rule.lever(breach.row, judgement.traffic, breach.value, breach.threshold)
    if isinstance(lever, Swap):
        lever = replace(lever, avoid=banned)
    elif isinstance(lever, RaiseCacheHitRate):
        lever = replace(lever, reachable=layout.reachable)
    cells = layout.cells(breach)
    worth = _estimate(breach, cells, layout, lever, account, now)
    month = bound.window.monthly_factor
    totals = breach.row.totals
    verdict, severity = graded(breach.verdict, bound.policy.severity)
    excess_usd = lever.excess_usd if isinstance(lever, Exposure) else None
    finding = Finding(
        fingerprint=fingerprint(bound.policy.id, breach.row.subject, account),
        policy=bound.policy.id,
        rule=bound.policy.rule,
        verdict=verdict,
        severity=severity,
        subject=account.display(breach.row.subject),
        measure=Measure(
            bound.rule.measure_name,
            breach.value,
            breach.threshold,
            bound.rule.value_unit,
            breach.note,
            bound.rule.label,
        ),
        spend_usd=totals.spend_usd,
        tokens_total=totals.tokens,
        request_count=totals.requests,
        usd_per_mtok=totals.usd_per_mtok,
        savings=Savings(
            worth.low,
            worth.expected,
            worth.high,
            None,
            worth.confidence,
            _labelled(worth.formula, lever, bound),
        ),
        recommendation=_recommendation(bound, breach, worth),
        drivers=drivers_of(breach, cells, layout, lever, account),
        locations=_places(bound.policy, breach.threshold),
        verify=_verify(bound, breach, account, beside),
        owner=bound.policy.owner,
        title=bound.policy.title,
        why=bound.policy.why,
        link=bound.policy.link,
        exposure_usd_per_month=None if excess_usd is None else max(excess_usd, 0.0) * month,
    )
    return Draft(finding, worth, breach.row.subject, totals.spend_usd * month)


def _places(policy: Policy, threshold: float) -> tuple[Location, ...]:
    """Where the policy is, and where a file that extends its own set the threshold."""
    changed = (
        policy.overridden(key) for key in THRESHOLD_KEYS if getattr(policy.thresholds, key) == threshold
    )
    return (policy.location, *(place for place in changed if place is not None))


def graded(crossed: Verdict, severity: Severity) -> tuple[Verdict, Severity]:
    """What a crossed threshold means under a policy's severity: only errors fail."""
    if severity is Severity.ERROR:
        return (crossed, Severity.ERROR if crossed is Verdict.FAIL else Severity.WARNING)
    return Verdict.WARN, severity


def fingerprint(policy: str, subject: Mapping[str, Member], account: Account) -> str:
    """32 hex digits of policy id and subject identity: key hashes where known, not names."""
    identity = sorted((name, account.identity(name, member)) for name, member in subject.items())
    return hashlib.sha256(json.dumps([policy, identity]).encode()).hexdigest()[:32]


def settled(drafted: Draft, share_usd: float | None, status: Status) -> Finding:
    """The finding with its share of the net and its status."""
    savings = replace(drafted.finding.savings, net=share_usd)
    return replace(drafted.finding, savings=savings, status=status)


def _estimate(  # noqa: PLR0913, PLR0917 - the breach, what surrounds it, and the clock
    breach: Breach,
    cells: tuple[Cell, ...],
    layout: Layout,
    lever: Lever,
    account: Account,
    now: datetime,
) -> Estimate:
    def price(lever: Lever, cells: Sequence[Cell]) -> Estimate:
        return estimate(
            lever,
            cells,
            breach.row.totals,
            _peers(lever, cells, layout),
            account.catalogue,
            breach.row.window.monthly_factor,
            now,
        )

    subject = breach.row.subject
    if not cells:
        stand_in = (Cell(subject.get(KEY), subject[MODEL], breach.row.totals),) if MODEL in subject else ()
        return replace(price(lever, stand_in), cells=())
    if isinstance(lever, Swap):
        free = replace(lever, excess_usd=0.0)  # what is priced does not depend on the threshold
        key = ("worth", free, breach.row.totals.spend_usd, breach.row.window, now, id(account))
        _, worth = layout.once(breach, key, lambda: (account, price(free, cells)))
        if worth.confidence is not Confidence.BOUNDED:
            return worth
    return price(lever, cells)


def _peers(lever: Lever, cells: Sequence[Cell], layout: Layout) -> tuple[Cell, ...]:
    """All cells on the finding's models, for the one lever that compares with them."""
    if not isinstance(lever, RaiseCacheHitRate):
        return ()
    models = dict.fromkeys(cell.model for cell in cells)
    return tuple(chain.from_iterable(layout.cells_on(model) for model in models))


def _banned(bound: Bound, account: Account) -> frozenset[str]:
    """The models that the policy itself forbids: a swap must not propose them."""
    if bound.scope is None or account.catalogue is None:
        return frozenset()
    return frozenset(
        model.id
        for model in account.catalogue.models
        if bound.scope.matches(account.names(MODEL, model.id), model.variant)
    )


def _labelled(formula: str, lever: Lever, bound: Bound) -> str:
    """Figures of other windows than a month are scaled, and say so; a running month's exposure is not."""
    window = bound.window
    if window.is_calendar_month or (window.to_date and isinstance(lever, Exposure)):
        return formula
    return f"{formula}; a month's worth of {window.days:g} days, times {window.monthly_factor:.4g}"


def _recommendation(bound: Bound, breach: Breach, worth: Estimate) -> Recommendation:
    advice = bound.rule.advice(breach.row, breach.threshold)
    replacement = worth.replacement or bound.policy.replacement
    text = advice.text.replace("{replacement}", replacement or ANOTHER_MODEL).replace("{fix}", breach.fix)
    risk = f"{advice.risk} {worth.caveat[:1].upper()}{worth.caveat[1:]}." if worth.caveat else advice.risk
    return Recommendation(advice.action, replacement or None, text, risk)


def _verify(bound: Bound, breach: Breach, account: Account, beside: Selection) -> Verify:
    """The finding's own query: its dimensions, its window, and filters where identifiers are known."""
    filters = {
        Filter(name, Operator.IN, (value,))
        for name, member in breach.row.subject.items()
        if (value := _filter_value(name, member, account))
    }
    kept = {item for item in beside.filters if item.field not in {new.field for new in filters}}
    query = Query(
        metrics=tuple(sorted({*BASE_METRICS, *bound.rule.metrics} & set(account.meta.metrics))),
        dimensions=beside.dimensions,
        window=bound.window,
        filters=tuple(sorted(kept | filters)),
    )
    body = query.body()
    curl = (
        f'curl -sS {API_URL} -H "Authorization: Bearer $OPENROUTER_MANAGEMENT_KEY" '
        f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
    )
    return Verify(body, curl, bound.rule.advice(breach.row, breach.threshold).expect)


def _filter_value(dimension: str, member: Member, account: Account) -> str:
    """What the API filters a member by; "" where only its name is known."""
    if member is None or dimension in {"app", "user"}:
        return ""
    if dimension == KEY:
        identity = account.identity(KEY, member)
        return identity.removeprefix(HASH_PREFIX) if identity.startswith(HASH_PREFIX) else ""
    if dimension == "workspace":
        ids = account.directory.workspaces.get(member, ())
        return ids[0] if len(ids) == 1 else ""
    return member
