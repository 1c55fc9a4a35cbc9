"""The rule kind ``new-model-on-key``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.catalog.model import undated
from orpolicy.nouns import dataclass
from orpolicy.policy.model import Thresholds
from orpolicy.query.vocabulary import SPEND
from orpolicy.rules.base import (
    Advice,
    Measured,
    Row,
    Rule,
    SettingError,
    Skip,
    Traffic,
    check_thresholds,
    is_number,
)
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from orpolicy.catalog.model import Catalog
    from orpolicy.policy.model import Policy
    from orpolicy.table import Member

MODEL = "model"
DEFAULT_LOOKBACK_DAYS = 180


@dataclass(frozen=True, slots=True)
class NewModelOnKey(Rule):
    """A model that was never seen on its key before the window.

    A stolen or misused key shows first as a model that it never used. Looked at are the ``lookback_days``
    before the window (180 where the policy does not say); a model that was used there under another of its
    names, date or variant is not new. A key without any usage in them is new itself: it is named and not
    judged, unless ``new_keys`` is true. Usage must be known for 28 days before the window, or nothing is
    judged. Without a threshold any use is a breach, even one that cost nothing.

    Good example:
        id: unknown-model-on-key
        rule: new-model-on-key
        window: last-7d
        fail_above: 5

    Bad example:
        id: unknown-model-on-key
        rule: new-model-on-key
        by: [api_key_id]
    """

    measures = "a model never seen on that key before the window"
    measure_name = "spend_usd"
    unit = "USD"
    default_by = ("api_key_id", "model")
    default_thresholds = Thresholds(fail_above=0.0)
    keys = {
        "lookback_days": {
            "description": "How many days before the window count as before; 180 if absent.",
            "type": "integer",
            "minimum": 7,
            "maximum": 330,
        },
        "new_keys": {
            "description": "Whether every model of a key that is new itself is new as well; false if absent.",
            "type": "boolean",
        },
    }
    follows = MODEL

    days: int
    new_keys: bool
    any_use: bool

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for negative thresholds, and for rows that are of no one model.
        """
        check_thresholds(policy)
        if policy.by is not None and MODEL not in policy.by:
            raise SettingError("by", "it is a model that is new or not", "add model to `by`")
        days = policy.settings.get("lookback_days")
        limits = (policy.thresholds.fail_above, policy.thresholds.warn_above)
        return cls(
            int(days) if is_number(days) else DEFAULT_LOOKBACK_DAYS,
            policy.settings.get("new_keys") is True,
            any_use=0.0 in limits or limits == (None, None),
        )

    @property
    def lookback_days(self) -> int:
        """The days before the window."""
        return self.days

    @property
    def reaching(self) -> bool:
        """Any use is a breach where a threshold is 0: free models cost nothing."""
        return self.any_use

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND})

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The row's spend where the model is new, 0 where it is not."""
        if not row.earlier and not self.new_keys:
            return Skip.NEW
        member = row.subject.get(MODEL)
        if member is None:
            return Skip.NOT_APPLICABLE
        names = _names(member, traffic.catalogue)
        if any(not names.isdisjoint(_names(other, traffic.catalogue)) for other in row.earlier):
            return Measured(0.0, "used before", may_breach=False)
        totals = row.totals
        used = totals.spend_usd > 0 or totals.requests > 0 or totals.tokens > 0
        count = len(row.earlier)
        before = f"{count:,} other model{'s' if count > 1 else ''}" if count else "no model at all"
        note = f"{totals.requests:,} requests; in the {self.days} days before: {before}"
        return Measured(totals.spend_usd, note, may_breach=used)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Exposure: what is spent above the threshold may be well meant."""
        return Exposure(value - threshold)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Ask, and lock."""
        return Advice(
            action="investigate-key",
            text="Ask the key's owner whether this is meant. If not, disable the key and make a new one; if "
            "so, list the allowed models in a guardrail: the next window knows this one.",
            risk="A disabled key refuses every request at once.",
            expect=f"spend_usd falls to {threshold:g}, or the model counts as used before",
        )


def _names(member: Member, catalogue: Catalog | None) -> frozenset[str]:
    """Every name of the model, without variants and dates; none of usage without a model."""
    if member is None:
        return frozenset()
    base = member.partition(":")[0]
    listed = catalogue.names_of(base) if catalogue else frozenset[str]()
    return listed | {base, undated(base)}
