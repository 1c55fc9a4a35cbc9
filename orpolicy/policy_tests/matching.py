"""What a test expects, held against what its policies said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.policy_tests.model import Amount
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
    """

    expectation: Expectation
    judged: Judged
    finding: Finding | None = None
    seen: Seen | None = None
    differences: tuple[Difference, ...] = ()


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
    def agrees(self) -> bool:
        """Whether all came as expected, and nothing else."""
        return not self.missing and not self.unexpected


def compare(trial: Trial) -> Comparison:
    """Pair expectations with findings so that as many as possible agree; each finding is expected once."""
    findings = [finding for judged in trial.judged.values() for finding in judged.findings]
    expected = [each for each in trial.case.expectations if each.is_finding]
    gaps = [[_gap(trial, each, finding) for finding in findings] for each in expected]
    pairs = paired([[gap == () for gap in row] for row in gaps])
    left = [number for number in range(len(findings)) if number not in pairs.values()]
    missing: list[Missing] = []
    met: list[tuple[Expectation, Finding | None]] = []
    free = list(left)
    rows = iter(range(len(expected)))
    for each in trial.case.expectations:
        row = next(rows) if each.is_finding else None
        if row is None:
            found = _unmet(trial, each)
        elif row in pairs:
            met.append((each, findings[pairs[row]]))
            continue
        else:
            found = _nearest(trial, each, gaps[row], findings, free)
        if found is None:
            met.append((each, None))
        else:
            missing.append(found)
    return Comparison(tuple(missing), tuple(findings[number] for number in left), tuple(met))


def paired(fits: Sequence[Sequence[bool]]) -> dict[int, int]:
    """As many rows as possible, each with a column of its own that fits it (Kuhn's augmenting paths)."""
    taken: dict[int, int] = {}

    def place(row: int, tried: set[int]) -> bool:
        for column, fit in enumerate(fits[row]):
            if fit and column not in tried:
                tried.add(column)
                if column not in taken or place(taken[column], tried):
                    taken[column] = row
                    return True
        return False

    for row in range(len(fits)):
        place(row, set())
    return {row: column for column, row in taken.items()}


def _gap(trial: Trial, expectation: Expectation, finding: Finding) -> tuple[Difference, ...] | None:
    """Where a finding differs from what is expected; None where it is another policy's."""
    if finding.policy != expectation.policy:
        return None
    return tuple(_differences(trial, expectation, finding))


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


def _nearest(
    trial: Trial,
    expectation: Expectation,
    gaps: Sequence[tuple[Difference, ...] | None],
    findings: Sequence[Finding],
    free: list[int],
) -> Missing:
    """An expected finding that is not there, with what comes nearest; a finding is shown once."""
    judged = trial.judged[expectation.policy]
    near = [(len(gap), number) for number in free if (gap := gaps[number]) is not None]
    if near:
        number = min(near)[1]
        free.remove(number)
        return Missing(expectation, judged, findings[number], None, gaps[number] or ())
    seen = _passing(trial, expectation, judged)
    if not seen:
        return Missing(expectation, judged)
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
