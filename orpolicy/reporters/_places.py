"""Places in files as other tools want to read them: relative paths and URIs."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote

from orpolicy.reporters._words import visible


def path(file: str) -> str:
    """The path with forward slashes and without ``./``, as the root of a repository would name it.

    Characters that nobody could see come out as escapes.
    """
    return visible(PurePath(file).as_posix())


def uri(file: str) -> str:
    """The path as an URI reference: relative where the path is, percent-encoded as UTF-8.

    A drive letter or a first folder with a colon cannot be taken for a scheme. What UTF-8 cannot hold
    becomes ``?``, encoded.
    """
    pure = PurePath(file)
    encoded = quote(pure.as_posix(), safe="/", errors="replace")
    return f"file:///{encoded.lstrip('/')}" if pure.is_absolute() else encoded
