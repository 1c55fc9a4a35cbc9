"""Findings in the terminal: by policy, the dearest in full, the rest as one line each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orpolicy.finding import Confidence
from orpolicy.nouns import dataclass
from orpolicy.reporters._figures import days, money, rate, share, span, tokens
from orpolicy.reporters._page import GAP, GUTTER, PROSE, VERDICT_INK, Ink, Page, Piece, place, sticky
from orpolicy.reporters._text_table import put_in_lines
from orpolicy.reporters._words import (
    how_sure,
    is_claimed,
    measured,
    name,
    plural,
    proof,
    prose,
    remark,
    saving,
    saving_range,
    share_of_net,
    subject,
)
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.finding import Finding, Savings
    from orpolicy.report import PolicyResult, Report

IN_FULL = 10
"""So many of the dearest open findings are shown in full."""

MOST_DRIVERS = 3

_LABEL = 9


@dataclass(frozen=True, slots=True)
class Group:
    """One policy's findings.

    Attributes:
        policy: its result, or None where the report has none of that id.
        in_full: shown at length.
        others: one line each.
    """

    policy: PolicyResult | None
    in_full: tuple[Finding, ...]
    others: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, in the report's order but for the open ones in full first."""
        return self.in_full + self.others

    @property
    def verdict(self) -> Verdict:
        """The worst that an open finding earns; pass where all are waived."""
        earned = [finding.verdict for finding in self.findings if finding.status is Status.OPEN]
        return max(earned, key=lambda verdict: verdict.rank, default=Verdict.PASS)


def put_findings(page: Page, report: Report, *, verbose: bool) -> None:
    """Every finding."""
    still_open = [finding for finding in report.findings if finding.status is Status.OPEN]
    dearest = frozenset(finding.fingerprint for finding in still_open[:IN_FULL])
    if len(still_open) > IN_FULL:
        page.blank()
        rest = plural(len(report.findings) - IN_FULL, "other")
        page.put(
            f"{count_of(report)}: the {IN_FULL} dearest in full, the {rest} in one line each.", most=PROSE
        )
    for group in _groups(report, dearest):
        page.blank()
        _put_heading(page, group, verbose=verbose)
        for finding in group.in_full:
            page.blank()
            _put_in_full(page, report, group, finding, verbose=verbose)
        put_in_lines(page, group.others)


def _groups(report: Report, dearest: frozenset[str]) -> list[Group]:
    """Failed policies first, within a verdict the one with the dearest finding."""
    by_policy: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_policy.setdefault(finding.policy, []).append(finding)
    results = {policy.id: policy for policy in report.policies}
    groups = [
        Group(
            results.get(policy),
            tuple(finding for finding in findings if finding.fingerprint in dearest),
            tuple(finding for finding in findings if finding.fingerprint not in dearest),
        )
        for policy, findings in by_policy.items()
    ]
    return sorted(groups, key=lambda group: -group.verdict.rank)


def count_of(report: Report) -> str:
    """``200 findings``, with how many of them are waived or baselined."""
    parts = [plural(len(report.findings), "finding")]
    for status in (Status.WAIVED, Status.BASELINED):
        number = sum(finding.status is status for finding in report.findings)
        if number:
            parts.append(f"{number:,} {status}")
    return ", ".join(parts)


def _put_heading(page: Page, group: Group, *, verbose: bool) -> None:
    first = group.findings[0]
    all_waived = group.verdict is Verdict.PASS
    word = first.status.upper() if all_waived else group.verdict.upper()
    ink = Ink.FAINT if all_waived else VERDICT_INK[group.verdict]
    spend = math.fsum(finding.spend_usd for finding in group.findings)
    window = f", {span(group.policy.window)}" if group.policy and group.policy.window else ""
    facts = f"{plural(len(group.findings), 'finding')}, {money(spend)}{window}"
    owner = ", " + sticky(f"owner {name(first.owner)}") if first.owner else ""
    page.put(
        Piece(word, ink), GAP, Piece(name(first.policy), Ink.STRONG), f"{GAP}{facts}{owner}", hang=GUTTER
    )
    for text in (first.title, first.why):
        if text:
            page.put(prose(text), indent=GUTTER, most=PROSE)
    if group.policy:
        page.put(Piece("--> ", Ink.FAINT), place(group.policy.location), indent=GUTTER)
        if verbose:
            page.put(Piece(proof(group.policy), Ink.FAINT), indent=GUTTER, most=PROSE)
    if first.link:
        page.put(Piece("--> ", Ink.FAINT), Piece(sticky(prose(first.link)), Ink.PLACE), indent=GUTTER)


