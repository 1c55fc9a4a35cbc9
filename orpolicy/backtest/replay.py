"""A source with its clock at the end of a past week."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from orpolicy.backtest.library import Refusal
from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.sources.base import Source, SourceInfo

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.account import Directory
    from orpolicy.backtest.library import Library
    from orpolicy.catalog.model import Catalog
    from orpolicy.query.model import Answer, Meta, Query
    from orpolicy.sources.base import Setting

KIND = "backtest"


class Replay(Source):
    """What a run at the end of a past week would have been told; what the library lacks is noted.

    Attributes:
        wanted: questions that must be asked before this week can be judged.
        refused: metrics that the source does not give for this week, with what it said.
    """

    kind = KIND

    def __init__(self, library: Library, now: datetime) -> None:
        self._library = library
        self._now = now
        self.wanted: dict[Query, None] = {}
        self.refused: dict[str, SourceError] = {}
        self._refused_before: frozenset[str] = frozenset()

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """Refuse: it is made from another source.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{setting.text!r} is not a source that can be opened", code=Code.BAD_SOURCE)

    def begin(self) -> None:
        """Start over, with what was refused no longer listed."""
        self.wanted = {}
        self._refused_before = frozenset(self.refused)

    @property
    def is_done(self) -> bool:
        """Whether nothing came up since the start that another round would answer."""
        return not self.wanted and self._refused_before == frozenset(self.refused)

    @property
    def now(self) -> datetime:
        """The end of the week."""
        return self._now

    def info(self) -> SourceInfo:
        """Nothing is sent for one week alone."""
        return SourceInfo(self.kind, "", 0)

    def meta(self) -> Meta:
        """What the account lists, but for the metrics that it refuses for this week."""
        meta = self._library.meta()
        kept = {name: rate for name, rate in meta.metrics.items() if name not in self._refused_before}
        return replace(meta, metrics=kept)

    def directory(self) -> Directory:
        """The account's, as it is today."""
        return self._library.directory()

    def catalogue(self) -> Catalog | None:
        """The account's, as it is today."""
        return self._library.catalogue()

    def answer(self, query: Query) -> Answer:
        """The answer, from the library.

        Raises:
            SourceError: if the library has none, or none yet.
        """
        found = self._library.look_up(query)
        if found is None:
            self.wanted[query] = None
            raise SourceError(Reason.NOT_ANSWERABLE, "not asked yet")
        if isinstance(found, Refusal):
            self.refused |= dict.fromkeys(found.without, found.error)
            raise found.error
        return found
