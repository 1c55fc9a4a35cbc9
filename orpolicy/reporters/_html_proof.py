"""What stands behind the verdict on the page: unjudged policies, every policy's proof, waivers, queries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.reporters._figures import count, minute, money
from orpolicy.reporters._html_findings import fact_list, place
from orpolicy.reporters._html_markup import Child, Markup, element, joined, lines, markup, outside, said
from orpolicy.reporters._html_summary import badge
from orpolicy.reporters._json_value import plain
from orpolicy.reporters._override_words import changed_key, changed_what, value_text
from orpolicy.reporters._words import name, plural, proof, prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.report import PolicyResult, QueryRecord, Report, WaiverResult


def inconclusive(report: Report) -> Markup:
    """Every policy that could not be judged: why, and what to do; "" if all could."""
    if not report.inconclusive:
        return Markup("")
    number = plural(len(report.inconclusive), "policy", "policies")
    items = [
        element(
            "li",
            element("strong", outside(item.policy)),
            element("span", item.reason, class_="badge inconclusive"),
            element("p", said(item.detail)),
            element("p", said(item.advice), class_="do"),
            element("p", place(item.location), class_="faint"),
        )
        for item in report.inconclusive
    ]
    heading = element("h2", f"{number} could not be judged", id="unjudged")
    who = "It neither passed nor failed: what it watches over"
    if len(report.inconclusive) > 1:
        who = "They neither passed nor failed: what they watch over"
    lead = element("p", f"{who} may be fine, or not.")
    return element(
        "section", heading, lead, element("ul", *items), class_="alert", aria_labelledby="unjudged"
    )


def policies(report: Report) -> Markup:
    """Every policy with its verdict and the rows and dollars behind it."""
    if not report.policies:
        return Markup("")
    ordered = sorted(report.policies, key=lambda policy: -policy.verdict.rank)
    rows = [_policy(policy) for policy in ordered]
    heads = (
        ("Policy", "text"),
        ("Verdict", "number"),
        ("Findings", "number"),
        ("Judged", "number"),
        ("Proof", ""),
    )
    return _section("policies", "Policies", _table(heads, rows, "policies"))


def _policy(policy: PolicyResult) -> Markup:
    facts: list[Child] = [outside(policy.id), name(policy.rule)]
    if policy.owner:
        facts.append(markup("owner ", outside(policy.owner)))
    lines = [element("span", outside(policy.title or policy.id), class_="who")]
    lines.append(element("span", joined(" · ", facts), class_="policy"))
    return element(
        "tr",
        element("th", *lines, scope="row"),
        element("td", badge(policy.verdict), data_label="Verdict", data_value=policy.verdict.rank),
        *_judged(policy),
    )


def _judged(policy: PolicyResult) -> list[Markup]:
    """The cells that say what was found and looked at; blank for a policy that was not judged."""
    where = place(policy.location)
    if policy.reason:
        why = element(
            "td", f"not judged: {policy.reason}", element("br"), where, data_label="Proof", class_="long"
        )
        return [element("td", class_="none"), element("td", class_="none"), why]
    spend = policy.judged_spend_usd
    return [
        element("td", count(policy.findings), data_label="Findings", data_value=policy.findings),
        element("td", money(spend), data_label="Judged", data_value=repr(float(spend))),
        element("td", proof(policy), element("br"), where, data_label="Proof", class_="long"),
    ]


def waivers(report: Report) -> Markup:
    """Every waiver and how it fared; "" without any."""
    if not report.waivers:
        return Markup("")
    heads = (("Waiver", "text"), ("State", "text"), ("Until", "text"), ("Covers", "number"), ("Agreed", ""))
    rows = [_waiver(waiver) for waiver in report.waivers]
    return _section("waivers", "Waivers", _table(heads, rows, "waivers"))


def _waiver(waiver: WaiverResult) -> Markup:
    covers = (
        f"{plural(waiver.findings, 'finding')}, {money(waiver.spend_usd)}" if waiver.findings else "nothing"
    )
    agreed = markup(outside(waiver.owner), f": {prose(waiver.reason)}", element("br"), place(waiver.location))
    return element(
        "tr",
        element("th", outside(waiver.policy), scope="row"),
        element("td", element("span", waiver.state, class_=f"badge {waiver.state}"), data_label="State"),
        element("td", waiver.until.isoformat(), data_label="Until"),
        element("td", covers, data_label="Covers", data_value=repr(float(waiver.spend_usd))),
        element("td", agreed, data_label="Agreed", class_="long"),
    )


def overrides(report: Report) -> Markup:
    """What policy files change of those that they extend; "" without any."""
    if not report.overrides:
        return Markup("")
    heads = (("Override of", "text"), ("Key", "text"), ("From", ""), ("To", ""), ("Where", ""))
    rows = [
        element(
            "tr",
            element("th", changed_what(item), scope="row"),
            element("td", changed_key(item), data_label="Key"),
            element("td", value_text(item.before), data_label="From"),
            element("td", value_text(item.after), data_label="To"),
            element("td", place(item.location), data_label="Where", class_="long"),
        )
        for item in report.overrides
    ]
    return _section("overrides", "Overrides", _table(heads, rows, "overrides"))


def queries(report: Report) -> Markup:
    """What was asked, so that anybody can ask it again; "" if nothing was."""
    if not report.queries:
        return Markup("")
    lead = element(
        "p",
        "Bodies of POST /api/v1/analytics/query. Every figure on this page comes from these answers.",
        class_="faint",
    )
    return _section("queries", "Queries", lead, *map(_query, report.queries))


def _query(query: QueryRecord) -> Markup:
    state = "failed" if query.error else query.complete_because
    title = markup(element("strong", outside(query.id)), f" {plural(query.rows, 'row')}, {prose(state)}")
    came = "the local cache" if query.from_cache else f"the source, in {count(query.elapsed_ms)} ms"
    facts: list[tuple[str, Child]] = [
        ("For", joined(", ", map(outside, query.policies))),
        ("Error", prose(query.error)),
        ("Truncated", "the source left rows out" if query.truncated else ""),
        ("From", came),
        ("Computed", minute(query.cached_at) if query.cached_at else ""),
        ("Body", element("pre", lines(json.dumps(plain(query.request), indent=1)))),
    ]
    return element("details", element("summary", title), fact_list(facts), class_="query")


def _section(key: str, title: str, *content: Child) -> Markup:
    return element("section", element("h2", title, id=key), *content, aria_labelledby=key)


def _table(heads: Iterable[tuple[str, str]], rows: Sequence[Markup], label: str) -> Markup:
    head = [element("th", title, scope="col", data_sort=kind or None) for title, kind in heads]
    return element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *rows),
        class_="sortable cards",
        aria_labelledby=label,
    )


def footer(report: Report) -> Markup:
    """Source, requests, prices and version."""
    source = report.source
    where = joined(" ", (outside(part) for part in (source.kind, source.host) if part))
    cached = f", {count(source.cached_requests)} more from the local cache" if source.cached_requests else ""
    asked = (
        f"{plural(source.requests, 'request')}{cached} for {plural(len(report.queries), 'query', 'queries')}"
    )
    lines = [
        markup("Figures from ", where, f": {asked}, as of {minute(report.generated_at)}."),
        *_prices(report),
        markup("Made by orpolicy ", outside(report.version), "."),
    ]
    return element("footer", *(element("p", line) for line in lines))


def _prices(report: Report) -> list[Markup]:
    taken = report.catalogue_taken_at
    facts = []
    if taken:
        models = plural(report.catalogue_models, "model")
        facts.append(markup(f"Prices of {taken:%Y-%m-%d}, {models}."))
    if any(finding.savings.confidence is Confidence.PRICED for finding in report.findings):
        facts.append(
            markup("Savings are estimates at catalogue prices; quality was not measured on your task.")
        )
    return facts
