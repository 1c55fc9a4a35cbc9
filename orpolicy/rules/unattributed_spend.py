"""The rule kind ``unattributed-spend``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import (
    Advice,
    Measured,
    Row,
    Rule,
    SettingError,
    Skip,
    Traffic,
    View,
    check_thresholds,
)
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from orpolicy.policy.model import Policy
    from orpolicy.table import Member, Table

KEY = "api_key_id"
WORDS = {KEY: "key", "user": "user", "app": "app", "workspace": "workspace"}
NOBODY: dict[str, frozenset[Member]] = {
    KEY: frozenset({None, "", "-1", "Chatroom"}),
    "user": frozenset({None, ""}),
    "app": frozenset({None, "", "-1", "Unknown"}),
    "workspace": frozenset({None, "", "Unattributed", "ffffffff-ffff-ffff-ffff-ffffffffffff"}),
}
"""What answers say of a request without one: OpenRouter's analytics schema notes of 2026-10."""


@dataclass(frozen=True, slots=True)
class UnattributedSpend(Rule):
    """The share of spend with no key, user or app.

    Each of ``without`` (key, user and app where the policy does not say) is held against the threshold on its
    own, and the largest share is reported with all of them. Nobody is what the API calls so: no member at
    all, ``Chatroom`` among the keys, ``Unknown`` among the apps, ``Unattributed`` among the workspaces. Every
    row counts, however small: the floor is about the subject alone.

    Good example:
        id: every-dollar-has-an-owner
        rule: unattributed-spend
        without: [api_key_id, user]
        fail_above: 0.05

    Bad example:
        id: every-dollar-has-an-owner
        rule: unattributed-spend
        without: [model]
        fail_above: 0.05
    """

    measures = "share of spend with no key, user or app"
    measure_name = "unattributed_share"
    unit = "share"
    default_by = ()
    keys = {
        "without": {
            "description": "What spend must have, each held against the threshold on its own; "
            "key, user and app if absent.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": list(NOBODY)},
        }
    }
    judges_spend = False

    without: tuple[str, ...]

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for shares beyond 0 to 1, and for rows that leave no room for what they may lack.
        """
        check_thresholds(policy, most=1.0)
        chosen = policy.settings.get("without")
        without = tuple(map(str, chosen)) if isinstance(chosen, list) else (KEY, "user", "app")
        by = policy.by or ()
        if len(by) > 1:
            raise SettingError("by", "a query has two dimensions, and one is what may be missing", "name one")
        if by and by[0] in without:
            raise SettingError("by", f"rows by {by[0]} have a {WORDS[by[0]]} each, or none at all")
        return cls(without)

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def views(self, by: tuple[str, ...]) -> tuple[View, ...]:
        """Each row by what it may lack; and, for all traffic, the keys behind that."""
        keys = [View((KEY, name), is_vital=False) for name in self.without if not by and name != KEY]
        return (*(View((*by, name)) for name in self.without), *keys)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The largest share of spend without a member of one of the dimensions."""
        spend_usd = row.totals.spend_usd
        if spend_usd <= 0:
            return Skip.NOT_APPLICABLE
        amounts = self._amounts(row)
        note = ", ".join(f"no {WORDS[name]} {usd:,.2f}" for usd, name in amounts)
        usd, name = amounts[0]
        return Measured(
            min(usd / spend_usd, 1.0), f"{note} of {spend_usd:,.2f} USD", behind=_behind(row, name)
        )

    def _amounts(self, row: Row) -> list[tuple[float, str]]:
        """USD without a member, and the dimension; the largest first, then in the policy's order."""
        by = tuple(row.subject)
        amounts = [(_nobodys(row.views[*by, name], name), name) for name in self.without]
        return sorted(amounts, key=lambda item: (-item[0], self.without.index(item[1])))

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Exposure: the spend above the allowed share that nobody answers for."""
        return Exposure(row.totals.spend_usd * (value - threshold))

    def advice(self, row: Row, threshold: float) -> Advice:
        """Name who spends."""
        return Advice(
            action="attribute-spend",
            text="Give each service a key of its own, send the `HTTP-Referer` and `X-Title` headers and the "
            "`user` field with requests, and let people use keys instead of the chat room.",
            risk="None for answers; what `user` holds is stored with the request, so send no secrets in it.",
            expect=f"unattributed_share falls to {threshold:g} or below",
        )


def _nobodys(table: Table, dimension: str) -> float:
    """What the rows without a member spend."""
    usd = zip(table.dimensions[dimension], table.metrics[SPEND], strict=True)
    return math.fsum(float(amount or 0.0) for member, amount in usd if member in NOBODY[dimension])


def _behind(row: Row, dimension: str) -> tuple[tuple[dict[str, Member], float], ...]:
    """The keys that spend without a member of the dimension, of all traffic, the dearest first."""
    table = None if row.subject else row.views.get((KEY, dimension))
    if table is None:
        return ()
    rows = table.matching({dimension: NOBODY[dimension].__contains__}).rollup((KEY,))
    pairs = zip(rows.dimensions[KEY], (float(usd or 0.0) for usd in rows.metrics[SPEND]), strict=True)
    return tuple(({KEY: key}, usd) for key, usd in sorted(pairs, key=lambda pair: (-pair[1], pair[0] or "")))
