"""JSON values from the values of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]


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
