"""The rule kind ``key-hygiene``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.period import DAYS_PER_MONTH
from orpolicy.policy.model import Thresholds
from orpolicy.query.vocabulary import REQUESTS, SPEND
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
    from collections.abc import Iterable

    from orpolicy.account import ApiKey, Guardrail, KeyFacts, Listing
    from orpolicy.policy.model import Policy

KEY, WORKSPACE = "api_key_id", "workspace"

OF_KEYS = ("limit", "reset", "expiry", "unused", "loose-limit", "byok", "name")
OF_GUARDRAILS = ("assignment", "byok")
DEFAULT_MULTIPLE = 10.0

RESETS_PER_MONTH = {"daily": DAYS_PER_MONTH, "weekly": DAYS_PER_MONTH / 7, "monthly": 1.0}
"""How often a limit begins anew; a limit that never does bounds no month."""

_SHOWN = len(OF_KEYS)

_WORDS = {
    "limit": "no limit",
    "reset": "a limit that never resets",
    "expiry": "no expiry",
    "unused": "no usage in",
    "loose-limit": "times its use",
    "byok": "BYOK outside its limit",
    "name": "keys of this name",
}
"""What each check says of a key."""

Problem = tuple[str, str]
"""What is wrong, and the setting to change."""


@dataclass(frozen=True, slots=True)
class KeyHygiene(Rule):
    """How many settings of a key, or of the account's guardrails, leave spend unbounded.

    With ``by: [api_key_id]`` every key that is listed is judged, used or not, apart from those that are
    disabled or have expired. ``checks`` names what is looked for; all of it, if absent:
    ``limit`` (none is set), ``reset`` (the limit never begins anew), ``expiry`` (none is set), ``unused``
    (no usage in the window, although the key is older: ``window: last-90d`` means 90 days),
    ``loose-limit`` (more than ``limit_multiple`` times what the key spends a month, 10 if absent),
    ``byok`` (spend with provider keys of one's own does not count toward the limit), ``name`` (another
    key has the same one). With ``by: []`` the account's guardrails are judged: ``assignment`` (assigned to
    nobody, so that it enforces nothing), ``byok`` (such spend exists and is outside the budget). A floor
    leaves unused keys out.

    Good example:
        id: keys-are-bounded
        rule: key-hygiene
        checks: [limit, expiry, unused]
        window: last-90d
        warn_above: 0

    Bad example:
        id: keys-are-bounded
        rule: key-hygiene
        by: [model]
    """

    measures = "keys without limit, reset or expiry; guardrails assigned to nobody"
    measure_name = "problems"
    unit = ""
    default_by = (KEY,)
    default_thresholds = Thresholds(fail_above=0.0)
    judges_spend = False
    keys = {
        "checks": {
            "description": "What is looked for; all that fits, if absent.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": [*dict.fromkeys((*OF_KEYS, *OF_GUARDRAILS))]},
        },
        "limit_multiple": {
            "description": "How many times its monthly spend a key's limit may be: 10 if absent.",
            "type": "number",
            "minimum": 1,
        },
    }

    checks: tuple[str, ...]
    limit_multiple: float = DEFAULT_MULTIPLE
    of_guardrails: bool = False

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings.

        Raises:
            SettingError: for negative thresholds, subjects or selectors that are no keys, and checks that do
                not go with the subjects or the floor.
        """
        check_thresholds(policy)
        by = cls.default_by if policy.by is None else policy.by
        if by not in {(KEY,), ()}:
            raise SettingError("by", "key-hygiene judges keys, by: [api_key_id], or guardrails, by: []")
        allowed = OF_KEYS if by else OF_GUARDRAILS
        settings = policy.settings
        named = settings.get("checks")
        checks = tuple(str(item) for item in named) if isinstance(named, list) else ()
        for check in checks:
            if check not in allowed:
                raise SettingError("checks", f"{check} goes with by: [{'' if by else KEY}]")
        if "unused" in checks and (policy.floor.spend_usd or policy.floor.requests or policy.floor.share):
            raise SettingError("floor", "a floor leaves every unused key out", "set floor: {spend: 0}")
        _check_where(policy)
        multiple = settings.get("limit_multiple")
        times = float(multiple) if is_number(multiple) else DEFAULT_MULTIPLE
        return cls(checks or allowed, times, of_guardrails=not by)

    @property
    def metrics(self) -> frozenset[str]:
        """What the measure reads."""
        return frozenset({SPEND, REQUESTS})

    @property
    def lists_keys(self) -> bool:
        """Keys are judged, used or not."""
        return not self.of_guardrails

    @property
    def lists_guardrails(self) -> bool:
        """Guardrails are judged."""
        return self.of_guardrails

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """How many problems there are."""
        listing = traffic.listing
        if listing is None:
            return Skip.NOT_APPLICABLE
        found = self._of_guardrails(listing) if self.of_guardrails else self._of_key(row, traffic, listing)
        if found is None:
            return Skip.OUT_OF_SCOPE
        problems = [problem for check, problem in found if check in self.checks]
        note, fix = _first([what for what, _ in problems]), _first([fix for _, fix in problems])
        return Measured(float(len(problems)), note, fix=fix)

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """What an unbounded key may cost is unknown."""
        return Exposure(None)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Change the settings."""
        what = "guardrails" if self.of_guardrails else "key"
        return Advice(
            action="change-settings",
            text=f"Change the {what}: {{fix}}.",
            risk="What hits a new limit is refused: leave room for the busiest days.",
            expect=f"problems fall to {threshold:g}",
        )

    def _of_key(self, row: Row, traffic: Traffic, listing: Listing) -> list[tuple[str, Problem]] | None:
        key = listing.key(row.subject.get(KEY))
        if key is None or key.facts is None or key.disabled or _is_over(key.facts, traffic.now):
            return None
        found = _key_problems(key.facts, row, self.limit_multiple)
        return [*found, *_namesakes(key, listing)]

    def _of_guardrails(self, listing: Listing) -> list[tuple[str, Problem]]:
        byok_usd = sum(
            key.facts.byok_usage_usd or 0.0 for key in listing.directory.keys if key.facts is not None
        )
        return [
            one for guardrail in listing.guardrails or () for one in _guardrail_problems(guardrail, byok_usd)
        ]


def checks_in(note: str) -> tuple[str, ...]:
    """The checks of keys that a finding's note speaks of; none where it is about guardrails."""
    return tuple(check for check, words in _WORDS.items() if words in note)


