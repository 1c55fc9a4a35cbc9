"""Many policies planned: ``python -m benchmarks.plan_many POLICIES`` prints JSON with the seconds it took."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.accounts import CLOCK
from orpolicy.catalog.load import load_catalog
from orpolicy.planning import Nobody, make_plan
from orpolicy.policy.loader import load
from orpolicy.policy_kinds import Kinds
from orpolicy.sources.demo import FOLDER
from orpolicy.staging import Choice


def main() -> None:
    began = time.perf_counter()
    written = load([Path(sys.argv[1])], Kinds())
    loaded = time.perf_counter()
    nobody = Nobody(datetime.fromisoformat(CLOCK).replace(tzinfo=UTC), load_catalog(FOLDER / "models.json"))
    ready = time.perf_counter()
    plan = make_plan(written, nobody, Choice())
    ended = time.perf_counter()
    figures = {
        "policies": len(written.policies),
        "queries": len(plan.queries),
        "load_seconds": loaded - began,
        "plan_seconds": ended - ready,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
