"""A recorded account checked: ``python -m benchmarks.check_recorded FOLDER POLICIES``.

There is no snapshot source yet. The demo source reads the same kind of file (gzip, JSON, columns of daily
rows), so this is the whole of ``orpolicy check --source demo`` with another folder.
"""

from __future__ import annotations

import sys


def main() -> None:
    from pathlib import Path  # noqa: PLC0415 - the imports are a part of what is measured

    from orpolicy.cli.main import main as entry  # noqa: PLC0415
    from orpolicy.sources import demo  # noqa: PLC0415

    folder, policies = sys.argv[1:]
    demo.FOLDER = Path(folder)
    sys.argv[1:] = ["check", policies, "--source", "demo"]
    entry()


if __name__ == "__main__":
    main()
