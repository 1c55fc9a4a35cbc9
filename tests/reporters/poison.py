"""A report in which every text from outside is one and the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TypeVar

T = TypeVar("T")

EVIL = (
    "<script>document.title='hacked'</script>",
    '"><img src=x onerror="document.title=\'hacked\'">',
    "' onmouseover='alert(1)' x='",
    "</style></script></title></select></table><svg onload=alert(1)>",
    "<!-- <a href=javascript:alert(1)>&lt;b&gt;&#60;i&#62;",
    "javascript:alert(1)",
    "`<b>` and `<i>",
    "\u202e<iframe srcdoc='<script>alert(1)</script>'>\x00\r\n\u2028",
)


def poisoned(value: T, text: str) -> T:
    """The value with every text in it replaced, but for closed words and fingerprints."""
    return _poisoned(value, text)  # type: ignore[return-value]  # every branch gives what it got


def _poisoned(value: object, text: str) -> object:
    if isinstance(value, str) and not isinstance(value, Enum):
        return text
    if isinstance(value, tuple):
        return tuple(_poisoned(item, text) for item in value)
    if isinstance(value, Mapping):
        return {key: _poisoned(item, text) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: _poisoned(getattr(value, field.name), text)
            for field in fields(value)
            if field.init and field.name != "fingerprint"
        }
        return replace(value, **changes)
    return value
