"""The query that shows a finding's figure by itself: what a policy selects beyond the subject, as filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.account import HASH_PREFIX
from orpolicy.binding import ID_ONLY_DIMENSIONS, KEY, MAX_MEMBERS, filter_values
from orpolicy.errors import SourceError
from orpolicy.nouns import dataclass
from orpolicy.query.model import Filter, Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.account import Account
    from orpolicy.binding import Bound
    from orpolicy.gather import Gathered
    from orpolicy.table import Member, Table


@dataclass(frozen=True, slots=True)
class Selection:
    """What a finding's query asks beside its subject.

    Attributes:
        dimensions: of the query, sorted.
        filters: what narrows the traffic to that which the policy selected in its window.
    """

    dimensions: tuple[str, ...]
    filters: tuple[Filter, ...]


def selection(bound: Bound, gathered: Gathered, account: Account) -> Selection:
    """Filters on the members that were selected, so that a subject's rows are the finding's.

    Where that cannot be said in filters (users and apps, a member that has no identifier, more than 500 of
    them, variants asked one by one), the query is that of the policy.
    """
    need = bound.slices[0].need
    asked = Selection(need.dimensions, need.context.filters)
    if len(bound.slices) > 1 or gathered.filters is None:
        return asked
    beyond = [name for name in gathered.selected.dimensions if _narrows(bound, gathered, name)]
    own = tuple(_filter(gathered, name, account) for name in beyond)
    filters = [item for item in own if item is not None]
    if len(filters) < len(own) or not _is_exact(bound, gathered, beyond):
        return asked
    return Selection(tuple(sorted(bound.by)), tuple(sorted({*gathered.filters, *filters})))


def _narrows(bound: Bound, gathered: Gathered, name: str) -> bool:
    """Whether some members of a dimension that is not the subject's were left out."""
    if name in bound.by or name not in bound.slices[0].need.dimensions:
        return False
    return len(gathered.selected.rows_by(name)) < len(gathered.everything.rows_by(name))


def _filter(gathered: Gathered, name: str, account: Account) -> Filter | None:
    """The filter on the selected members, or None where the source has no such filter.

    Where traffic without a member was selected, it is a filter on those that were not, which keeps it.
    """
    chosen = set(gathered.selected.rows_by(name))
    operator = Operator.NOT_IN if None in chosen else Operator.IN
    named = set(gathered.everything.rows_by(name)) - chosen if None in chosen else chosen
    if name in ID_ONLY_DIMENSIONS or not named:
        return None
    try:
        values = {value for member in named if member is not None for value in _values(name, member, account)}
    except SourceError:
        return None
    return Filter(name, operator, tuple(sorted(values))) if len(values) <= MAX_MEMBERS else None


def _values(name: str, member: str, account: Account) -> tuple[str, ...]:
    if name == KEY and member.startswith(HASH_PREFIX):
        return (member.removeprefix(HASH_PREFIX),)
    return filter_values(name, member, account)


def _is_exact(bound: Bound, gathered: Gathered, beyond: Sequence[str]) -> bool:
    """Whether the filters admit of the selected subjects' rows those that were selected, and no others."""
    selected = gathered.selected
    admitted = gathered.everything.matching(
        {name: frozenset(selected.rows_by(name)).__contains__ for name in beyond}
    )
    subjects = set(_subjects(selected, bound.by))
    return sum(subject in subjects for subject in _subjects(admitted, bound.by)) == len(selected)


def _subjects(table: Table, by: Sequence[str]) -> Iterable[tuple[Member, ...]]:
    columns = [table.dimensions[name] for name in by]
    return zip(*columns, strict=True) if columns else [()] * len(table)
