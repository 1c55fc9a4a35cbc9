"""JSON as it comes over the wire."""

from __future__ import annotations

import json

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class BrokenJson(ValueError):  # noqa: N818 - a state of bytes
    """Bytes that are no JSON, or too deeply nested to be an answer."""


def parse_json(raw: bytes, *, allow_nan: bool = False) -> Json:
    """The value in some bytes.

    Args:
        raw: UTF-8.
        allow_nan: whether NaN and Infinity become floats, for a caller that says where they stand.

    Raises:
        BrokenJson: if there is no such value.
    """
    try:
        value: Json = json.loads(raw, parse_constant=float if allow_nan else _refuse)
    except (ValueError, RecursionError) as error:
        raise BrokenJson(f"{type(error).__name__} in {len(raw)} bytes") from None
    return value


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
