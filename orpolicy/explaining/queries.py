"""Queries for people: what tells them apart in words, and their JSON on lines that a terminal can hold."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from orpolicy.query.model import Operator
from orpolicy.reporters._words import PLAIN, name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.query.model import Filter

_MOST_VALUES = 6


def condition(item: Filter) -> str:
    """A filter in words: ``the variant is batch or free``."""
    shown = [name(value) for value in item.values[:_MOST_VALUES]]
    if more := len(item.values) - len(shown):
        shown.append(f"{more} more")
    values = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
    verb = "is not" if item.operator is Operator.NOT_IN else "is"
    return f"the {PLAIN.get(item.field, item.field)} {verb} {values}"


def body_lines(body: Mapping[str, object], width: int) -> list[str]:
    """A request's JSON, a key a line, longer lists on several: still one JSON object if taken together."""
    last = len(body) - 1
    lines: list[str] = []
    for number, (key, value) in enumerate(body.items()):
        opening, closing = "{" if number == 0 else " ", "}" if number == last else ","
        lines += _wrapped(f"{opening}{json.dumps(key)}: ", value, closing, width)
    return lines


def _wrapped(head: str, value: object, tail: str, width: int) -> list[str]:
    """``head`` and the value's JSON and ``tail``, with breaks between items where they do not fit."""
    line = f"{head}{json.dumps(value)}{tail}"
    if len(line) <= width or not value or not isinstance(value, dict | list):
        return [line]
    is_list = isinstance(value, list)
    items = (
        [("", item) for item in value] if is_list else [(f"{json.dumps(key)}: ", value[key]) for key in value]
    )
    lines, current, is_fresh = [], head + ("[" if is_list else "{"), True
    indent = " " * len(current)
    for number, (key, item) in enumerate(items, 1):
        end = "," if number < len(items) else f"{']' if is_list else '}'}{tail}"
        glued = f"{current}{'' if is_fresh else ' '}{key}{json.dumps(item)}{end}"
        if len(glued) > width and not is_fresh:
            lines.append(current)
            current, is_fresh = indent, True
        if is_fresh:
            *full, glued = _wrapped(f"{current}{key}", item, end, width)
            lines += full
        current, is_fresh = glued, False
    return [*lines, current]


def listed(head: str, names: tuple[str, ...], width: int, indent: str) -> list[str]:
    """``head a, b, c`` on as many lines as it takes; no name is broken."""
    hang = f"{indent}  "
    return textwrap.wrap(
        f"{head} {', '.join(names)}",
        width,
        initial_indent=indent,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
