"""Snapshots that were edited and given a right checksum: refused or judged, no traceback, and never green."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snapshot_sample import POLICIES, VERSION_1

from orpolicy.cli.main import run
from orpolicy.sources._snapshot_file import read_file, unpack, write_file
from orpolicy.sources._snapshot_json import encode
from orpolicy.sources._snapshot_read import decode

FILE = Path("s.orpolicy")
LINES: list[Any] = [
    json.loads(line.decode("utf-8", "surrogatepass"))
    for line in encode(decode(read_file(VERSION_1), "x")).split(b"\n")
]
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 1e308, -1e308, 10**30, "", "a\nb\x1b[31m\ud800", "x" * 10_000, [], {}, [[]],
    "2026-05-15", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "in", "day", {"a": 1},
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orpolicy.yaml").write_text(f"version: 1\n{POLICIES}", encoding="utf-8")


def places(value: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something stands in nested lists and objects, at any depth."""
    inner = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    found: list[tuple[str | int, ...]] = []
    for step, item in inner:
        found.append((*before, step))
        if isinstance(item, dict | list):
            found += places(item, (*before, step))
    return found


PLACES = places(LINES)


def check() -> int:
    return run(["check", "--source", str(FILE), "-q"])


def test_as_it_was_recorded_it_fails() -> None:
    write_file(FILE, read_file(VERSION_1))
    assert check() == 1


def test_every_flipped_byte_and_every_cut_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    write_file(FILE, read_file(VERSION_1))
    whole = FILE.read_bytes()
    for place in range(0, len(whole), 97):
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]):
            FILE.write_bytes(damaged)
            assert check() == 2
            assert capsys.readouterr().err.startswith("orpolicy: s.orpolicy: ")


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from([*ODD, ...])), min_size=1, max_size=2))
def test_an_edited_one_is_no_bug(edits: list[tuple[tuple[str | int, ...], Any]]) -> None:
    """The figures that fail stay, wherever one or two values become something else, or are gone."""
    lines = copy.deepcopy(LINES)
    for place, value in edits:
        edit(lines, place, value)
    content = b"\n".join(
        json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass") for line in lines
    )
    write_file(FILE, content)
    assert unpack(FILE.read_bytes(), "x") == content
    assert check() in (1, 2, 3)


def edit(lines: list[Any], place: tuple[str | int, ...], value: Any) -> None:
    """Put a value at a place, if it is still there; ``...`` takes away what is there."""
    target: Any = lines
    try:
        for step in place[:-1]:
            target = target[step]
        if value is ...:
            del target[place[-1]]
        else:
            target[place[-1]] = value
    except (KeyError, IndexError, TypeError):
        return
