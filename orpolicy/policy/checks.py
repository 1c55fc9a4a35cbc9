"""What the schema cannot say about a policy, a waiver or a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.errors import PolicyError
from orpolicy.location import Problem
from orpolicy.period import parse_moment
from orpolicy.policy.patterns import HASH_PREFIX, SET_PREFIX
from orpolicy.policy.reading import text, window_fault
from orpolicy.policy.validation import near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.location import Location
    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import Json, Policy
    from orpolicy.policy.reading import Item
    from orpolicy.policy.sets import Sets


def policy_problems(policy: Policy, kind: Kind, models: Sets) -> Iterator[Problem]:
    """What is wrong with a policy that the schema admits."""
    yield from _threshold_problems(policy)
    try:
        patterns = kind.read(policy)
    except PolicyError as error:
        yield from error.problems
        return
    for pattern in patterns:
        message, hint = models.fault(pattern)
        if message:
            yield Problem(_place_of(policy, pattern), message, hint)


def window_problems(item: Item) -> Iterator[Problem]:
    """What is wrong with a policy's window."""
    if fault := window_fault(item.data["window"]):
        yield Problem(item.place("window"), fault)


def selector_problems(item: Item, sets: Mapping[str, Sets]) -> Iterator[Problem]:
    """What is wrong with the patterns of ``where``."""
    where = item.data.get("where")
    for dimension, value in where.items() if isinstance(where, dict) else ():
        for pattern, trail in _patterns(value, ("where", dimension)):
            message, hint = _pattern_fault(dimension, pattern, sets)
            if message:
                yield Problem(item.place(*trail), message, hint)


def reference_problems(name: str, place: Location, ids: Mapping[str, Location] | None) -> Iterator[Problem]:
    """Whether the policy that a waiver or an expectation names exists.

    Args:
        name: the policy's id.
        place: where it is named.
        ids: every policy's id; None where they are not all known.
    """
    if ids is not None and name not in ids:
        yield Problem(place, f"there is no policy {name!r}", near_miss(name, ids))


def case_problems(item: Item, ids: Mapping[str, Location] | None) -> Iterator[Problem]:
    """What is wrong with a unit test of policies."""
    try:
        parse_moment(text(item.data, "now"))
    except ValueError as error:
        yield Problem(item.place("now"), f"now: {error}")
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
            yield Problem(policy.place(f"warn_{side}"), message, f"set warn_{side} {nearer} {fail:g}")


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


def _pattern_fault(dimension: str, pattern: str, sets: Mapping[str, Sets]) -> tuple[str, str]:
    if dimension in sets:
        return sets[dimension].fault(pattern)
    if pattern.startswith(SET_PREFIX):
        hint = f"to match the text itself, write ?{pattern[1:]}"
        return f"{dimension} has no sets: they are of api_key_id and model", hint
    if pattern.startswith(HASH_PREFIX):
        return f"hash: names an API key, and {dimension} is something else", "use where: {api_key_id: ...}"
    return "", ""


def _place_of(policy: Policy, pattern: str) -> Location:
    """Where one of the kind's own model patterns stands."""
    for key, value in policy.settings.items():
        values = value if isinstance(value, list) else [value]
        if pattern in values:
            return policy.place(f"{key}[{values.index(pattern)}]" if isinstance(value, list) else key)
    return policy.location
