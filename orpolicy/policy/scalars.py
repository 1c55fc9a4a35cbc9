"""What a plain YAML scalar means: the core schema of YAML 1.2, bounded to what JSON can carry."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orpolicy.policy.model import Json

_TAG = "tag:yaml.org,2002:"
STRING_TAG = f"{_TAG}str"
MAPPING_TAG = f"{_TAG}map"
SEQUENCE_TAG = f"{_TAG}seq"

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_MAX_INTEGER_CHARACTERS = 100
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class ScalarError(ValueError):
    """A scalar that no value stands for."""


def resolve(text: str, tag: str | None) -> Json:
    """The value of a scalar by the core schema; dates, ``yes``, ``no`` and ``22:22`` are text.

    Args:
        text: the scalar, unquoted or with an explicit tag.
        tag: the explicit tag, or None for a plain scalar without one.

    Raises:
        ScalarError: if the number is not finite or beyond 64 bits, or does not fit its tag.
    """
    if tag is None:
        return _plain(text)
    if tag == STRING_TAG:
        return text
    value = _plain(text)
    name = tag.removeprefix(_TAG)
    if name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if name != _type_name(value):
        raise ScalarError(f"{text!r} is not a {name}, as its tag !!{name} says")
    return value


def is_core_scalar_tag(tag: str) -> bool:
    """Whether a tag is one of the core schema's for scalars."""
    return tag.removeprefix(_TAG) in {"str", "int", "float", "bool", "null"} and tag.startswith(_TAG)


def _plain(text: str) -> Json:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError(f"{text} is not a finite number")
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise ScalarError(f"{text[:40]} is too large for a number")
        return value
    return text


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    if len(text) > _MAX_INTEGER_CHARACTERS or not _INT64_MIN <= (value := int(text, base)) <= _INT64_MAX:
        raise ScalarError(f"{text[:40]} does not fit into 64 bits")
    return value


def _type_name(value: Json) -> str:
    return {type(None): "null", bool: "bool", int: "int", float: "float"}.get(type(value), "str")