def _first(texts: list[str]) -> str:
    """Some of many texts."""
    more = [f"{len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return "; ".join([*texts[:_SHOWN], *more])


def _check_where(policy: Policy) -> None:
    known = {KEY, WORKSPACE} if policy.by is None or policy.by else set()
    for selector in policy.where:
        if selector.dimension not in known:
            allowed = "keys and workspaces" if known else "nothing, as guardrails are the account's"
            raise SettingError("where", f"`where` selects {allowed} here, not {selector.dimension}")


def _key_problems(facts: KeyFacts, row: Row, multiple: float) -> Iterable[tuple[str, Problem]]:
    usd = row.totals.spend_usd * row.window.monthly_factor
    spends = f" (it spends {usd:,.2f} USD a month)" if usd > 0 else ""
    if facts.limit_usd is None:
        yield "limit", (_WORDS["limit"], f"set `limit`{spends}")
    elif facts.limit_reset is None:
        yield "reset", (_WORDS["reset"], "set `limit_reset` to daily, weekly or monthly")
    if facts.expires_at is None:
        yield "expiry", (_WORDS["expiry"], "replace it by a key with `expires_at`")
    if _is_idle(row, facts):
        yield "unused", (f"{_WORDS['unused']} {row.window.days:g} days", "set `disabled: true`, or delete it")
    monthly_usd = (facts.limit_usd or 0.0) * RESETS_PER_MONTH.get(facts.limit_reset or "", 0.0)
    if 0 < usd * multiple < monthly_usd:
        yield (
            "loose-limit",
            (
                f"a limit of {monthly_usd / usd:,.0f} {_WORDS['loose-limit']}",
                f"lower `limit` from {facts.limit_usd:,.2f} USD {facts.limit_reset}{spends}",
            ),
        )
    byok_usd = facts.byok_usage_usd or 0.0
    if byok_usd > 0 and facts.limit_usd is not None and not facts.counts_byok:
        yield "byok", (f"{byok_usd:,.2f} USD of {_WORDS['byok']}", "set `include_byok_in_limit: true`")


def _namesakes(key: ApiKey, listing: Listing) -> Iterable[tuple[str, Problem]]:
    count = len(listing.directory.by_name[key.name])
    if count > 1:
        yield "name", (f"{count} {_WORDS['name']}", "change `name`, as usage is shown by name")


def _guardrail_problems(guardrail: Guardrail, byok_usd: float) -> Iterable[tuple[str, Problem]]:
    name = repr(guardrail.name)
    if not guardrail.is_assigned:
        yield (
            "assignment",
            (
                f"{name} is assigned to nobody",
                f"assign {name} to keys or members, or delete it",
            ),
        )
    elif byok_usd > 0 and guardrail.limit_usd is not None and not guardrail.counts_byok:
        yield (
            "byok",
            (
                f"{byok_usd:,.2f} USD of BYOK outside the budget of {name}",
                f"set `include_byok_in_budgets: true` on {name}",
            ),
        )


def _is_over(facts: KeyFacts, now: datetime | None) -> bool:
    end = _moment(facts.expires_at)
    return end is not None and now is not None and end <= now


def _is_idle(row: Row, facts: KeyFacts) -> bool:
    """Without usage in the whole of a window before which the key was made."""
    made = _moment(facts.created_at)
    is_used = row.totals.requests > 0 or row.totals.spend_usd > 0
    return not is_used and made is not None and made <= row.window.start


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
