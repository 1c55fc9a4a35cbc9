"""What a test expects, read and held against what its policies can say at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import Reason
from orpolicy.location import Problem
from orpolicy.plugins import RULES
from orpolicy.policy.reading import mapping, number, text
from orpolicy.policy_tests.model import Amount, Expectation
from orpolicy.query.vocabulary import DIMENSIONS
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.policy.model import Json, Policy
    from orpolicy.policy.reading import Item, Mapped

KEY, WORKSPACE, KEY_HASH = "api_key_id", "workspace", "key_hash"

_OF_FINDINGS = ("status", "savings")
_LEVELS = ("low", "expected", "high")


def read_expectation(item: Item, index: int, entry: Mapped) -> Expectation:
    """One entry of ``expect``, of the right shape."""
    return Expectation(
        policy=text(entry, "policy"),
        verdict=Verdict(text(entry, "verdict")),
        location=item.place("expect", index),
        subject=_subject(entry),
        status=Status(text(entry, "status") or Status.OPEN),
        reason=Reason(text(entry, "reason")) if "reason" in entry else None,
        measure=_amount(entry, "measure") if "measure" in entry else None,
        savings=dict(_savings(entry)),
    )


def expectation_problems(item: Item, index: int, entry: Mapped, policy: Policy) -> Iterator[Problem]:
    """What no run could ever fulfil."""
    for key, message in (*_unsaid(entry), *_foreign(entry, policy)):
        yield Problem(item.place("expect", index, key), message, code=Code.BAD_SETTING)
    for trail in _empty_spans(entry):
        message = f"{trail[-1]}: min is above max, so that nothing fits"
        yield Problem(item.place("expect", index, *trail), message, code=Code.BAD_SETTING)


def _subject(entry: Mapped) -> dict[str, str | None]:
    """The named members, as given."""
    return {
        name: value if isinstance(value := entry[name], str) else None
        for name in (*DIMENSIONS, KEY_HASH)
        if name in entry
    }


def _amount(data: Mapped, key: str) -> Amount:
    exact, span = number(data, key), mapping(data, key)
    if exact is not None:
        return Amount(exact, exact)
    least, most = number(span, "min"), number(span, "max")
    return Amount(-math.inf if least is None else least, math.inf if most is None else most)


def _savings(entry: Mapped) -> Iterator[tuple[str, Amount]]:
    """The figures of a saving that are expected; a bare number or span is the expected one."""
    figures = mapping(entry, "savings")
    if "savings" in entry and (not figures or not figures.keys().isdisjoint(("min", "max"))):
        yield "expected", _amount(entry, "savings")
    for level in _LEVELS:
        if level in figures:
            yield level, _amount(figures, level)


def _unsaid(entry: Mapped) -> Iterator[tuple[str, str]]:
    """Keys that do not go with the verdict."""
    verdict = text(entry, "verdict")
    is_inconclusive = verdict == Verdict.INCONCLUSIVE
    if "reason" in entry and not is_inconclusive:
        yield "reason", f"reason goes with the verdict inconclusive, not with {verdict}"
    for key in _OF_FINDINGS:
        if key in entry and verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}:
            yield key, f"{key} goes with a finding, and {verdict} is none"
    if is_inconclusive:
        for key in ("measure", *_subject(entry)):
            if key in entry:
                yield key, f"{key} says nothing here: an inconclusive policy judges no subject"
    savings = mapping(entry, "savings")
    if "expected" in savings and not savings.keys().isdisjoint(("min", "max")):
        yield "savings", "savings: min and max are of the expected figure, which is given as well"


def _foreign(entry: Mapped, policy: Policy) -> Iterator[tuple[str, str]]:
    """Dimensions by which the policy does not judge."""
    by = RULES[policy.rule].default_by if policy.by is None else policy.by
    known = {*by, *((WORKSPACE, KEY_HASH) if KEY in by else ())}
    for name in _subject(entry):
        if name not in known:
            judged = f"by {' and '.join(by)}" if by else "all traffic as one"
            yield name, f"{policy.id} judges {judged}, so that its findings have no {name}"


def _empty_spans(entry: Mapped) -> Iterator[tuple[str, ...]]:
    spans: list[tuple[tuple[str, ...], Json]] = [(("measure",), entry.get("measure"))]
    spans.append((("savings",), entry.get("savings")))
    spans += [(("savings", level), mapping(entry, "savings").get(level)) for level in _LEVELS]
    for trail, value in spans:
        span: Mapping[str, Json] = value if isinstance(value, dict) else {}
        least, most = number(span, "min"), number(span, "max")
        if least is not None and most is not None and least > most:
            yield trail
