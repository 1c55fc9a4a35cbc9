"""The rule kind ``cache-net-loss``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.policy.model import Thresholds
from orpolicy.rules.base import Advice, Measured, Ratio, Row, Rule, SettingError, Skip, Traffic
from orpolicy.savings.cache import CACHE_USD
from orpolicy.savings.levers import Lever, StopCaching

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.policy.model import Policy


@dataclass(frozen=True, slots=True)
class CacheNetLoss(Rule):
    """Caching that costs more than it saves.

    ``usage_cache`` is what caching did to the bill: below 0 reading from the cache saved more than writing
    to it cost, above 0 it is a loss, in USD of the window. Without a threshold any loss fails. A row that
    reads nothing from a cache and has no figure lost nothing; one that reads and has none is not judged.

    Good example:
        id: cache-pays
        rule: cache-net-loss
        by: [api_key_id, model]
        fail_above: 10

    Bad example:
        id: cache-pays
        rule: cache-net-loss
        fail_above: -10
    """

    measures = "`usage_cache` > 0: caching costs more than it saves"
    measure_name = "cache_loss_usd"
    unit = "USD"
    default_thresholds = Thresholds(fail_above=0.0)

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for a threshold below 0, where caching saves.
        """
        for key in THRESHOLD_KEYS:
            limit: float | None = getattr(policy.thresholds, key)
            if limit is not None and limit < 0:
                raise SettingError(key, f"{key} {limit:g}: below 0 caching saves money, and nothing is lost")
        return cls()

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({CACHE_USD})

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """The loss."""
        return Ratio(CACHE_USD)

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The loss, below 0 where caching saved."""
        cached = f"{row.totals.cached_tokens:,} of {row.totals.prompt_tokens:,} prompt tokens read from cache"
        if row.totals.values.get(CACHE_USD) is None and row.totals.cached_tokens:
            return Skip.UNSAID
        return Measured(float(row.totals.get(CACHE_USD)), cached)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """Write no more: the whole loss is saved, whatever part of it is allowed."""
        return StopCaching()

    def advice(self, row: Row, threshold: float) -> Advice:
        """Cache only what is read again."""
        return Advice(
            action="stop-cache-writes",
            text="Take `cache_control` off prompts that are not sent again before the cache expires, or send "
            "them in closer succession: writing costs extra, and only reading pays it back.",
            risk="Where some prompts do repeat, keep caching those: what they save is lost otherwise.",
            expect=f"cache_loss_usd falls to {threshold:g} or below",
        )
