"""Answers out of a recording: the very ones, and what follows from them.

A question is answered by the answer to the same question, in the order in which it was asked. Failing that
by an answer to the same question with more metrics. Failing that by one that follows from others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.errors import Reason, SourceError
from orpolicy.query.model import Answer
from orpolicy.sources._snapshot_model import identity_of
from orpolicy.table import Table

if TYPE_CHECKING:
    from orpolicy.query.model import Query
    from orpolicy.sources._snapshot_derive import Derivation
    from orpolicy.sources._snapshot_model import Asked, Identity, Outcome, Recording


class Replay:
    """A recording that can be asked."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._times: Counter[tuple[Identity, tuple[str, ...]]] = Counter()

    def outcome(self, query: Query) -> Outcome:
        """What the recorded run learnt about a question, or would have."""
        return (
            self._same(query) or self._wider(query) or self._derivation.answer(query) or _not_recorded(query)
        )

    @cached_property
    def _by_identity(self) -> dict[Identity, list[Asked]]:
        groups: dict[Identity, list[Asked]] = {}
        for asked in self._recording.answers:
            groups.setdefault(asked.identity, []).append(asked)
        return groups

    def _same(self, query: Query) -> Outcome | None:
        """The outcome of the same question; of one that was asked several times the next one, in a circle."""
        alike = self._by_identity.get(identity_of(query), ())
        same = [asked for asked in alike if asked.query.metrics == query.metrics]
        if not same:
            return None
        key = (identity_of(query), query.metrics)
        outcome = same[self._times[key] % len(same)].outcome
        self._times[key] += 1
        return replace(outcome, query=query) if isinstance(outcome, Answer) else outcome

    def _wider(self, query: Query) -> Outcome | None:
        """The answer to the same question, without the metrics that were also asked."""
        answers = [
            asked.outcome
            for asked in self._by_identity.get(identity_of(query), ())
            if set(query.metrics) <= set(asked.query.metrics) and isinstance(asked.outcome, Answer)
        ]
        if not answers:
            return None
        best = min(answers, key=lambda answer: answer.truncated)
        metrics = {name: best.table.metrics[name] for name in query.metrics}
        return replace(best, query=query, table=Table(best.table.dimensions, metrics))

    @cached_property
    def _derivation(self) -> Derivation:
        from orpolicy.sources._snapshot_derive import Derivation  # noqa: PLC0415 - most runs ask what was asked

        return Derivation(self._recording)


def _not_recorded(query: Query) -> SourceError:
    by = ", ".join(query.dimensions) or "all traffic"
    bucket = f" by {query.granularity}" if query.granularity else ""
    only = f" of some {' and '.join(sorted({item.field for item in query.filters}))}" if query.filters else ""
    return SourceError(
        Reason.NOT_ANSWERABLE,
        f"{by}{bucket}{only} in {query.window} is not in this snapshot: "
        "record again with `orpolicy snapshot`",
    )
