"""What a run learnt from its source, as values: what a snapshot holds."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from orpolicy.errors import SourceError
from orpolicy.nouns import dataclass
from orpolicy.query.model import Answer, Operator

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from orpolicy.account import Directory, Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.pseudonyms import Pseudonyms
    from orpolicy.query.model import Filter, Meta, Query
    from orpolicy.sources.base import SourceInfo

Outcome = Answer | SourceError


@dataclass(frozen=True)
class Asked:
    """A query with what came of it.

    Attributes:
        query: the question.
        read: gives the outcome; called when somebody asks for it, and at most once.
    """

    query: Query
    read: Callable[[], Outcome]

    @classmethod
    def of(cls, query: Query, outcome: Outcome) -> Self:
        """A query with an outcome that is known."""
        return cls(query, lambda: outcome)

    @cached_property
    def outcome(self) -> Outcome:
        """The answer, or why there is none."""
        return self.read()

    @cached_property
    def identity(self) -> Identity:
        """What makes two questions the same, whatever their metrics."""
        return identity_of(self.query)


Identity = tuple[object, ...]


def identity_of(query: Query) -> Identity:
    """What makes two questions the same, whatever their metrics."""
    window, filters = query.window, frozenset(query.filters)
    return query.dimensions, window.start, window.end, filters, query.granularity, query.limit


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything that a run learnt from its source.

    Attributes:
        now: the run's clock.
        info: what the run's report said of the source.
        meta: what could be asked.
        directory: the keys and workspaces, or why they are not known; None where nobody asked.
        catalogue: the models and prices, or why they are not known; None where there are none.
        answers: of the run first, in the order in which they were asked.
        pseudonyms: what stands for names, or None where they are there.
        guardrails: or why they are not known; None where nobody asked, or there are none to ask for.
    """

    now: datetime
    info: SourceInfo
    meta: Meta
    directory: Directory | SourceError | None
    catalogue: Catalog | SourceError | None
    answers: tuple[Asked, ...]
    pseudonyms: Pseudonyms | None = None
    guardrails: tuple[Guardrail, ...] | SourceError | None = None


def filters_beyond(query: Query, asked: Query) -> tuple[Filter, ...] | None:
    """The filters of a query that an asked one lacks; None where the asked one is narrower than the query.

    A list of keys that holds those of the query is wider: the rows are then filtered once more.
    """
    lacking = [item for item in asked.filters if item not in query.filters]
    if any(not any(_is_within(item, wide) for item in query.filters) for wide in lacking):
        return None
    return tuple(item for item in query.filters if item not in asked.filters)


def _is_within(item: Filter, wide: Filter) -> bool:
    return (
        item.field == wide.field
        and item.operator is wide.operator is Operator.IN
        and set(item.values) <= set(wide.values)
    )
