"""Laws of the measures: thresholds, excess, the split of growth, expressions."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orpolicy.divisia import Level, divisia, log_mean
from orpolicy.location import Location
from orpolicy.period import Window
from orpolicy.policy.model import Policy, Thresholds
from orpolicy.rules.base import Measured, Row, SettingError, Skip, Traffic, check_thresholds, excess_usd
from orpolicy.rules.metric import Metric
from orpolicy.rules.spend_growth import explain, median_level, robust_z, since_first_spend
from orpolicy.totals import Totals
from orpolicy.verdict import Verdict

HERE = Location("a.yaml", 1, 1)
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))

amounts = st.floats(1e-3, 1e9)
counts = st.integers(1, 10**12)
levels = st.builds(Level, requests=counts, tokens=counts, spend_usd=amounts)
limits = st.none() | st.floats(-1e6, 1e6)


def period(spend_usd: float, requests: int = 1, tokens: int = 1) -> Totals:
    return Totals({"total_usage": spend_usd, "request_count": requests, "tokens_total": tokens})


# Growth


@given(now=levels, before=levels)
def test_the_parts_of_growth_add_up_to_the_change(now: Level, before: Level) -> None:
    parts = divisia(now, before)
    assert parts is not None
    change = now.spend_usd - before.spend_usd
    scale = max(abs(change), *(abs(part) for part in parts.causes))
    assert abs(math.fsum(parts.causes) - change) <= 1e-9 * scale


@given(now=levels, before=levels)
def test_growth_undone_is_the_same_split_with_the_other_sign(now: Level, before: Level) -> None:
    there, back = divisia(now, before), divisia(before, now)
    assert there is not None
    assert back is not None
    scale = max(now.spend_usd, before.spend_usd, *(abs(part) for part in there.causes))
    for one, other in zip(there.causes, back.causes, strict=True):
        assert one == pytest.approx(-other, rel=1e-6, abs=1e-9 * scale)


@given(before=levels, factor=st.floats(0.01, 100))
def test_more_of_the_same_requests_is_volume_alone(before: Level, factor: float) -> None:
    now = Level(before.requests * factor, before.tokens * factor, before.spend_usd * factor)
    parts = divisia(now, before)
    assert parts is not None
    volume, size, price = parts.causes
    scale = now.spend_usd + before.spend_usd
    assert volume == pytest.approx(now.spend_usd - before.spend_usd, rel=1e-9, abs=1e-9 * scale)
    assert size == pytest.approx(0, abs=1e-9 * scale)
    assert price == pytest.approx(0, abs=1e-9 * scale)


@pytest.mark.parametrize(
    "now",
    [Level(0, 1, 1.0), Level(1, 0, 1.0), Level(1, 1, 0.0)],
    ids=["no requests", "no tokens", "no spend"],
)
def test_growth_from_or_to_nothing_is_not_split(now: Level) -> None:
    assert divisia(now, Level(1, 1, 1.0)) is None
    assert divisia(Level(1, 1, 1.0), now) is None
    assert explain(now, Level(1, 1, 1.0)) == "no split: a period without requests or tokens"


@given(first=amounts, second=amounts)
def test_the_logarithmic_mean_lies_between_the_other_two(first: float, second: float) -> None:
    mean = log_mean(first, second)
    geometric, arithmetic = math.sqrt(first * second), (first + second) / 2
    assert geometric * (1 - 1e-9) <= mean <= arithmetic * (1 + 1e-9)
    assert mean == pytest.approx(log_mean(second, first), rel=1e-12)


@given(amount=amounts)
def test_the_logarithmic_mean_of_neighbours_is_either(amount: float) -> None:
    above = math.nextafter(amount, math.inf)
    assert log_mean(above, amount) == pytest.approx(amount, rel=1e-9)
    assert log_mean(amount, amount) == amount


@given(spends=st.lists(amounts, min_size=1, max_size=24))
def test_the_level_compared_with_spends_the_median(spends: list[float]) -> None:
    ranked = sorted(spends)
    middle = len(ranked) // 2
    median = ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2
    assert median_level([period(usd) for usd in spends]).spend_usd == pytest.approx(median, rel=1e-12)


def test_the_level_of_an_even_number_is_the_mean_of_the_two_in_the_middle() -> None:
    baseline = [period(9.0, 90, 900), period(2.0, 20, 200), period(1.0, 10, 100), period(4.0, 60, 800)]
    assert median_level(baseline) == Level(requests=40, tokens=500, spend_usd=3)


@given(spends=st.lists(amounts, min_size=4, max_size=12), factor=st.floats(1, 1e3))
def test_dearer_periods_never_score_lower(spends: list[float], factor: float) -> None:
    assert robust_z(spends[0] * factor, spends) >= robust_z(spends[0], spends)


def test_the_score_of_a_steady_baseline_is_counted_in_tenths_of_the_logarithm() -> None:
    assert robust_z(100 * math.e, [100.0] * 4) == pytest.approx(10)
    assert robust_z(0.0, [0.01] * 4) == 0  # less than a cent counts as a cent


@given(before=st.integers(0, 5), after=st.lists(st.sampled_from([0.0, 1.0]), max_size=5))
def test_history_begins_with_the_first_spend(before: int, after: list[float]) -> None:
    history = [period(0.0)] * before + [period(7.0)] + [period(usd) for usd in after]
    assert since_first_spend(history) == tuple(history[before:])
    assert since_first_spend([period(0.0)] * before) == ()


# Thresholds


@given(value=st.floats(-1e6, 1e6), fail=st.floats(-1e6, 1e6))
def test_a_value_breaches_from_one_side_and_touches_only_where_reaching_counts(
    value: float, fail: float
) -> None:
    above = Thresholds(fail_above=fail).crossed(value)
    below = Thresholds(fail_below=fail).crossed(value)
    assert (above is not None) == (value > fail)
    assert (below is not None) == (value < fail)
    assert (Thresholds(fail_above=fail).crossed(value, reaching=True) is not None) == (value >= fail)
    assert (Thresholds(fail_below=fail).crossed(value, reaching=True) is not None) == (value <= fail)


@given(value=st.floats(-1e6, 1e6), fail=limits, warn=limits, reaching=st.booleans())
def test_the_worse_verdict_wins(
    value: float, fail: float | None, warn: float | None, *, reaching: bool
) -> None:
    def crosses(limit: float | None) -> bool:
        return limit is not None and (value > limit or (reaching and value == limit))

    found = Thresholds(fail_above=fail, warn_above=warn).crossed(value, reaching=reaching)
    if crosses(fail):
        assert found == (Verdict.FAIL, fail)
    elif crosses(warn):
        assert found == (Verdict.WARN, warn)
    else:
        assert found is None


@given(value=st.floats(0, 1e6), low=st.floats(0, 1e6), more=st.floats(0, 1e6))
def test_a_stricter_threshold_never_forgives(value: float, low: float, more: float) -> None:
    if Thresholds(fail_above=low + more).crossed(value):
        assert Thresholds(fail_above=low).crossed(value)


@given(limit=st.floats(-10, 10), most=st.sampled_from([1.0, math.inf]))
def test_thresholds_outside_of_what_can_be_measured_are_refused(limit: float, most: float) -> None:
    policy = Policy("a", "kind", HERE, thresholds=Thresholds(warn_below=limit))
    if 0 <= limit <= most:
        check_thresholds(policy, most)
    else:
        with pytest.raises(SettingError) as error:
            check_thresholds(policy, most)
        assert error.value.key == "warn_below"


@given(spend=st.floats(0.01, 1e9), value=st.floats(1e-6, 1e9), share=st.floats(0, 1))
def test_the_excess_is_what_lies_above_the_threshold(spend: float, value: float, share: float) -> None:
    threshold = value * share
    excess = excess_usd(spend, value, threshold)
    assert -1e-6 <= excess <= spend
    # The spend without it would measure exactly the threshold.
    assert (spend - excess) * value == pytest.approx(spend * threshold, rel=1e-6, abs=1e-9 * spend * value)


def test_nothing_measured_exceeds_nothing() -> None:
    assert excess_usd(5.0, 0.0, 0.0) == 0


# Expressions

NAMES = ("total_usage", "request_count", "tokens_total", "usage_web")
leaves = st.integers(0, 99).map(str) | st.sampled_from(NAMES)
members = st.fixed_dictionaries(dict.fromkeys(NAMES, st.integers(0, 99)))


def trees(operators: str) -> st.SearchStrategy[str]:
    """Random expressions, some of them without the parentheses that Python's precedence spares."""
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(inner, st.sampled_from(operators), inner).map(" ".join)
            | inner.map(lambda text: f"({text})")
            | st.tuples(st.sampled_from(("-", "+")), inner).map("".join)
        ),
        max_leaves=6,
    )


