"""Words for people: what a finding says, and text from outside made safe to show."""

from __future__ import annotations

import unicodedata
from itertools import accumulate
from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.reporters._figures import against_threshold, count, money, rate, significant, span
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orpolicy.finding import Finding, Savings
    from orpolicy.report import PolicyResult

NAME_COLUMNS = 72
"""Names from outside are elided beyond this display width."""

PROSE_COLUMNS = 600
"""Sentences from outside are elided beyond this display width."""

_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_MOST_MARKS = 4
"""More combining marks than this on one character are an attack on the lines above and below."""

_ELLIPSIS = "…"
_BLENDED = "blended_multiple"
"""The measure whose sentence names both rates."""


def visible(text: str) -> str:
    r"""The text with every control, format, bidi, line-break or surrogate character as an escape.

    So is a noncharacter, and a combining mark that has nothing to combine with or comes after four others.
    What comes out moves no cursor, changes no colour and hides nothing (``\n``, ``\x1b``, ``\u202e``), and
    XML 1.0 and HTML can hold it.
    Applying it twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = _MOST_MARKS
    for char in text:
        marks = 0 if char_columns(char) else marks + 1
        hidden = marks > _MOST_MARKS or unicodedata.category(char) in _UNSHOWN or _is_noncharacter(char)
        shown.append(_escape(char) if hidden else char)
    return "".join(shown)


def _is_noncharacter(char: str) -> bool:
    """Whether Unicode keeps a code point out of texts for good; HTML calls it an error."""
    return ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"  # noqa: PLR2004 - the last two of a plane


def _escape(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:  # noqa: PLR2004 - as Python writes it
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as above


def columns(text: str) -> int:
    """How many terminal columns the text takes: wide CJK two, combining marks none."""
    return len(text) if text.isascii() else sum(map(char_columns, text))


def char_columns(char: str) -> int:
    """How many terminal columns one character takes."""
    if char.isascii():
        return 1
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def name(text: str, limit: int = NAME_COLUMNS) -> str:
    """A name from outside, visible, elided in the middle to at most ``limit`` columns."""
    shown = visible(text)
    if columns(shown) <= limit:
        return shown
    room = limit - 1
    return _head(shown, room - room // 2) + _ELLIPSIS + _head(shown[::-1], room // 2)[::-1]


def prose(text: str) -> str:
    """Sentences from outside, visible, elided in the middle when very long."""
    return name(text, PROSE_COLUMNS)


def _head(text: str, limit: int) -> str:
    ends = accumulate(map(char_columns, text))
    return text[: sum(end <= limit for end in ends)]


PLAIN = {"api_key_id": "key"}
"""What people call a dimension whose name they would not know."""


def subject(members: Mapping[str, str | None], limit: int | None = None) -> str:
    """Who or what is meant: ``batch-pipeline on google/gemini-3-flash``, ``all traffic``.

    Args:
        members: dimension -> name.
        limit: columns for the whole; None: only each name has its limit.
    """
    if not members:
        return "all traffic"
    names = [
        name(f"no {PLAIN.get(dimension, dimension)}" if member is None else member)
        for dimension, member in members.items()
    ]
    joint = " on " if len(names) == 2 and list(members)[-1] == "model" else ", "  # noqa: PLR2004 - who, on what
    if limit is not None:
        names = _shortened(names, limit - len(joint) * (len(names) - 1))
    return joint.join(names)


def _shortened(names: list[str], room: int) -> list[str]:
    """The names elided to fit side by side; what short ones leave goes to the long ones."""
    if sum(map(columns, names)) <= room:
        return names
    fair = max(room // len(names), 1)
    short = [columns(text) for text in names if columns(text) <= fair]
    most = (room - sum(short)) // (len(names) - len(short))
    return [name(text, most) if columns(text) > fair else text for text in names]


def plural(number: int, noun: str, many: str = "") -> str:
    """``1 finding``, ``2 findings``, ``3 policies``."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def state(finding: Finding) -> str:
    """One upper-case word: the verdict of an open finding, else its status."""
    return (finding.verdict if finding.status is Status.OPEN else finding.status).upper()


