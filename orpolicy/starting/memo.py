"""A source that is asked every question once, however often it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

from orpolicy.codes import Code
from orpolicy.errors import SourceError, UsageError
from orpolicy.sources.base import Source
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orpolicy.account import Directory
    from orpolicy.catalog.model import Catalog
    from orpolicy.query.model import Answer, Meta, Query
    from orpolicy.sources.base import Setting, SourceInfo


class Memo(Source):
    """Another source with a memory: what it answered once is not asked again within the run.

    An answer also serves questions that want fewer metrics of the same rows.
    """

    kind: ClassVar[str] = "memo"

    def __init__(self, source: Source) -> None:
        self._source = source
        self._answers: list[Answer] = []
        self.queries = 0
        """How many questions were passed on."""

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """Refuse: it has no address of its own.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{setting.text!r} is not a source that can be opened", code=Code.BAD_SOURCE)

    @property
    def now(self) -> datetime:
        """The other source's clock."""
        return self._source.now

    def info(self) -> SourceInfo:
        """What the other source says."""
        return self._source.info()

    def meta(self) -> Meta:
        """What the other source lists."""
        return self._source.meta()

    def directory(self) -> Directory:
        """The other source's keys and workspaces."""
        return self._source.directory()

    def catalogue(self) -> Catalog | None:
        """The other source's catalogue."""
        return self._source.catalogue()

    def answer(self, query: Query) -> Answer:
        """The answer, from memory where it is there.

        Raises:
            SourceError: as the other source does; errors are not remembered.
        """
        (result,) = self.answers([query])
        if isinstance(result, SourceError):
            raise result
        return result

    def answers(self, queries: Sequence[Query]) -> list[Answer | SourceError]:
        """One answer or error a query, in the queries' order; the unknown ones are asked together."""
        known = {query: _recalled(answer, query) for query in queries if (answer := self._known(query))}
        unknown = [query for query in queries if query not in known]
        self.queries += len(unknown)
        fresh = dict(zip(unknown, self._source.answers(unknown), strict=True))
        self._answers += [answer for answer in fresh.values() if not isinstance(answer, SourceError)]
        return [(known | fresh)[query] for query in queries]

    def _known(self, query: Query) -> Answer | None:
        """An answer of the same rows with every metric that is wanted."""
        return next(
            (
                answer
                for answer in self._answers
                if replace(answer.query, metrics=query.metrics) == query
                and set(query.metrics) <= set(answer.query.metrics)
            ),
            None,
        )


def _recalled(answer: Answer, query: Query) -> Answer:
    """What an answer says to a question that wants no more metrics than it has."""
    table = Table(answer.table.dimensions, {name: answer.table.metrics[name] for name in query.metrics})
    return replace(answer, query=query, table=table)
