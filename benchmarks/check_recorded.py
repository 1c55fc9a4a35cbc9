"""A recorded account checked: ``python -m benchmarks.check_recorded FOLDER POLICIES``.

There is no snapshot source yet. The demo source reads the same kind of file (gzip, JSON, columns of daily
rows), so this is the whole of ``orpolicy check --source demo`` with another folder.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    from orpolicy.cli.main import run  # noqa: PLC0415 - the imports are a part of what is measured
    from orpolicy.sources import demo  # noqa: PLC0415

    folder, policies = sys.argv[1:]
    demo.FOLDER = Path(folder)
    return run(["check", policies, "--source", "demo"])


if __name__ == "__main__":
    sys.exit(main())
