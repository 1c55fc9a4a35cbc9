"""What the schema cannot say about a policy, a waiver or a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import PolicyError
from orpolicy.location import Fault, Problem
from orpolicy.period import parse_moment
from orpolicy.policy.names import unknown_dimension, unknown_metrics
from orpolicy.policy.patterns import HASH_PREFIX, SET_PREFIX
from orpolicy.policy.reading import text, window_fault
from orpolicy.policy.validation import near_miss
from orpolicy.query.vocabulary import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orpolicy.location import Location
    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import Json, Policy
    from orpolicy.policy.reading import Item
    from orpolicy.policy.sets import Sets

_MOST_NAMED = 8


def policy_problems(policy: Policy, kind: Kind, models: Sets) -> Iterator[Problem]:
    """What is wrong with a policy that the schema admits."""
    yield from _threshold_problems(policy)
    try:
        patterns = kind.read(policy)
    except PolicyError as error:
        yield from error.problems
        return
    for pattern in patterns:
        if fault := models.fault(pattern):
            yield fault.at(_place_of(policy, pattern))


def window_problems(item: Item) -> Iterator[Problem]:
    """What is wrong with a policy's window."""
    if fault := window_fault(item.data["window"]):
        yield Problem(item.place("window"), fault, code=Code.BAD_TIME)


def dimension_problems(item: Item, keys: Iterable[str]) -> Iterator[Problem]:
    """The dimensions that the language does not know.

    Args:
        item: a policy or a waiver.
        keys: which of ``by`` and ``where`` have the right shape.
    """
    for key in keys:
        names = item.data.get(key)
        for step, name in enumerate(names) if isinstance(names, list) else ():
            if name not in DIMENSIONS:
                yield unknown_dimension(str(name), item.place(key, step))
        for name in names if isinstance(names, dict) else ():
            if name not in DIMENSIONS:
                yield unknown_dimension(name, item.place(key, name))


def metric_problems(policy: Policy, kind: Kind) -> Iterator[Problem]:
    """The metrics that the language does not know, of a policy whose settings make sense."""
    try:
        yield from unknown_metrics(policy, kind.metrics(policy))
    except PolicyError:
        return


def selector_problems(item: Item, sets: Mapping[str, Sets]) -> Iterator[Problem]:
    """What is wrong with the patterns of ``where``."""
    where = item.data.get("where")
    for dimension, value in where.items() if isinstance(where, dict) else ():
        for pattern, trail in _patterns(value, ("where", dimension)):
            if fault := _pattern_fault(dimension, pattern, sets):
                yield fault.at(item.place(*trail))


def reference_problems(name: str, place: Location, ids: Mapping[str, object] | None) -> Iterator[Problem]:
    """Whether the policy that a waiver or an expectation names exists.

    Args:
        name: the policy's id.
        place: where it is named.
        ids: every policy's id; None where they are not all known.
    """
    if ids is not None and name not in ids:
        message = f"there is no policy {name!r}"
        known = f"there are: {', '.join(ids)}" if len(ids) <= _MOST_NAMED else ""
        yield Problem(place, message, near_miss(name, ids) or known, code=Code.UNKNOWN_POLICY)


def case_problems(item: Item, ids: Mapping[str, object] | None) -> Iterator[Problem]:
    """What is wrong with a unit test of policies."""
    try:
        parse_moment(text(item.data, "now"))
    except ValueError as error:
        yield Problem(item.place("now"), f"now: {error}", code=Code.BAD_TIME)
    expected = item.data.get("expect")
    for index, entry in enumerate(expected if isinstance(expected, list) else ()):
        name = text(entry if isinstance(entry, dict) else {}, "policy")
        yield from reference_problems(name, item.place("expect", index, "policy"), ids)


def _threshold_problems(policy: Policy) -> Iterator[Problem]:
    limits = policy.thresholds
    for side, fail, warn, nearer in (
        ("above", limits.fail_above, limits.warn_above, "below"),
        ("below", limits.fail_below, limits.warn_below, "above"),
    ):
        if fail is None or warn is None:
            continue
        if warn >= fail if side == "above" else warn <= fail:
            message = f"warn_{side} {warn:g} can never show: fail_{side} {fail:g} is reached first"
            hint = f"set warn_{side} {nearer} {fail:g}"
            place = policy.overridden(f"fail_{side}") or policy.place(f"warn_{side}")
            yield Problem(place, message, hint, code=Code.HIDDEN_WARNING)


def _patterns(value: Json, trail: tuple[str | int, ...]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Every pattern of a selector with its trail."""
    if isinstance(value, str):
        yield value, trail
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _patterns(entry, (*trail, index))
    else:
        excluded = value.get("not") if isinstance(value, dict) else []
        yield from _patterns(excluded, (*trail, "not"))


def _pattern_fault(dimension: str, pattern: str, sets: Mapping[str, Sets]) -> Fault | None:
    if dimension in sets:
        return sets[dimension].fault(pattern)
    if pattern.startswith(SET_PREFIX):
        message = f"{dimension} has no sets: they are of api_key_id and model"
        return Fault(Code.BAD_PATTERN, message, f"to match the text itself, write ?{pattern[1:]}")
    if pattern.startswith(HASH_PREFIX):
        message = f"hash: names an API key, and {dimension} is something else"
        return Fault(Code.BAD_PATTERN, message, "use where: {api_key_id: ...}")
    return None


def _place_of(policy: Policy, pattern: str) -> Location:
    """Where one of the kind's own model patterns stands."""
    for key, value in policy.settings.items():
        values = value if isinstance(value, list) else [value]
        if pattern in values:
            return policy.place(f"{key}[{values.index(pattern)}]" if isinstance(value, list) else key)
    return policy.location
