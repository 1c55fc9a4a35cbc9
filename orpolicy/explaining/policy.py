"""One policy in plain words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from orpolicy.binding import DEFAULT_WINDOW
from orpolicy.plugins import RULES
from orpolicy.policy.model import Thresholds
from orpolicy.policy.patterns import SET_PREFIX
from orpolicy.reporters._figures import amount, money, share, span
from orpolicy.reporters._words import PLAIN, name, plural, prose
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.period import Window
    from orpolicy.policy.model import Floor, Json, Policy, PolicySet, Selector, Waiver
    from orpolicy.rules.base import Rule

NO_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def paragraph(policy: Policy, written: PolicySet, window: Window | None) -> str:
    """What is measured, for whom and when; when it warns or fails; what is left out, and who owns it.

    Args:
        policy: which one.
        written: all files, for the default window and the waivers.
        window: what the policy's window is today, or None where it has none.
    """
    rule = RULES[policy.rule].read(policy)
    sentences = [
        _measured(policy, rule, written, window),
        *_scope(policy.where, rule, written),
        *_settings(policy.settings),
        _limits(policy, rule),
        *_floor(policy.floor),
        *_character(policy),
        *(_waiver(item) for item in written.waivers if item.policy == policy.id),
        *_overrides(policy, written),
        *([f"It belongs to {name(policy.owner)}."] if policy.owner else []),
        *([f"Why: {_stopped(prose(policy.why))}"] if policy.why else []),
        *([f"More: {prose(policy.link)}"] if policy.link else []),
    ]
    return " ".join(sentences)


def _measured(policy: Policy, rule: Rule, written: PolicySet, window: Window | None) -> str:
    by = rule.default_by if policy.by is None else policy.by
    whom = "all traffic together" if not by else "each " + " and ".join(PLAIN.get(item, item) for item in by)
    text = policy.window or written.window or DEFAULT_WINDOW
    when = f"{text} (now {span(window)})" if window else text
    looks_back = f", against the {rule.history_periods} periods before it" if rule.history_periods else ""
    return f"It measures {rule.measures.replace('`', '')}, for {whom}, over {when}{looks_back}."


def _scope(where: Sequence[Selector], rule: Rule, written: PolicySet) -> Iterator[str]:
    for selector in where:
        called = PLAIN.get(selector.dimension, selector.dimension)
        sets = {"api_key_id": written.key_sets, "model": written.model_sets}.get(selector.dimension, {})
        if selector.include:
            yield f"Only where the {called} is {_either(selector.include, sets)}."
        if selector.exclude:
            yield f"Not where the {called} is {_either(selector.exclude, sets)}."
    if rule.models:
        yield f"It is about these models: {_either(rule.models, written.model_sets)}."


def _settings(settings: Mapping[str, Json]) -> Iterator[str]:
    """The kind's own keys, but for the models that were named already."""
    own = [f"{key} {_value(value)}" for key, value in settings.items() if key != "models"]
    if own:
        yield f"Settings of the kind: {'; '.join(own)}."


def _value(value: Json) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return prose(str(value))


def _limits(policy: Policy, rule: Rule) -> str:
    own = policy.thresholds != Thresholds()
    limits = policy.thresholds if own else rule.default_thresholds
    fails = "fails" if policy.severity is Severity.ERROR else "warns"
    at = "at or " if rule.reaching else ""
    said = [
        f"{verb} on any use"
        if rule.reaching and limit == 0
        else f"{verb} {at}{side} {amount(limit, rule.value_unit, 2)}"
        for verb, side, limit in (
            (fails, "above", limits.fail_above),
            (fails, "below", limits.fail_below),
            ("warns", "above", limits.warn_above),
            ("warns", "below", limits.warn_below),
        )
        if limit is not None
    ]
    default = "" if own else ", the kind's default"
    severity = "" if policy.severity is Severity.ERROR else f"; its severity is {policy.severity}"
    return f"It {' and '.join(said)}{default}{severity}."


def _floor(floor: Floor) -> Iterator[str]:
    least = [
        *([f"spend less than {money(floor.spend_usd)}"] if floor.spend_usd else []),
        *([f"have fewer than {plural(floor.requests, 'request')}"] if floor.requests else []),
        *([f"spend less than {share(floor.share)} of all spend"] if floor.share else []),
    ]
    if least:
        yield f"Rows that {' or '.join(least)} in the window are counted, not judged."


def _character(policy: Policy) -> Iterator[str]:
    if policy.replacement:
        yield f"Savings are priced on {name(policy.replacement)}."
    yield (
        "Matching nothing is a pass."
        if policy.allow_empty
        else "Matching nothing is inconclusive, not a pass."
    )
    if policy.locked:
        yield "It is locked: it can neither be waived nor accepted by a baseline."


def _waiver(waiver: Waiver) -> str:
    where = " and ".join(
        f"{PLAIN.get(item.dimension, item.dimension)} {_either((*item.include, *item.exclude))}"
        for item in waiver.where
    )
    most = waiver.max_spend_usd_per_month
    bound = f" up to {money(most)} a month" if most is not None else ""
    return (
        f"{name(waiver.owner)} agreed to an exception for {where or 'all of it'}{bound} until {waiver.until} "
        f"({prose(waiver.reason).rstrip('.')})."
    )


def _overrides(policy: Policy, written: PolicySet) -> Iterator[str]:
    for item in written.overrides:
        if item.policy == policy.id:
            where = f"{item.location.file}:{item.location.line}"
            before = "nothing" if item.before is None else _value(item.before)
            after = "taken away" if item.after is None else _value(item.after)
            yield f"{where} overrides {item.key}: {before} before, {after} now."


def _either(patterns: Sequence[str], sets: Mapping[str, tuple[str, ...]] = NO_SETS) -> str:
    """``a, b or @set (c, d)``; what the catalogue makes of its own sets is not known here."""
    shown = [
        f"{name(pattern)} ({', '.join(map(name, members))})"
        if pattern.startswith(SET_PREFIX) and (members := sets.get(pattern.removeprefix(SET_PREFIX)))
        else name(pattern)
        for pattern in patterns
    ]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
