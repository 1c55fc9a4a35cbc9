"""Metrics and dimensions that neither the language nor the account knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from orpolicy.codes import Code
from orpolicy.location import Problem
from orpolicy.policy.validation import near_miss
from orpolicy.query.vocabulary import DIMENSIONS, METRICS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from orpolicy.location import Location
    from orpolicy.policy.model import Policy, Selector, Waiver
    from orpolicy.query.model import Meta


class HasMetrics(Protocol):
    """A rule, as far as names go."""

    @property
    def metrics(self) -> frozenset[str]:
        """Metrics that the measure needs."""


def unknown_names(
    policies: Iterable[tuple[Policy, HasMetrics]], meta: Meta | None, waivers: Iterable[Waiver] = ()
) -> tuple[Problem, ...]:
    """The names that nobody knows, in the order of the policies.

    A name that the language knows and the account does not list is no problem here: such a policy is
    inconclusive. So is one that the account lists and the language does not: it can be asked.

    Args:
        policies: each with its kind's settings.
        meta: what the account lists, or None where that is not known yet.
        waivers: their conditions are looked at as well.
    """
    metrics = {*METRICS, *(meta.metrics if meta else ())}
    dimensions = {*DIMENSIONS, *(meta.dimensions if meta else ())}
    return tuple(_unknown(policies, waivers, metrics, dimensions))


def _unknown(
    policies: Iterable[tuple[Policy, HasMetrics]],
    waivers: Iterable[Waiver],
    metrics: set[str],
    dimensions: set[str],
) -> Iterator[Problem]:
    for policy, rule in policies:
        for index, name in enumerate(policy.by or ()):
            if name not in dimensions:
                yield unknown_dimension(name, policy.place(f"by[{index}]"), dimensions)
        yield from _unknown_selectors(policy.where, dimensions)
        yield from unknown_metrics(policy, rule.metrics, metrics)
    for waiver in waivers:
        yield from _unknown_selectors(waiver.where, dimensions)


def _unknown_selectors(where: Iterable[Selector], dimensions: set[str]) -> Iterator[Problem]:
    for selector in where:
        if selector.dimension not in dimensions:
            yield unknown_dimension(selector.dimension, selector.location, dimensions)


def unknown_metrics(
    policy: Policy, named: Iterable[str], known: Collection[str] = METRICS
) -> Iterator[Problem]:
    """The metrics of a policy that are not among the known ones."""
    for name in sorted(set(named).difference(known)):
        hint = near_miss(name, sorted(known))
        yield Problem(
            _place_of(policy, name), f"unknown metric {name!r}", hint, code=Code.METRIC_NOBODY_KNOWS
        )


def unknown_dimension(name: str, place: Location, known: Collection[str] = DIMENSIONS) -> Problem:
    """That a dimension is not among the known ones."""
    hint = near_miss(name, sorted(known))
    return Problem(place, f"unknown dimension {name!r}", hint, code=Code.DIMENSION_NOBODY_KNOWS)


def _place_of(policy: Policy, metric: str) -> Location:
    """The kind's own setting that names the metric, else the policy."""
    for key, value in policy.settings.items():
        if isinstance(value, str) and re.search(rf"\b{re.escape(metric)}\b", value):
            return policy.place(key)
    return policy.location
