"""What a run would ask, worked out without asking it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from orpolicy.account import Directory
from orpolicy.catalog.model import Catalog
from orpolicy.gather import opening_needs
from orpolicy.query.fuse import fuse
from orpolicy.query.model import Meta
from orpolicy.query.vocabulary import DIMENSIONS, METRICS
from orpolicy.sources.base import Source, SourceInfo
from orpolicy.staging import set_stage

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.policy.model import PolicySet
    from orpolicy.query.model import Answer, Query
    from orpolicy.sources.base import Setting
    from orpolicy.staging import Choice, Stage


@dataclass(frozen=True, slots=True)
class PlannedQuery:
    """One query and the policies that share it."""

    query: Query
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would ask.

    Attributes:
        queries: of the first round, control totals first.
        account_requests: requests for meta, keys, workspaces, guardrails and models, at least.
        unasked: policies that cannot be asked, with the reason.
        later: what may be asked after the first answers.
    """

    queries: tuple[PlannedQuery, ...]
    account_requests: int
    unasked: tuple[tuple[str, str], ...]
    later: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line."""
        policies = {name for query in self.queries for name in query.policies if not name.startswith("(")}
        return (
            f"{len(self.queries)} queries for {len(policies)} policies, and {self.account_requests} requests "
            "about the account"
        )

    def as_json(self) -> dict[str, object]:
        """The plan for machines."""
        return {
            "queries": [
                {"id": f"q{number}", "policies": list(item.policies), "request": item.query.body()}
                for number, item in enumerate(self.queries, 1)
            ],
            "account_requests": self.account_requests,
            "unasked": [{"policy": name, "reason": why} for name, why in self.unasked],
            "later": list(self.later),
        }


class Nobody(Source):
    """Stands in for an account that is not asked: everything the language knows, and unique key names."""

    kind = "openrouter"

    def __init__(self, now: datetime, catalogue: Catalog | None = None) -> None:
        self._now = now
        self._catalogue = catalogue or Catalog(())

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """Nothing is opened.

        Raises:
            ValueError: if the setting has no clock.
        """
        if setting.now is None:
            raise ValueError("nobody has no clock")
        return cls(setting.now)

    @property
    def now(self) -> datetime:
        """The clock it was given."""
        return self._now

    def info(self) -> SourceInfo:
        """Nothing was asked."""
        return SourceInfo(self.kind, "", 0)

    def meta(self) -> Meta:
        """The shipped vocabulary."""
        return Meta({name: not metric.additive for name, metric in METRICS.items()}, frozenset(DIMENSIONS))

    def directory(self) -> Directory:
        """No key is known."""
        return Directory()

    def catalogue(self) -> Catalog:
        """The given one, or one without models: the sets do not change what is asked."""
        return self._catalogue

    def answer(self, query: Query) -> Answer:
        """Nobody answers.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"nobody answers {query}")


def make_plan(policies: PolicySet, source: Source, choice: Choice) -> Plan:
    """The plan of a run on a source that is asked about the account, not for figures.

    Raises:
        UsageError: as ``set_stage``.
        PolicyError: as ``set_stage``.
    """
    stage = set_stage(policies, source, choice)
    needs = [stage.total, *(need for bound in stage.bounds for need in opening_needs(bound))]
    shapes = fuse(needs, stage.base_metrics) if stage.bounds else ()
    return Plan(
        queries=tuple(PlannedQuery(query, shape.policies) for shape in shapes for query in shape.queries),
        account_requests=(4 if stage.names_keys else 2) + (3 if stage.lists_guardrails else 0),
        unasked=tuple((name, error.detail) for name, error in stage.failed.items()),
        later=tuple(_later(stage)),
    )


def _later(stage: Stage) -> list[str]:
    pushed = [bound.policy.id for bound in stage.bounds if any(part.pushed for part in bound.slices)]
    lines = [f"{name}: asked once it is known what its `where` matches" for name in pushed]
    if any(bound.tells_keys_apart for bound in stage.bounds):
        lines.append("one query for each key that shares its name with another")
    return [*lines, "at most one query a window for the keys and models behind what breaches"]
