"""Asking for two windows, and setting them side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL, bind
from orpolicy.comparing.changes import changes_of, pairs_of
from orpolicy.comparing.model import Comparison, Side, Surcharge, Unknown
from orpolicy.divisia import bridge
from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import Desk
from orpolicy.gather import Gathered, attempt, gather
from orpolicy.plugins import RULES
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds
from orpolicy.query.vocabulary import RAW_MAX_DAYS, SURCHARGES
from orpolicy.redaction import names_of
from orpolicy.staging import Choice, set_stage
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.binding import Bound
    from orpolicy.comparing.model import Changes
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy
    from orpolicy.sources.base import Source
    from orpolicy.staging import Stage

_QUESTIONS = b"""
version: 1
defaults: {floor: {share: 0.0005}}
policies:
  - {id: models, rule: spend-limit, by: [model], fail_above: 0}
  - {id: keys, rule: spend-limit, by: [api_key_id], fail_above: 0}
  - {id: pairs, rule: spend-limit, by: [api_key_id, model], fail_above: 0}
"""
"""What is asked of each window, in the shapes of policies; smaller rows than the floor may be missing."""

MODELS, KEYS, PAIRS = "models", "keys", "pairs"
BY = {MODELS: (MODEL,), KEYS: (KEY,), PAIRS: (KEY, MODEL)}


@dataclass(frozen=True, slots=True)
class _Answers:
    """What was learnt of one window: a part's rows, or why there are none."""

    window: Window
    parts: Mapping[str, Gathered | SourceError]

    def of(self, part: str) -> Gathered:
        """The rows of a part.

        Raises:
            SourceError: if it could not be answered.
        """
        found = self.parts[part]
        if isinstance(found, SourceError):
            raise found
        return found

    @property
    def totals(self) -> Totals:
        """All traffic."""
        return Totals.of_table(self.of(MODELS).traffic)

    @property
    def side(self) -> Side:
        """All traffic, in the words of the comparison.

        Raises:
            SourceError: if there was no usage at all.
        """
        totals = self.totals
        if totals.requests <= 0 and totals.spend_usd <= 0:
            raise SourceError(Reason.EMPTY_WINDOW, f"there was no usage at all in {self.window}")
        return Side(self.window, totals.spend_usd, totals.tokens, totals.requests)


def compare(source: Source, before: Window, after: Window) -> Comparison:
    """Two windows of an account, asked for in one round.

    Raises:
        SourceError: if all traffic of either window, or its models, cannot be known.
    """
    stage = set_stage(load_texts({"compare": _QUESTIONS}, Kinds()), source, Choice())
    desk = Desk(source, stage.base_metrics)
    early, late = _ask(stage, desk, before, after)
    sides = early.side, late.side
    is_per_day = before.days != after.days
    scales = (1 / before.days, 1 / after.days) if is_per_day else (1.0, 1.0)
    account = stage.scene.account
    parts = {
        part: attempt(changes_of, early.parts[part], late.parts[part], by, scales, account)
        for part, by in BY.items()
    }
    models = _required(parts[MODELS])
    keys, cells = (None if isinstance(found := parts[part], SourceError) else found for part in (KEYS, PAIRS))
    return Comparison(
        now=source.now,
        source=source.info().kind,
        before=sides[0],
        after=sides[1],
        is_per_day=is_per_day,
        bridge=bridge([(item.after, item.before) for item in models.items]),
        models=models,
        keys=keys,
        pairs=pairs_of(cells, keys) if keys and cells else None,
        surcharges=_surcharges(early.totals, late.totals, scales),
        unknown=tuple(
            Unknown(part, found.reason, found.detail)
            for part, found in parts.items()
            if isinstance(found, SourceError)
        ),
        notices=(
            *stage.notices,
            *_notices(before, after),
            *_unasked(stage, early.totals, late.totals),
            *source.info().notes,
        ),
        queries_asked=desk.queries_asked,
        names=names_of(account.directory, desk.members()),
    )


def _required(found: Changes | SourceError) -> Changes:
    if isinstance(found, SourceError):
        raise found
    return found


def _ask(stage: Stage, desk: Desk, before: Window, after: Window) -> tuple[_Answers, _Answers]:
    """Everything of both windows, in one round of fused queries and what narrowing takes beyond it."""
    bounds: dict[tuple[str, Window], Bound | SourceError] = {
        (policy.id, window): _bound(stage, policy, window)
        for policy in stage.policies
        for window in (before, after)
    }
    asked = [bound for bound in bounds.values() if not isinstance(bound, SourceError)]
    found = gather(asked, desk, stage.scene.account)
    answers = {
        name: bound if isinstance(bound, SourceError) else found[bound.policy.id]
        for name, bound in bounds.items()
    }
    early, late = (
        _Answers(window, {part: answers[part, window] for part in BY}) for window in (before, after)
    )
    return early, late


def _bound(stage: Stage, policy: Policy, window: Window) -> Bound | SourceError:
    """One part of one window, ready to be asked, or why it cannot be."""
    if policy.id in stage.failed:
        return stage.failed[policy.id]
    named = replace(policy, id=f"{policy.id} of {window}")
    scene = replace(stage.scene, window=window, fixed=True)
    return attempt(bind, named, RULES[policy.rule].read(policy), scene)


def _surcharges(before: Totals, after: Totals, scales: tuple[float, float]) -> tuple[Surcharge, ...]:
    """The paid extras that both answers hold, the largest absolute change first."""
    found = [
        Surcharge(
            name.removeprefix("usage_"),
            float(before.get(name)) * scales[0],
            float(after.get(name)) * scales[1],
        )
        for name in SURCHARGES
        if name in before.values and name in after.values
    ]
    used = [item for item in found if item.before_usd or item.after_usd]
    return tuple(sorted(used, key=lambda item: (-abs(item.change_usd), item.name)))


def _unasked(stage: Stage, before: Totals, after: Totals) -> list[str]:
    """What is said of the paid extras that one of the windows is too long for."""
    lacking = [
        name.removeprefix("usage_")
        for name in SURCHARGES
        if name in stage.base_metrics and not (name in before.values and name in after.values)
    ]
    reach = f"asked over {RAW_MAX_DAYS} days at most"
    return [f"the surcharges {' and '.join(lacking)} are {reach}, and left out"] if lacking else []


def _notices(before: Window, after: Window) -> list[str]:
    notices = []
    if before.start < after.end and after.start < before.end:
        notices.append("the windows overlap: what lies in both is on both sides")
    if after.start < before.start:
        notices.append("the window of --to begins before that of --from")
    if after.to_date or before.to_date:
        notices.append("a running month holds a part of a day, and late requests are still to come")
    return notices
