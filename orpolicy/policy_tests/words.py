"""Expectations and findings as one would write them into a test, and what came of it in words."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from orpolicy.errors import Reason
from orpolicy.policy.scalars import ScalarError, resolve
from orpolicy.policy_tests.model import Amount
from orpolicy.policy_tests.outcome import Ending
from orpolicy.reporters._words import plural
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.finding import Finding
    from orpolicy.policy_tests.matching import Difference, Missing
    from orpolicy.policy_tests.model import Expectation
    from orpolicy.policy_tests.outcome import Outcome, Result
    from orpolicy.policy_tests.thresholds import Coverage, Threshold
    from orpolicy.policy_tests.trial import Judged

FIXED = "it passes although it is marked as todo: take the mark away"
MOST_SUBJECTS = 5
"""So many of the judged subjects are named where the expected one is not among them."""

_WHOLE_FROM = 1e7
_HINTS = {
    Reason.NO_CATALOGUE: " (the test has no catalog:)",
    Reason.UNKNOWN_METRIC: " (no row of the test has it)",
    Reason.UNKNOWN_DIMENSION: " (no row of the test has it)",
}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*(?: [A-Za-z0-9._/+-]+)*")


def figure(value: float) -> str:
    """A number that a test may take over: seven digits, closer than the tolerance of tests."""
    return f"{value:.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.7g}"


def amount(value: Amount) -> str:
    """A number, or the limits of a span, as in a test."""
    if value.least == value.most:
        return figure(value.least)
    limits = (("min", value.least), ("max", value.most))
    return _flow({key: figure(limit) for key, limit in limits if math.isfinite(limit)})


def expected(expectation: Expectation) -> str:
    """An expectation as it may be written."""
    entry = {"policy": scalar(expectation.policy), "verdict": str(expectation.verdict)}
    entry |= {name: scalar(member) for name, member in expectation.subject.items()}
    if expectation.status is not Status.OPEN:
        entry["status"] = str(expectation.status)
    if expectation.reason:
        entry["reason"] = str(expectation.reason)
    if expectation.measure:
        entry["measure"] = amount(expectation.measure)
    if expectation.savings:
        entry["savings"] = _flow({level: amount(value) for level, value in expectation.savings.items()})
    return _flow(entry)


def found(finding: Finding) -> str:
    """A finding as the expectation that it would fulfil."""
    entry = {"policy": scalar(finding.policy), "verdict": str(finding.verdict)}
    entry |= {name: scalar(member) for name, member in finding.subject.items()}
    if finding.status is not Status.OPEN:
        entry["status"] = str(finding.status)
    return _flow({**entry, "measure": figure(finding.measure.value)})


def got(missing: Missing) -> Iterator[str]:
    """What there is instead of what was expected; the first line as an expectation where it can be."""
    result = missing.judged.result
    if missing.finding:
        yield found(missing.finding)
    elif missing.seen:
        members = {name: scalar(member) for name, member in missing.seen.subject.items()}
        head = {"policy": scalar(result.id), "verdict": str(Verdict.PASS)}
        yield _flow({**head, **members, "measure": figure(missing.seen.value)})
    elif result.reason:
        entry = {"policy": scalar(result.id), "verdict": str(result.verdict), "reason": str(result.reason)}
        yield _flow(entry)
        yield f"{missing.judged.detail}{_HINTS.get(result.reason, '')}"
    elif missing.expectation.verdict is Verdict.INCONCLUSIVE:
        yield _flow({"policy": scalar(result.id), "verdict": str(result.verdict)})
    elif missing.is_double:
        yield "another expectation has this finding: each is expected once"
    else:
        yield _nobody(missing.judged)
    yield from map(difference, missing.differences)


def difference(item: Difference) -> str:
    """One field: ``measure: expected 0.25, got 0.2 (0.05 too low)``."""
    wanted = amount(item.expected) if isinstance(item.expected, Amount) else scalar(item.expected)
    value = figure(item.got) if isinstance(item.got, int | float) else scalar(item.got)
    if isinstance(item.expected, Amount) and item.got is None:
        value = "no figure"
    side = (
        "" if not item.off_by else f" ({figure(abs(item.off_by))} too {'low' if item.off_by < 0 else 'high'})"
    )
    return f"{item.field}: expected {wanted}, got {value}{side}"


def _nobody(judged: Judged) -> str:
    """That no judged subject is the expected one, and who is judged instead."""
    result = judged.result
    facts = [f"{plural(result.rows_judged, 'subject')} judged"]
    if result.rows_under_floor:
        facts.append(f"{result.rows_under_floor} under the floor")
    if result.rows_not_applicable:
        facts.append(f"{result.rows_not_applicable} that the measure does not apply to")
    names = [
        _flow({name: scalar(member) for name, member in seen.subject.items()})
        for seen in judged.seen[:MOST_SUBJECTS]
    ]
    more = ["..."] if len(judged.seen) > MOST_SUBJECTS else []
    listed = f": {', '.join([*names, *more])}" if names else ""
    return f"no such subject of {result.id}; {', '.join(facts)}{listed}"


def scalar(text: str | None) -> str:
    """A text as YAML reads it back, quoted where it must be."""
    if text is None:
        return "null"
    try:
        is_plain = _PLAIN.fullmatch(text) is not None and resolve(text, None) == text
    except ScalarError:
        is_plain = False
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _flow(entry: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in entry.items()) + "}"


def gist(result: Result) -> str:
    """How a test that is not well ended: ``2 missing, 1 unexpected``."""
    if result.ending is Ending.FIXED:
        return FIXED
    counts = {"missing": len(result.comparison.missing), "unexpected": len(result.comparison.others)}
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number)


def tally(outcome: Outcome) -> str:
    """``3 tests: 1 ok, 1 failed, 1 todo``."""
    if not outcome.results:
        return "no tests (tests: is where they go)"
    words = {
        Ending.OK: "ok",
        Ending.FAILED: "failed",
        Ending.FIXED: "todo but passing",
        Ending.TODO: "todo",
    }
    counts = [f"{number} {word}" for ending, word in words.items() if (number := outcome.count(ending))]
    return f"{plural(len(outcome.results), 'test')}: {', '.join(counts)}"


def covered(coverage: Coverage, least_percent: float | None) -> str:
    """How many thresholds are crossed, and how many should be."""
    if not coverage.thresholds:
        return "no policy has a threshold"
    is_enough = coverage.percent >= (least_percent or 0.0)
    asked = "" if is_enough else f", {least_percent:g} % asked for"
    return (
        f"{percent(coverage)} of {plural(len(coverage.thresholds), 'threshold')} "
        f"crossed from both sides{asked}"
    )


def percent(coverage: Coverage) -> str:
    """Rounded down, so that 100 % is all of them."""
    return f"{math.floor(coverage.percent)} %"


def gap(threshold: Threshold) -> str:
    """What tests lack."""
    if threshold.is_crossed:
        return "both sides"
    if threshold.breached:
        return "nothing passes it"
    return "nothing breaches it" if threshold.kept else "never judged"
