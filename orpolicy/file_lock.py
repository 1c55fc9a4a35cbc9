"""A file for one writer at a time, among all processes of a machine."""

from __future__ import annotations

import os
import sys
import time

if sys.platform == "win32":  # pragma: no cover - the other branch is what runs where this is measured
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def unlock(descriptor: int) -> None:
        """Let others have the file."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(descriptor: int) -> None:
        """Let others have the file."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def wait_for_lock(descriptor: int, seconds: float) -> None:
    """Have an open file for oneself.

    Raises:
        OSError: if somebody else has it for longer than that.
    """
    ends = time.monotonic() + seconds
    while True:
        try:
            return _lock(descriptor)
        except OSError:
            if time.monotonic() > ends:
                raise
        time.sleep(0.002)
