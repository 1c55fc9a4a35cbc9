"""The format to forward: one page that opens anywhere, loads nothing and can be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.reporters._figures import span
from orpolicy.reporters._html_charts import charts
from orpolicy.reporters._html_findings import findings_section
from orpolicy.reporters._html_markup import element, markup
from orpolicy.reporters._html_proof import footer, inconclusive, overrides, policies, queries, waivers
from orpolicy.reporters._html_shell import page
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
        month = f" in {span(report.baseline.window)}" if report.baseline else ""
        title = f"{report.verdict.upper()}: LLM spend{month}"
        return page(title, element("main", content), footer(report), has_script=True)
