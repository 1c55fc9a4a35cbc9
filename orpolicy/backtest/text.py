"""The study for people in a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from orpolicy.backtest.words import DOLLARS, HOW, facts, headline, legend, strip, worth
from orpolicy.finding import Measure
from orpolicy.reporters._figures import against_threshold
from orpolicy.reporters._words import columns, name, plural, prose, subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.backtest.model import PolicyLine, Study, SubjectLine

MOST_SUBJECTS = 3
WIDEST_PROSE = 110
_NAME = 40
_BRIEF = frozenset({"x", "share"})


def as_text(study: Study, width: int, *, ascii_only: bool = False) -> str:
    """The study as lines of at most ``width`` columns, names aside."""
    return "\n".join(_lines(study, min(width, WIDEST_PROSE), ascii_only=ascii_only)) + "\n"


def _lines(study: Study, width: int, *, ascii_only: bool) -> Iterator[str]:
    yield from _wrapped(headline(study), width, "")
    yield from _wrapped(worth(study), width, "")
    for notice in study.notices:
        yield from _wrapped(f"note: {prose(notice)}", width, "")
    yield ""
    broad = max(columns(name(policy.id, _NAME)) for policy in study.policies)
    for policy in study.policies:
        yield from _policy(policy, study, broad, width, ascii_only=ascii_only)
    yield ""
    yield legend(ascii_only=ascii_only)
    yield from _wrapped(f"{HOW} {DOLLARS}", width, "")
    yield f"Asked in {plural(study.queries_asked, 'query', 'queries')}."


def _policy(policy: PolicyLine, study: Study, broad: int, width: int, *, ascii_only: bool) -> Iterator[str]:
    label = name(policy.id, _NAME)
    label += " " * (broad - columns(label))
    yield f"{label}  {strip(policy.weeks, ascii_only=ascii_only)}  {_counts(policy)}"
    yield from _wrapped(policy.noise, width, "    ")
    if text := facts(policy, study):
        yield from _wrapped(text, width, "    ")
    for item in policy.subjects[:MOST_SUBJECTS]:
        yield from _wrapped(_subject(policy, item), width, "      ")
    if len(policy.subjects) > MOST_SUBJECTS:
        yield f"      and {len(policy.subjects) - MOST_SUBJECTS:,} more"


def _counts(policy: PolicyLine) -> str:
    """``3/8 weeks, 2 subjects, 1 flap``."""
    if not policy.fired:
        return f"0/{policy.judged}" if policy.judged else "-"
    parts = [f"{policy.fired}/{policy.judged}", plural(len(policy.subjects), "subject")]
    if policy.flaps:
        parts.append(plural(policy.flaps, "flap"))
    return ", ".join(parts)


def _subject(policy: PolicyLine, item: SubjectLine) -> str:
    """``batch-pipeline: 3 weeks, 24.1x to 25x against 15x``."""
    fired = [
        value
        for value, mark in zip(item.values, item.marks, strict=True)
        if mark.is_fired and value is not None
    ]
    nearest, furthest = sorted(
        (min(fired, default=item.threshold), max(fired, default=item.threshold)),
        key=lambda value: abs(value - item.threshold),
    )
    unit, tail = (
        (policy.unit, "")
        if policy.unit in _BRIEF or policy.unit.startswith("USD")
        else ("", f" {policy.unit}".rstrip())
    )
    least, limit = against_threshold(Measure(policy.measure, nearest, item.threshold, unit))
    most, _ = against_threshold(Measure(policy.measure, furthest, item.threshold, unit))
    values = " to ".join(dict.fromkeys((least, most)))
    return f"{subject(item.subject)}: {plural(item.fired, 'week')}, {values} against {limit}{tail}"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  " * bool(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
