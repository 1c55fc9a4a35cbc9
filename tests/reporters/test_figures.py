from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.finding import Measure
from orpolicy.period import Window
from orpolicy.reporters import _figures as figures


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0"),
        (6185.4, "$6,185"),
        (12.3, "$12.30"),
        (5, "$5"),
        (0.42, "$0.42"),
        (0.0042, "$0.0042"),
        (0.999, "$1.00"),
        (99.996, "$100"),
        (100.4, "$100"),
        (-3.0, "-$3"),
        (-0.42, "-$0.42"),
        (1e-9, "<$0.000001"),
        (-1e-9, "-<$0.000001"),
        (1234567890.0, "$1,234,567,890"),
        (2.5e18, "$2.5e+18"),
    ],
)
def test_money(usd: float, text: str) -> None:
    assert figures.money(usd) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10K"),
        (12_345, "12.3K"),
        (999_499, "999K"),
        (999_500, "1M"),
        (250_000_000, "250M"),
        (1_270_000_000, "1.27B"),
        (3_000_000_000_000, "3T"),
        (1_234_000_000_000_000, "1,234T"),
    ],
)
def test_tokens(number: int, text: str) -> None:
    assert figures.tokens(number) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.0042, "0.42 %"),
        (0.042, "4.2 %"),
        (0.3, "30 %"),
        (0.98, "98 %"),
        (0.9996, ">99 %"),
        (1.0, "100 %"),
        (1.254, "125 %"),
    ],
)
def test_share(part: float, text: str) -> None:
    assert figures.share(part) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (24.96, "x", "25x"),
        (2.54, "x", "2.5x"),
        (24.7039, "USD/Mtok", "24.7 $/Mtok"),
        (0.98960, "USD/Mtok", "0.99 $/Mtok"),
        (0.042, "USD/request", "$0.042/request"),
        (5400.0, "USD/month", "$5,400/month"),
        (12.44, "prompt tokens per completion token", "12.4 prompt tokens per completion token"),
        (1e-30, "", "1e-30"),
        (3e20, "", "3e+20"),
        (-0.5, "", "-0.5"),
    ],
)
def test_amount(value: float, unit: str, text: str) -> None:
    assert figures.amount(value, unit) == text


@pytest.mark.parametrize(
    ("value", "threshold", "unit", "texts"),
    [
        (24.96, 15.0, "x", ("25x", "15x")),
        (15.04, 15.0, "x", ("15.04x", "15x")),
        (2.004, 2.0, "x", ("2.004x", "2x")),
        (15.4, 15.3, "x", ("15.4x", "15.3x")),
        (0.0499, 0.05, "share", ("4.99 %", "5 %")),
        (0.042, 0.30, "share", ("4.2 %", "30 %")),
        (500.3, 500.0, "USD", ("$500.3", "$500")),
        (12.5, 12.5, "USD", ("$12.50", "$12.50")),
        (0.1401, 0.14, "USD/request", ("$0.1401/request", "$0.14/request")),
        (6067.0, 0.0, "USD", ("$6,067", "$0")),
        (-3.0, -2.5, "USD", ("-$3", "-$2.50")),
        (12.44, 10.0, "prompt tokens", ("12.4 prompt tokens", "10")),
        (5.0, 3.0, "USD/Mtok", ("5 $/Mtok", "3 $/Mtok")),
    ],
)
def test_the_value_is_seen_on_its_side(
    value: float, threshold: float, unit: str, texts: tuple[str, str]
) -> None:
    assert figures.against_threshold(Measure("m", value, threshold, unit)) == texts


def test_a_difference_beyond_all_digits_is_not_shown() -> None:
    assert figures.against_threshold(Measure("m", 0.1 + 0.2, 0.3, "x")) == ("0.3x", "0.3x")


@given(st.floats(-1e300, 1e300), st.sampled_from(["USD", "x", "share", "USD/Mtok", "u"]))
def test_any_finite_number_has_a_short_text(value: float, unit: str) -> None:
    text = figures.amount(value, unit)
    assert any(char.isdigit() for char in text)
    assert len(text) < 40


@given(st.floats(0.01, 1e12))
def test_money_is_within_half_a_digit(usd: float) -> None:
    shown = float(figures.money(usd).replace("$", "").replace(",", ""))
    assert abs(shown - usd) <= max(usd * 0.05, 0.005)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "to_date", "text"),
    [
        ("2026-05-01", "2026-06-01", False, "May 2026"),
        ("2026-06-01", "2026-06-09T12:00", True, "June 2026 to date (8.5 days)"),
        ("2026-06-01", "2026-06-08", False, "2026-06-01 to 2026-06-07 (7 days)"),
        ("2026-06-01", "2026-06-02", False, "2026-06-01 (1 day)"),
        (
            "2026-06-01T06:00",
            "2026-06-02T18:00",
            False,
            "2026-06-01 06:00 UTC to 2026-06-02 18:00 UTC (1.5 days)",
        ),
        ("2026-06-01", "2026-06-01T12:00", False, "2026-06-01 00:00 UTC to 2026-06-01 12:00 UTC (0.5 days)"),
    ],
)
def test_span(start: str, end: str, to_date: bool, text: str) -> None:
    assert figures.span(Window(moment(start), moment(end), to_date)) == text
