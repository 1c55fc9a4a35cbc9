"""The content of a snapshot: what was recorded comes back, and what nobody recorded is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshot_sample import POLICIES, VERSION_1, account
from world import policies

from orpolicy.account import Directory
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.lint import lint
from orpolicy.period import interval_window
from orpolicy.plugins import SOURCES
from orpolicy.query.model import Answer, Filter, Granularity, Meta, Operator, Query
from orpolicy.recording import record
from orpolicy.sources._snapshot_file import read_file
from orpolicy.sources._snapshot_json import encode
from orpolicy.sources._snapshot_model import Asked, Outcome, Recording
from orpolicy.sources._snapshot_read import decode
from orpolicy.sources.base import Setting, SourceInfo
from orpolicy.staging import Choice
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MAY = interval_window("2026-05-01", "2026-06-01")
QUERY = Query(("total_usage",), ("model",), MAY)


def recording(*asked: tuple[Query, Outcome], **changes: Any) -> Recording:
    answers = tuple(Asked.of(query, outcome) for query, outcome in asked)
    base = Recording(
        now=NOW,
        info=SourceInfo("memory", "", 0),
        meta=Meta({"total_usage": False}, frozenset({"model"})),
        directory=None,
        catalogue=None,
        answers=answers,
    )
    return replace(base, **changes)


def again(recorded: Recording) -> Recording:
    return decode(encode(recorded), "x")


def test_version_1_still_reads_and_says_the_same() -> None:
    source = SOURCES["snapshot"].open(Setting(str(VERSION_1), {}))
    report = lint(policies(POLICIES), source, Choice())
    live = lint(policies(POLICIES), account(), Choice())
    assert report == live
    assert {policy.id: str(policy.verdict) for policy in report.policies} == {
        "outlier": "pass", "nightly": "fail", "growth": "fail",
    }  # fmt: skip
    assert source.directory() == account().directory()
    facts = source.directory().by_name["nightly"][0].facts
    assert facts is not None
    assert (facts.limit_usd, facts.limit_reset, facts.usage_usd) == (100, "monthly", 90.5)
    assert (facts.created_at, facts.expires_at) == ("2026-01-02", None)


def test_the_same_recording_gives_the_same_bytes() -> None:
    made = [encode(record(policies(POLICIES), account(), Choice()).recording) for _ in range(2)]
    assert made[0] == made[1]
    assert encode(decode(made[0], "x")) == made[0]


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_categories=())),
            st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.integers(0, 10**30),
        ),
        max_size=5,
    ),
    truncated=st.booleans(),
)
def test_every_row_comes_back_as_it_was(
    rows: list[tuple[str | None, float, int | None]], *, truncated: bool
) -> None:
    query = Query(("request_count", "total_usage"), ("model",), MAY)
    table = Table(
        {"model": [name for name, _, _ in rows]},
        {"request_count": [count for _, _, count in rows], "total_usage": [usd for _, usd, _ in rows]},
    )
    moment = datetime(2026, 6, 2, 3, 4, 5, 678901, tzinfo=UTC)
    answer = Answer(query, table, truncated, ("a warning\ud800",), moment, True, 12, 3)
    (asked,) = again(recording((query, answer))).answers
    assert asked.outcome == answer
    assert repr(asked.outcome) == repr(answer)


def test_a_name_of_ten_thousand_characters() -> None:
    name = "\x1b[31m\n'\"\\☃" * 1_250
    answer = Answer(QUERY, Table({"model": [name]}, {"total_usage": [1.0]}))
    assert again(recording((QUERY, answer))).answers[0].outcome == answer


def test_errors_come_back_with_all_they_say() -> None:
    error = SourceError(Reason.DEADLINE, "too\nheavy", is_too_heavy=True)
    made = again(recording((QUERY, error), directory=error, catalogue=error))
    for found in (made.answers[0].outcome, made.directory, made.catalogue):
        assert isinstance(found, SourceError)
        assert (found.reason, found.detail, found.is_too_heavy) == (error.reason, error.detail, True)


def test_a_query_comes_back_with_its_filters() -> None:
    filters = (Filter("api_key_id", Operator.IN, ("a" * 64,)), Filter("model", Operator.NOT_IN, ("x", "y")))
    query = replace(QUERY, filters=filters, granularity=Granularity.DAY, limit=7)
    days = Table({"date": ["2026-05-01"], "model": [None]}, {"total_usage": [None]})
    made = again(recording((query, Answer(query, days)), directory=Directory((), {"w": ("1", "2")})))
    assert made.answers[0].query == query
    assert made.directory == Directory((), {"w": ("1", "2")})


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_recorded(figure: float) -> None:
    answer = Answer(QUERY, Table({"model": ["m"]}, {"total_usage": [figure]}))
    with pytest.raises(SourceError, match="not finite"):
        encode(recording((QUERY, answer)))


def sample() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(read_file(VERSION_1).decode("utf-8", "surrogatepass"))
    return content


def read_all(content: bytes) -> list[Outcome]:
    """Everything in some content; tables are read when they are asked for."""
    return [asked.outcome for asked in decode(content, "x").answers]


def put(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        target: Any = document
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


def price(*fields: Any) -> Callable[[Any], None]:
    return put("catalogue", "models", 0, 3, value=list(fields))


BY_MODEL = next(number for number, item in enumerate(sample()["answers"]) if "model" in item["by"])
TIER = [[1.0, None, None, None, None], 0, None, None]


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("now"),
        put("now", value="soon"),
        put("now", value="0001-01-01"),
        put("source", value=[]),
        put("source", "kind", value="\x1b[31m"),
        put("source", "requests", value=-1),
        put("source", "requests", value=True),
        put("source", "notes", value=[1]),
        put("meta", "metrics", "total_usage", value=0),
        put("meta", "dimensions", value="model"),
        put("directory", value=7),
        put("directory", "workspaces", value=[["a"]]),
        put("directory", "keys", 0, "disabled", value=None),
        put("directory", "keys", 0, "limit_usd", value="1"),
        put("directory", value={"error": "no-such-reason", "detail": "", "too_heavy": False}),
        put("catalogue", "models", 0, value=[1, 2]),
        put("catalogue", "taken_at", value="2026-05-01"),
        put("catalogue", "taken_at", value="yesterday"),
        put("catalogue", "models", 0, 5, value=-1),
        put("catalogue", "models", 0, 10, value="someday"),
        price(1, 2),
        price(1, 2, 3, 4, "5"),
        put("catalogue", "models", 0, 4, value=[[1]]),
        put("catalogue", "models", 0, 4, value=[[*TIER[:2], 1441, 0]]),
        put("catalogue", "models", 0, 4, value=[[[1.0], 0, None, None]]),
        put("pseudonyms", value={"a": "b"}),
        put("members", "model", value=[{}]),
        put("members", "date", 0, value="2026-13-01"),
        put("members", "date", 0, value=None),
        put("answers", 0, value=1),
        put("answers", 0, "query", "metrics", value=["request_count"]),
        put("answers", 0, "query", "granularity", value="week"),
        put("answers", 0, "query", "end", value="2020-01-01"),
        put("answers", 0, "query", "filters", value=[["model", "like", ["x"]]]),
        put("answers", 0, "query", "filters", value=[["model", "in"]]),
        put("answers", 0, "query", "limit", value=1.5),
        put("answers", 0, "rows", value=99),
        put("answers", 0, "truncated", value="no"),
        put("answers", 0, "figures", "total_usage", value=["1"]),
        put("answers", 0, "figures", "total_usage", value=[True]),
        put("answers", 0, "figures", "total_usage", value=[10**400]),
        put("answers", 0, "figures", value={}),
        put("answers", BY_MODEL, "by", "model", 0, value=-1),
        put("answers", BY_MODEL, "by", "model", 0, value=10**6),
        put("answers", BY_MODEL, "by", "model", 0, value="0"),
        put("answers", BY_MODEL, "by", "model", value=[0] * 50),
    ],
)
def test_what_no_version_1_holds_is_the_files_fault(change: Callable[[dict[str, Any]], object]) -> None:
    document = sample()
    change(document)
    with pytest.raises(UsageError, match=r"^x: not what a snapshot holds: ."):
        read_all(json.dumps(document).encode())


def lines() -> list[Any]:
    """The sample as version 2 has it: the first line, then a table each."""
    found = encode(decode(read_file(VERSION_1), "x")).split(b"\n")
    return [json.loads(line.decode("utf-8", "surrogatepass")) for line in found]


def joined(documents: list[Any]) -> bytes:
    return b"\n".join(json.dumps(document).encode() for document in documents)


def test_version_2_holds_the_tables_apart() -> None:
    first, *tables = lines()
    assert read_all(joined([first, *tables])) == read_all(read_file(VERSION_1))
    old = sample()["answers"]
    assert [item["rows"] for item in first["answers"]] == [item["rows"] for item in old]
    assert tables == [{"by": item["by"], "figures": item["figures"]} for item in old]


@pytest.mark.parametrize(
    "change",
    [
        lambda tables: tables.pop(),
        lambda tables: tables.append(tables[1]),
        lambda tables: tables.insert(1, []),
        put(1, value=[]),
        put(1, value={"by": {}}),
        put(1, "figures", "request_count", 0, value=-1),
        put(1, "figures", "total_usage", 0, value=float("nan")),
        lambda tables: tables.reverse(),
    ],
)
def test_what_no_version_2_holds_is_the_files_fault(change: Callable[[list[Any]], object]) -> None:
    documents = lines()
    change(documents)
    with pytest.raises(UsageError, match=r"^x: not what a snapshot holds: ."):
        read_all(joined(documents))


@pytest.mark.parametrize("line", [b"", b"[" * 100_000, b"\xff", b'{"by": {}, "figures": {}} {}'])
def test_a_table_that_is_no_json_is_the_files_fault(line: bytes) -> None:
    first, second, *others = encode(decode(read_file(VERSION_1), "x")).split(b"\n")
    assert second
    with pytest.raises(UsageError, match=r"^x: not what a snapshot holds: ."):
        read_all(b"\n".join([first, line, *others]))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"now": NaN}', b'{"now": ' + b"9" * 5_000 + b"}"]
)
def test_what_is_no_json_object_is_the_files_fault(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"^x: not what a snapshot holds: ."):
        read_all(content)


def test_later_fields_are_ignored_and_tiers_read() -> None:
    document = sample() | {"later": 1}
    document["catalogue"]["models"][0][4] = [[*TIER[:2], 0, 1440], TIER]
    catalogue = decode(json.dumps(document).encode(), "x").catalogue
    assert catalogue is not None
    assert not isinstance(catalogue, SourceError)
    assert catalogue.models[0].tiers[0].utc_end == 1440
