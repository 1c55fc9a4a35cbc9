"""Text and places as SARIF wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._places import uri
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from orpolicy.location import Location
    from orpolicy.reporters._json_value import Value

MOST_CHARACTERS = 1_024
"""GitHub cuts longer descriptions."""

LEVEL: dict[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def message(text: str) -> dict[str, Value]:
    """The words as a message (SARIF 2.1.0, 3.11)."""
    return {"text": plain_message(text)}


def plain_message(text: str) -> str:
    """The words without links (3.11.6), and with braces doubled: one alone asks for an argument (3.11.5)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def description(text: str) -> dict[str, Value]:
    """The words as a message that GitHub shows whole."""
    whole = plain_message(text)
    return {
        "text": whole if len(whole) <= MOST_CHARACTERS else whole[: MOST_CHARACTERS - 1].rstrip("{}") + "…"
    }


def physical(location: Location) -> dict[str, Value]:
    """A location object: the file as an URI, line and column counted from 1 in characters."""
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(location.file)},
            "region": {"startLine": location.line, "startColumn": location.column},
        }
    }
