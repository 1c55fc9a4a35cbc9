"""Numbers that people write, and where ordinary values end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.starting.figures import Point, Spread, plain, round_between, round_down, round_up, two_digits_up

POSITIVE = st.floats(min_value=1e-6, max_value=1e9)


def spread(*values: float) -> Spread:
    return Spread.of([Point(f"m{number}", value, 1.0) for number, value in enumerate(values)])


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(4.2, 5, 4), (6147, 8000, 6000), (0.07, 0.08, 0.06), (10, 10, 10), (99, 100, 80), (0.0123, 0.015, 0.01)],
)
def test_round_numbers_around_a_value(value: float, up: float, down: float) -> None:
    assert (round_up(value), round_down(value)) == (up, down)


@given(POSITIVE)
def test_rounding_stays_on_its_side_and_close(value: float) -> None:
    assert value <= round_up(value) <= 1.5 * value * (1 + 1e-12)
    assert value / 1.5 * (1 - 1e-12) <= round_down(value) <= value


@pytest.mark.parametrize(
    ("value", "rounded"), [(6406.6, 6500), (9164, 9200), (10, 10), (99.1, 100), (0.0123, 0.013), (1e12, 1e12)]
)
def test_two_digits_are_enough_for_a_budget(value: float, rounded: float) -> None:
    assert two_digits_up(value) == rounded


@given(POSITIVE)
def test_two_digits_are_never_a_tenth_too_many(value: float) -> None:
    assert value <= two_digits_up(value) <= 1.1 * value * (1 + 1e-12)


@given(POSITIVE, POSITIVE)
def test_a_number_between_two_is_between_them(one: float, other: float) -> None:
    low, high = sorted((one, other * 1.001))
    if low < high:
        assert low * (1 - 1e-12) <= round_between(low, high) <= high * (1 + 1e-12)


@pytest.mark.parametrize(
    ("low", "high", "between"), [(4.25, 25, 10), (3, 100, 20), (6.1, 7.9, 6.9), (3.24, 3.8, 3.5)]
)
def test_the_roundest_number_near_the_middle(low: float, high: float, between: float) -> None:
    assert round_between(low, high) == pytest.approx(between)


@pytest.mark.parametrize(
    ("value", "text"), [(15.0, "15"), (0.3, "0.3"), (1e6, "1000000"), (0.00002, "0.00002"), (100.0, "100")]
)
def test_numbers_are_written_without_exponents(value: float, text: str) -> None:
    assert plain(value) == text


def test_an_outlier_lies_beyond_the_fence_and_fails() -> None:
    values = spread(0.05, 0.28, 0.31, 0.35, 0.53, 0.59, 2.02, 2.13, 2.99, 3.54, 25.2)
    assert [point.value for point in values.outliers()] == [25.2]
    assert values.limits(2) == (5, 10)


def test_without_outliers_the_limits_lie_above_everything() -> None:
    assert spread(0.5, 1, 1.5, 2).outliers() == ()
    assert spread(0.5, 1, 1.5, 2).limits(2) == (2.5, 5)


def test_small_outliers_do_not_fail() -> None:
    """Four times next to nothing is still next to nothing."""
    warn, fail = spread(0.1, 0.1, 0.1, 0.1, 0.4).limits(2)
    assert warn is None
    assert fail > 0.4


def test_an_outlier_just_above_the_rest_leaves_no_room_to_warn() -> None:
    values = spread(1, 1, 1, 1, 2.9, 3.1)
    assert [point.value for point in values.outliers()] == [3.1]
    warn, fail = values.limits(2)
    assert warn is None
    assert 2.9 < fail < 3.1


@given(st.lists(POSITIVE, min_size=4, max_size=30))
def test_ordinary_values_pass_and_large_outliers_fail(values: list[float]) -> None:
    found = spread(*values)
    warn, fail = found.limits(1e-6)
    outliers = [point.value for point in found.outliers()]
    ordinary = max(set(values) - set(outliers))
    assert ordinary < fail
    assert all(value >= fail * (1 - 1e-12) for value in outliers)
    assert warn is None or ordinary < warn < fail
    assert len(outliers) <= len(values) / 2
