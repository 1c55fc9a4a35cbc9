"""The file of a snapshot: whole or refused, and never more than it says."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from pathlib import Path

import pytest
from snapshot_sample import VERSION_1

from orpolicy.errors import UsageError
from orpolicy.sources import _snapshot_file
from orpolicy.sources._snapshot_file import check_target, is_snapshot, pack, read_file, unpack, write_file

CONTENT = b'{"answers":[]}' * 9
PACKED = pack(CONTENT)


def forged(body: bytes, size: int, version: int = 1) -> bytes:
    """A file whose checksum is right, whatever it holds."""
    begin = f"orpolicy-snapshot {version} {size} ".encode()
    return begin + hashlib.sha256(begin + body).hexdigest().encode() + b"\n" + body


def test_what_is_packed_is_gzip_behind_a_line_that_says_so() -> None:
    line, body = PACKED.split(b"\n", 1)
    begin = f"orpolicy-snapshot 2 {len(CONTENT)} ".encode()
    assert line == begin + hashlib.sha256(begin + body).hexdigest().encode()
    assert gzip.decompress(body) == CONTENT
    assert unpack(PACKED, "x") == CONTENT
    assert unpack(pack(b""), "x") == b""
    assert pack(CONTENT) == PACKED


def test_every_damage_is_found() -> None:
    for end in range(len(PACKED)):
        with pytest.raises(UsageError, match=r"^x: "):
            unpack(PACKED[:end], "x")
    for place in range(len(PACKED)):
        for bit in (1, 128):
            damaged = bytearray(PACKED)
            damaged[place] ^= bit
            with pytest.raises(UsageError, match=r"^x: "):
                unpack(bytes(damaged), "x")
    with pytest.raises(UsageError, match="checksum"):
        unpack(PACKED + b"\n", "x")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not a snapshot"),
        (b"x" * 1_000, "not a snapshot"),
        (b"orpolicy-snapshot " + b"9" * 200 + b"\n", "not a snapshot"),
        (forged(b"", 0, version=3), "version 3 .*update orpolicy"),
        (b"orpolicy-snapshot 12 something else entirely\n", "version 12 .*update orpolicy"),
        (forged(b"no gzip", 7), "cannot be decompressed"),
        (forged(zlib.compress(CONTENT), len(CONTENT)), "cannot be decompressed"),
        (forged(gzip.compress(CONTENT)[:-9], len(CONTENT)), "bytes long"),
        (forged(gzip.compress(CONTENT), len(CONTENT) - 1), "bytes long"),
        (forged(gzip.compress(CONTENT), len(CONTENT) + 1), "bytes long"),
        (forged(gzip.compress(CONTENT) + b"more", len(CONTENT)), "bytes long"),
        (forged(gzip.compress(bytes(50_000_000)), 10), "bytes long"),
        (forged(gzip.compress(CONTENT), 10**11), "more than 256 MiB"),
    ],
)
def test_what_is_no_snapshot_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        unpack(raw, "x")


def test_too_much_is_not_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_snapshot_file, "MAX_BYTES", len(CONTENT) - 1)
    with pytest.raises(UsageError, match="--select"):
        write_file(tmp_path / "a.orpolicy", CONTENT)
    assert not list(tmp_path.iterdir())


def test_a_file_is_put_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.orpolicy"
    assert write_file(path, b"older") == len(pack(b"older"))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(UsageError, match="No space left"):
            write_file(path, b"newer")
    assert read_file(path) == b"older"
    write_file(path, b"newer")
    assert read_file(path) == b"newer"
    assert [found.name for found in tmp_path.iterdir()] == ["a.orpolicy"]
    with pytest.raises(UsageError, match="cannot write"):
        write_file(tmp_path / "absent" / "a.orpolicy", b"x")


def test_where_a_snapshot_may_go(tmp_path: Path) -> None:
    other, old = tmp_path / "cost.yaml", tmp_path / "a.orpolicy"
    other.write_text("version: 1\n", encoding="utf-8")
    old.write_bytes(PACKED)
    broken = tmp_path / "link"
    broken.symlink_to(tmp_path / "nowhere")
    check_target(tmp_path / "new.orpolicy", force=False)
    check_target(old, force=False)
    check_target(other, force=True)
    refused = {
        other: "--force",
        broken: "--force",
        tmp_path: "is a folder",
        tmp_path / "no" / "a": "no folder",
    }
    for path, words in refused.items():
        with pytest.raises(UsageError, match=words):
            check_target(path, force=False)
    for path in (tmp_path, tmp_path / "no" / "a"):
        with pytest.raises(UsageError):
            check_target(path, force=True)


def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    """Reading a pipe would wait for ever; a device would be replaced by a file."""
    pipe, link = tmp_path / "a.orpolicy", tmp_path / "b.orpolicy"
    os.mkfifo(pipe)
    link.symlink_to("/dev/full")
    for path in (pipe, link, Path("/dev/full")):
        with pytest.raises(UsageError, match="is there already and is no file"):
            check_target(path, force=True)
        with pytest.raises(UsageError, match="a snapshot is a file, and this is none"):
            read_file(path)
    for name in ("x" * 300, "nul\0"):
        with pytest.raises(UsageError, match="cannot write"):
            check_target(tmp_path / name, force=False)


def test_a_link_stays_one_and_long_names_fit(tmp_path: Path) -> None:
    target, link = tmp_path / ("☃" * 80), tmp_path / "link"
    write_file(target, b"older")
    link.symlink_to(target)
    check_target(link, force=False)
    write_file(link, b"newer")
    assert link.is_symlink()
    assert read_file(target) == read_file(link) == b"newer"


def test_a_snapshot_is_known_by_how_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "anything.bin"
    path.write_bytes(PACKED)
    assert is_snapshot(path)
    assert is_snapshot(VERSION_1)
    path.write_bytes(b"orpolicy")
    assert not is_snapshot(path)
    assert not is_snapshot(tmp_path)
    assert not is_snapshot(tmp_path / "absent")
    assert not is_snapshot(tmp_path / "nul\0")
    assert not is_snapshot(tmp_path / ("long" * 1_000))
    with pytest.raises(UsageError, match="cannot be read"):
        read_file(tmp_path / "absent")