def _put_in_full(page: Page, report: Report, group: Group, finding: Finding, *, verbose: bool) -> None:
    headline = f"{money(finding.spend_usd)}{GAP}{subject(finding.subject)}"
    page.put(Piece(headline, Ink.STRONG), indent=GUTTER, hang=GUTTER + 2)
    advice = finding.recommendation
    _put_fact(page, "measured", sticky_figures(measured(finding)))
    _put_fact(page, "", remark(finding))
    _put_fact(page, "traffic", _traffic(finding))
    _put_fact(page, "drivers", _drivers(finding))
    _put_fact(page, "do", prose(advice.text), Ink.STRONG)
    _put_fact(page, "risk", prose(advice.risk))
    _put_saving(page, report, group, finding, verbose=verbose)
    policy_file = group.policy.location.file if group.policy else ""
    code = [location for location in finding.locations if location.file != policy_file]
    for number, location in enumerate(code):
        _put_fact(page, "" if number else "code", place(location))
    if verbose:
        _put_fact(page, "verify", prose(finding.verify.expect))
        for line in finding.verify.curl.split("\n"):
            _put_fact(page, "", Piece(sticky(line), Ink.PLACE))
        _put_fact(page, "id", finding.fingerprint, Ink.FAINT)


def _put_fact(page: Page, label: str, value: str | Piece, ink: Ink = Ink.PLAIN) -> None:
    piece = value if isinstance(value, Piece) else Piece(value, ink)
    if piece.text:
        indent = GUTTER + 2
        page.put(
            Piece(sticky(label.ljust(_LABEL - 1)), Ink.FAINT),
            " ",
            piece,
            indent=indent,
            hang=indent + _LABEL,
            most=PROSE,
        )


def sticky_figures(text: str) -> str:
    """The sentence with every number kept beside its unit."""
    for unit in (" $/Mtok", " %", "(fails ", "(warns "):
        text = text.replace(unit, sticky(unit))
    return text


def _traffic(finding: Finding) -> str:
    parts = [
        f"{tokens(finding.tokens_total)} tokens",
        plural(finding.request_count, "request"),
        "no rate without tokens" if finding.usd_per_mtok is None else rate(finding.usd_per_mtok),
    ]
    return ", ".join(sticky(part) for part in parts)


def _drivers(finding: Finding) -> str:
    """``batch-pipeline 98 %, web-app 2 %``, largest first as the report has them."""
    shown = [
        f"{subject(driver.subject)}\u00a0{sticky(share(driver.share))}"
        for driver in finding.drivers[:MOST_DRIVERS]
    ]
    more = len(finding.drivers) - len(shown)
    is_pair = {"api_key_id", "model"} <= set(finding.subject)
    whole = " of the model's spend" if shown and is_pair else ""
    return ", ".join(shown) + (f" and {more:,} more" if more else "") + whole


def _put_saving(page: Page, report: Report, group: Group, finding: Finding, *, verbose: bool) -> None:
    figure = _saving(finding.savings)
    notes = [how_sure(finding.savings.confidence, report.catalogue_taken_at)]
    window = group.policy.window if group.policy else None
    if finding.savings.expected is not None and window is not None and not window.is_calendar_month:
        notes.append(f"scaled from {days(window)}")
    _put_fact(page, "saves", ", ".join(text for text in (figure, *notes) if text), _saving_ink(finding))
    _put_fact(page, "", share_of_net(finding))
    if verbose:
        _put_fact(page, "", prose(finding.savings.formula), Ink.FAINT)
    if finding.exposure_usd_per_month is not None:
        exposure = f"{money(finding.exposure_usd_per_month)} a month above the threshold, not a saving"
        _put_fact(page, "exposed", exposure)


def _saving(savings: Savings) -> str:
    if savings.low is None or savings.expected is None or savings.high is None:
        return "unknown"
    if savings.confidence is Confidence.BOUNDED:
        return f"{saving(savings)} a month"
    return saving_range(savings.low, savings.expected, savings.high)


def _saving_ink(finding: Finding) -> Ink:
    counts = finding.status is Status.OPEN and finding.savings.expected is not None
    return Ink.MONEY if counts and not is_claimed(finding) else Ink.PLAIN
