"""HTML elements as values: text is escaped unless it is markup already."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from orpolicy.reporters._words import name, prose, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID = frozenset({"br", "input", "link", "meta"})
"""Elements without content."""


class Markup(str):
    """Text that is HTML; any other text is escaped where it enters an element."""

    __slots__ = ()


Child = str | Markup
Attribute = str | int | bool | None


def element(tag: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element with its children in order.

    Args:
        tag: the element's name.
        children: text is made visible and escaped.
        attributes: ``class_`` is ``class``, ``aria_label`` is ``aria-label``; True stands alone, and
            False and None leave the attribute out.
    """
    listed = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{listed}>")
    return Markup(f"<{tag}{listed}>{markup(*children)}</{tag}>")


def markup(*children: Child) -> Markup:
    """The children one after the other."""
    return Markup("".join(child if isinstance(child, Markup) else text(child) for child in children))


def joined(separator: str, parts: Iterable[Child]) -> Markup:
    """The parts with text between them."""
    return Markup(text(separator).join(markup(part) for part in parts))


def text(content: str) -> Markup:
    """Text with nothing in it that HTML, a terminal or a reader's eye could take for something else."""
    return Markup(escape(visible(content)))


def lines(content: str) -> Markup:
    """Text whose line breaks are meant."""
    return Markup("\n".join(map(text, content.split("\n"))))


def said(sentences: str) -> Markup:
    """Sentences, elided when very long, with what stands in pairs of backticks as code."""
    *pairs, last = prose(sentences).split("`")
    if len(pairs) % 2:
        return text(prose(sentences))
    parts = [element("code", part) if at % 2 else text(part) for at, part in enumerate(pairs)]
    return markup(*parts, text(last))


def outside(content: str) -> Markup:
    """A name from outside: elided, and kept from turning its neighbours around."""
    return element("bdi", name(content))


def _attribute(key: str, value: Attribute) -> str:
    if value is False or value is None:
        return ""
    spelt = key.rstrip("_").replace("_", "-")
    return f" {spelt}" if value is True else f' {spelt}="{text(str(value))}"'
