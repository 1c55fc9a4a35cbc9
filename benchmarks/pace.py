"""Eight real runs against the request limit, in real time: ``python benchmarks/pace.py`` (three minutes).

Prints how many requests reached a server on this machine, and the most in any 60 seconds, which may not
exceed 64. The test of the same, ``tests/sources/test_pace_processes.py``, turns the clock instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "packs")]

from loopback.account import LoopbackAccount  # noqa: E402 - found by the path above
from loopback.server import LoopbackServer  # noqa: E402
from pack_accounts import NOW, use, with_models  # noqa: E402

RUNS, LIMIT, WINDOW_SECONDS = 8, 64, 60.0
SHELL = (
    'for round in 1 2; do "$0" -m orpolicy check --pack starter --pack strict --now "$1" --no-cache -q; done'
)


def main() -> None:
    account = LoopbackAccount()
    with_models(account)
    for name in ("web-app", "search"):
        use(account, name)
    began = time.monotonic()
    with LoopbackServer(account) as server, tempfile.TemporaryDirectory() as folder:
        environ = os.environ | server.environ | {"ORPOLICY_CACHE_DIR": folder}
        command = ["/bin/sh", "-c", SHELL, sys.executable, NOW]
        runs = [subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) for _ in range(RUNS)]
        codes = [run.wait() for run in runs]
        moments = sorted(request.at for request in server.requests)
    most = max(sum(start <= at < start + WINDOW_SECONDS for at in moments) for start in moments)
    first = sum(at < moments[0] + 10 for at in moments)
    print(f"{RUNS} runs, exit codes {sorted(set(codes))}, {time.monotonic() - began:.0f} s")
    print(f"{len(moments)} requests, {first} in the first ten seconds, at most {most} in any 60 s")
    assert most <= LIMIT


if __name__ == "__main__":
    main()
