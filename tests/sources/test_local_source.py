"""The local source: which files it reads, what it refuses, and that nothing is lost or counted twice."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_files import Record, csv_text, jsonl_text, write_parquet

from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.period import Window, interval_window, parse_window
from orpolicy.plugins import SOURCES
from orpolicy.query.model import Answer, Filter, Granularity, Operator, Query
from orpolicy.sources._local_json import marked, unmarked
from orpolicy.sources.base import Setting, Source

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MAY = interval_window("2026-05-01", "2026-06-01")
REAL = Path(__file__).parents[3] / "shared" / "data" / "requests"
ONE: Record = {"created_at": "2026-05-02T10:00:00Z", "model": "acme/one", "total_usage": 0.5}
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"the public data is not at {REAL}")


class Opened:
    """A source that is closed after use, with short questions."""

    def __init__(self, path: Path | str, **setting: Any) -> None:
        self.source: Source = SOURCES["local"].open(Setting(str(path), {}, **{"now": NOW, **setting}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()

    def ask(self, *metrics: str, by: tuple[str, ...] = (), window: Window = MAY, **query: Any) -> Answer:
        names = tuple(sorted({*metrics, "total_usage"}))
        return self.source.answer(Query(names, by, window, **query))

    def spend(self) -> float | None:
        return self.ask().table.total("total_usage")


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def refusal(path: Path | str) -> SourceError:
    """The error of the first question, the same at the second."""
    with Opened(path) as opened:
        with pytest.raises(SourceError) as caught:
            opened.ask()
        with pytest.raises(SourceError) as again:
            opened.source.meta()
    assert caught.value is again.value
    return caught.value


@needs_real
def test_real_requests() -> None:
    """Figures counted by hand in the file."""
    with Opened(REAL / "real-requests-2026-08.jsonl") as opened:
        window = parse_window("2026-08-07..2026-08-11", NOW)
        table = opened.ask("request_count", "tokens_total", window=window).table
    spend, tokens = table.total("total_usage") or 0, table.total("tokens_total") or 0
    assert round(spend, 4) == 42.2797
    assert table.total("request_count") == 697
    assert tokens == 6_039_828
    assert round(spend / tokens * 1e6, 4) == 7.0001


@needs_real
def test_a_header_of_its_own_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown header \(generation_id, captured_utc, .*created_at"):
        Opened(REAL / "real-requests-2026-08.csv")


# --- files


def test_no_such_file(tmp_path: Path) -> None:
    for text in (tmp_path / "none.jsonl", tmp_path / "*.csv", tmp_path, "\0"):
        with pytest.raises(UsageError, match="records"):
            Opened(text)


def test_a_file_of_another_kind_is_refused_and_in_a_folder_left_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.parquet"):
        Opened(written(tmp_path, "README.md", "# records"))
    written(tmp_path, ".hidden.jsonl", "broken")
    written(tmp_path, "a.jsonl", jsonl_text([ONE]))
    with Opened(tmp_path) as opened:
        assert opened.spend() == 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="these names cannot be there")
def test_names_of_files_are_not_patterns_and_not_sql(tmp_path: Path) -> None:
    for name in ("a[1].parquet", 'it\'s "q*".parquet', "a[1].csv", 'it\'s "q*".csv'):
        write_parquet(tmp_path / name, [ONE]) if name.endswith("t") else written(
            tmp_path, name, csv_text([ONE])
        )
    write_parquet(tmp_path / "a1.parquet", [{**ONE, "total_usage": 64.0}])
    written(tmp_path, "a1.csv", csv_text([{**ONE, "total_usage": 64.0}]))
    for name in ("a[1].parquet", 'it\'s "q*".parquet', "a[1].csv", 'it\'s "q*".csv'):
        with Opened(tmp_path / name) as opened:
            assert opened.spend() == 0.5
    with Opened(tmp_path / "a?.*") as opened:
        assert opened.spend() == 128.0


@pytest.mark.skipif(sys.platform != "linux", reason="there is no such file to link to")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to("/proc/self/mem")
    with pytest.raises(UsageError, match=r"a\.jsonl: cannot be read"):
        Opened(tmp_path)


def test_gzip_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "plain.json").write_bytes(gzip.compress(json.dumps([ONE]).encode()))
    with Opened(tmp_path / "plain.json") as opened:
        assert opened.spend() == 0.5
    whole = gzip.compress(jsonl_text([ONE] * 1000).encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[:-12])
    assert "cut.jsonl.gz" in refusal(tmp_path / "cut.jsonl.gz").detail
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(csv_text([ONE] * 1000).encode())[:30])
    with pytest.raises(UsageError, match="cannot be read as CSV"):
        Opened(tmp_path / "cut.csv.gz")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    for name, text in (
        ("a.csv", csv_text([ONE])),
        ("b.jsonl", jsonl_text([ONE])),
        ("c.json", json.dumps([ONE])),
    ):
        with Opened(written(tmp_path, name, "\ufeff" + text)) as opened:
            assert opened.spend() == 0.5


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError, match=r"pip install 'orpolicy\[local\]'"):
        Opened(written(tmp_path, "a.jsonl", jsonl_text([ONE])))


def test_the_clock_is_real_unless_fixed(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", jsonl_text([ONE]))
    with Opened(path) as fixed, Opened(path, now=None) as real:
        assert fixed.source.now == NOW
        assert abs((real.source.now - datetime.now(UTC)).total_seconds()) < 60
        assert real.source.now.microsecond == 0


def test_the_catalogue_is_the_one_that_was_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", jsonl_text([ONE]))
    models = tmp_path / "models.txt"
    models.write_text('{"data": [{"id": "acme/one", "pricing": {}}]}')
    with Opened(path) as without, Opened(path, catalogue=models) as named:
        assert without.source.catalogue() is None
        catalogue = named.source.catalogue()
        assert catalogue is not None
        assert [model.id for model in catalogue.models] == ["acme/one"]
        assert without.source.directory().keys == ()
        assert without.source.info().host == str(path)


# --- headers and columns


ACTIVITY = (
    "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,"
    "tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant,"
    "cancelled,streamed,user,finish_reason_raw,finish_reason_normalized,generation_time_ms,"
    "time_to_first_token_ms,api_key_disabled,api_key_name,app_name\n"
)
ACTIVITY_ROWS = (
    "gen-1,2026-05-06 18:54:30.040,0.5,0.125,-0.25,0.0625,0,100,20,5,80,acme/one-20260101,Acme,standard,"
    "false,true,ada,stop,stop,812,100,false,prod,Shop\n"
    "gen-2,2026-05-06 23:59:59.999,0,,,,0.25,1000,200,,,acme/one-20260101,Acme,standard,"
    "false,false,,end,stop,812,100,false,,\n"
)


def test_the_activity_export(tmp_path: Path) -> None:
    path = written(tmp_path, "activity.csv", ACTIVITY + ACTIVITY_ROWS)
    metrics = (
        "request_count", "tokens_total", "tokens_prompt", "tokens_completion", "reasoning_tokens",
        "cached_tokens", "usage_web", "usage_cache", "usage_file",
    )  # fmt: skip
    with Opened(path) as opened:
        keys = opened.ask(*metrics, by=("api_key_id", "provider")).table
        meta = opened.source.meta()
        days = opened.ask(by=("model",), granularity=Granularity.DAY).table
    assert keys.dimensions == {"api_key_id": ["prod", None], "provider": ["Acme", "Acme"]}
    assert {name: list(column) for name, column in keys.metrics.items()} == {
        "total_usage": [0.5, 0.25],
        "request_count": [1, 1],
        "tokens_total": [120, 1200],
        "tokens_prompt": [100, 1000],
        "tokens_completion": [20, 200],
        "reasoning_tokens": [5, None],
        "cached_tokens": [80, None],
        "usage_web": [0.125, None],
        "usage_cache": [-0.25, None],
        "usage_file": [0.0625, None],
    }
    assert days.dimensions == {"date": ["2026-05-06"], "model": ["acme/one-20260101"]}
    names = "generation_id model provider variant streamed user finish_reason api_key_id app"
    assert meta.dimensions == set(names.split())


@pytest.mark.parametrize(
    "header",
    [
        "model,total_usage",
        "created_at,model,tokens_prompt",
        "created_at,cost_total,model_permaslug",
        "Created_At,Total_Usage",
        "a,b,c,d,e,f,g",
    ],
)
def test_an_unknown_header_is_named_with_what_is_expected(tmp_path: Path, header: str) -> None:
    with pytest.raises(UsageError, match=r"unknown header .*created_at, total_usage.*activity export"):
        Opened(written(tmp_path, "a.csv", header + "\n"))


def test_broken_headers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="empty"):
        Opened(written(tmp_path, "a.csv", ""))
    with pytest.raises(UsageError, match="'model' is there twice"):
        Opened(written(tmp_path, "b.csv", "created_at,total_usage,model,model\n"))
    with pytest.raises(UsageError, match="Parquet"):
        Opened(written(tmp_path, "c.parquet", "no parquet"))
    (tmp_path / "d.csv").write_bytes(b"created_at,\xff\n")
    with pytest.raises(UsageError, match="unknown header"):
        Opened(tmp_path / "d.csv")
    with pytest.raises(UsageError, match="cannot be read as CSV"):
        Opened(written(tmp_path, "e.csv", '"created_at'))


def test_derived_counts(tmp_path: Path) -> None:
    records = [
        {**ONE, "tokens_prompt": 10, "tokens_completion": 1},
        {**ONE, "tokens_prompt": 5, "tokens_completion": None},
        {**ONE, "tokens_prompt": None, "tokens_completion": None},
    ]
    with Opened(written(tmp_path, "a.jsonl", jsonl_text(records))) as opened:
        table = opened.ask("tokens_total", "request_count").table
        assert table.metrics == {"request_count": [3], "tokens_total": [16], "total_usage": [1.5]}


def test_what_one_file_lacks_is_not_answerable(tmp_path: Path) -> None:
    written(tmp_path, "a.jsonl", jsonl_text([{**ONE, "usage_web": 0.25, "app": "x"}]))
    written(tmp_path, "b.jsonl", jsonl_text([{**ONE, "tokens_prompt": 1}]))
    written(tmp_path, "empty.jsonl", "")
    with Opened(tmp_path) as opened:
        assert opened.source.meta().metrics == {"total_usage": False, "request_count": False}
        assert opened.source.meta().dimensions == {"model"}
        assert opened.spend() == 1.0
        with pytest.raises(SourceError, match="metric usage_web") as caught:
            opened.ask("usage_web")
    assert caught.value.reason is Reason.NOT_ANSWERABLE


@pytest.mark.parametrize(("name", "text"), [("a.json", "[]"), ("a.json", " [ ] \n"), ("a.jsonl", "\n\n")])
def test_nothing_in_a_file_answers_nothing(tmp_path: Path, name: str, text: str) -> None:
    with Opened(written(tmp_path, name, text)) as opened, pytest.raises(SourceError) as error:
        opened.ask()
    assert error.value.reason is Reason.NOT_ANSWERABLE


def test_a_header_alone_is_no_usage(tmp_path: Path) -> None:
    with Opened(written(tmp_path, "a.csv", "created_at,total_usage,model\n")) as opened:
        assert len(opened.ask(by=("model",)).table) == 0


def test_texts_stay_texts_and_null_stays_null(tmp_path: Path) -> None:
    text = (
        "created_at,total_usage,model\n"
        '2026-05-02,32,00123\n2026-05-02,16,1e5\n2026-05-02,8,NULL\n2026-05-02,4,""\n2026-05-02,2,\n'
        "2026-05-02,1,true\n"
    )
    with Opened(written(tmp_path, "a.csv", text)) as opened:
        table = opened.ask(by=("model",)).table
        assert table.dimensions == {"model": ["00123", "1e5", "NULL", "", None, "true"]}
        assert table.metrics == {"total_usage": [32.0, 16.0, 8.0, 4.0, 2.0, 1.0]}
        picked = opened.ask(by=("model",), filters=(Filter("model", Operator.NOT_IN, ("", "NULL")),)).table
        assert picked.dimensions == {"model": ["00123", "1e5", None, "true"]}


def test_json_members_and_numbers(tmp_path: Path) -> None:
    record = {
        "created_at": "2026-05-31T23:59:59.999Z", "model": 5, "streamed": True, "request_count": "37000",
        "tokens_total": 12.0, "total_usage": "1.5e-3", "unknown": {"deep": [1]},
    }  # fmt: skip
    with Opened(written(tmp_path, "a.json", json.dumps([record, {**record, "streamed": False}]))) as opened:
        table = opened.ask("request_count", "tokens_total", by=("model", "streamed")).table
    assert table.dimensions == {"model": ["5", "5"], "streamed": ["false", "true"]}
    assert table.metrics == {
        "request_count": [37_000] * 2,
        "tokens_total": [12] * 2,
        "total_usage": [0.0015] * 2,
    }


def test_parquet_types(tmp_path: Path) -> None:
    path = tmp_path / "types.parquet"
    with duckdb.connect() as db:
        db.execute(
            "COPY (SELECT TIMESTAMPTZ '2026-05-01 01:00:00+01' AS created_at,"
            " 0.25::DECIMAL(9,4) AS total_usage,"
            " 7::UTINYINT AS request_count, 12.0::FLOAT AS tokens_prompt, '3' AS tokens_completion,"
            " 'x'::ENUM('x', 'y') AS model, true AS streamed, 5 AS app, 9 AS record, 1 AS bad,"
            f" 1.0::DECIMAL(4,1) AS cached_tokens, 2::FLOAT AS usage_web) TO '{path}' (FORMAT parquet)"
        )
        db.execute(
            "COPY (SELECT DATE '2026-05-01' AS created_at, 1 AS total_usage, chr(26) || '61' AS model)"
            f" TO '{tmp_path / 'date.parquet'}' (FORMAT parquet)"
        )
    metrics = ("request_count", "tokens_total", "cached_tokens", "usage_web")
    with Opened(path) as opened:
        table = opened.ask(*metrics, by=("model", "app"), granularity=Granularity.DAY).table
        assert table.dimensions == {"date": ["2026-05-01"], "model": ["x"], "app": ["5"]}
        assert [table.total(name) for name in (*metrics, "total_usage")] == [7, 15, 1, 2.0, 0.25]
    with Opened(tmp_path / "date.parquet") as opened:
        assert opened.ask(by=("model",)).table.dimensions == {"model": ["\x1a61"]}


# --- records that cannot be trusted

BAD = {
    "created_at": (None, "", "yesterday", "2026-02-30T00:00:00Z", "2026-05-01T00:00:00+02:00", "infinity"),
    "total_usage": ("a lot", "", "nan", "inf", "1e999", "0x10", "1_000", "1,5", " 1"),
    "tokens_prompt": ("many", "-1", "1.5", "1e3", "٣", "9" * 30, ""),
}
CASES = [(field, value) for field, values in BAD.items() for value in values]


@pytest.mark.parametrize(("field", "value"), CASES, ids=str)
def test_a_bad_value_is_named_with_its_place(tmp_path: Path, field: str, value: str | None) -> None:
    records = [{**ONE, "tokens_prompt": 1}, {**ONE, "tokens_prompt": 2, field: value}]
    written(tmp_path, "a.jsonl", "\n" + jsonl_text(records))
    written(tmp_path, "b.json", json.dumps(records, indent=1))
    written(tmp_path, "c.csv", csv_text([{name: str(x) for name, x in records[0].items()}, records[1]]))
    for name, place in (("a.jsonl", "line 3"), ("b.json", "record 2"), ("c.csv", "record 2")):
        error = refusal(tmp_path / name)
        assert error.reason is Reason.MALFORMED_ANSWER
        assert error.detail.startswith(f"{tmp_path / name}: {place}: {field} is not ")


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ('{"created_at": "2026-05-01", "total_usage": NaN}', "total_usage is not a finite"),
        ('{"created_at": "2026-05-01", "total_usage": -Infinity}', "total_usage is not a finite"),
        ('{"created_at": "2026-05-01", "total_usage": true}', "total_usage: a number is expected, not true"),
        ('{"created_at": "2026-05-01", "total_usage": [1]}', "total_usage: a number is expected"),
        (
            '{"created_at": "2026-05-01", "total_usage": 1, "tokens_prompt": -5}',
            "tokens_prompt is not a whole",
        ),
        ('{"created_at": 1777593600, "total_usage": 1}', "created_at is not a UTC time"),
        ('{"created_at": 1777593600.5, "total_usage": 1}', "created_at: a text is expected"),
        ('{"created_at": "2026-05-01", "total_usage": 1, "model": {"a": 1}}', "model: a text is expected"),
        (
            '{"created_at": "2026-05-01", "total_usage": 1, "model": 1.5}',
            "model: a text is expected, not 1.5",
        ),
        ('{"total_usage": 1}', "created_at is not a UTC time"),
        ("[1]", "an object is expected"),
        ("7", "an object is expected"),
        ('{"created_at": ', "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_bad_json_record_is_named_with_its_place(tmp_path: Path, record: str, complaint: str) -> None:
    lines = written(tmp_path, "a.jsonl", f"{json.dumps(ONE)}\n{record}\n{json.dumps(ONE)}\n")
    error = refusal(lines)
    assert error.reason is Reason.MALFORMED_ANSWER
    assert f"{lines}: line 2: {complaint}" in error.detail
    array = written(tmp_path, "a.json", f"[{json.dumps(ONE)},\n{record}]")
    assert f"{array}: record 2: {complaint}" in refusal(array).detail


@pytest.mark.parametrize(
    "text",
    ["[", "[1", '[{"a": 1}', '[{"a": 1} {"a": 2}]', '[{"a": 1},]', "[,]", '[{"a": 1}] 5', '[{"a": 1}]]'],
)
def test_a_broken_array_is_refused(tmp_path: Path, text: str) -> None:
    error = refusal(written(tmp_path, "a.json", text.replace('{"a": 1}', json.dumps(ONE))))
    assert error.reason is Reason.MALFORMED_ANSWER
    assert "a.json: record " in error.detail


@pytest.mark.parametrize(
    "row", ["2026-05-02,1", "2026-05-02,1,a,b", '2026-05-02,1,"open', "2026-05-02,1,\udcff"], ids=ascii
)
def test_a_broken_csv_row_is_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "a.csv"
    text = f"created_at,total_usage,model\n2026-05-02,1,a\n{row}\n"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    error = refusal(path)
    assert error.reason is Reason.MALFORMED_ANSWER
    assert f"{path}: " in error.detail
    assert "Line: 3" in error.detail
    assert "\n" not in error.detail


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl_text([ONE]).encode() + b'{"model": "\xff"}\n')
    assert "cannot be read to its end" in refusal(path).detail


@pytest.mark.parametrize(
    ("select", "field"),
    [
        ("NULL::TIMESTAMP AS created_at, 1.0 AS total_usage", "created_at"),
        ("5 AS created_at, 1.0 AS total_usage", "created_at"),
        ("TIMESTAMP 'infinity' AS created_at, 1.0 AS total_usage", "created_at"),
        ("TIMESTAMP '2026-05-01' AS created_at, 'nan'::DOUBLE AS total_usage", "total_usage"),
        ("TIMESTAMP '2026-05-01' AS created_at, true AS total_usage", "total_usage"),
        ("TIMESTAMP '2026-05-01' AS created_at, 1 AS total_usage, -1 AS tokens_total", "tokens_total"),
        ("TIMESTAMP '2026-05-01' AS created_at, 1 AS total_usage, 1.5 AS tokens_total", "tokens_total"),
        (
            "TIMESTAMP '2026-05-01' AS created_at, 1 AS total_usage, 'inf'::DOUBLE AS tokens_total",
            "tokens_total",
        ),
        ("TIMESTAMP '2026-05-01' AS created_at, 1 AS total_usage, 2^63 AS tokens_total", "tokens_total"),
        (
            "TIMESTAMP '2026-05-01' AS created_at, 1 AS total_usage, (2^63)::UBIGINT AS tokens_total",
            "tokens_total",
        ),
        ("TIMESTAMP '2026-05-01' AS created_at, 1 AS total_usage, [1] AS tokens_total", "tokens_total"),
        ("TIMESTAMP '2026-05-01' AS created_at, 1 AS total_usage, ['a'] AS model", "model"),
    ],
)
def test_a_bad_parquet_value_is_named_with_its_place(tmp_path: Path, select: str, field: str) -> None:
    path = tmp_path / "a.parquet"
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT {select}) TO '{path}' (FORMAT parquet)")
    error = refusal(path)
    assert error.reason is Reason.MALFORMED_ANSWER
    assert f"{path}: record 1: {field} is not " in error.detail


def test_a_file_that_vanishes_is_an_error_of_the_source(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", [ONE])
    written(tmp_path, "b.csv", csv_text([ONE]))
    for name in ("a.parquet", "b.csv"):
        with Opened(tmp_path / name) as opened:
            (tmp_path / name).unlink()
            with pytest.raises(SourceError, match=name):
                opened.ask()
    write_parquet(tmp_path / "a.parquet", [ONE])
    with Opened(tmp_path / "a.parquet") as opened:
        assert opened.spend() == 0.5
        (tmp_path / "a.parquet").unlink()
        with pytest.raises(SourceError) as caught:
            opened.ask()
    assert caught.value.reason is Reason.MALFORMED_ANSWER


# --- the same generation twice


def test_overlapping_exports_count_once_and_say_so(tmp_path: Path) -> None:
    first = [{**ONE, "generation_id": f"gen-{number}"} for number in range(4)]
    written(tmp_path, "a.jsonl", jsonl_text(first))
    written(tmp_path, "b.csv", csv_text([*first[2:], {**ONE, "generation_id": "gen-9"}]))
    with Opened(tmp_path) as opened:
        assert opened.source.info().notes == ()
        table = opened.ask("request_count").table
        assert (table.total("total_usage"), table.total("request_count")) == (2.5, 5)
        (note,) = opened.source.info().notes
        assert note.startswith("2 records repeat a generation_id")


def test_records_without_generation_are_never_copies(tmp_path: Path) -> None:
    written(tmp_path, "a.jsonl", jsonl_text([ONE, ONE, {**ONE, "generation_id": "gen-1"}]))
    written(tmp_path, "b.jsonl", jsonl_text([ONE]))
    written(tmp_path, "c.jsonl", jsonl_text([{**ONE, "generation_id": "gen-1"}]))
    with Opened(tmp_path) as opened:
        assert opened.spend() == 2.0
        assert "generation_id" not in opened.source.meta().dimensions


def test_copies_that_differ_are_refused(tmp_path: Path) -> None:
    records = [{**ONE, "generation_id": "gen-1"}, {**ONE, "generation_id": "gen-1", "total_usage": 0.75}]
    error = refusal(written(tmp_path, "a.jsonl", jsonl_text(records)))
    assert error.reason is Reason.MALFORMED_ANSWER
    assert "'gen-1'" in error.detail


# --- sums, windows, bounds


def test_dollars_are_summed_with_care(tmp_path: Path) -> None:
    records = [{**ONE, "total_usage": 0.1}] * 100_000
    with Opened(written(tmp_path, "a.jsonl", jsonl_text(records))) as opened:
        assert opened.spend() == pytest.approx(10_000, rel=1e-15)


def test_counts_are_exact_beyond_64_bits(tmp_path: Path) -> None:
    records = [{**ONE, "tokens_total": 10**17 + number} for number in range(200)]
    with Opened(written(tmp_path, "a.jsonl", jsonl_text(records))) as opened:
        assert opened.ask("tokens_total").table.total("tokens_total") == 200 * 10**17 + 199 * 100


def test_windows_cut_within_a_day(tmp_path: Path) -> None:
    records = [{**ONE, "created_at": f"2026-05-02T{hour:02d}:00:00Z"} for hour in range(24)]
    noon = datetime(2026, 5, 2, 12, tzinfo=UTC)
    with Opened(written(tmp_path, "a.jsonl", jsonl_text(records))) as opened:
        table = opened.ask("request_count", window=Window(MAY.start, noon)).table
        assert table.total("request_count") == 12


def test_arrays_longer_than_a_chunk(tmp_path: Path) -> None:
    records = [{**ONE, "app": "x" * (number * 37 % 5000)} for number in range(500)]
    for text in (json.dumps(records), json.dumps(records, indent=2)):
        with Opened(written(tmp_path, "a.json", text)) as opened:
            assert opened.ask("request_count").table.total("request_count") == 500


def test_a_record_without_end_is_refused_before_it_fills_memory(tmp_path: Path) -> None:
    text = '{"model": "' + "x" * (40 * 2**20)
    assert "line 1: not JSON" in refusal(written(tmp_path, "a.jsonl", text)).detail
    assert "record 1: not JSON" in refusal(written(tmp_path, "a.json", "[" + text)).detail


def test_hostile_files_cannot_reach_others(tmp_path: Path) -> None:
    secret = written(tmp_path, "secret.csv", csv_text([{**ONE, "model": "secret"}]))
    name = f"x' UNION ALL SELECT * FROM read_csv('{secret}') --"  # noqa: S608 - a hostile name
    write_parquet(tmp_path / "a.parquet", [{**ONE, "model": name}])
    with Opened(tmp_path / "a.parquet") as opened:
        picked = Filter("model", Operator.IN, (name,))
        table = opened.ask(by=("model",), filters=(picked,)).table
        assert table.dimensions == {"model": [name]}


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_marks_are_undone(text: str) -> None:
    held = marked(text)
    held.encode()
    assert unmarked(held) == text


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.text(alphabet=st.characters(exclude_categories=[])), min_size=1, max_size=30, unique=True
    )
)
def test_any_name_is_found_again(tmp_path: Path, names: list[str]) -> None:
    records = [{**ONE, "model": name} for name in names]
    with Opened(written(tmp_path, "a.jsonl", jsonl_text(records))) as opened:
        assert sorted(map(str, opened.ask(by=("model",)).table.dimensions["model"])) == sorted(names)
        picked = Filter("model", Operator.IN, (names[0],))
        assert list(opened.ask(by=("model",), filters=(picked,)).table.dimensions["model"]) == [names[0]]


def test_a_run_over_files_ends_without_a_word_on_stderr(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", "created_at,total_usage,model\n2026-05-02,32,x/y\n")
    (tmp_path / "orpolicy.yaml").write_text(
        "version: 1\npolicies: [{id: a, rule: spend-limit, by: [model], fail_above: 99}]\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "orpolicy", "check", "--source", "a.csv", "--now", "2026-06-10"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
