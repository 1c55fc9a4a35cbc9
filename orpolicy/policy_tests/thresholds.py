"""Which thresholds the tests cross from both sides, by what was really measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.plugins import RULES
from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.policy.model import Thresholds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.location import Location
    from orpolicy.policy.model import Policy, PolicySet
    from orpolicy.policy_tests.trial import Judged, Trial


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold of a policy, and on which sides of it some test has a judged subject.

    Attributes:
        key: ``fail_above`` and so on.
        location: of its value; of the policy where it is the kind's default.
        breached: whether some subject breaches it.
        kept: whether some subject does not.
    """

    policy: str
    key: str
    limit: float
    location: Location
    breached: bool = False
    kept: bool = False

    @property
    def is_crossed(self) -> bool:
        """Whether tests have both."""
        return self.breached and self.kept


@dataclass(frozen=True, slots=True)
class Coverage:
    """The thresholds of all policies of a run, in file order."""

    thresholds: tuple[Threshold, ...]

    @property
    def crossed(self) -> int:
        """How many have subjects on both sides."""
        return sum(threshold.is_crossed for threshold in self.thresholds)

    @property
    def percent(self) -> float:
        """Of the thresholds, 0 to 100; 100 where there is none."""
        return 100.0 * self.crossed / len(self.thresholds) if self.thresholds else 100.0


def coverage_of(policies: PolicySet, trials: Sequence[Trial]) -> Coverage:
    """The coverage by tests; one that is known to fail proves nothing and does not count."""
    counted = [trial for trial in trials if not trial.case.todo]
    found: list[Threshold] = []
    for policy in policies.policies:
        judged = [trial.judged[policy.id] for trial in counted if policy.id in trial.judged]
        found += sorted(_thresholds(policy, judged), key=lambda threshold: threshold.location)
    return Coverage(tuple(found))


def _thresholds(policy: Policy, judged: Sequence[Judged]) -> Iterable[Threshold]:
    limits = _limits(policy)
    for key in THRESHOLD_KEYS:
        limit: float | None = getattr(limits, key)
        if limit is not None:
            alone = Thresholds(**{key: limit})
            sides = {side for each in judged for side in _sides(each, alone)}
            yield Threshold(policy.id, key, limit, policy.place(key), True in sides, False in sides)


def _limits(policy: Policy) -> Thresholds:
    return policy.thresholds if policy.thresholds != Thresholds() else RULES[policy.rule].default_thresholds


def _sides(judged: Judged, threshold: Thresholds) -> Iterable[bool]:
    """True for each subject that breaches a threshold, False for each that does not.

    What a kind is not about, such as a model that is not banned, breaches nothing either. A subject that
    would breach nothing whatever its value proves nothing of the threshold.
    """
    if judged.outsiders:
        yield False
    for seen in judged.seen:
        if seen.may_breach:
            yield threshold.crossed(seen.value, reaching=judged.reaching) is not None
