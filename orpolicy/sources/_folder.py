"""Where the client may keep files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder for caches, not yet made; None where the environment names no home.

    ``ORPOLICY_CACHE_DIR`` itself, else ``orpolicy`` in ``XDG_CACHE_HOME``, ``LOCALAPPDATA`` or ``~/.cache``.
    """
    own = environ.get("ORPOLICY_CACHE_DIR")
    if own:
        return Path(own)
    for name, inside in (("XDG_CACHE_HOME", ""), ("LOCALAPPDATA", ""), ("HOME", ".cache")):
        root = Path(environ.get(name, ""))
        if root.is_absolute():
            return root / inside / "orpolicy"
    return None
