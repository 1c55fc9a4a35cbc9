"""Answers that will not change any more, kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.sources._endpoint import Endpoint

_FORMAT = "orpolicy-answer-1"
_KEPT_SECONDS = 90 * 86_400


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was kept.

    Attributes:
        raw: the bytes that came over the wire, decompressed.
        stored_at: when it was kept, whole seconds.
    """

    raw: bytes = field(repr=False)
    stored_at: datetime


class AnswerCache:
    """One file an answer, named after host, account and question.

    A file that is not whole, or not what its name says, is as good as none; so is a folder that cannot be
    written. Files are made elsewhere and moved into place, so a reader never sees half of one.
    """

    def __init__(self, folder: Path | None, endpoint: Endpoint) -> None:
        self._folder = folder and folder / "answers"
        self._endpoint = endpoint
        self._is_pruned = False

    def get(self, body: Mapping[str, object]) -> Kept | None:
        """The answer to a question, or None."""
        identity = self._identity(body)
        path = self._path(identity)
        if path is None:
            return None
        try:
            head, _, raw = path.read_bytes().partition(b"\n")
            stamp = int(head.split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return Kept(raw, datetime.fromtimestamp(stamp, UTC)) if head == _head(identity, stamp, raw) else None

    def put(self, body: Mapping[str, object], raw: bytes, now: float) -> None:
        """Keep an answer.

        Args:
            body: the question.
            raw: the answer.
            now: seconds since the epoch.
        """
        identity = self._identity(body)
        path = self._path(identity)
        if path is None:
            return
        stamp = int(now)
        try:
            _write(path, _head(identity, stamp, raw) + b"\n" + raw)
            self._prune(now)
        except OSError:
            self._folder = None

    def _identity(self, body: Mapping[str, object]) -> str:
        parts = [_FORMAT, self._endpoint.base_url, self._endpoint.key.account(), body]
        return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=24).hexdigest()

    def _path(self, identity: str) -> Path | None:
        return self._folder and self._folder / identity[:2] / identity

    def _prune(self, now: float) -> None:
        """Remove what was kept long ago, once a run."""
        if self._is_pruned or self._folder is None:
            return
        self._is_pruned = True
        for path in self._folder.glob("*/*"):
            if path.stat().st_mtime < now - _KEPT_SECONDS:
                path.unlink(missing_ok=True)


def _head(identity: str, stamp: int, raw: bytes) -> bytes:
    """The first line of a file: format, time, and a checksum of everything."""
    begin = f"{_FORMAT} {stamp} ".encode()
    digest = hashlib.blake2b(begin + identity.encode() + b"\n" + raw, digest_size=24)
    return begin + digest.hexdigest().encode()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)  # noqa: PTH105 - the paths are text already
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
