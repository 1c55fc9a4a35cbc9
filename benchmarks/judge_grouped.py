"""Policies judged by grouped rows: ``python -m benchmarks.judge_grouped FOLDER POLICIES judge|lint``.

It prints JSON with CPU seconds, which a busy machine changes less than the clock: what ``json.loads`` took
for the answers in the folder, what decoding took, and what the run took with the decoded rows as its source's
answers. ``judge`` ends with every policy's judgement; ``lint`` goes on to price the findings and to report.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.accounts import CLOCK, COUNTS, DOLLARS, KEYS, key_hash, key_name
from orpolicy.account import ApiKey, Directory
from orpolicy.catalog.load import load_catalog
from orpolicy.cli.main import OBJECTS_BETWEEN_COLLECTIONS
from orpolicy.errors import SourceError
from orpolicy.evaluation import judge
from orpolicy.fetch import Desk
from orpolicy.gather import attempt, gather
from orpolicy.lint import lint
from orpolicy.period import Window
from orpolicy.policy.loader import load
from orpolicy.policy_kinds import Kinds
from orpolicy.query.model import Answer, Query
from orpolicy.sources._decode import decode_answer
from orpolicy.sources.demo import FOLDER
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice, set_stage
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.policy.model import PolicySet
    from orpolicy.sources.base import Source

NOW = datetime.fromisoformat(CLOCK).replace(tzinfo=UTC)
WINDOW = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
QUERY = Query(tuple(sorted((*COUNTS, *DOLLARS))), ("api_key_id", "model"), WINDOW)


class Grouped(Memory):
    """Answers that are groups of the rows already: a warehouse has no cap on rows."""

    seconds = 0.0

    def answer(self, query: Query) -> Answer:
        """The rows rolled up to the query's dimensions, in the source's own time."""
        began = time.process_time()
        table = self._rolled_up(query)
        self.seconds += time.process_time() - began
        return Answer(query, table)

    def _rolled_up(self, query: Query) -> Table:
        tests = {item.field: frozenset(item.values).__contains__ for item in query.filters}
        table = self._records.matching(tests).rollup(query.dimensions)
        return table.only(query.dimensions, query.metrics)


def main() -> None:
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)  # as the command line does
    folder, policies = Path(sys.argv[1]), Path(sys.argv[2])
    parsing, decoding, tables = 0.0, 0.0, []
    for file in sorted(folder.glob("answer-*.json")):
        raw = file.read_bytes()
        began = time.process_time()
        payload = json.loads(raw)
        parsed = time.process_time()
        tables.append(decode_answer(QUERY, payload).table)
        decoding += time.process_time() - parsed
        parsing += parsed - began
        del payload
    rows = _joined(tables)
    began = time.process_time()
    for (
        name
    ) in QUERY.metrics:  # decoding looks at the types of every column: they are its time, not judging's
        rows.is_whole(name)
    decoding += time.process_time() - began
    began = time.process_time()
    written = load([policies], Kinds())
    loading = time.process_time() - began
    keys = tuple(sorted(ApiKey(key_name(number), key_hash(number)) for number in range(KEYS)))
    source = Grouped(rows, now=NOW, directory=Directory(keys), catalogue=load_catalog(FOLDER / "models.json"))
    before_bytes = _peak_bytes()
    began = time.process_time()
    outcome = RUNS[sys.argv[3]](written, source)
    running = time.process_time() - began - source.seconds
    print(
        json.dumps(
            {
                "rows": len(rows),
                "policies": len(written.policies),
                "breaches": outcome.breaches,
                "inconclusive": outcome.inconclusive,
                "parse_seconds": parsing,
                "decode_seconds": decoding,
                "load_seconds": loading,
                "source_seconds": source.seconds,
                "run_seconds": running,
                "peak_bytes_before": before_bytes,
                "peak_bytes": _peak_bytes(),
            }
        )
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    breaches: int
    inconclusive: int


def _judge(written: PolicySet, source: Source) -> Outcome:
    """As ``lint``, up to the judgements."""
    stage = set_stage(written, source, Choice())
    desk = Desk(source, stage.base_metrics)
    gathered = gather(stage.bounds, desk, stage.scene.account, also=(stage.total,))
    judged = [
        found if isinstance(found := gathered[bound.policy.id], SourceError) else attempt(judge, bound, found)
        for bound in stage.bounds
    ]
    done = [found for found in judged if not isinstance(found, SourceError)]
    return Outcome(sum(len(found.breaches) for found in done), len(judged) - len(done))


def _lint(written: PolicySet, source: Source) -> Outcome:
    report = lint(written, source, Choice())
    return Outcome(len(report.findings), len(report.inconclusive))


RUNS = {"judge": _judge, "lint": _lint}


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
