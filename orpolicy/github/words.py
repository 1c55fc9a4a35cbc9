"""What is written on GitHub, all of it safe against names that come from outside."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from orpolicy.github.told import Told
from orpolicy.reporters._figures import cents, minute
from orpolicy.reporters._markdown_findings import TABLE_HEAD, finding_row, legend, place
from orpolicy.reporters._markdown_text import code, escaped
from orpolicy.reporters._plain_finding import stopped
from orpolicy.reporters._words import measured, name, plural, prose, subject
from orpolicy.reporters.base import Style
from orpolicy.reporters.markdown import MARKER, Markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.finding import Finding, Inconclusive
    from orpolicy.github.shares import Share
    from orpolicy.github.told import Change, Comparison
    from orpolicy.report import Report

MOST_CHARACTERS = 65_536
"""GitHub refuses longer texts."""

NOTICE_MARKER = "<!-- orpolicy notice -->"
_FINDINGS_ROOM = 24_000
_INCONCLUSIVE_ROOM = 8_000
_NOTICE_ROOM = 20_000
_MOST_MENTIONED = 10
_HANDLE = re.compile(r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:/[A-Za-z0-9](?:[A-Za-z0-9._-]{0,99}))?")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 40
_DIGITS = 10
_KEPT = (
    "`orpolicy notify` keeps this issue: it edits it in place, comments when a finding is new or worse, and "
    "closes it when nothing is left. It finds it by its label and by its first line."
)


def comment_body(report: Report, told: Told, mentioned: str) -> str:
    """The pull request's comment: the report as the markdown format shows it."""
    shown = Markdown().render(report, Style()).removeprefix(f"{MARKER}\n")
    text = f"{shown}\n{mentioned}\n" if mentioned else shown
    return _with_told(MARKER, told, text)


def issue_marker(owner: str) -> str:
    """The first line of an owner's issue; no two owners share one."""
    if not owner:
        return "<!-- orpolicy issue unowned -->"
    digest = hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    readable = _NOT_SLUG.sub("-", owner.lower()).strip("-")[:_SLUG_LENGTH]
    return f"<!-- orpolicy issue {readable}-{digest} -->"


def issue_title(owner: str) -> str:
    """The title of an owner's issue: a line of plain text."""
    return f"LLM spend: findings of {name(owner)}" if owner else "LLM spend: findings without an owner"


def issue_body(share: Share, report: Report, now: Comparison, mentioned: str) -> str:
    """An owner's issue: the open findings, and what could not be judged."""
    findings = share.findings
    whose = f"of {code(name(share.owner))}" if share.owner else "without an owner"
    head = [f"{plural(len(findings), 'open finding')} {whose}, as of {minute(report.generated_at)}."]
    if now.kept:
        head.append(f"{plural(now.kept, 'finding')} told before cannot be seen: the policy was not judged.")
    parts = [head, [mentioned], _table(findings), _unjudged(share.inconclusive), [_KEPT]]
    text = "\n\n".join("\n".join(part) for part in parts if any(part)) + "\n"
    return _with_told(issue_marker(share.owner), now.told, text)


def notice(changes: Sequence[Change], mentioned: str) -> str:
    """A short comment that names what is new or worse, and nothing else."""
    new = sum(change.told_usd_per_month is None for change in changes)
    counted = [f"{plural(new, 'finding')} new"] if new else []
    counted += [f"{plural(len(changes) - new, 'finding')} worse"] if len(changes) > new else []
    lines = _fit(map(_changed, changes), _NOTICE_ROOM)
    more = len(changes) - len(lines)
    lines += [f"- {plural(more, 'finding')} more"] if more else []
    parts = [[NOTICE_MARKER, f"**{', '.join(counted)}** since people were last told."], lines, [mentioned]]
    return "\n\n".join("\n".join(part) for part in parts if any(part)) + "\n"


def clean_notice(report: Report) -> str:
    """What is said when an issue is closed."""
    when = minute(report.generated_at)
    return f"{NOTICE_MARKER}\n**Clean**: no open finding as of {when}, and every policy was judged.\n"


def left_notice(report: Report) -> str:
    """What is said when an issue is closed because its owner has no policies any more."""
    return f"{NOTICE_MARKER}\n{_left(report)}\n"


def left_body(marker: str, report: Report) -> str:
    """The issue of an owner without policies; it remembers nothing, so that whatever returns is news."""
    return _with_told(marker, Told(), f"{_left(report)}\n\n{_KEPT}\n")


def _left(report: Report) -> str:
    when = minute(report.generated_at)
    return f"**No policy left**: as of {when}, every policy that this issue was about has another owner."


def mentions(owners: Iterable[str]) -> str:
    """``For @org/team, @somebody.``: the owners that are handles of GitHub's, or ""."""
    handles = sorted({owner for owner in owners if _HANDLE.fullmatch(owner)})[:_MOST_MENTIONED]
    return f"For {', '.join(handles)}." if handles else ""


def _changed(change: Change) -> str:
    finding, before = change.finding, change.told_usd_per_month
    now = f"{escaped(cents(change.usd_per_month))} a month"
    spent = now if before is None else f"{now}, {escaped(cents(before))} when last told"
    who = f"{code(name(finding.policy))}: {code(subject(finding.subject))}"
    state = "WORSE" if before is not None else "NEW"
    return f"- **{state}** {who}: {escaped(prose(measured(finding)))}; {spent}"


def _table(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    rows = _fit(map(finding_row, findings), _FINDINGS_ROOM)
    more = len(findings) - len(rows)
    left = ["", f"{plural(more, 'finding')} more: see the JSON report."] if more else []
    return [*TABLE_HEAD, *rows, *left, *legend(findings[: len(rows)])]


def _unjudged(items: Sequence[Inconclusive]) -> list[str]:
    if not items:
        return []
    lines = _fit(map(_unjudged_line, items), _INCONCLUSIVE_ROOM)
    more = len(items) - len(lines)
    left = ["", f"{plural(more, 'policy', 'policies')} more: see the JSON report."] if more else []
    return ["### Could not be judged", "", *lines, *left]


def _unjudged_line(item: Inconclusive) -> str:
    words = " ".join(stopped(prose(text)) for text in (item.detail, item.advice) if text)
    return f"- {code(name(item.policy))}, {item.reason}: {escaped(words)} {place(item.location)}"


def _fit(lines: Iterable[str], room: int) -> list[str]:
    """The first lines that fit, whole."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _with_told(marker: str, told: Told, text: str) -> str:
    """Marker, what was told, text; the second line takes the room that the others leave."""
    room = MOST_CHARACTERS - len(marker) - len(text) - 2
    return f"{marker}\n{told.line(room)}\n{text}"
