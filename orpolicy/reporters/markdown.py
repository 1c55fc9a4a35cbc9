"""The format for job summaries and pull-request comments: GitHub's Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import cents, minute, rate, share, span, tokens
from orpolicy.reporters._headline import CENT, beside_net, ended, judged_elsewhere, sentence
from orpolicy.reporters._markdown_findings import TABLE_HEAD, explained, finding_row, legend, place
from orpolicy.reporters._markdown_text import code, escaped, row
from orpolicy.reporters._override_words import changed_key, changed_what, value_text
from orpolicy.reporters._plain_finding import dollars, stopped
from orpolicy.reporters._trend_words import trend_rows, trend_sentence
from orpolicy.reporters._waiver_words import covered
from orpolicy.reporters._words import name, plural, proof, prose
from orpolicy.reporters.base import Reporter
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.finding import Inconclusive
    from orpolicy.report import OverrideResult, Report, WaiverResult
    from orpolicy.reporters.base import Style

MARKER = "<!-- orpolicy report -->"
"""The first line: by it a comment finds itself again. Elsewhere it may stand as somebody's name."""

_FINDINGS_ROOM = 24_000
_INCONCLUSIVE_ROOM = 8_000
_WAIVERS_ROOM = 6_000
_OVERRIDES_ROOM = 2_000
_NOTICES_ROOM = 3_000
_EXPLAINED_ROOM = 10_000
_PASSED_ROOM = 5_000
"""Characters for each part, 58,000 in all: with what stands around them less than 60,000."""

_WAIVERS_HEAD = (
    row("Waiver", "Policy", "Until", "Covers", "Owner", "Reason"),
    row("---", "---", "---", "---", "---", "---"),
)


_OVERRIDES_HEAD = (
    row("Override of", "Key", "From", "To", "Where"),
    row("---", "---", "---", "---", "---"),
)


