"""The manual of a rule kind: its docstring, taken apart."""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass

_SECTION = re.compile(r"^([A-Z][a-z]+(?: [a-z]+)*):$", re.MULTILINE)
_GOOD, _BAD = "Good example", "Bad example"


@dataclass(frozen=True, slots=True)
class Manual:
    """What a kind says of itself.

    Attributes:
        summary: one sentence.
        prose: the rest of the explanation, paragraphs separated by empty lines; may be "".
        good: the YAML mapping of a policy that is admitted.
        bad: the YAML mapping of a policy that is refused.
    """

    summary: str
    prose: str
    good: str
    bad: str


def manual_of(docstring: str) -> Manual:
    """Take a kind's docstring apart.

    Raises:
        ValueError: if one of the two examples is missing.
    """
    text = inspect.cleandoc(docstring)
    opening, *rest = _SECTION.split(text)
    sections = {
        name: textwrap.dedent(body.strip("\n")).rstrip()
        for name, body in zip(rest[::2], rest[1::2], strict=True)
    }
    missing = [name for name in (_GOOD, _BAD) if not sections.get(name)]
    if missing:
        raise ValueError(f"the docstring has no {' and no '.join(missing)}")
    summary, _, prose = opening.strip().partition("\n")
    return Manual(summary, prose.strip(), sections[_GOOD], sections[_BAD])


def example_file(example: str) -> str:
    """A whole policy file with an example as its only policy."""
    return "version: 1\npolicies:\n  - " + textwrap.indent(example, "    ").lstrip() + "\n"