whole = trees("+-*")
"""Their values are integers far below 2**53, which floats hold exactly."""


def measured(expression: str, values: dict[str, int]) -> Measured | Skip:
    rule = Metric.read(Policy("a", "metric", HERE, settings={"expression": expression}))
    totals = Totals(values)
    return rule.measure(Row({}, totals, MAY), Traffic(totals))


def worked_out(expression: str, values: dict[str, Fraction] | dict[str, float]) -> Fraction | float:
    """By Python itself."""
    result: Fraction | float = eval(expression, {}, dict(values))  # noqa: S307 - the test's own text
    return result


@given(expression=whole, values=members)
def test_sums_and_products_are_exact(expression: str, values: dict[str, int]) -> None:
    assume(any(name in expression for name in NAMES))
    exact = worked_out(expression, {name: Fraction(value) for name, value in values.items()})
    assert measured(expression, values) == Measured(float(exact), expression)


@given(above=whole, below=whole, values=members)
def test_quotients_are_those_of_fractions(above: str, below: str, values: dict[str, int]) -> None:
    expression = f"({above}) / ({below})"
    assume(any(name in expression for name in NAMES))
    fractions = {name: Fraction(value) for name, value in values.items()}
    numerator, denominator = (Fraction(worked_out(text, fractions)) for text in (above, below))
    found = measured(expression, values)
    if denominator == 0:
        assert found is Skip.NOT_APPLICABLE
    else:
        assert isinstance(found, Measured)
        assert found.value == pytest.approx(float(numerator / denominator), rel=1e-12)


