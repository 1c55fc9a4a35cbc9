"""The entry point: it answers ``--version`` by itself, and imports no more than a command line needs."""

from __future__ import annotations

import gc
import sys

from orpolicy.version import __version__

TYPE_CHECKING = False  # the module ``typing`` takes half as long to import as Python does to start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_BUG = 70

COMMANDS = {
    "check": "Evaluate policies; the main job.",
    "plan": "Print the compiled queries, what shares them and what they cost in requests.",
    "snapshot": "Record what a check learns, to be judged again offline.",
    "validate": "Check the files only: no key, no network.",
    "test": "Run the policies' own unit tests: no key, no network.",
    "backtest": "What the policies would have said in past weeks: how often, on whom, how noisily.",
    "compare": "Why the bill changed: two windows by model and key, split by cause.",
    "drill": "The dearest single requests behind a finding of a report.",
    "init": "Write a starter policy, from the account's own figures where a source is given.",
    "explain": "A rule kind's manual, a problem's code, a policy in plain words, a finding step by step.",
    "schema": "Print the JSON Schema of the policy language, or of what a command writes.",
    "baseline": "Accept findings as they are, and keep what is accepted from growing.",
    "diff-policy": "What a change of the policies weakens, against a git revision or a folder.",
    "verify": "What a report found, looked at again: fixed or not, and what that was worth.",
    "heartbeat": "Fail when the last good run in a history is too old.",
    "notify": "Tell people on GitHub: a pull request's comment, an issue for each owner.",
}
"""Each is a module of this package with a ``command``; it is imported only when it is called."""

OBJECTS_BETWEEN_COLLECTIONS = 200_000
"""A short run makes few cycles: Python's 700 cost every import and every large answer some collections."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    if list(arguments) in (["--version"], ["-V"]) and _is_version_told():
        return 0
    from orpolicy.cli.group import run_group

    return run_group(arguments)


def main() -> NoReturn:
    """The console script."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    code = run(sys.argv[1:])
    if "duckdb" not in sys.modules:  # its binding takes what is never collected for a leak, and says so
        gc.freeze()  # the process ends: looking for cycles among all that it imported would be its last tenth
    sys.exit(code)


def _is_version_told() -> bool:
    """Whether standard output took the version; where it did not, the group says why."""
    try:
        print(f"orpolicy {__version__}", flush=True)  # noqa: T201 - what click would echo
    except OSError:
        return False
    return True
