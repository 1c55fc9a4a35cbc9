"""A test's rows as an account that can be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orpolicy.catalog.model import STANDARD
from orpolicy.policy.case_schema import FIXTURE_METRICS
from orpolicy.query.vocabulary import DIMENSIONS, SPEND
from orpolicy.sources.memory import IDENTITIES, Memory
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.period import Window
    from orpolicy.policy_tests.model import Case, Usage
    from orpolicy.table import Member, Number

KEY, VARIANT = "api_key_id", "variant"
_SURCHARGE = "usage_"


def account_of(case: Case, window: Window) -> Memory:
    """The source that a test's policies are judged by.

    Analytics is taken to list what some row has, and everything where there is no row at all, so that a
    policy that looks at something else is inconclusive. ``usage_*`` are always listed: what an account
    does not use is null there.

    Args:
        case: the test.
        window: on its last day lies a row without a date.
    """
    last = (window.end - timedelta(seconds=1)).date().isoformat()
    return Memory(
        _records(case.rows, last),
        now=case.now,
        directory=case.directory,
        guardrails=case.guardrails,
        catalogue=case.catalogue,
        kind="test",
    )


def _records(rows: Sequence[Usage], last_day: str) -> Table:
    dimensions: dict[str, list[Member]] = {DATE: [row.day or last_day for row in rows]}
    for name in DIMENSIONS:
        if not rows or any(name in row.members for row in rows):
            dimensions[name] = [row.members.get(name) for row in rows]
    dimensions[VARIANT] = [row.members.get(VARIANT, STANDARD) for row in rows]
    dimensions[IDENTITIES[KEY]] = [row.key_hash for row in rows]
    metrics: dict[str, list[Number | None]] = {
        name: [row.metrics.get(name) for row in rows]
        for name in (metric.name for metric in FIXTURE_METRICS)
        if not rows
        or name == SPEND
        or name.startswith(_SURCHARGE)
        or any(name in row.metrics for row in rows)
    }
    return Table(dimensions, metrics)
