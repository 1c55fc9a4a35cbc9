"""The history as a file: whole lines, each run once, nothing lost."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.errors import UsageError
from orpolicy.file_lock import wait_for_lock
from orpolicy.history import file as file_module
from orpolicy.history.file import append, parse, read
from orpolicy.history.heartbeat import beat
from orpolicy.history.line import NoRecord, line_of, record_of
from orpolicy.history.record import Net, PolicyRecord, Record
from orpolicy.period import Window
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), BEGIN)

moments = st.integers(0, 50).map(lambda hours: BEGIN + timedelta(hours=hours))
dollars = st.floats(-1e12, 1e12, allow_nan=False)
policy_records = st.builds(
    PolicyRecord,
    st.sampled_from(Verdict),
    st.integers(0, 99),
    st.text(max_size=9),
    st.none() | dollars,
    st.none() | dollars,
)
records = st.builds(
    Record,
    at=moments,
    verdict=st.sampled_from(Verdict),
    source=st.tuples(st.sampled_from(["demo", "openrouter"]), st.text(max_size=9)),
    window=st.sampled_from([None, MAY]),
    spend_usd=st.none() | dollars,
    blended_usd_per_mtok=st.none() | dollars,
    net=st.builds(Net, dollars, dollars, dollars),
    findings=st.fixed_dictionaries({status: st.integers(0, 9) for status in Status}),
    policies=st.dictionaries(st.text(max_size=9), policy_records, max_size=3),
)


def record(hour: int = 0, **more: Any) -> Record:
    base = Record(
        at=BEGIN + timedelta(hours=hour),
        verdict=Verdict.FAIL,
        source=("demo", ""),
        window=MAY,
        spend_usd=100.0,
        blended_usd_per_mtok=1.0,
        net=Net(1.0, 2.0, 3.0),
        findings=dict.fromkeys(Status, 0),
        policies={"p": PolicyRecord(Verdict.FAIL, 1, "spend_usd", 5.0, 1.0)},
    )
    return replace(base, **more)


@settings(max_examples=100, deadline=None)
@given(records)
def test_a_record_survives_its_line(found: Record) -> None:
    line = line_of(found)
    assert record_of(line) == found
    assert "\n" not in line
    assert line.isascii()
    assert list(json.loads(line)) == sorted(json.loads(line))


@settings(max_examples=40, deadline=None)
@given(st.lists(records, max_size=6), st.data())
def test_appending_is_idempotent_and_the_order_of_the_lines_does_not_matter(
    found: list[Record], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "h.jsonl"
        for each in found:
            append(path, each)
        once = path.read_bytes() if found else b""
        if found:
            append(path, found[-1])
            assert path.read_bytes() == once
        known = read(path)
    assert known.problems == ()
    assert {each.key for each in known.records} == {each.key for each in found}
    assert [each.at for each in known.records] == sorted(each.at for each in known.records)
    lines = data.draw(st.permutations(once.splitlines(keepends=True)))
    shuffled = parse(b"".join(lines), "h")
    assert {each.key: each for each in shuffled.records} == {each.key: each for each in known.records}


def test_the_same_run_is_replaced_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    for each in (record(0), record(1), record(0, spend_usd=7.0)):
        append(path, each)
    assert path.read_text() == f"{line_of(record(0, spend_usd=7.0))}\n{line_of(record(1))}\n"
    assert [file.name for file in tmp_path.iterdir()] == ["h.jsonl"]


def test_a_union_merge_counts_a_run_once(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    ours, theirs = line_of(record(0, spend_usd=1.0)), line_of(record(0, spend_usd=2.0))
    path.write_text(f"{ours}\n{line_of(record(1))}\n{theirs}\n")
    assert [found.spend_usd for found in read(path).records] == [2.0, 100.0]
    append(path, record(0, spend_usd=3.0))
    assert path.read_text() == f"{line_of(record(1))}\n{line_of(record(0, spend_usd=3.0))}\n"


def test_lines_that_hold_no_record_are_told_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    junk = ["<<<<<<< HEAD", '{"v": 2}', "[" * 5_000, "null", "\udcff"]
    path.write_bytes("\n".join(junk).encode("utf-8", "surrogateescape"))
    append(path, record(0))
    append(path, record(0, spend_usd=7.0))
    kept = path.read_bytes()
    assert kept.startswith("\n".join(junk).encode("utf-8", "surrogateescape") + b"\n")
    known = read(path)
    assert len(known.records) == 1
    assert [problem.split(": ")[0] for problem in known.problems] == [f"{path}:{n}" for n in range(1, 6)]


def test_many_broken_lines_are_counted() -> None:
    known = parse(b"x\n" * 5_000, "h")
    assert len(known.problems) == 6
    assert known.problems[-1] == "h: 4,995 more lines like these"


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": None},
        {"at": "yesterday"},
        {"at": 5},
        {"verdict": "good"},
        {"verdict": ["fail"]},
        {"source": []},
        {"source": {"kind": 1, "host": ""}},
        {"window": 7},
        {"window": {"start": "2026-06-01", "end": "2026-05-01", "to_date": False}},
        {"spend_usd": True},
        {"spend_usd": "5"},
        {"spend_usd": math.nan},
        {"spend_usd": 10**400},
        {"net_usd_per_month": {"low": 1}},
        {"findings": {"open": -1, "waived": 0, "baselined": 0}},
        {"findings": {"open": 1.5, "waived": 0, "baselined": 0}},
        {"policies": {"p": {}}},
        {"policies": {"p": 3}},
    ],
)
def test_a_line_of_wrong_types_is_no_record(change: dict[str, Any]) -> None:
    value = json.loads(line_of(record())) | change
    with pytest.raises(NoRecord):
        record_of(json.dumps(value))


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    program = (
        "import sys; from pathlib import Path; from orpolicy.history.file import append\n"
        "from orpolicy.history.line import record_of\n"
        "for line in sys.stdin: append(Path(sys.argv[1]), record_of(line))\n"
    )
    lines = [[line_of(record(10 * turn + writer)) for turn in range(25)] for writer in range(3)]
    again = [line_of(record(0, spend_usd=float(turn))) for turn in range(25)]

    def write(own: list[str]) -> None:
        subprocess.run(
            [sys.executable, "-c", program, str(path)], input="\n".join(own), text=True, check=True
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [*lines, again]))
    known = read(path)
    assert known.problems == ()
    assert len(known.records) == 75
    assert len(path.read_text().splitlines()) == 75


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    append(real, record(0))
    link.symlink_to(real)
    append(link, record(0, spend_usd=7.0))
    append(link, record(1))
    assert link.is_symlink()
    assert [found.spend_usd for found in read(real).records] == [7.0, 100.0]


def test_a_file_that_cannot_be_read_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot read the history"):
        read(tmp_path)
    with pytest.raises(UsageError, match="cannot write the history"):
        append(tmp_path / "no" / "folder", record())
    path = tmp_path / "h.jsonl"
    append(path, record())
    monkeypatch.setattr(file_module, "MAX_BYTES", 10)
    with pytest.raises(UsageError, match="begin a new one"):
        read(path)
    with pytest.raises(UsageError, match="begin a new one"):
        append(path, record(1))


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "h.jsonl"
    append(path, record())
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        append(path, record(spend_usd=7.0))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["h.jsonl"]


def test_a_file_that_was_put_in_place_meanwhile_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "h.jsonl"
    append(path, record(0))
    waited = wait_for_lock
    steps: list[Callable[[], object]] = [path.unlink, lambda: path.write_text(line_of(record(5)) + "\n")]

    def meanwhile(descriptor: int, seconds: float) -> None:
        waited(descriptor, seconds)
        if steps:
            steps.pop(0)()

    monkeypatch.setattr(file_module, "wait_for_lock", meanwhile)
    append(path, record(1))
    assert [found.at.hour for found in read(path).records] == [1, 5]


@settings(max_examples=60, deadline=None)
@given(st.lists(records, max_size=5), moments, st.integers(1, 60))
def test_the_heart_beats_only_for_a_good_run_that_is_young(
    found: list[Record], now: datetime, hours: int
) -> None:
    ranked = sorted(found, key=lambda each: each.at)
    good = [each.at for each in found if each.verdict is not Verdict.INCONCLUSIVE]
    expected = bool(good) and -timedelta(minutes=5) <= now - max(good) <= timedelta(hours=hours)
    assert beat(ranked, now, timedelta(hours=hours)).is_alive == expected
