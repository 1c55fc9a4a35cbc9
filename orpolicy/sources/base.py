"""The contract of a source: planned queries in, tables out.

A source knows nothing of policies and findings. Every source answers the same query objects with the
same tables and passes the conformance suite in ``tests/sources``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import field
from typing import TYPE_CHECKING, ClassVar, Self

from orpolicy.errors import SourceError
from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from orpolicy.account import Directory, Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.pseudonyms import Pseudonyms
    from orpolicy.query.generation import Generation
    from orpolicy.query.model import Answer, Meta, Query


class Listener:
    """Who wants to know how a long run gets on; this one does not. Called from any thread."""

    def answered(self, done: int, total: int) -> None:
        """So many of the queries that were asked so far have an answer, or an error."""

    def waiting(self, seconds: float) -> None:
        """The request limit makes the source wait so long."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a source is opened with.

    Attributes:
        text: the value of ``--source``.
        now: the run's clock, aware, UTC; None where the source may choose (the real time by default).
        environ: the environment variables; not shown, as they hold secrets.
        catalogue: a saved ``/models`` answer that replaces the source's own, or None.
        use_cache: whether answers may be kept on disk and read from there.
        listener: who is told how the run gets on.
    """

    text: str
    environ: Mapping[str, str] = field(repr=False)
    now: datetime | None = None
    catalogue: Path | None = None
    use_cache: bool = True
    listener: Listener = field(default_factory=Listener, repr=False)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a report says of its source.

    Attributes:
        kind: the registry's name.
        host: the API's host, the path of the files, or "".
        requests: requests sent, all kinds together.
        cached_requests: answers read from the local cache instead.
        notes: what a reader should know of the data as a whole.
    """

    kind: str
    host: str
    requests: int
    cached_requests: int = 0
    notes: tuple[str, ...] = ()


class Source(ABC):
    """Where answers come from.

    Every method may raise ``SourceError``; ``open`` raises ``UsageError`` for what the user gave.
    """

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def open(cls, setting: Setting) -> Self:
        """A ready source; no request is sent yet.

        Raises:
            UsageError: if the setting is wrong, or an extra is not installed.
        """

    @property
    @abstractmethod
    def now(self) -> datetime:
        """The clock of the run, aware, UTC, whole seconds."""

    @property
    def pseudonyms(self) -> Pseudonyms | None:
        """What stands for the names of keys, users, apps and workspaces here; None where they are there."""
        return None

    @abstractmethod
    def info(self) -> SourceInfo:
        """What was asked so far, for the report."""

    @abstractmethod
    def meta(self) -> Meta:
        """The metrics and dimensions that can be asked here."""

    @abstractmethod
    def directory(self) -> Directory:
        """The account's keys and workspaces."""

    def guardrails(self) -> tuple[Guardrail, ...] | None:
        """The account's guardrails, sorted by name; None: this source does not list them."""
        return None

    @abstractmethod
    def catalogue(self) -> Catalog | None:
        """The models and their prices, or None where this source has none."""

    @abstractmethod
    def answer(self, query: Query) -> Answer:
        """The answer to one query."""

    def answers(self, queries: Sequence[Query]) -> list[Answer | SourceError]:
        """One answer or error a query, in the queries' order; a source may ask several at once."""
        results: list[Answer | SourceError] = []
        for query in queries:
            try:
                results.append(self.answer(query))
            except SourceError as error:
                results.append(error)
        return results

    def generations(self, ids: Sequence[str]) -> list[Generation | SourceError]:  # noqa: ARG002 - for sources that know more
        """What is known of single requests beyond their rows, in order; an empty list: nothing is."""
        return []

    def close(self) -> None:
        """Give back what ``open`` took."""
        return
