"""Settled answers are kept on disk, and nothing else is believed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from loopback.client import NOW, QUERY, TurnedClock, opened

from orpolicy.period import Window, parse_window
from orpolicy.query.model import Filter, Operator

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

    from orpolicy.query.model import Answer, Query


@pytest.fixture
def environ(loopback: LoopbackServer, tmp_path: Path) -> dict[str, str]:
    loopback.account.spend(date(2026, 5, 2), model="lab/a", usd=1.25, requests=3)
    loopback.account.spend(date(2026, 6, 8), model="lab/a", usd=2.25, requests=4)
    return loopback.environ | {"ORPOLICY_CACHE_DIR": str(tmp_path / "cache")}


def ask(environ: dict[str, str], query: Query = QUERY, **setting: Any) -> Answer:
    with opened(environ, **setting) as source:
        answer = source.answer(query)
        assert source.info().cached_requests == answer.from_cache
        assert source.info().requests == (not answer.from_cache)
    return answer


def files(environ: dict[str, str]) -> list[Path]:
    return [path for path in Path(environ["ORPOLICY_CACHE_DIR"]).glob("answers/**/*") if path.is_file()]


def test_a_warm_run_sends_no_query(environ: dict[str, str]) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    cold, warm = ask(environ), ask(environ)
    assert (cold.from_cache, warm.from_cache) == (False, True)
    assert warm.table == cold.table
    assert cold.cached_at is None
    assert warm.cached_at is not None
    assert before <= warm.cached_at <= datetime.now(UTC)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files(environ))


def test_the_servers_own_age_is_kept(loopback: LoopbackServer, environ: dict[str, str]) -> None:
    loopback.account.cached_at = 1_780_000_000
    assert ask(environ).cached_at == ask(environ).cached_at == datetime.fromtimestamp(1_780_000_000, UTC)


def test_no_cache_neither_reads_nor_writes(environ: dict[str, str]) -> None:
    ask(environ, use_cache=False)
    assert files(environ) == []
    ask(environ)
    assert not ask(environ, use_cache=False).from_cache


@pytest.mark.parametrize(
    ("end", "is_kept"), [("2026-06-08", True), ("2026-06-08T00:00:01Z", False), ("2026-06-10", False)]
)
def test_only_windows_that_closed_48_hours_ago(environ: dict[str, str], end: str, is_kept: bool) -> None:
    query = replace(QUERY, window=parse_window(f"2026-05-01..{end}", NOW))
    ask(environ, query)
    assert ask(environ, query).from_cache is is_kept


def test_a_clock_set_ahead_does_not_settle_anything(environ: dict[str, str]) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    query = replace(QUERY, window=Window(today - timedelta(days=7), today))
    for _ in range(2):
        assert not ask(environ, query, now=today + timedelta(days=400)).from_cache


def test_truncated_and_warned_answers_are_not_kept(loopback: LoopbackServer, environ: dict[str, str]) -> None:
    loopback.account.spend(date(2026, 5, 2), model="lab/b", usd=1)
    unresolved = Filter("api_key_id", Operator.IN, ("0" * 64,))
    for query in (replace(QUERY, limit=1), replace(QUERY, filters=(unresolved,))):
        ask(environ, query)
        assert not ask(environ, query).from_cache
    assert files(environ) == []


def test_each_question_host_and_account_has_its_own(
    loopback: LoopbackServer, environ: dict[str, str]
) -> None:
    ask(environ)
    assert not ask(environ, replace(QUERY, limit=9)).from_cache
    loopback.account.management_key = "sk-or-v1-another"
    assert not ask(environ | {"OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-another"}).from_cache
    port = loopback.url.rpartition(":")[2]
    renamed = {
        "OPENROUTER_BASE_URL": f"http://localhost:{port}",
        "OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-another",
    }
    assert not ask(environ | renamed).from_cache
    assert len(files(environ)) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw.replace(b"1.25", b"9.25"),
        lambda raw: raw.replace(b"orpolicy-answer-1 1", b"orpolicy-answer-1 2"),
        lambda _: b"",
        lambda _: b"\n",
        lambda _: b"orpolicy-answer-1 x y\n{}",
        lambda _: b"orpolicy-answer-1 -99999999999999999999 y\n{}",
        lambda raw: raw + b"x",
    ],
)
def test_a_broken_file_is_a_miss_and_mended(environ: dict[str, str], damage: Any) -> None:
    ask(environ)
    (path,) = files(environ)
    path.write_bytes(damage(path.read_bytes()))
    assert ask(environ).table.metrics["total_usage"] == [1.25]
    assert ask(environ).from_cache


def test_a_file_under_another_name_is_a_miss(environ: dict[str, str]) -> None:
    ask(environ)
    (mine,) = files(environ)
    ask(environ, replace(QUERY, limit=9))
    (other,) = set(files(environ)) - {mine}
    mine.write_bytes(other.read_bytes())
    assert not ask(environ).from_cache


@pytest.mark.parametrize("raw", [b"no JSON", b"{}"])
def test_a_file_that_holds_no_answer_is_a_miss(environ: dict[str, str], raw: bytes) -> None:
    with opened(environ) as source:
        # A whole file with a useless answer has no other way in.
        source._cache.put(QUERY.body(), raw, time.time())  # noqa: SLF001
    assert ask(environ).table.metrics["total_usage"] == [1.25]


def test_writers_at_once(environ: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: _table(environ), range(16)))
    assert all(table == tables[0] for table in tables)
    assert len(files(environ)) == 1


def _table(environ: dict[str, str]) -> Any:
    with opened(environ) as source:
        return source.answer(QUERY).table


def test_a_folder_that_cannot_be_written(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    broken = environ | {"ORPOLICY_CACHE_DIR": str(tmp_path / "file")}
    with opened(broken) as source:
        source.answer(QUERY)
        source.answer(QUERY)
        assert source.info().requests == 2


def test_a_full_disk_leaves_nothing_behind(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full)
    ask(environ)
    assert files(environ) == []


def test_what_is_three_months_old_goes(environ: dict[str, str]) -> None:
    ask(environ)
    (old,) = files(environ)
    with opened(environ, clock=TurnedClock(datetime.now(UTC) + timedelta(days=91))) as source:
        source.answer(replace(QUERY, limit=9))
        source.answer(replace(QUERY, limit=8))
    assert old not in files(environ)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_CACHE_HOME": "{}/xdg", "HOME": "{}"}, "xdg/orpolicy"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "{}"}, ".cache/orpolicy"),
        ({"LOCALAPPDATA": "{}/local"}, "local/orpolicy"),
        ({}, None),
    ],
)
def test_where_it_is(
    loopback: LoopbackServer, tmp_path: Path, environ: dict[str, str], folder: str | None
) -> None:
    named = {name: value.format(tmp_path) for name, value in environ.items()}
    with opened(loopback.environ | named) as source:
        source.answer(QUERY)
    found = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert all(folder is not None and path.is_relative_to(tmp_path / folder) for path in found)
    assert bool(found) is (folder is not None)
