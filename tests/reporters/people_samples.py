"""Write the golden files of the page, the spreadsheet and the metrics anew, to be looked at.

Usage: python tests/reporters/people_samples.py
"""

from __future__ import annotations

import test_csv_report
import test_html_report
import test_openmetrics_report
from samples import SAMPLES


def main() -> None:
    for name in SAMPLES:
        report = SAMPLES[name]()
        csv = test_csv_report.rendered(report).encode()
        (test_csv_report.FILES / f"{name}.csv").write_bytes(csv)
        metrics = test_openmetrics_report.rendered(report).encode()
        (test_openmetrics_report.FILES / f"{name}.prom").write_bytes(metrics)
        if name in test_html_report.SMALL:
            page = test_html_report.content(report)
            (test_html_report.FILES / f"{name}.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
