"""A drill for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import cents, count, minute, money, share, span
from orpolicy.reporters._page import GAP, PROSE, Ink, Page, Piece, sticky
from orpolicy.reporters._words import columns, name, plural, prose, subject

if TYPE_CHECKING:
    from orpolicy.drilling.model import Drill, Request
    from orpolicy.reporters.base import Style

_INDENT = 2


def as_text(found: Drill, style: Style) -> str:
    """Two lines a request, the dearest first."""
    page = Page(style.width, style.color)
    finding = found.finding
    page.put(Piece(f"{name(finding.policy)}: {subject(finding.subject)}", Ink.STRONG), most=PROSE)
    page.put(f"{_dearest(found)}, {span(found.window)}", most=PROSE)
    for notice in found.notices:
        page.put(f"note: {prose(notice)}", most=PROSE)
    if found.unanswered:
        missing = found.unanswered
        why = prose(f"{missing.detail} ({missing.reason})")
        told = f"of {plural(missing.number, 'request')} the source tells no more: {why}"
        page.put(Piece(told, Ink.HOLD), most=PROSE)
    page.blank()
    figures = [cents(item.totals.spend_usd) for item in found.requests]
    widest = max(map(columns, figures))
    for item, figure in zip(found.requests, figures, strict=True):
        who = subject(item.members)
        page.put(
            Piece(sticky(f"{figure:>{widest}}"), Ink.MONEY),
            sticky(GAP + name(item.generation_id)) + GAP + sticky(who),
            indent=_INDENT,
        )
        page.put(Piece(", ".join(_facts(item)), Ink.FAINT), indent=_INDENT + widest + len(GAP), most=PROSE)
    return page.text()


def _dearest(found: Drill) -> str:
    whole = found.finding.spend_usd
    part = (
        f" of the finding's {money(whole)} ({share(min(found.spend_usd / whole, 1.0))})" if whole > 0 else ""
    )
    return f"the {plural(len(found.requests), 'dearest request')}: {money(found.spend_usd)}{part}"


def _facts(item: Request) -> list[str]:
    totals, details = item.totals, item.details
    facts = [
        f"{count(totals.prompt_tokens)} in ({count(totals.cached_tokens)} cached)",
        f"{count(totals.completion_tokens)} out ({count(totals.reasoning_tokens)} reasoning)",
    ]
    if details is None:
        return facts
    if details.created_at:
        facts.append(minute(details.created_at))
    if details.model and details.model not in item.members.values():
        facts.append(details.model)
    facts += [word for word in (details.provider, details.finish_reason) if word]
    if details.cost_usd is not None and cents(details.cost_usd) != cents(totals.spend_usd):
        facts.append(f"{cents(details.cost_usd)} by its own record")
    facts += [
        word for word, holds in (("byok", details.is_byok), ("cancelled", details.is_cancelled)) if holds
    ]
    return facts
