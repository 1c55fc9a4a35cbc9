"""What policy files change of those that they extend, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orpolicy.reporters._json_value import Value, plain
from orpolicy.reporters._words import name

if TYPE_CHECKING:
    from orpolicy.report import OverrideResult

VALUE_COLUMNS = 48
"""Longer values are elided in the middle; the JSON format has them whole."""

_NOTHING = "(none)"


def changed_what(item: OverrideResult) -> str:
    """The policy, or the part of the files that is changed: ``blended-outlier``, ``key_sets``."""
    return name(item.policy or item.key.partition(".")[0])


def changed_key(item: OverrideResult) -> str:
    """What of it: ``fail_above``, ``batch``."""
    return name(item.key if item.policy else item.key.partition(".")[2])


def change_sentence(item: OverrideResult) -> str:
    """What was and what is: ``fail_above 15 -> 30``; values are text that an account may have named."""
    return f"{changed_key(item)} {value_text(item.before)} -> {value_text(item.after)}"


def value_text(value: object) -> str:
    """A value as short JSON."""
    if value is None:
        return _NOTHING
    return name(json.dumps(plain(value), ensure_ascii=False), VALUE_COLUMNS)


def override_json(item: OverrideResult) -> dict[str, Value]:
    """An override with its fields in the contract's order."""
    return {
        "policy": item.policy or None,
        "key": item.key,
        "from": plain(item.before),
        "to": plain(item.after),
        "file": item.location.file,
        "line": item.location.line,
    }
