"""The rows that selectors admit."""

from __future__ import annotations

from itertools import chain, compress
from typing import TYPE_CHECKING

from orpolicy.binding import MODEL, VARIANT
from orpolicy.policy.patterns import NameIndex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.account import Account
    from orpolicy.policy.patterns import Matcher
    from orpolicy.table import Table


def select(table: Table, matchers: Mapping[str, Matcher], account: Account) -> Table:
    """The rows that every matcher admits; matchers of dimensions that the table lacks were pushed.

    Policies with equal selectors share the rows, and whatever is worked out from them.
    """
    for dimension, matcher in matchers.items():
        if dimension in table.dimensions:
            table = _selected(table, dimension, matcher, account)
    return table


def _selected(table: Table, dimension: str, matcher: Matcher, account: Account) -> Table:
    by_account = table.once(("selected", dimension, matcher), dict[int, tuple["Account", "Table"]])
    if id(account) not in by_account:  # the account is kept beside, so that its id stays its own
        by_account[id(account)] = (account, _admitted(table, dimension, matcher, account))
    return by_account[id(account)][1]


def _admitted(table: Table, dimension: str, matcher: Matcher, account: Account) -> Table:
    if dimension == MODEL and VARIANT in table.dimensions:
        return _select_models(table, matcher, account)
    rows_by = table.rows_by(dimension)
    names = table.once(
        ("names", dimension, id(account)),
        lambda: (account, NameIndex([account.names(dimension, member) for member in rows_by])),
    )
    groups = list(compress(rows_by.values(), matcher.matches_each(names[1])))
    if len(groups) == len(rows_by):
        return table
    return table.keep(sorted(chain.from_iterable(groups)), are_told_apart=True)


def _select_models(table: Table, matcher: Matcher, account: Account) -> Table:
    pairs = list(zip(table.dimensions[MODEL], table.dimensions[VARIANT], strict=True))
    verdicts = {
        (model, variant): matcher.matches(account.names(MODEL, model), variant)
        for model, variant in set(pairs)
    }
    return table.keep([row for row, pair in enumerate(pairs) if verdicts[pair]], are_told_apart=True)
