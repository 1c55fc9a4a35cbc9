"""Subjects that come from the account's list of keys instead of its usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.binding import KEY, key_member
from orpolicy.errors import Reason, SourceError
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.binding import Bound


def listed_keys(bound: Bound) -> tuple[str, ...]:
    """The members of the keys that a policy judges; none where its subjects come from usage.

    Raises:
        SourceError: NOT_ANSWERABLE, where the source does not say enough of the account.
    """
    listing = bound.listing
    if listing is None:
        return ()
    if bound.rule.lists_guardrails and listing.guardrails is None:
        raise SourceError(Reason.NOT_ANSWERABLE, "this source does not list the account's guardrails")
    if not listing.directory.keys:
        raise SourceError(Reason.NOT_ANSWERABLE, "this source does not list the account's keys")
    looked_at = listing.keys if bound.rule.lists_keys else listing.directory.keys
    unsaid = sum(key.facts is None and not key.disabled for key in looked_at)
    if unsaid:
        raise SourceError(
            Reason.NOT_ANSWERABLE,
            f"the settings of {unsaid} of {len(looked_at)} keys are not known in full here",
        )
    shared = listing.directory.shared_names
    return tuple(key_member(key.key_hash) if key.name in shared else key.name for key in listing.keys)


def with_unused(keys: Sequence[str], used: Table) -> Table:
    """One row for each key, with zeros for those without usage; usage of no listed key is left out.

    Args:
        keys: their members.
        used: one row for each key with usage.
    """
    places = {member: rows[0] for member, rows in used.rows_by(KEY).items()}
    rows = [places.get(member) for member in keys]
    metrics = {
        name: [0 if row is None else column[row] for row in rows] for name, column in used.metrics.items()
    }
    return Table({KEY: list(keys)}, metrics)
