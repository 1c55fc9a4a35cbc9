"""Policies judged by grouped rows: ``python -m benchmarks.judge_grouped FOLDER POLICIES``.

It prints JSON: how long ``json.loads`` took for the answers in the folder, how long decoding took, and how
long ``lint`` took from policies to report with the decoded rows as its source's answers.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.accounts import CLOCK, COUNTS, DOLLARS, KEYS, key_hash, key_name
from orpolicy.account import ApiKey, Directory
from orpolicy.catalog.load import load_catalog
from orpolicy.lint import lint
from orpolicy.period import Window
from orpolicy.policy.loader import load
from orpolicy.policy_kinds import Kinds
from orpolicy.query.model import Answer, Query
from orpolicy.sources._decode import decode_answer
from orpolicy.sources.demo import FOLDER
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime.fromisoformat(CLOCK).replace(tzinfo=UTC)
WINDOW = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
QUERY = Query(tuple(sorted((*COUNTS, *DOLLARS))), ("api_key_id", "model"), WINDOW)


class Grouped(Memory):
    """Answers that are groups of the rows already: a warehouse has no cap on rows."""

    seconds = 0.0

    def answer(self, query: Query) -> Answer:
        """The rows rolled up to the query's dimensions, in the source's own time."""
        began = time.perf_counter()
        table = self._rolled_up(query)
        self.seconds += time.perf_counter() - began
        return Answer(query, table)

    def _rolled_up(self, query: Query) -> Table:
        tests = {item.field: frozenset(item.values).__contains__ for item in query.filters}
        table = self._records.matching(tests).rollup(query.dimensions)
        return Table(table.dimensions, {name: table.metrics[name] for name in query.metrics})


def main() -> None:
    folder, policies = Path(sys.argv[1]), Path(sys.argv[2])
    parsing, decoding, tables = 0.0, 0.0, []
    for file in sorted(folder.glob("answer-*.json")):
        raw = file.read_bytes()
        began = time.perf_counter()
        payload = json.loads(raw)
        parsed = time.perf_counter()
        tables.append(decode_answer(QUERY, payload).table)
        decoding += time.perf_counter() - parsed
        parsing += parsed - began
        del payload
    rows = _joined(tables)
    began = time.perf_counter()
    written = load([policies], Kinds())
    loading = time.perf_counter() - began
    keys = tuple(sorted(ApiKey(key_name(number), key_hash(number)) for number in range(KEYS)))
    source = Grouped(rows, now=NOW, directory=Directory(keys), catalogue=load_catalog(FOLDER / "models.json"))
    source_is_ready_bytes = _peak_bytes()
    began = time.perf_counter()
    report = lint(written, source, Choice())
    judging = time.perf_counter() - began - source.seconds
    print(
        json.dumps(
            {
                "rows": len(rows),
                "policies": len(report.policies),
                "findings": len(report.findings),
                "inconclusive": len(report.inconclusive),
                "parse_seconds": parsing,
                "decode_seconds": decoding,
                "load_seconds": loading,
                "source_seconds": source.seconds,
                "judge_seconds": judging,
                "peak_bytes_before": source_is_ready_bytes,
                "peak_bytes": _peak_bytes(),
            }
        )
    )


def _joined(tables: Sequence[Table]) -> Table:
    """One table; equal names are one text, as they are where a warehouse's client decodes columns."""
    known: dict[str | None, str | None] = {}
    return Table(
        {
            name: [
                known.setdefault(member, member)
                for member in chain.from_iterable(table.dimensions[name] for table in tables)
            ]
            for name in QUERY.dimensions
        },
        {name: list(chain.from_iterable(table.metrics[name] for table in tables)) for name in QUERY.metrics},
    )


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
