"""A run whose source is written down: every answer that it got, and a few more that others may want."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar, cast

from orpolicy.account import Directory
from orpolicy.codes import Code
from orpolicy.disguise import disguised
from orpolicy.errors import SourceError, UsageError
from orpolicy.fetch import MAX_QUERIES
from orpolicy.gather import attempt
from orpolicy.lint import lint
from orpolicy.query.model import Answer
from orpolicy.query.vocabulary import SPEND
from orpolicy.sources._snapshot_model import Asked, Recording
from orpolicy.sources.base import Source
from orpolicy.supplement import KEY, by_hash, plainer, supplement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from orpolicy.account import ApiKey, Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.period import Window
    from orpolicy.policy.model import PolicySet
    from orpolicy.pseudonyms import Pseudonyms
    from orpolicy.query.model import Meta, Query
    from orpolicy.report import Report
    from orpolicy.sources.base import Setting, SourceInfo
    from orpolicy.staging import Choice
    from orpolicy.table import Member

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run with what it learnt from its source.

    Attributes:
        report: of the run.
        recording: from which the same report can be made again.
        asked: how many of the recording's answers the run itself asked for; the others come after them.
    """

    report: Report
    recording: Recording
    asked: int


def record(
    policies: PolicySet, source: Source, choice: Choice, *, only_asked: bool = False, redact: bool = False
) -> Recorded:
    """Run policies and keep what the source said.

    Args:
        policies: what the files say.
        source: where figures come from.
        choice: which of the policies, and when.
        only_asked: whether nothing is asked beyond what the run needs.
        redact: whether pseudonyms stand for the names of keys, users, apps and workspaces.

    Raises:
        SourceError: if not even what can be asked was to be learnt.
        UsageError: as ``lint``.
        PolicyError: as ``lint``.
    """
    recorder = Recorder(source)
    report = lint(policies, recorder, choice)
    asked = len(recorder.asked)
    if not only_asked:
        recorder.supplement(report)
    recording = recorder.recording()
    return Recorded(report, disguised(recording, policies) if redact else recording, asked)


class Recorder(Source):
    """Passes every question on to another source, and remembers what came of it."""

    kind: ClassVar[str] = "recorder"

    def __init__(self, source: Source) -> None:
        """Listen to what is asked of this source."""
        self._source = source
        self.asked: list[Asked] = []
        self._about: dict[str, object] = {}
        self._info = source.info()

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """Refuse: it records a source that is open already.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{setting.text!r} is not a source that can be opened", code=Code.BAD_SOURCE)

    @property
    def now(self) -> datetime:
        """The other's clock."""
        return self._source.now

    @property
    def pseudonyms(self) -> Pseudonyms | None:
        """The other's."""
        return self._source.pseudonyms

    def info(self) -> SourceInfo:
        """What the other says of itself, as the report has it."""
        self._info = self._source.info()
        return self._info

    def meta(self) -> Meta:
        """What can be asked of the other."""
        return self._once("meta", self._source.meta)

    def directory(self) -> Directory:
        """The other's keys and workspaces."""
        return self._once("directory", self._source.directory)

    def guardrails(self) -> tuple[Guardrail, ...] | None:
        """The other's guardrails."""
        return self._once("guardrails", self._source.guardrails)

    def catalogue(self) -> Catalog | None:
        """The other's catalogue."""
        return self._once("catalogue", self._source.catalogue)

    def answer(self, query: Query) -> Answer:
        """The other's answer."""
        (outcome,) = self.answers([query])
        if isinstance(outcome, SourceError):
            raise outcome
        return outcome

    def answers(self, queries: Sequence[Query]) -> list[Answer | SourceError]:
        """The other's answers."""
        outcomes = self._source.answers(queries)
        self.asked += map(Asked.of, queries, outcomes)
        return outcomes

    def supplement(self, report: Report) -> None:
        """Ask what other policies would want of the windows of a run, as far as a run's queries go."""
        meta = attempt(self.meta)
        if isinstance(meta, SourceError):
            return
        directory = attempt(self.directory) if KEY in meta.dimensions else Directory()
        keys = () if isinstance(directory, SourceError) else directory.keys
        for window in _windows(report):
            self._add(supplement(window, meta))
            self._add(by_hash(window, meta, self._dearest(window, keys)))

    def _dearest(self, window: Window, keys: Iterable[ApiKey]) -> list[str]:
        """The hashes of some keys; those first whose names spend most in a window."""
        by_key = [
            asked.outcome.table
            for asked in self.asked
            if (asked.query.window, asked.query.dimensions, asked.query.granularity) == (window, (KEY,), None)
            and isinstance(asked.outcome, Answer)
        ]
        spend_usd: dict[Member, float] = {}
        for table in by_key:
            figures = [float(usd or 0.0) for usd in table.metrics[SPEND]]
            spend_usd |= zip(table.dimensions[KEY], figures, strict=True)
        return [key.key_hash for key in sorted(keys, key=lambda key: -spend_usd.get(key.name, 0.0))]

    def recording(self) -> Recording:
        """What was learnt so far.

        Raises:
            SourceError: if not even what can be asked is known.
        """
        return Recording(
            now=self.now,
            info=self._info,
            meta=self.meta(),
            directory=attempt(self.directory) if "directory" in self._about else None,
            catalogue=attempt(self.catalogue),
            guardrails=attempt(self.guardrails) if "guardrails" in self._about else None,
            answers=tuple(self.asked),
            pseudonyms=self.pseudonyms,
        )

    def _once(self, name: str, ask: Callable[[], T]) -> T:
        """The outcome of a question about the account, remembered.

        Raises:
            SourceError: whenever it was the outcome.
        """
        if name not in self._about:
            self._about[name] = attempt(ask)
        outcome = self._about[name]
        if isinstance(outcome, SourceError):
            raise outcome
        return cast("T", outcome)

    def _add(self, queries: Iterable[Query]) -> None:
        """Ask what was not asked yet, and keep what came of it if it is of use."""
        known = {asked.query for asked in self.asked}
        fresh = [query for query in dict.fromkeys(queries) if query not in known]
        fresh = fresh[: max(MAX_QUERIES - len(self.asked), 0)]
        outcomes = dict(zip(fresh, self._source.answers(fresh), strict=True))
        failed = [query for query, outcome in outcomes.items() if isinstance(outcome, SourceError)]
        plain = [query for query in map(plainer, failed) if query not in outcomes and query not in known]
        outcomes |= dict(zip(plain, self._source.answers(plain), strict=True))
        self.asked += [Asked.of(query, outcome) for query, outcome in outcomes.items() if _is_of_use(outcome)]


def _is_of_use(outcome: Answer | SourceError) -> bool:
    """Whether anything can be made of an answer that nobody needed."""
    if isinstance(outcome, SourceError):
        return False
    return not (outcome.truncated and outcome.query.granularity)


def _windows(report: Report) -> list[Window]:
    """The windows that a run looked at, its own first."""
    own = [report.baseline.window] if report.baseline else []
    return list(dict.fromkeys([*own, *(policy.window for policy in report.policies if policy.window)]))
