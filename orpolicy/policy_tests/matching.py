"""What a test expects, held against what its policies said."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.policy_tests.model import Amount
from orpolicy.policy_tests.pairing import paired
from orpolicy.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.finding import Finding
    from orpolicy.policy_tests.model import Expectation
    from orpolicy.policy_tests.trial import Judged, Seen, Trial


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which an expectation and a finding differ.

    Attributes:
        field: as in the test: ``verdict``, ``model``, ``measure``, ``savings.low``.
        expected: what should be there.
        got: what is; None where there is nothing.
        off_by: how far a figure lies outside, negative below; None where no figure is compared.
    """

    field: str
    expected: str | Amount | None
    got: str | float | None
    off_by: float | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """An expectation that did not come true.

    Attributes:
        finding: the one that comes nearest, or None.
        seen: the judged subject that comes nearest where no finding does, or None.
        judged: what the policy said as a whole.
        differences: to the finding, or to the subject.
        is_double: whether such a finding is there, and another expectation of the test has it.
    """

    expectation: Expectation
    judged: Judged
    finding: Finding | None = None
    seen: Seen | None = None
    differences: tuple[Difference, ...] = ()
    is_double: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test's expectations against what came.

    Attributes:
        missing: in the test's order.
        unexpected: findings that no expectation speaks of, by policy, then as reports order them.
        met: expectations that came true, each with the finding where it is about one.
    """

    missing: tuple[Missing, ...]
    unexpected: tuple[Finding, ...]
    met: tuple[tuple[Expectation, Finding | None], ...]

    @property
    def others(self) -> tuple[Finding, ...]:
        """What is unexpected and comes nearest to nothing that was expected."""
        near = {id(missing.finding) for missing in self.missing}
        return tuple(finding for finding in self.unexpected if id(finding) not in near)

    @property
    def agrees(self) -> bool:
        """Whether all came as expected, and nothing else."""
        return not self.missing and not self.unexpected


def compare(trial: Trial) -> Comparison:
    """Pair expectations with findings so that as many as possible agree; each finding is expected once."""
    findings = [finding for judged in trial.judged.values() for finding in judged.findings]
    expected = [each for each in trial.case.expectations if each.is_finding]
    pairs = paired(list(_fits(trial, expected, findings)))
    agreed = {id(expected[row]): findings[column] for row, column in pairs.items()}
    taken = set(pairs.values())
    left = [finding for number, finding in enumerate(findings) if number not in taken]
    free = list(left)
    missing: list[Missing] = []
    met: list[tuple[Expectation, Finding | None]] = []
    for each in trial.case.expectations:
        finding = agreed.get(id(each))
        if finding is not None:
            met.append((each, finding))
        elif found := _nearest(trial, each, free) if each.is_finding else _unmet(trial, each):
            missing.append(found)
        else:
            met.append((each, None))
    return Comparison(tuple(missing), tuple(left), tuple(met))


def _fits(trial: Trial, expected: Sequence[Expectation], findings: Sequence[Finding]) -> Iterator[list[int]]:
    """The numbers of the findings that each expectation may mean."""
    by_member: dict[tuple[str, str, str | None], list[int]] = defaultdict(list)
    by_policy: dict[str, list[int]] = defaultdict(list)
    for number, finding in enumerate(findings):
        by_policy[finding.policy].append(number)
        for name, member in finding.subject.items():
            by_member[finding.policy, name, member].append(number)
    for each in expected:
        wanted = trial.account.display(each.subject)
        found = [by_member[each.policy, name, member] for name, member in wanted.items()]
        near = min(found, key=len, default=by_policy[each.policy])
        yield [number for number in near if not any(_differences(trial, each, findings[number]))]


def _differences(trial: Trial, expectation: Expectation, finding: Finding) -> Iterator[Difference]:
    for name, wanted, got in (
        ("verdict", expectation.verdict, finding.verdict),
        ("status", expectation.status, finding.status),
    ):
        if wanted is not got:
            yield Difference(name, wanted, got)
    yield from _other_subject(trial, expectation, finding.subject)
    if expectation.measure:
        yield from _off("measure", expectation.measure, finding.measure.value)
    for level, amount in expectation.savings.items():
        yield from _off(f"savings.{level}", amount, getattr(finding.savings, level))


def _other_subject(
    trial: Trial, expectation: Expectation, subject: Mapping[str, str | None]
) -> Iterator[Difference]:
    """The members that differ; a model may be named by any of its ids, a key by its hash."""
    for name, wanted in trial.account.display(expectation.subject).items():
        got = subject.get(name)
        if name not in subject or got != wanted:
            yield Difference(name, wanted, got)


def _off(name: str, amount: Amount, value: float | None) -> Iterator[Difference]:
    off_by = None if value is None else amount.off_by(value)
    if off_by != 0:
        yield Difference(name, amount, value, off_by)


def _nearest(trial: Trial, expectation: Expectation, free: list[Finding]) -> Missing:
    """An expected finding that is not there, with what comes nearest; a finding is shown once."""
    judged = trial.judged[expectation.policy]
    near = [
        (tuple(_differences(trial, expectation, finding)), number)
        for number, finding in enumerate(free)
        if finding.policy == expectation.policy
    ]
    if near:
        gap, number = min(near, key=lambda item: len(item[0]))
        return Missing(expectation, judged, free.pop(number), None, gap)
    seen = _passing(trial, expectation, judged)
    if not seen:
        fitting = (
            finding for finding in judged.findings if not any(_differences(trial, expectation, finding))
        )
        return Missing(expectation, judged, is_double=next(fitting, None) is not None)
    verdict = Difference("verdict", expectation.verdict, Verdict.PASS)
    off = _off("measure", expectation.measure, seen[0].value) if expectation.measure else ()
    return Missing(expectation, judged, None, seen[0], (verdict, *off))


def _unmet(trial: Trial, expectation: Expectation) -> Missing | None:
    """Why a pass or an inconclusive policy did not come as expected, or None if it did."""
    judged = trial.judged[expectation.policy]
    got = judged.result.verdict
    if expectation.verdict is Verdict.INCONCLUSIVE:
        reason = judged.result.reason
        if got is not Verdict.INCONCLUSIVE:
            return Missing(
                expectation, judged, differences=(Difference("verdict", expectation.verdict, got),)
            )
        if expectation.reason not in {None, reason}:
            return Missing(expectation, judged, differences=(_reason(expectation, judged),))
        return None
    if got is Verdict.INCONCLUSIVE:
        return Missing(expectation, judged, differences=(Difference("verdict", expectation.verdict, got),))
    return _no_pass(trial, expectation, judged)


def _reason(expectation: Expectation, judged: Judged) -> Difference:
    return Difference("reason", expectation.reason, judged.result.reason)


def _no_pass(trial: Trial, expectation: Expectation, judged: Judged) -> Missing | None:
    """Why a judged policy does not pass, or not the named subject."""
    wanted = expectation.subject
    for finding in judged.findings:
        is_meant = not wanted or not any(_other_subject(trial, expectation, finding.subject))
        if is_meant and (wanted or finding.status is expectation.status):
            verdict = Difference("verdict", expectation.verdict, finding.verdict)
            return Missing(expectation, judged, finding, None, (verdict,))
    if not wanted and expectation.measure is None:
        return None
    seen = _passing(trial, expectation, judged)
    if not seen:
        return Missing(expectation, judged)
    off = tuple(_off("measure", expectation.measure, seen[0].value)) if expectation.measure else ()
    return Missing(expectation, judged, None, seen[0], off) if off else None


def _passing(trial: Trial, expectation: Expectation, judged: Judged) -> list[Seen]:
    """The judged subjects that an expectation may mean and that have no finding, the best measure first."""
    found = [
        seen
        for seen in judged.seen
        if not any(_other_subject(trial, expectation, seen.subject))
        and all(finding.subject != seen.subject for finding in judged.findings)
    ]
    amount = expectation.measure or Amount()
    return sorted(found, key=lambda seen: abs(amount.off_by(seen.value)))
