"""What caching could reach, model by model, where the account's analytics says so.

``possible_cached_tokens`` travels with model and provider alone, so that no cell of key and model has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.binding import MODEL
from orpolicy.errors import SourceError
from orpolicy.gather import attempt
from orpolicy.query.model import Context, Need
from orpolicy.query.vocabulary import PROMPT, RAW_MAX_DAYS
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.account import Account
    from orpolicy.binding import Bound
    from orpolicy.fetch import Desk
    from orpolicy.period import Window
    from orpolicy.savings.levers import Rates

POSSIBLE = "possible_cached_tokens"


def reachable(bounds: Iterable[Bound], desk: Desk, account: Account) -> dict[Window, Rates]:
    """Possible cached tokens over prompt tokens by model, in the windows of policies about caching.

    Windows beyond what the metric reaches, and answers that fail or are cut off, are left out: then nothing
    is capped.

    Args:
        bounds: policies with breaches.
        desk: asked once for all of them, if any is about caching.
        account: what can be asked.
    """
    if POSSIBLE not in account.meta.metrics or MODEL not in account.meta.dimensions:
        return {}
    needs = {
        bound.window: Need(
            bound.policy.id, Context(bound.window), (MODEL,), frozenset({POSSIBLE}), checked=False
        )
        for bound in bounds
        if bound.rule.compares_keys and bound.window.days <= RAW_MAX_DAYS
    }
    desk.ask(list(needs.values()))
    return {window: _rates(need, desk) for window, need in needs.items()}


def _rates(need: Need, desk: Desk) -> Rates:
    found = attempt(desk.evidence, need)
    if isinstance(found, SourceError):
        return ()
    rows = found.table.rollup((MODEL,))
    totals = {model: Totals.of_row(rows, row) for row, model in enumerate(rows.dimensions[MODEL])}
    return tuple(
        (model, min(max(float(one.get(POSSIBLE)) / one.prompt_tokens, 0.0), 1.0))
        for model, one in totals.items()
        if one.values.get(POSSIBLE) is not None
        and one.values.get(PROMPT) is not None
        and one.prompt_tokens > 0
    )
