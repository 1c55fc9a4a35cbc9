"""Answers as they come over the wire: what counts, and what is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.errors import Reason, SourceError
from orpolicy.period import parse_window
from orpolicy.query.model import Answer, Granularity, Query
from orpolicy.sources._decode import decode_answer
from orpolicy.sources._json import BrokenJson, parse_json

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MAY = parse_window("2026-05-01..2026-06-01", NOW)
COUNT, DOLLARS, SIGNED, UNKNOWN = "request_count", "total_usage", "usage_cache", "brand_new_metric"


def query(
    *metrics: str, by: tuple[str, ...] = (), granularity: Granularity | None = None, limit: int = 100
) -> Query:
    return Query(metrics or (DOLLARS,), by, MAY, (), granularity, limit)


def envelope(rows: Any, **data: Any) -> Any:
    metadata = {"query_time_ms": 1, "row_count": len(rows), "truncated": False}
    return {"data": {"data": rows, "metadata": metadata, **data}}


def decoded(asked: Query, rows: list[Any], **data: Any) -> Answer:
    return decode_answer(asked, parse_json(json.dumps(envelope(rows, **data)).encode(), allow_nan=True))


def column(metric: str, *values: Any) -> list[Any]:
    return list(decoded(query(metric), [{metric: value} for value in values]).table.metrics[metric])


def refused(asked: Query, payload: Any) -> str:
    with pytest.raises(SourceError) as caught:
        decode_answer(asked, payload)
    assert caught.value.reason is Reason.MALFORMED_ANSWER
    return caught.value.detail


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (["37000", "0", "9007199254740993"], [37000, 0, 9007199254740993]),
        ([37000, 0], [37000, 0]),
        ([37000.0, "12.00", None, 5], [37000, 12, None, 5]),
        ([None, None], [None, None]),
        ([], []),
    ],
)
def test_counts(values: list[Any], counts: list[int | None]) -> None:
    assert column(COUNT, *values) == counts
    assert all(type(count) in (int, type(None)) for count in column(COUNT, *values))


@pytest.mark.parametrize(
    ("values", "dollars"),
    [
        ([0.25, 6067.0], [0.25, 6067.0]),
        ([1, "0.5", "1e-7", ".5", None], [1.0, 0.5, 1e-7, 0.5, None]),
    ],
)
def test_dollars(values: list[Any], dollars: list[float | None]) -> None:
    assert column(DOLLARS, *values) == dollars
    assert all(type(amount) in (float, type(None)) for amount in column(DOLLARS, *values))


def test_caching_may_cost_or_save() -> None:
    assert column(SIGNED, -0.02, 0.5) == [-0.02, 0.5]
    assert column(SIGNED, "-0.02", None) == [-0.02, None]


def test_a_metric_that_the_language_does_not_know_is_any_number() -> None:
    assert column(UNKNOWN, -1.5, "2") == [-1.5, 2.0]


def test_absent_metrics_and_further_fields() -> None:
    answer = decoded(query(COUNT, DOLLARS), [{COUNT: "1", "novel": [float("nan")]}, {DOLLARS: 1.5}])
    assert answer.table.metrics == {COUNT: [1, None], DOLLARS: [None, 1.5]}


def test_a_metric_that_no_row_has_was_not_answered() -> None:
    with pytest.raises(SourceError, match=f"no row has the metric {DOLLARS}"):
        decoded(query(COUNT, DOLLARS), [{COUNT: "1"}, {COUNT: "2"}])
    assert decoded(query(COUNT, DOLLARS), []).table.metrics == {COUNT: [], DOLLARS: []}


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        "1.5",
        "many",
        "",
        " 1",
        "1_000",
        "\uff11\uff12",
        "1e3",
        True,
        [],
        {},
        -1,
        "-1",
        -1.0,
        "9" * 5000,
        "0x1",
        "-",
    ],
)
def test_what_is_no_count(value: Any) -> None:
    for others in ([], ["1"], [1], [None]):
        detail = refused(query(COUNT), envelope([*({COUNT: other} for other in others), {COUNT: value}]))
        assert COUNT in detail
        assert repr(value)[:70] in detail
        assert len(detail) < 150


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), "NaN", "inf", "1.5 USD", "", True, [], -0.01, "-1", 10**400],
)
def test_what_is_no_amount(value: Any) -> None:
    for others in ([], [1.0], ["1"], [None]):
        detail = refused(
            query(DOLLARS), envelope([*({DOLLARS: other} for other in others), {DOLLARS: value}])
        )
        assert DOLLARS in detail
        assert repr(value)[:70] in detail


def test_a_sum_beyond_floats_is_no_reason_to_refuse_its_parts() -> None:
    assert column(DOLLARS, 1e308, 1e308) == [1e308, 1e308]


def test_nan_and_overflow_over_the_wire_are_named() -> None:
    for text in ("NaN", "-Infinity", "1e999"):
        raw = (
            json.dumps(envelope([{DOLLARS: 0}]))
            .replace('"total_usage": 0', f'"total_usage": {text}')
            .encode()
        )
        assert "total_usage" in refused(query(DOLLARS), parse_json(raw, allow_nan=True))


@pytest.mark.parametrize(
    "raw", [b"NaN", b'{"a": Infinity}', b"<html>", b"", b"\xff", b"[" * 200_000, b'{"a":1']
)
def test_what_is_no_json(raw: bytes) -> None:
    with pytest.raises(BrokenJson):
        parse_json(raw)


def test_members_survive_as_they_are() -> None:
    names = ["a\x00b\x1b[31m", "\ud800", "🦊", "", None, 12, True, False]
    answer = decoded(query(by=("app",)), [{"app": name, DOLLARS: 1} for name in names])
    assert answer.table.dimensions["app"] == [
        "a\x00b\x1b[31m",
        "\ud800",
        "🦊",
        "",
        None,
        "12",
        "true",
        "false",
    ]


@pytest.mark.parametrize(
    ("user", "member"),
    [
        ({"user": "Ada Lovelace", "user_email": "ada@example.com"}, "Ada Lovelace <ada@example.com>"),
        ({"user": None, "user_email": "grace@example.com"}, "grace@example.com"),
        ({"user_email": "grace@example.com"}, "grace@example.com"),
        ({"user": "Alan Turing", "user_email": None}, "Alan Turing"),
        ({"user": "Alan Turing"}, "Alan Turing"),
        ({"user": "a@example.com", "user_email": "a@example.com"}, "a@example.com"),
        ({"user": None, "user_email": None}, None),
    ],
)
def test_users(user: dict[str, str | None], member: str | None) -> None:
    assert decoded(query(by=("user",)), [user | {DOLLARS: 1}]).table.dimensions["user"] == [member]


@pytest.mark.parametrize(
    ("by", "row", "said"),
    [
        ("model", {}, "model"),
        ("user", {}, "user"),
        ("model", {"model": ["a"]}, "model"),
        ("model", {"model": 1.5}, "1.5"),
        ("user", {"user": {}}, "user"),
        ("user", {"user": "a", "user_email": 1.5}, "user_email"),
    ],
)
def test_rows_without_their_dimension(by: str, row: dict[str, Any], said: str) -> None:
    assert said in refused(query(by=(by,)), envelope([row]))


@pytest.mark.parametrize("prefix", ["date", "created_at"])
@pytest.mark.parametrize(
    "value",
    [
        "2026-05-09",
        "2026-05-09 12:00:00",
        "2026-05-09T00:00:00.000Z",
        "2026-05-09T00:00:00+00:00",
        "2026-05-09T00:00",
    ],
)
def test_days(prefix: str, value: str) -> None:
    answer = decoded(query(granularity=Granularity.DAY), [{f"{prefix}__day": value, DOLLARS: 1}])
    assert answer.table.dimensions == {"date": ["2026-05-09"]}


def test_months() -> None:
    rows = [
        {"date__month": value, DOLLARS: 1} for value in ("2026-06-01", "2026-05-01", "2026-05", "2026-04-01")
    ]
    answer = decoded(query(granularity=Granularity.MONTH), rows)
    assert answer.table.dimensions == {"date": ["2026-05-01", "2026-05-01"]}
    assert answer.rows_dropped == 2


def test_rows_outside_the_window_are_dropped_and_counted() -> None:
    days = ["2026-06-01", "2026-05-31", "2026-05-01", "2026-04-30"]
    rows = [{"date__day": day, "model": f"m{n}", COUNT: str(n), DOLLARS: n} for n, day in enumerate(days)]
    answer = decoded(query(COUNT, DOLLARS, by=("model",), granularity=Granularity.DAY), rows)
    assert answer.table.dimensions == {"date": ["2026-05-31", "2026-05-01"], "model": ["m1", "m2"]}
    assert answer.table.metrics == {COUNT: [1, 2], DOLLARS: [1.0, 2.0]}
    assert answer.rows_dropped == 2
    assert answer.warnings == ()


def test_a_day_that_the_window_only_touches_stays() -> None:
    window = parse_window("2026-05-01T12:00:00Z..2026-05-02T12:00:00Z", NOW)
    rows = [{"date__day": f"2026-05-0{day}", DOLLARS: 1} for day in (3, 2, 1)]
    answer = decoded(Query((DOLLARS,), (), window, (), Granularity.DAY), rows)
    assert answer.table.dimensions["date"] == ["2026-05-02", "2026-05-01"]


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-13-01", "2026-02-30", "2026-05-09T00:00:00+02:00", 20260509, None]
)
def test_what_is_no_day(value: Any) -> None:
    asked = query(granularity=Granularity.DAY)
    assert repr(value) in refused(asked, envelope([{"date__day": "2026-05-01"}, {"date__day": value}]))


def test_rows_without_a_bucket() -> None:
    assert "date__day" in refused(query(granularity=Granularity.DAY), envelope([{DOLLARS: 1}]))


def test_no_rows() -> None:
    answer = decoded(query(COUNT, by=("model",), granularity=Granularity.DAY), [])
    assert answer.table.dimensions == {"date": [], "model": []}
    assert answer.table.metrics == {COUNT: []}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (None, "answer"),
        ([], "answer"),
        ({"data": None}, "data"),
        ({"data": {"data": None, "metadata": {}}}, "data.data"),
        ({"data": {"data": {"a": 1}, "metadata": {}}}, "data.data"),
        ({"data": {"data": [], "metadata": None}}, "metadata"),
        ({"data": {"data": [], "metadata": {}}}, "truncated"),
        ({"data": {"data": [], "metadata": {"truncated": "no"}}}, "truncated"),
        ({"data": {"data": [], "metadata": {"truncated": False, "row_count": 1}}}, "row_count"),
        ({"data": {"data": [], "metadata": {"truncated": False, "row_count": None}}}, "row_count"),
        (envelope([{}, 7]), "7"),
        (envelope([], warnings="careful"), "warnings"),
        (envelope([], warnings=[1]), "warnings"),
        (envelope([], cachedAt="today"), "cachedAt"),
        (envelope([], cachedAt=True), "cachedAt"),
        (envelope([], cachedAt=float("nan")), "cachedAt"),
        (envelope([], cachedAt=-1e30), "cachedAt"),
        (envelope([{DOLLARS: 1}] * 101), "limit is 100"),
    ],
)
def test_what_is_no_answer(payload: Any, said: str) -> None:
    assert said in refused(query(), payload)


def test_row_count_may_be_spelled() -> None:
    payload = envelope([{DOLLARS: 1}])
    payload["data"]["metadata"]["row_count"] = "1"
    assert len(decode_answer(query(), payload).table) == 1


def test_time_series_may_exceed_the_limit_as_documented() -> None:
    rows = [{"date__day": "2026-05-01", "model": str(n), DOLLARS: 1} for n in range(101)]
    assert len(decoded(query(by=("model",), granularity=Granularity.DAY), rows).table) == 101


@pytest.mark.parametrize("told", [1_780_000_000, 1_780_000_000.5, 1_780_000_000_500])
def test_cached_at_in_seconds_or_milliseconds(told: float) -> None:
    cached_at = decoded(query(), [], cachedAt=told).cached_at
    assert cached_at is not None
    assert cached_at.replace(microsecond=0) == datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)


def test_flags_and_warnings_are_kept() -> None:
    payload = envelope([], warnings=["could not resolve x"])
    payload["data"]["metadata"]["truncated"] = True
    answer = decode_answer(query(), payload)
    assert answer.truncated
    assert answer.warnings == ("could not resolve x",)
    assert decoded(query(), [], warnings=None).warnings == ()


@given(st.lists(st.integers(0, 10**15)), st.randoms())
def test_however_counts_are_spelled_they_add_up(counts: list[int], random: Any) -> None:
    spelled = [random.choice([count, str(count), f"{count}.0", float(count)]) for count in counts]
    assert column(COUNT, *spelled) == counts


@given(st.lists(st.floats(0, 1e12)), st.randoms())
def test_however_dollars_are_spelled_they_are_the_same(dollars: list[float], random: Any) -> None:
    assert column(DOLLARS, *(random.choice([amount, repr(amount)]) for amount in dollars)) == dollars


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "metadata", "truncated", "row_count", DOLLARS, "model"]), inner
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_comes_is_an_answer_or_malformed(payload: Any) -> None:
    candidates: list[Any] = [payload, {"data": payload}]
    candidates.append({"data": {"data": payload, "metadata": {"truncated": False}}})
    for candidate in candidates:
        try:
            amounts = decode_answer(query(by=("model",)), candidate).table.metrics[DOLLARS]
        except SourceError as error:
            reason, amounts = error.reason, []
        else:
            reason = Reason.MALFORMED_ANSWER
        assert reason is Reason.MALFORMED_ANSWER
        assert all(amount is None or amount >= 0 for amount in amounts)
