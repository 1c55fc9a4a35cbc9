"""The crowded account at full size: ``python benchmarks/crowded.py [PACK ...]``; six minutes.

10,000 keys on 400 models, 1.5 million live pairs. Judges each pack twice, over a server that caps answers at
10,000 rows and over all rows at once, straight from the engine behind that server, and holds verdicts and
findings against each other. Needs about 6 GB for the second. The tests, ``tests/scale``, hold the capped run
at full size against statements in SQL, and at a smaller size against a server without a cap.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "scale")]

from crowd import Crowd  # noqa: E402 - found by the path above
from crowd_run import checked, essence, pack  # noqa: E402
from crowd_server import CrowdServer  # noqa: E402
from loopback.request import read  # noqa: E402

from orpolicy.query.model import Answer, Query  # noqa: E402
from orpolicy.sources.openrouter import OpenRouter  # noqa: E402
from orpolicy.table import DATE, Table  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERYTHING = 10**9


class Whole(OpenRouter):
    """Lists over HTTP, figures without a cap and without a wire."""

    crowd: Crowd

    def answer(self, query: Query) -> Answer:
        """Every row there is."""
        request = read(query.body(), self.crowd.account)
        names, rows = self.crowd.rows(request, EVERYTHING)
        columns: dict[str, Sequence[Any]] = (
            dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
        )
        dimensions = {DATE: [str(day) for day in columns.get("bucket", ())]} if query.granularity else {}
        for name in query.dimensions:
            labels = self.crowd.labels(name)
            dimensions[name] = [labels[number] for number in columns.get(name, ())]
        metrics = {name: _numbers(name, columns.get(name), len(rows)) for name in query.metrics}
        return Answer(query, Table(dimensions, metrics))


def _numbers(metric: str, column: Sequence[Any] | None, rows: int) -> Sequence[Any]:
    if column is None:
        return [None] * rows
    if not metric.startswith(("usage", "total_usage")):
        return column
    return [None if value is None else value / 1e6 for value in column]


def main(*packs: str) -> None:
    crowd = Crowd(10_000, 400)
    Whole.crowd = crowd
    with CrowdServer(crowd) as server, tempfile.TemporaryDirectory() as folder:
        environ = os.environ | server.environ | {"ORPOLICY_CACHE_DIR": folder}
        for name in packs or ("starter", "strict"):
            found = []
            for kind in (OpenRouter, Whole):
                began, before = time.monotonic(), len(server.requests)
                report = checked(pack(name), environ, kind)
                found.append(essence(report))
                print(
                    f"{name} by {kind.__name__}: {time.monotonic() - began:.1f} s, "
                    f"{len(server.requests) - before} requests, {len(report.findings)} findings, "
                    f"{len(report.inconclusive)} not judged"
                )
            assert found[0] == found[1], "the capped run differs"
            print(f"{name}: the same verdicts and findings")


if __name__ == "__main__":
    main(*sys.argv[1:])
