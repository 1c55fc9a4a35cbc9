"""The top of the page: the verdict, the dollars and where to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import count, money, rate, share, span, tokens
from orpolicy.reporters._headline import CENT, beside_net, ended, judged_elsewhere, sentence
from orpolicy.reporters._html_markup import Markup, element, markup, outside, said
from orpolicy.reporters._words import name, prose, subject
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from orpolicy.finding import Finding
    from orpolicy.report import Report
    from orpolicy.verdict import Verdict

_FIRST = 3
"""So many findings are where to begin."""


def badge(verdict: Verdict | Status) -> Markup:
    """A verdict or a status as a coloured word."""
    return element("span", verdict.upper(), class_=f"badge {verdict}")


def anchor(finding: Finding) -> str:
    """The id of a finding's place on the page."""
    return f"f-{finding.fingerprint}"


def summary(report: Report) -> Markup:
    """The verdict, four figures and what to know of the run."""
    month = f" in {span(report.baseline.window)}" if report.baseline else ""
    title = element("h1", f"LLM spend{month}")
    verdict = element("p", badge(report.verdict), f" {', '.join(ended(report))}", class_="verdict")
    notices = [
        element("p", element("strong", "Note"), f" {prose(text)}", class_="note") for text in report.notices
    ]
    figures = element("div", *_figures(report), class_="tiles")
    return element("header", title, verdict, figures, *notices)


def _figures(report: Report) -> list[Markup]:
    return [_spend(report), _blended(report), _savings(report), _judged(report)]


def tile(label: str, figure: str, *details: str, kind: str = "") -> Markup:
    """One figure with its label and what there is to say of it."""
    lines = [element("span", text, class_="detail") for text in details if text]
    return element(
        "div",
        element("span", label, class_="label"),
        element("strong", figure),
        *lines,
        class_=f"tile {kind}".strip(),
    )


def _spend(report: Report) -> Markup:
    baseline = report.baseline
    if baseline is None:
        return tile("Spend", "unknown", "The source could not say how much was spent in all.")
    return tile(
        "Spend",
        money(baseline.spend_usd),
        span(baseline.window),
        f"{tokens(baseline.tokens_total)} tokens, {count(baseline.request_count)} requests",
    )


def _blended(report: Report) -> Markup:
    blended = report.baseline.blended_usd_per_mtok if report.baseline else None
    if blended is None:
        return tile("Blended rate", "none", "There is no rate without tokens.")
    return tile("Blended rate", rate(blended), "all spend by all tokens")


def _savings(report: Report) -> Markup:
    total = report.savings
    facts = [sentence(fact) for fact in beside_net(report)]
    if total.net_high < CENT:
        return tile("To save", "unknown" if report.inconclusive else "nothing found", *facts)
    low, high = money(total.net_low), money(total.net_high)
    figure = money(total.net_expected) if total.net_expected >= CENT else f"up to {high}"
    between = f"{low} to {high}, " if low != high and total.net_expected >= CENT else ""
    return tile("To save, a month", figure, f"{between}no dollar counted twice", *facts, kind="saves")


def _judged(report: Report) -> Markup:
    part = report.coverage.share
    judged = f"{money(report.coverage.judged_spend_usd)} was held against a policy"
    return tile("Judged", "unknown" if part is None else share(part), judged, judged_elsewhere(report))


def begin(report: Report) -> Markup:
    """Where to begin: the open findings that add most to the net; "" if none adds anything."""
    worth = [
        finding
        for finding in report.findings
        if finding.status is Status.OPEN and (finding.savings.net or 0.0) >= CENT
    ]
    if not worth:
        return Markup("")
    items = [
        element(
            "li",
            element("a", f"{money(finding.savings.net or 0.0)} a month", href=f"#{anchor(finding)}"),
            element("span", outside(subject(finding.subject)), _owner(finding), class_="who"),
            element("span", said(finding.recommendation.text), class_="do"),
        )
        for finding in worth[:_FIRST]
    ]
    heading = element("h2", "Where to begin", id="begin")
    return element("section", heading, element("ol", *items, class_="first"), aria_labelledby="begin")


def _owner(finding: Finding) -> Markup:
    return markup(" (", outside(name(finding.owner)), ")") if finding.owner else Markup("")
