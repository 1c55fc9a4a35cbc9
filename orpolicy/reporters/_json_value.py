"""JSON values from the values of a report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]

_NOT_ASCII = re.compile(r"[^\x00-\x7e]")


def plain(value: object) -> Value:
    """The value as JSON's own types, dicts and lists copied, order kept.

    Raises:
        TypeError: for anything that JSON has no word for.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no JSON value")


def json_text(value: Value) -> str:
    """The value as ASCII JSON, indented, ending in a newline; the same value gives the same bytes.

    Lone surrogates, which are no characters and which strict parsers refuse, become U+FFFD.

    Raises:
        ValueError: if a figure is not finite.
    """
    return _NOT_ASCII.sub(_escape, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _escape(found: re.Match[str]) -> str:
    """One character that may stand inside strings only, as an escape that every parser accepts."""
    code = ord(found[0])
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - the surrogates
        code = 0xFFFD
    if code <= 0xFFFF:  # noqa: PLR2004 - one UTF-16 unit
        return f"\\u{code:04x}"
    return json.dumps(found[0])[1:-1]
