"""A recorded run, asked again offline: what ``orpolicy snapshot`` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from orpolicy.errors import Reason, SourceError
from orpolicy.sources._snapshot_file import read_file
from orpolicy.sources._snapshot_read import decode
from orpolicy.sources._snapshot_replay import Replay
from orpolicy.sources.base import Source

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.account import Directory, Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.pseudonyms import Pseudonyms
    from orpolicy.query.model import Answer, Meta, Query
    from orpolicy.sources._snapshot_model import Recording
    from orpolicy.sources.base import Setting, SourceInfo

T = TypeVar("T")


class Snapshot(Source):
    """Says what the recorded source said, also of itself, so that a report comes out the same."""

    kind: ClassVar[str] = "snapshot"

    def __init__(
        self, recording: Recording, *, now: datetime | None = None, catalogue: Catalog | None = None
    ) -> None:
        """Replay a recording.

        Args:
            recording: what was learnt.
            now: replaces the recorded clock.
            catalogue: replaces the recorded catalogue.
        """
        self._recording = recording
        self._replay = Replay(recording)
        self._now = now or recording.now
        self._given = catalogue

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """The snapshot that the setting names, read and checked.

        Raises:
            UsageError: if it cannot be read, is damaged, or is of a newer version.
        """
        catalogue = None
        if setting.catalogue is not None:
            from orpolicy.catalog.load import load_catalog  # noqa: PLC0415 - rarely needed here

            catalogue = load_catalog(setting.catalogue)
        recording = decode(read_file(Path(setting.text)), setting.text)
        return cls(recording, now=setting.now, catalogue=catalogue)

    @property
    def now(self) -> datetime:
        """The recorded clock, unless the run fixes another."""
        return self._now

    @property
    def recorded_at(self) -> datetime:
        """The clock of the recorded run."""
        return self._recording.now

    @property
    def pseudonyms(self) -> Pseudonyms | None:
        """What stands for names, where they were taken away."""
        return self._recording.pseudonyms

    def info(self) -> SourceInfo:
        """What the recorded run said of its source."""
        return self._recording.info

    def meta(self) -> Meta:
        """What could be asked when it was recorded."""
        return self._recording.meta

    def directory(self) -> Directory:
        """The recorded keys and workspaces.

        Raises:
            SourceError: as it was recorded, or if nobody asked for them.
        """
        found = self._recording.directory
        if found is None:
            raise SourceError(
                Reason.NOT_ANSWERABLE,
                "the account's keys are not in this snapshot: record again with `orpolicy snapshot`",
            )
        return _given(found)

    def guardrails(self) -> tuple[Guardrail, ...] | None:
        """The recorded guardrails; None if nobody asked for them.

        Raises:
            SourceError: as it was recorded.
        """
        found = self._recording.guardrails
        return None if found is None else _given(found)

    def catalogue(self) -> Catalog | None:
        """The recorded catalogue, unless the run brings another.

        Raises:
            SourceError: as it was recorded.
        """
        found = self._given or self._recording.catalogue
        return None if found is None else _given(found)

    def answer(self, query: Query) -> Answer:
        """The recorded answer, or one that follows from those.

        Raises:
            SourceError: as it was recorded, or NOT_ANSWERABLE if it does not follow.
        """
        return _given(self._replay.outcome(query))


def _given(outcome: T | SourceError) -> T:
    if isinstance(outcome, SourceError):
        raise outcome
    return outcome