def measured(finding: Finding) -> str:
    """The measure against its threshold: ``cache hit rate 4.2 % (fails below 30 %)``."""
    measure = finding.measure
    value, limit = against_threshold(measure)
    side = (
        "below"
        if measure.value < measure.threshold
        else "above"
        if measure.value > measure.threshold
        else "at"
    )
    verb = "fails" if finding.verdict is Verdict.FAIL else "warns"
    threshold = f"({verb} {side} {limit})"
    if measure.name == _BLENDED and finding.usd_per_mtok is not None and measure.value > 0:
        blended = significant(finding.usd_per_mtok / measure.value)
        return f"{rate(finding.usd_per_mtok)} is {value} the blended {blended} {threshold}"
    called = prose(measure.label) if measure.label else _measure_name(measure.name)
    return f"{called} {value} {threshold}".strip()


def remark(finding: Finding) -> str:
    """What explains the measured value, where ``measured`` does not say it, and why it is open again."""
    note = "" if finding.measure.name == _BLENDED else prose(finding.measure.note)
    return "; ".join(text for text in (note, prose(finding.beyond_baseline)) if text)


def _measure_name(text: str) -> str:
    if text.startswith("usd_per_"):
        return ""
    return prose(text.removesuffix("_usd")).replace("_", " ") if text.isidentifier() else prose(text)


def saving(savings: Savings) -> str:
    """The figure alone, a month: ``$3,120``, ``up to $4,010``, ``unknown``."""
    if savings.expected is None or savings.high is None:
        return "unknown"
    if savings.confidence is Confidence.BOUNDED:
        return f"up to {money(savings.high)}"
    return money(savings.expected)


def saving_range(low: float, expected: float, high: float) -> str:
    """An estimate a month: ``$3,120 a month ($2,480 to $4,010)``, or ``$3,120 a month`` where it is one."""
    ends = [money(low), money(high)]
    if ends[0] == ends[1]:
        return f"{money(expected)} a month"
    return f"{money(expected)} a month ({' to '.join(ends)})"


def how_sure(confidence: Confidence, prices_of: datetime | None) -> str:
    """Where a savings figure comes from, in a few words."""
    if confidence is Confidence.PRICED:
        return f"priced {prices_of:%Y-%m-%d}" if prices_of else "priced"
    return {Confidence.EXACT: "exact", Confidence.BOUNDED: "bounded"}.get(confidence, "")


def share_of_net(finding: Finding) -> str:
    """What an open finding adds to the report's net, where that is less than its own figure; else ""."""
    savings = finding.savings
    if savings.net is None or not savings.expected:
        return ""
    if is_claimed(finding):
        return "adds nothing to net: another finding already claims these dollars"
    if savings.net < savings.expected * 0.995:
        return f"adds {money(savings.net)} to net, other findings claim the rest"
    return ""


def is_claimed(finding: Finding) -> bool:
    """Whether an open finding's savings are wholly counted in other findings."""
    savings = finding.savings
    return (
        finding.status is Status.OPEN
        and savings.net is not None
        and bool(savings.expected)
        and savings.net < (savings.expected or 0) * 1e-6
    )


def proof(policy: PolicyResult) -> str:
    """What was looked at: ``8 of 12 rows judged ($6,120), 4 under the floor ($12); May 2026; q1``."""
    rows = plural(policy.rows_seen, "row")
    seen = [f"{count(policy.rows_judged)} of {rows} judged ({money(policy.judged_spend_usd)})"]
    if policy.rows_under_floor:
        seen.append(
            f"{count(policy.rows_under_floor)} under the floor ({money(policy.spend_under_floor_usd)})"
        )
    if policy.rows_not_applicable:
        seen.append(f"{count(policy.rows_not_applicable)} not applicable")
    window = [span(policy.window)] if policy.window else []
    facts = [", ".join(seen), *window, ", ".join(policy.queries), *policy.notes]
    return "; ".join(prose(fact) for fact in facts if fact)
