"""Breaches by key, asked once more by the keys' hashes: a deleted key may have had the same name.

Answers show keys by name, and ``/keys`` lists none that was deleted. Where a key that is listed was idle, or
used other models, its deleted namesake stands in rows that nothing tells from those of the key. Only filters
take hashes: what they let through is the key's own. That costs a question, so it is asked where what is
listed of the key leaves room for doubt.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL, filtered_by_keys
from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import CONTROL_SHARE, CONTROL_USD
from orpolicy.gather import attempt
from orpolicy.lay_out import MAX_FILTER_VALUES
from orpolicy.nouns import dataclass
from orpolicy.query.model import Context, Need
from orpolicy.query.vocabulary import SPEND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.account import Account, KeyFacts
    from orpolicy.evaluation import Breach, Judgement
    from orpolicy.fetch import Desk
    from orpolicy.period import Window
    from orpolicy.table import Member, Table

GRID = frozenset({KEY, MODEL})


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A policy with breaches that are put down to listed keys.

    Attributes:
        hashes: of those keys.
    """

    judgement: Judgement
    hashes: frozenset[str]
    breaches: tuple[Breach, ...]


def confirm(judgements: Iterable[Judgement], desk: Desk, account: Account) -> dict[str, SourceError]:
    """Why policies that a listed key breaches cannot be judged after all, by policy id.

    Nothing is asked without such a breach; else one question a window and shape for 200 keys, and one more
    where its answer is cut off.
    """
    keeps_count = any((facts := key.facts) and facts.usage_usd for key in account.directory.keys)
    found = [_doubt(judgement, account, keeps_count=keeps_count) for judgement in judgements]
    doubts = [doubt for doubt in found if doubt.breaches]
    if not doubts:
        return {}
    fine = _needs(doubts, [_shape(doubt, account) for doubt in doubts])
    desk.ask([need for needs in fine for need in needs])
    coarse = [() if _is_whole(needs, desk) else _keys(needs) for needs in fine]
    desk.ask([need for needs in coarse for need in needs])
    outcomes = {
        doubt.judgement.bound.policy.id: attempt(_check, doubt, few or many, desk)
        for doubt, many, few in zip(doubts, fine, coarse, strict=True)
    }
    return {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, SourceError)}


def _doubt(judgement: Judgement, account: Account, *, keeps_count: bool) -> _Doubt:
    """The breaches by a key that stands alone in ``/keys`` under its name, but may not have used all that."""
    window, by_name = judgement.bound.window, account.directory.by_name
    named = ((breach, by_name.get(breach.row.subject.get(KEY) or "", ())) for breach in judgement.breaches)
    doubtful = [
        (breach, keys[0].key_hash)
        for breach, keys in named
        if len(keys) == 1 and _leaves_room(keys[0].facts, window, keeps_count=keeps_count)
    ]
    return _Doubt(
        judgement, frozenset(key_hash for _, key_hash in doubtful), tuple(breach for breach, _ in doubtful)
    )


def _leaves_room(facts: KeyFacts | None, window: Window, *, keeps_count: bool) -> bool:
    """Whether what is listed of a key leaves room for another one of its name.

    It does for a key that was made since the window began, and for one that was never used, in an account
    that says of others that they were (``keeps_count``).
    """
    if facts is None:
        return False
    if facts.created_at is not None and _is_after(facts.created_at, window.start):
        return True
    return keeps_count and facts.usage_usd == 0 and not facts.byok_usage_usd


def _is_after(text: str, moment: datetime) -> bool:
    """Whether a moment as text is a later one; what is no moment is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return False
    return (found if found.tzinfo else found.replace(tzinfo=UTC)) > moment


def _shape(doubt: _Doubt, account: Account) -> tuple[str, ...]:
    """What to ask by: key and model, as the cells behind breaches are asked, or else its own dimensions."""
    by = set(doubt.judgement.bound.by)
    return tuple(sorted(GRID if by <= GRID <= account.meta.dimensions else by))


def _needs(doubts: Sequence[_Doubt], shapes: Sequence[tuple[str, ...]]) -> list[tuple[Need, ...]]:
    """What each doubt must know of its keys, and of those that others must know in the same window."""
    hashes: dict[Window, set[str]] = {}
    for doubt in doubts:
        hashes.setdefault(doubt.judgement.bound.window, set()).update(doubt.hashes)
    lists = {window: _lists(sorted(found)) for window, found in hashes.items()}
    return [
        tuple(
            filtered_by_keys(Need(bound.policy.id, Context(bound.window), shape), chosen)
            for chosen in lists[bound.window]
            if not doubt.hashes.isdisjoint(chosen)
        )
        for doubt, shape in zip(doubts, shapes, strict=True)
        for bound in [doubt.judgement.bound]
    ]


def _lists(hashes: Sequence[str]) -> list[tuple[str, ...]]:
    starts = range(0, len(hashes), MAX_FILTER_VALUES)
    return [tuple(hashes[start : start + MAX_FILTER_VALUES]) for start in starts]


def _keys(needs: Sequence[Need]) -> tuple[Need, ...]:
    """The same by key alone: no more rows than there are keys."""
    return tuple(replace(need, dimensions=(KEY,)) for need in needs)


def _is_whole(needs: Sequence[Need], desk: Desk) -> bool:
    """Whether no rows are known to be missing from the answers."""
    return not any(
        found.reason is Reason.TRUNCATED
        if isinstance(found, SourceError)
        else found.missing_below_usd is not None
        for found in (attempt(desk.evidence, need) for need in needs)
    )


def _check(doubt: _Doubt, needs: Sequence[Need], desk: Desk) -> None:
    """Hold what breaches against what the keys themselves spend.

    Raises:
        SourceError: AMBIGUOUS_KEY if they spend less, and as ``Desk.evidence``.
    """
    by = tuple(name for name in doubt.judgement.bound.by if name in needs[0].dimensions)
    known = [_spend_by(desk.evidence(need).table, by) for need in needs]
    for breach in doubt.breaches:
        members = tuple(breach.row.subject[name] for name in by)
        own_usd = math.fsum(spend.get(members, 0.0) for spend in known)
        spend_usd = breach.row.totals.spend_usd
        if spend_usd - own_usd > max(CONTROL_SHARE * spend_usd, CONTROL_USD):
            raise SourceError(
                Reason.AMBIGUOUS_KEY,
                f"the key {breach.row.subject[KEY]} itself spends {own_usd:,.2f} USD of the "
                f"{spend_usd:,.2f} USD under its name: a deleted key may have had it too",
            )


def _spend_by(table: Table, by: tuple[str, ...]) -> dict[tuple[Member, ...], float]:
    """Members -> USD, worked out once for all policies."""
    return table.once(("spend_by", *by), lambda: _summed(table.rollup(by)))


def _summed(table: Table) -> dict[tuple[Member, ...], float]:
    usd = (float(value or 0.0) for value in table.metrics[SPEND])
    return dict(zip(zip(*table.dimensions.values(), strict=True), usd, strict=True))
