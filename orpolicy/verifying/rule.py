"""A finding's rule kind, made again from what its report says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.errors import Reason, SourceError
from orpolicy.plugins import RULES
from orpolicy.policy.model import Policy, Selector, Thresholds
from orpolicy.rules.base import Measured, Row, SettingError, Skip
from orpolicy.rules.key_hygiene import checks_in
from orpolicy.rules.surcharge_share import COMPONENTS

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.policy.model import Json
    from orpolicy.rules.base import Rule, Traffic
    from orpolicy.totals import Totals
    from orpolicy.verifying.question import Question

GROWTH = "growth_ratio"
"""Its baseline stays that of the report, so that growth which lasts does not become its own excuse."""

PER_WINDOW = frozenset({"spend_usd", "cache_loss_usd"})
"""Measures that grow with the window, and are put on the scale of the report's."""

_OF_ANY_LENGTH = frozenset(
    {
        "blended_multiple", "usd_per_mtok", "usd_per_request", "usd_per_month", "cache_hit_rate",
        "reasoning_share", "prompt_ratio", "surcharge_share", "spend_usd", "possible_saving", "problems",
        "cache_loss_usd", GROWTH,
    }
)  # fmt: skip

BAN = "model-ban"

_LIKE_BANS = frozenset({BAN, "expiring-model", "new-model-on-key"})
"""Once they have found a model, what counts is what is still spent on it, whatever made it stand out."""


def rule_of(finding: Finding, question: Question) -> Rule:
    """The kind with settings under which its measure is that of the finding.

    Raises:
        SourceError: NOT_ANSWERABLE, where the report does not say enough.
    """
    if finding.rule not in RULES.names:
        raise SourceError(Reason.NOT_ANSWERABLE, f"this version knows no rule kind {finding.rule!r}")
    kind = RULES[BAN if finding.rule in _LIKE_BANS else finding.rule]
    policy = Policy(
        id=finding.policy,
        rule=finding.rule,
        location=finding.locations[0],
        where=(Selector("api_key_id", ("*",), (), finding.locations[0]),),
        thresholds=_thresholds(finding),
        settings=_settings(finding, question),
    )
    try:
        rule = kind.read(policy)
    except (KeyError, SettingError) as error:
        raise _lost(finding) from error
    if rule.measure_name != finding.measure.name:
        raise _lost(finding)
    if rule.views(()):
        raise SourceError(
            Reason.NOT_ANSWERABLE,
            f"{finding.rule} takes more than the subject's own figures: run `orpolicy check` to see it now",
        )
    if rule.history_periods and rule.measure_name != GROWTH:
        raise _lost(finding)
    return rule


def _lost(finding: Finding) -> SourceError:
    return SourceError(
        Reason.NOT_ANSWERABLE, f"the report does not say how {finding.rule} measures {finding.measure.name}"
    )


def _thresholds(finding: Finding) -> Thresholds:
    measure = finding.measure
    below = measure.value < measure.threshold
    return Thresholds(fail_below=measure.threshold) if below else Thresholds(fail_above=measure.threshold)


def _settings(finding: Finding, question: Question) -> dict[str, Json]:
    """The kind's own keys, so that its measure applies to whatever the subject's traffic is by now."""
    components: list[Json] = [name for name, metric in COMPONENTS.items() if metric in question.metrics]
    settings: dict[str, dict[str, Json]] = {
        "cache-hit-rate": {"prompt_heavy": {"prompt_per_completion_above": 0}},
        "key-hygiene": {"checks": [*checks_in(finding.measure.note)]},
        "metric": {"expression": finding.measure.note},
        "surcharge-share": {"components": components},
    }
    return {"models": ["*"]} if finding.rule in _LIKE_BANS else settings.get(finding.rule, {})


def value_of(
    finding: Finding, rule: Rule, totals: Totals, traffic: Traffic, windows: tuple[Window, Window]
) -> float:
    """The measure in the later window, on the scale of the report's.

    Args:
        finding: of the report.
        rule: its kind.
        totals: of the subject in the later window.
        traffic: of the account in the later window, with what the kind needs to know beside it.
        windows: the report's and the later one.

    Raises:
        SourceError: where the measure does not apply to the traffic, or windows do not compare.
    """
    before, later = windows
    measure = finding.measure
    if measure.name == GROWTH:
        return _growth(finding, totals, windows)
    if measure.name not in _OF_ANY_LENGTH and before.monthly_factor != later.monthly_factor:
        raise SourceError(
            Reason.UNSUITABLE_WINDOW,
            f"{measure.name} may depend on the window's length, and the later one is not as long",
        )
    lacking = [name for name in rule.metrics if totals.values.get(name) is None]
    if any(not name.startswith("usage_") for name in lacking):
        raise SourceError(Reason.NOTHING_JUDGED, f"no figure for {', '.join(sorted(lacking))}")
    measured = rule.measure(Row(dict(finding.subject), totals, later), traffic)
    if measured is Skip.OUT_OF_SCOPE and rule.lists_keys:
        return 0.0  # disabled, or ended
    if isinstance(measured, Skip):
        raise SourceError(Reason.NOTHING_JUDGED, f"{measure.name} does not apply any more: {measured}")
    scale = later.monthly_factor / before.monthly_factor if measure.name in PER_WINDOW else 1.0
    return _value(measured, scale)


def _value(measured: Measured, scale: float) -> float:
    return measured.value * scale


def _growth(finding: Finding, totals: Totals, windows: tuple[Window, Window]) -> float:
    """The later spend against the median that the report compared with, both as a month's."""
    before, later = windows
    if finding.spend_usd <= 0 or finding.measure.value <= 0:
        raise _lost(finding)
    median_usd = finding.spend_usd * before.monthly_factor / finding.measure.value
    return totals.spend_usd * later.monthly_factor / median_usd
