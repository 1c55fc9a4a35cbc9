"""The findings as a table that the page's script can sort and filter, each with its details below."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orpolicy.reporters._figures import against_threshold, days, money, rate, share, tokens
from orpolicy.reporters._html_markup import Child, Markup, element, joined, lines, markup, outside, said
from orpolicy.reporters._html_summary import anchor, badge
from orpolicy.reporters._words import (
    how_sure,
    is_claimed,
    measured,
    name,
    plural,
    prose,
    remark,
    saving,
    saving_range,
    share_of_net,
    subject,
    visible,
)
from orpolicy.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.finding import Finding
    from orpolicy.location import Location
    from orpolicy.report import PolicyResult, Report

IN_FULL = 60
"""So many findings, the dearest first, have their details on the page; the others are one row."""

_COLUMNS = (
    ("Finding", "text"),
    ("Measured", "number"),
    ("Spend", "number"),
    ("Saves a month", "number"),
    ("Adds to net", "number"),
)


def findings_section(report: Report) -> Markup:
    """Every finding, waived and baselined ones included, in the report's order."""
    heading = element("h2", "Findings", id="findings")
    if not report.findings:
        doubt = report.inconclusive or not report.policies
        words = "None, but not every policy was judged." if doubt else "None: every policy holds."
        return element("section", heading, element("p", words), aria_labelledby="findings")
    results = {policy.id: policy for policy in report.policies}
    head = [element("th", title, scope="col", data_sort=kind) for title, kind in _COLUMNS]
    bodies = [
        _finding(report, finding, results.get(finding.policy), in_full=number < IN_FULL)
        for number, finding in enumerate(report.findings)
    ]
    table = element(
        "table",
        element("thead", element("tr", *head)),
        *bodies,
        class_="findings sortable grouped cards",
        aria_labelledby="findings",
    )
    return element(
        "section",
        heading,
        _lead(report),
        _controls(report),
        table,
        *_legend(report),
        aria_labelledby="findings",
    )


def _lead(report: Report) -> Markup:
    others = len(report.findings) - IN_FULL
    rest = f" Details are given for the {IN_FULL} dearest; the json format has all." if others > 0 else ""
    return element("p", f"{count_by_status(report)}, by what each adds to the net.{rest}", class_="faint")


def count_by_status(report: Report) -> str:
    """``200 findings, 3 of them waived``."""
    parts = [plural(len(report.findings), "finding")]
    for status in (Status.WAIVED, Status.BASELINED):
        number = sum(finding.status is status for finding in report.findings)
        if number:
            parts.append(f"{number:,} of them {status}")
    return ", ".join(parts)


def _legend(report: Report) -> Iterable[Markup]:
    if any(map(is_claimed, report.findings)):
        yield element(
            "p", "$0 added to net: another finding already claims these dollars.", class_="faint legend"
        )


def _controls(report: Report) -> Markup:
    """Filters, which only the script shows."""
    states = list(dict.fromkeys(_state(finding) for finding in report.findings))
    names = {policy.id: policy.title for policy in report.policies}
    listed = list(dict.fromkeys(finding.policy for finding in report.findings))
    owners = sorted({finding.owner for finding in report.findings if finding.owner})
    return element(
        "div",
        _field("search", "Search", element("input", type="search", id="search", autocomplete="off")),
        _select("state", "Verdict", [(state, state) for state in states]),
        _select("policy", "Policy", [(policy, names.get(policy) or policy) for policy in listed]),
        _select("owner", "Owner", [(owner, owner) for owner in owners]) if owners else "",
        element("p", id="shown", role="status"),
        class_="controls",
        role="search",
        aria_label="Filter the findings",
        hidden=True,
    )


def _select(key: str, label: str, choices: list[tuple[str, str]]) -> Markup:
    options = [element("option", name(shown), value=value) for value, shown in choices]
    listed = markup(element("option", "all", value=""), *options)
    return _field(key, label, element("select", listed, id=key))


def _field(key: str, label: str, control: Markup) -> Markup:
    return element("div", element("label", label, for_=key), control)


def _state(finding: Finding) -> str:
    """An open finding's verdict, else its status."""
    return (finding.verdict if finding.status is Status.OPEN else finding.status).value


