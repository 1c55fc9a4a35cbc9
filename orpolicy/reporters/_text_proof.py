"""What stands behind the verdict in the terminal: unjudged and passed policies, waivers, queries, source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.report import WaiverState
from orpolicy.reporters._figures import count, minute, money
from orpolicy.reporters._page import GAP, GUTTER, PROSE, Ink, Page, Piece, place, sticky
from orpolicy.reporters._words import name, plural, proof, prose
from orpolicy.verdict import Verdict

if TYPE_CHECKING:
    from orpolicy.report import QueryRecord, Report, WaiverResult

_WAIVER_INK = {
    WaiverState.ACTIVE: Ink.PASS,
    WaiverState.EXPIRING: Ink.WARN,
    WaiverState.UNUSED: Ink.WARN,
    WaiverState.EXPIRED: Ink.FAIL,
    WaiverState.EXCEEDED: Ink.FAIL,
    WaiverState.REFUSED: Ink.FAIL,
}


def put_inconclusive(page: Page, report: Report) -> None:
    """Every policy that could not be judged: why, and what to do."""
    for item in report.inconclusive:
        page.blank()
        page.put(
            Piece("INCONCLUSIVE", Ink.HOLD),
            GAP,
            Piece(name(item.policy), Ink.STRONG),
            f"{GAP}{item.reason} [{item.reason.code}]",
            hang=GUTTER,
        )
        for text in (item.detail, item.advice):
            if text:
                page.put(prose(text), indent=GUTTER, most=PROSE)
        page.put(Piece("--> ", Ink.FAINT), place(item.location), indent=GUTTER)


def put_passed(page: Page, report: Report, *, verbose: bool) -> None:
    """The policies that passed: their names, or one line of proof each."""
    passed = [policy for policy in report.policies if policy.verdict is Verdict.PASS]
    if not passed:
        return
    page.blank()
    if not verbose:
        listed = ", ".join(sticky(name(policy.id)) for policy in passed)
        page.put(Piece("PASS", Ink.PASS), f"{GAP}{listed}", hang=GUTTER, most=PROSE)
        return
    for policy in passed:
        page.put(
            Piece("PASS", Ink.PASS),
            GAP,
            Piece(name(policy.id), Ink.STRONG),
            f"{GAP}{proof(policy)}",
            hang=GUTTER,
        )


def put_waivers(page: Page, report: Report) -> None:
    """Every waiver and how it fared."""
    if not report.waivers:
        return
    page.blank()
    page.put(Piece("Waivers", Ink.STRONG))
    width = max(len(waiver.state) for waiver in report.waivers)
    for waiver in report.waivers:
        _put_waiver(page, waiver, width)


def _put_waiver(page: Page, waiver: WaiverResult, width: int) -> None:
    covers = (
        f"{plural(waiver.findings, 'finding')} of {money(waiver.spend_usd)}"
        if waiver.findings
        else "no finding"
    )
    body = 2 + width + len(GAP)
    page.put(
        Piece(sticky(waiver.state.ljust(width)), _WAIVER_INK[waiver.state]),
        GAP,
        Piece(name(waiver.policy), Ink.STRONG),
        f"{GAP}until {waiver.until}, {covers}",
        indent=2,
        hang=body,
    )
    page.put(f"{name(waiver.owner)}: {prose(waiver.reason)}", indent=body, most=PROSE)
    page.put(Piece("--> ", Ink.FAINT), place(waiver.location), indent=body)


def put_queries(page: Page, report: Report) -> None:
    """Every query that was asked."""
    page.blank()
    for query in report.queries:
        label = sticky(name(query.id).ljust(GUTTER - len(GAP)))
        page.put(Piece(label, Ink.STRONG), f"{GAP}{_answered(query)}", hang=GUTTER, most=PROSE)


def _answered(query: QueryRecord) -> str:
    if query.error:
        return f"failed: {prose(query.error)}; for {prose(', '.join(query.policies))}"
    age = f", computed {minute(query.cached_at)}" if query.cached_at else ""
    came = "from the local cache" if query.from_cache else f"{count(query.elapsed_ms)} ms"
    enough = f"{'truncated, ' if query.truncated else ''}{prose(query.complete_because)}"
    return f"{plural(query.rows, 'row')}, {enough}, {came}{age}; for {prose(', '.join(query.policies))}"


def put_footer(page: Page, report: Report) -> None:
    """Source, requests, prices and version, on quiet lines."""
    page.blank()
    source = report.source
    where = " ".join(name(part) for part in (source.kind, source.host) if part)
    cached = f" ({count(source.cached_requests)} more from the local cache)" if source.cached_requests else ""
    asked = plural(len(report.queries), "query", "queries")
    facts = [
        f"{where}: {plural(source.requests, 'request')}{cached} for {asked}",
        f"as of {minute(report.generated_at)}",
        *_prices(report),
        f"orpolicy {name(report.version)}",
    ]
    page.put(Piece("; ".join(facts), Ink.FAINT), most=PROSE)


def _prices(report: Report) -> list[str]:
    taken = report.catalogue_taken_at
    dated = [f"prices of {taken:%Y-%m-%d} ({plural(report.catalogue_models, 'model')})"] if taken else []
    priced = any(finding.savings.confidence is Confidence.PRICED for finding in report.findings)
    return [*dated, "quality not measured on your task"] if priced else dated