class Markdown(Reporter):
    """Markdown that GitHub shows."""

    summary = "job summaries and pull-request comments: GitHub's Markdown, under 60,000 characters"

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - nothing here depends on a terminal
        """The report as Markdown; what has no room is counted, and rows are never cut."""
        parts = [
            [MARKER, f"## {report.verdict.upper()}: {', '.join(ended(report))}"],
            _net(report),
            _baseline(report),
            _trend(report),
            _findings(report),
            _inconclusive(report.inconclusive),
            _waivers(report.waivers),
            _overrides(report.overrides),
            _notices(report.notices),
            _explained(report),
            _passed(report),
            _footer(report),
        ]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _fit(lines: Iterable[str], room: int) -> list[str]:
    """The first lines that fit, whole."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _left_out(number: int, noun: str, many: str = "", note: str = "") -> list[str]:
    return ["", f"{plural(number, noun, many)} more{note}: see the JSON report."] if number else []


def _net(report: Report) -> list[str]:
    total = report.savings
    lines: list[str] = []
    if total.net_high >= CENT:
        low, expected, high = (
            escaped(cents(each)) for each in (total.net_low, total.net_expected, total.net_high)
        )
        figure = f"up to {high}" if total.net_expected < CENT else expected
        between = "" if low == high or total.net_expected < CENT else f" ({low} to {high})"
        lines.append(f"**Save {figure} a month, net**{between}.")
    beside = beside_net(report)
    return [*lines, escaped(sentence("; ".join(beside)))] if beside else lines


def _baseline(report: Report) -> list[str]:
    baseline, judged = report.baseline, report.coverage
    if baseline is None:
        return ["No baseline: the source could not say how much was spent in all."]
    blended = baseline.blended_usd_per_mtok
    figures = (
        f"{tokens(baseline.tokens_total)} tokens",
        plural(baseline.request_count, "request"),
        "no blended rate without tokens" if blended is None else f"{rate(blended)} blended",
    )
    part = "" if judged.share is None else f", {share(judged.share)}"
    spent = f"Spend **{escaped(cents(baseline.spend_usd))}** in {span(baseline.window)}"
    judged_part = escaped(f"{cents(judged.judged_spend_usd)} of it{part}")
    elsewhere = judged_elsewhere(report)
    tail = f" {escaped(sentence(elsewhere))}" if elsewhere else ""
    return [f"{spent}: {escaped(', '.join(figures))}. Policies judged {judged_part}.{tail}"]


def _trend(report: Report) -> list[str]:
    rows = trend_rows(report)
    if not rows:
        return []
    lines = [row(escaped(when), *(escaped(cents(usd)) for usd in figures)) for when, *figures in rows]
    head = (row("Window", "Spend", "Net savings a month"), row("---", "---:", "---:"))
    return [escaped(trend_sentence(report)), "", *head, *lines]


def _findings(report: Report) -> list[str]:
    if not report.findings:
        return []
    findings = sorted(report.findings, key=lambda finding: finding.status is not Status.OPEN)
    rows = _fit(map(finding_row, findings), _FINDINGS_ROOM)
    missing = findings[len(rows) :]
    note = f" ({escaped(cents(dollars(missing)))})"
    left = _left_out(len(missing), "finding", note=note)
    return ["### Findings", "", *TABLE_HEAD, *rows, *left, *legend(findings[: len(rows)])]


def _inconclusive(items: Sequence[Inconclusive]) -> list[str]:
    lines = _fit(map(_unjudged, items), _INCONCLUSIVE_ROOM)
    left = _left_out(len(items) - len(lines), "inconclusive policy", "inconclusive policies")
    return ["### Could not be judged", "", *lines, *left] if items else []


def _unjudged(item: Inconclusive) -> str:
    words = " ".join(stopped(prose(text)) for text in (item.detail, item.advice) if text)
    policy = f"{code(name(item.policy))}, {item.reason}"
    return f"- **INCONCLUSIVE** {policy}: {escaped(words)} {place(item.location)}"


def _waivers(waivers: Sequence[WaiverResult]) -> list[str]:
    rows = _fit(map(_waiver_row, waivers), _WAIVERS_ROOM)
    left = _left_out(len(waivers) - len(rows), "waiver")
    return ["### Waivers", "", *_WAIVERS_HEAD, *rows, *left] if waivers else []


def _overrides(items: Sequence[OverrideResult]) -> list[str]:
    rows = _fit(map(_override_row, items), _OVERRIDES_ROOM)
    left = _left_out(len(items) - len(rows), "override")
    return ["### Overrides", "", *_OVERRIDES_HEAD, *rows, *left] if items else []


def _override_row(item: OverrideResult) -> str:
    was, now = (code(value_text(value)) for value in (item.before, item.after))
    return row(code(changed_what(item)), code(changed_key(item)), was, now, place(item.location))


def _waiver_row(waiver: WaiverResult) -> str:
    return row(
        waiver.state,
        code(name(waiver.policy)),
        str(waiver.until),
        escaped(covered(waiver)),
        code(name(waiver.owner)),
        escaped(prose(waiver.reason)),
    )


def _notices(notices: Sequence[str]) -> list[str]:
    lines = _fit((f"- Note: {escaped(prose(notice))}" for notice in notices), _NOTICES_ROOM)
    return [*lines, *_left_out(len(notices) - len(lines), "note")]


def _explained(report: Report) -> list[str]:
    blocks = _fit(explained(report), _EXPLAINED_ROOM)
    title = f"Why, risk and how to check: {plural(len(blocks), 'dearest finding')}"
    return _folded(title, blocks) if blocks else []


def _passed(report: Report) -> list[str]:
    passed = [policy for policy in report.policies if policy.verdict is Verdict.PASS]
    items = (f"- **PASS** {code(name(policy.id))}: {escaped(proof(policy))}" for policy in passed)
    lines = _fit(items, _PASSED_ROOM)
    left = _left_out(len(passed) - len(lines), "policy", "policies")
    title = f"Passed: {plural(len(passed), 'policy', 'policies')}"
    return _folded(title, [*lines, *left, ""]) if passed else []


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    """Lines behind one to click on; the empty one makes GitHub read them as Markdown."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "</details>"]


def _footer(report: Report) -> list[str]:
    """Source, requests, prices and version."""
    source, taken = report.source, report.catalogue_taken_at
    where = " ".join(code(name(part)) for part in (source.kind, source.host) if part)
    cached = f" and {plural(source.cached_requests, 'cached answer')}" if source.cached_requests else ""
    facts = [
        f"{where}: {plural(source.requests, 'request')}{cached}",
        f"as of {minute(report.generated_at)}",
        *([f"prices of {taken:%Y-%m-%d}, quality not measured on your task"] if taken else []),
        f"orpolicy {code(name(report.version))}",
    ]
    return [f"Source {'; '.join(facts)}."]
