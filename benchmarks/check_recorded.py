"""A snapshot for the benchmark: ``python -m benchmarks.check_recorded FOLDER POLICIES FILE``.

Records the account in a folder, as ``orpolicy snapshot FILE POLICIES`` would record one over HTTP. What is
measured is ``orpolicy check POLICIES --source FILE``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orpolicy.cli.main import run
from orpolicy.sources import demo


def main() -> int:
    folder, policies, file = sys.argv[1:]
    demo.FOLDER = Path(folder)
    return run(["snapshot", file, policies, "--source", "demo", "--quiet", "--force"])


if __name__ == "__main__":
    sys.exit(main())
