"""The format to forward: one page that opens anywhere, loads nothing and can be printed."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.reporters._figures import span
from orpolicy.reporters._html_charts import charts
from orpolicy.reporters._html_findings import findings_section
from orpolicy.reporters._html_markup import Markup, element, markup
from orpolicy.reporters._html_proof import footer, inconclusive, overrides, policies, queries, waivers
from orpolicy.reporters._html_summary import begin, summary
from orpolicy.reporters.base import Reporter

if TYPE_CHECKING:
    from orpolicy.report import Report
    from orpolicy.reporters.base import Style


class Html(Reporter):
    """One page of HTML with its style, script and drawings inside.

    The page's own policy admits this style and this script by their hashes and nothing else: no request,
    no handler in an attribute, no form. Without the script everything is there, in the report's order.
    """

    summary = "forwarding: one page with charts, findings to sort and filter, and the proof behind them"

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002 - the reader's browser has the style
        """The page; the same report gives the same bytes."""
        content = markup(
            summary(report),
            inconclusive(report),
            begin(report),
            charts(report),
            findings_section(report),
            policies(report),
            waivers(report),
            overrides(report),
            queries(report),
        )
        body = element("body", element("main", content), footer(report), _script())
        return f"<!DOCTYPE html>\n{element('html', _head(report), body, lang='en')}\n"


def _head(report: Report) -> Markup:
    css, script = _data("report.css"), _data("report.js")
    rules = (
        "default-src 'none'",
        f"style-src '{_hash(css)}'",
        f"script-src '{_hash(script)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    )
    month = f" in {span(report.baseline.window)}" if report.baseline else ""
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content="; ".join(rules)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{report.verdict.upper()}: LLM spend{month}"),
        element("link", rel="icon", href="data:,"),
        element("style", Markup(css)),
    )


def _script() -> Markup:
    return element("script", Markup(_data("report.js")))


def _data(name: str) -> str:
    return files("orpolicy").joinpath("data", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
