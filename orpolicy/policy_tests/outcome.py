"""What came of all tests of a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from orpolicy.errors import PolicyError
from orpolicy.policy_tests.matching import Comparison, compare
from orpolicy.policy_tests.thresholds import Coverage, coverage_of
from orpolicy.policy_tests.trial import try_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.location import Problem
    from orpolicy.policy.model import PolicySet
    from orpolicy.policy_tests.model import Case
    from orpolicy.policy_tests.trial import Trial


class Ending(StrEnum):
    """How a test ended."""

    OK = "ok"
    FAILED = "failed"
    TODO = "todo"
    """It failed, as was known."""
    FIXED = "fixed"
    """It passes though it is marked as known to fail: the mark is to be taken away."""


@dataclass(frozen=True, slots=True)
class Result:
    """One test with what came of it."""

    trial: Trial
    comparison: Comparison

    @property
    def case(self) -> Case:
        """The test."""
        return self.trial.case

    @property
    def ending(self) -> Ending:
        """How it ended."""
        if self.case.todo:
            return Ending.FIXED if self.comparison.agrees else Ending.TODO
        return Ending.OK if self.comparison.agrees else Ending.FAILED


@dataclass(frozen=True, slots=True)
class Outcome:
    """All tests of a run, and the thresholds that they cross.

    Attributes:
        results: in file order.
        coverage: None where only some tests were run.
        least_percent: what the coverage must reach, or None.
    """

    results: tuple[Result, ...]
    coverage: Coverage | None
    least_percent: float | None = None

    def count(self, ending: Ending) -> int:
        """How many tests ended so."""
        return sum(result.ending is ending for result in self.results)

    @property
    def is_covered(self) -> bool:
        """Whether the coverage is as high as it must be."""
        return self.coverage is None or self.coverage.percent >= (self.least_percent or 0.0)

    @property
    def passes(self) -> bool:
        """Whether every test ended as it should, and the coverage is high enough."""
        return not (self.count(Ending.FAILED) or self.count(Ending.FIXED)) and self.is_covered


def run_tests(
    cases: Sequence[Case], policies: PolicySet, least_percent: float | None = None, *, partial: bool = False
) -> Outcome:
    """Run tests one after the other.

    Args:
        cases: what to run.
        policies: of all files.
        least_percent: the coverage that is asked for, or None.
        partial: whether other tests were left out, so that coverage would mean nothing.

    Raises:
        PolicyError: with all tests that cannot be run.
    """
    problems: list[Problem] = []
    trials: list[Trial] = []
    for case in cases:
        try:
            trials.append(try_out(case, policies))
        except PolicyError as error:
            problems += error.problems
    if problems:
        raise PolicyError(list(dict.fromkeys(problems)))
    results = tuple(Result(trial, compare(trial)) for trial in trials)
    return Outcome(results, None if partial else coverage_of(policies, trials), least_percent)