@given(expression=trees("+-*/"), values=members)
def test_any_expression_is_what_python_makes_of_it(expression: str, values: dict[str, int]) -> None:
    assume(any(name in expression for name in NAMES))
    floats = {name: float(value) for name, value in values.items()}
    # Every number becomes a float, so that a quotient of two integers is one of two floats here as well.
    source = re.sub(r"\b\d+\b", lambda number: f"{number[0]}.0", expression)
    try:
        expected: Measured | Skip = Measured(float(worked_out(source, floats)), expression)
    except ZeroDivisionError:
        expected = Skip.NOT_APPLICABLE
    assert measured(expression, values) == expected


@given(depth=st.integers(0, 200), sign=st.sampled_from("+-"))
def test_deep_nesting_is_refused_not_fatal(depth: int, sign: str) -> None:
    expression = sign * depth + "total_usage"
    if depth <= 40:
        assert measured(expression, {"total_usage": 3}) == Measured(
            3.0 if sign == "+" or depth % 2 == 0 else -3.0, expression
        )
    else:
        with pytest.raises(SettingError, match="nests deeper than 40"):
            measured(expression, {"total_usage": 3})


@given(expression=st.text(max_size=500))
def test_any_other_text_is_refused_with_its_place(expression: str) -> None:
    assume("#" not in expression)  # a comment would hide what makes it wrong
    with pytest.raises(SettingError) as error:
        measured(f"{expression} = 1", {})
    assert error.value.key == "expression"
    assert error.value.message


@pytest.mark.parametrize(
    "expression", ["~" * 499 + "x", "not " * 120 + "x", "(" * 250 + "x", "x" + "[0" * 240]
)
def test_deep_nesting_of_what_is_not_allowed_is_refused_not_fatal(expression: str) -> None:
    with pytest.raises(SettingError) as error:
        measured(expression, {})
    assert error.value.key == "expression"


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e400", "-1e999"])
def test_a_number_beyond_what_floats_hold_is_refused(number: str) -> None:
    with pytest.raises(SettingError, match="too large"):
        measured(f"total_usage * {number}", {"total_usage": 1})


def test_a_count_beyond_what_floats_hold_is_left_out() -> None:
    assert measured("total_usage / 2", {"total_usage": 10**400}) is Skip.NOT_APPLICABLE