def _finding(report: Report, finding: Finding, policy: PolicyResult | None, *, in_full: bool) -> Markup:
    """Two rows: the figures, and what to do with the details behind it."""
    savings = finding.savings
    net = savings.net if finding.status is Status.OPEN else None
    cells = [
        element("th", *_who(finding), scope="row"),
        _cell("Measured", _against(finding), finding.measure.value),
        _cell("Spend", money(finding.spend_usd), finding.spend_usd),
        _cell("Saves a month", saving(savings), savings.expected),
        _cell("Adds to net", "" if net is None else money(net), net),
    ]
    do = said(finding.recommendation.text)
    below: Child = do
    if in_full:
        below = element("details", element("summary", do), _details(report, finding, policy))
    return element(
        "tbody",
        element("tr", *cells),
        element("tr", element("td", below, colspan=len(_COLUMNS)), class_="more") if do or in_full else "",
        id=anchor(finding),
        class_=f"finding {_state(finding)}",
        data_state=_state(finding),
        data_policy=finding.policy,
        data_owner=finding.owner,
        data_net=None if net is None else repr(float(net)),
    )


def _against(finding: Finding) -> Markup:
    """The value without a unit that is a sentence, above its threshold."""
    value, limit = against_threshold(finding.measure)
    limited = element("span", f"limit {limit}", class_="policy")
    return element("span", value.removesuffix(f" {finding.measure.unit}"), limited)


def _cell(label: str, shown: Child, value: float | None) -> Markup:
    key = None if value is None else repr(float(value))
    return element("td", shown, data_label=label, data_value=key, class_=None if shown else "none")


def _who(finding: Finding) -> Iterable[Child]:
    yield badge(finding.verdict if finding.status is Status.OPEN else finding.status)
    yield " "
    yield element("span", outside(subject(finding.subject)), class_="who")
    facts: list[Child] = [outside(finding.title or finding.policy)]
    if finding.owner:
        facts.append(markup("owner ", outside(finding.owner)))
    yield element("span", joined(" · ", facts), class_="policy")


def _details(report: Report, finding: Finding, policy: PolicyResult | None) -> Markup:
    facts: list[tuple[str, Child]] = [
        ("Why", said(finding.why)),
        ("Risk", said(finding.recommendation.risk)),
        ("Measured", measured(finding)),
        ("", remark(finding)),
        ("Traffic", _traffic(finding)),
        ("Drivers", _drivers(finding)),
        ("Saves", _saving(report, finding, policy)),
        ("", share_of_net(finding)),
        ("Formula", prose(finding.savings.formula)),
        ("Exposed", _exposure(finding)),
        ("Where", _places(finding.locations)),
        ("Read more", _link(finding.link)),
        ("Fixed when", prose(finding.verify.expect)),
        (
            "Ask again",
            element("code", lines(finding.verify.curl), class_="curl") if finding.verify.curl else "",
        ),
        ("Policy", markup(outside(finding.policy), f" ({name(finding.rule)})")),
        ("Fingerprint", element("code", finding.fingerprint)),
    ]
    return fact_list(facts)


def fact_list(facts: Iterable[tuple[str, Child]]) -> Markup:
    """Terms and what is said of them; what says nothing is left out, and "" goes on with the term before."""
    listed: list[Markup] = []
    for term, words in facts:
        if words.strip():
            listed += [element("dt", term)] if term else []
            listed.append(element("dd", words))
    return element("dl", *listed)


def _traffic(finding: Finding) -> str:
    per_token = "no rate without tokens" if finding.usd_per_mtok is None else rate(finding.usd_per_mtok)
    return f"{tokens(finding.tokens_total)} tokens, {plural(finding.request_count, 'request')}, {per_token}"


def _drivers(finding: Finding) -> Markup:
    return joined(
        ", ",
        (markup(outside(subject(each.subject)), f" {share(each.share)}") for each in finding.drivers),
    )


def _saving(report: Report, finding: Finding, policy: PolicyResult | None) -> str:
    savings = finding.savings
    if savings.low is None or savings.expected is None or savings.high is None:
        return "unknown"
    parts = [saving_range(savings.low, savings.expected, savings.high)]
    parts.append(how_sure(savings.confidence, report.catalogue_taken_at))
    if policy and policy.window and not policy.window.is_calendar_month:
        parts.append(f"scaled from {days(policy.window)}")
    return ", ".join(part for part in parts if part)


def _exposure(finding: Finding) -> str:
    usd = finding.exposure_usd_per_month
    return "" if usd is None else f"{money(usd)} a month above the threshold, not a saving"


def _places(locations: Iterable[Location]) -> Markup:
    return joined(", ", (place(location) for location in locations))


def place(location: Location) -> Markup:
    """``file:line`` as code."""
    return element("code", f"{name(location.file)}:{location.line}")


def _link(target: str) -> Markup:
    """A link for the web's own addresses; any other is text."""
    if not target:
        return Markup("")
    shown = name(target)
    if target != visible(target) or not _is_web(target):
        return element("code", shown)
    return element("a", shown, href=target, rel="noopener noreferrer")


def _is_web(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
