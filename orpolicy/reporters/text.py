"""The format for people: verdict first, then the dollars, who spends them and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import money, rate, share, span, tokens
from orpolicy.reporters._headline import beside_net, ended, judged_elsewhere, net, sentence
from orpolicy.reporters._page import GAP, GUTTER, PROSE, VERDICT_INK, Ink, Page, Piece, sticky
from orpolicy.reporters._text_findings import put_findings
from orpolicy.reporters._text_overrides import put_overrides
from orpolicy.reporters._text_proof import put_footer, put_inconclusive, put_passed, put_queries, put_waivers
from orpolicy.reporters._trend_words import trend_sentence
from orpolicy.reporters._words import plural, prose
from orpolicy.reporters.base import Reporter

if TYPE_CHECKING:
    from orpolicy.report import Report
    from orpolicy.reporters.base import Style


class Text(Reporter):
    """Text for a terminal."""

    summary = "people in a terminal: verdict first, then dollars, who spends them and what to do"

    def render(self, report: Report, style: Style) -> str:
        """The report as lines no wider than the terminal, except for paths and commands."""
        page = Page(style.width, style.color)
        _put_verdict(page, report, alone=style.verbosity < 0)
        if style.verbosity < 0:
            return page.text()
        verbose = style.verbosity > 0
        _put_savings(page, report)
        _put_baseline(page, report)
        put_findings(page, report, verbose=verbose)
        put_inconclusive(page, report)
        put_passed(page, report, verbose=verbose)
        put_waivers(page, report)
        put_overrides(page, report, verbose=verbose)
        if verbose:
            put_queries(page, report)
        _put_notices(page, report)
        put_footer(page, report)
        return page.text()


def _put_verdict(page: Page, report: Report, *, alone: bool) -> None:
    word = report.verdict.upper()
    saves = net(report, short=True) if alone else ""
    policies = ", ".join(map(sticky, ended(report)))
    short = f"; {saves}" if saves else ""
    page.put(Piece(word, VERDICT_INK[report.verdict]), f"{GAP}{policies}{short}", hang=GUTTER)


def _put_savings(page: Page, report: Report) -> None:
    """Net, gross, what is waived and what has no figure."""
    saves, facts = net(report), beside_net(report)
    if saves:
        page.put(Piece(sentence(f"{saves} net"), Ink.MONEY), indent=GUTTER, most=PROSE)
    if facts:
        page.put(sentence("; ".join(facts)), indent=GUTTER, most=PROSE)


def _put_baseline(page: Page, report: Report) -> None:
    page.blank()
    baseline, coverage = report.baseline, report.coverage
    if baseline is None:
        page.put("No baseline: the source could not say how much was spent in all.", most=PROSE)
        return
    blended = baseline.blended_usd_per_mtok
    figures = [
        f"{tokens(baseline.tokens_total)} tokens",
        plural(baseline.request_count, "request"),
        "no blended rate without tokens" if blended is None else f"{rate(blended)} blended",
    ]
    page.put(
        "Spend ",
        Piece(money(baseline.spend_usd), Ink.STRONG),
        f" in {sticky(span(baseline.window))}: ",
        ", ".join(sticky(figure) for figure in figures),
        hang=GUTTER,
        most=PROSE,
    )
    judged = "" if coverage.share is None else f", {sticky(share(coverage.share))}"
    page.put(f"Policies judged {money(coverage.judged_spend_usd)} of it{judged}.", indent=GUTTER, most=PROSE)
    if elsewhere := judged_elsewhere(report):
        page.put(sentence(elsewhere), indent=GUTTER, most=PROSE)
    if text := trend_sentence(report):
        page.put(text, indent=GUTTER, most=PROSE)


def _put_notices(page: Page, report: Report) -> None:
    page.blank()
    for notice in report.notices:
        page.put(Piece("Note", Ink.WARN), f"{GAP}{prose(notice)}", hang=GUTTER, most=PROSE)
