"""A snapshot as a file: one line that says what follows and how to know that it is whole, then gzip.

The line is ``orpolicy-snapshot VERSION SIZE SHA256``: the version of the content, its length in bytes once
it is decompressed, and the digest of everything but the digest. ``tail -n +2 FILE | gunzip`` shows the
content: lines of JSON. A file of version 1 has one line.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zlib
from contextlib import suppress
from pathlib import Path

from orpolicy.codes import Code
from orpolicy.errors import UsageError

VERSION = 2
MAX_BYTES = 256 * 1024 * 1024
"""The largest content that is written or read: some two million rows."""

SUFFIX = ".orpolicy"

_MAGIC = b"orpolicy-snapshot "
_HEAD = re.compile(rb"orpolicy-snapshot ([0-9]{1,9}) ([0-9]{1,12}) ([0-9a-f]{64})")
_KNOWN = re.compile(rb"orpolicy-snapshot ([0-9]{1,9}) ")
_LONGEST_HEAD = 128
_GZIP = 31
"""zlib's word for a gzip wrapper around the largest window."""


def is_snapshot(path: Path) -> bool:
    """Whether a file begins as snapshots do; False for what is no file, or cannot be read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except (OSError, ValueError):
        return False


def pack(content: bytes) -> bytes:
    """The file that holds some content; the same content gives the same bytes.

    Raises:
        UsageError: if it is too large ever to be read again.
    """
    if len(content) > MAX_BYTES:
        raise UsageError(
            f"the snapshot would hold more than {MAX_BYTES >> 20} MiB: record fewer policies with --select",
            code=Code.NOT_WRITTEN,
        )
    packer = zlib.compressobj(level=6, wbits=_GZIP)
    body = packer.compress(content) + packer.flush()
    begin = _MAGIC + f"{VERSION} {len(content)} ".encode()
    return begin + _digest(begin, body) + b"\n" + body


def unpack(raw: bytes, name: str) -> bytes:
    """The content of a file.

    Args:
        raw: the file.
        name: what messages call it.

    Raises:
        UsageError: if it is no snapshot, of a version that is not known here, not whole, or changed.
    """
    line, _, body = raw.partition(b"\n") if b"\n" in raw[:_LONGEST_HEAD] else (raw[:_LONGEST_HEAD], b"", b"")
    known = _KNOWN.match(line)
    if known and int(known[1]) > VERSION:
        raise UsageError(
            f"{name}: snapshots of version {int(known[1])} are not known here, only up to {VERSION}: "
            "update orpolicy",
            code=Code.BROKEN_SNAPSHOT,
        )
    head = _HEAD.fullmatch(line)
    if head is None:
        raise UsageError(f"{name}: not a snapshot, or its first line is damaged", code=Code.BROKEN_SNAPSHOT)
    size, begin = int(head[2]), line[: head.start(3)]
    if _digest(begin, body) != head[3]:
        raise UsageError(
            f"{name}: the snapshot is damaged, cut off or edited: its checksum does not fit",
            code=Code.BROKEN_SNAPSHOT,
        )
    if size > MAX_BYTES:
        raise UsageError(
            f"{name}: the snapshot holds more than {MAX_BYTES >> 20} MiB", code=Code.BROKEN_SNAPSHOT
        )
    return _unzipped(body, size, name)


def _unzipped(body: bytes, size: int, name: str) -> bytes:
    """The content; never more than a byte longer than the first line says."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(body, size + 1)
        if not unpacker.eof:
            content += unpacker.decompress(unpacker.unconsumed_tail, 1)
    except zlib.error as error:
        raise UsageError(
            f"{name}: the snapshot cannot be decompressed: {error}", code=Code.BROKEN_SNAPSHOT
        ) from None
    if len(content) != size or not unpacker.eof or unpacker.unused_data:
        raise UsageError(
            f"{name}: the snapshot is not {size} bytes long, as its first line says",
            code=Code.BROKEN_SNAPSHOT,
        )
    return content


def _digest(begin: bytes, body: bytes) -> bytes:
    digest = hashlib.sha256(begin)
    digest.update(body)
    return digest.hexdigest().encode()


def read_file(path: Path) -> bytes:
    """The content of the snapshot at a path.

    Raises:
        UsageError: if it cannot be read, and as ``unpack``.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: a snapshot is a file, and this is none", code=Code.BAD_SOURCE)
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + _LONGEST_HEAD + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {_why(error)}", code=Code.BAD_SOURCE) from None
    return unpack(raw, str(path))


def check_target(path: Path, *, force: bool) -> None:
    """Refuse a place where no snapshot may be put, before anything is asked for it.

    Raises:
        UsageError: for what is no file, a file that is no snapshot and is not to be replaced, or no folder.
    """
    try:
        kind, has_folder = _kind(path), path.parent.is_dir()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {path}: {_why(error)}", code=Code.NOT_WRITTEN) from None
    if kind == stat.S_IFDIR:
        raise UsageError(
            f"{path} is a folder: name the file to record into, such as april{SUFFIX}", code=Code.IN_THE_WAY
        )
    if not has_folder:
        raise UsageError(f"{path}: there is no folder {path.parent}", code=Code.NOT_WRITTEN)
    if kind not in (0, stat.S_IFREG):
        raise UsageError(f"{path} is there already and is no file", code=Code.IN_THE_WAY)
    if os.path.lexists(path) and not force and not is_snapshot(path):
        raise UsageError(
            f"{path} is there already and is no snapshot: --force replaces it", code=Code.IN_THE_WAY
        )


def _kind(path: Path) -> int:
    """What is at a path, or where it leads, as ``stat`` has it; 0 for nothing.

    Raises:
        OSError: if that cannot be said.
        ValueError: likewise.
    """
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _why(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def write_file(path: Path, content: bytes) -> int:
    """Put content at a path, or where it leads, whole or not at all; its size on disk in bytes.

    Raises:
        UsageError: if it is too large, or the file cannot be written.
    """
    packed = pack(content)
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name[:40]}.{os.getpid()}.part")
    try:
        with beside.open("xb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise UsageError(f"cannot write {path}: {error.strerror}", code=Code.NOT_WRITTEN) from error
    return len(packed)
