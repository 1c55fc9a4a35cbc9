"""Mutation testing of what decides verdicts and dollars: ``python benchmarks/mutation/mutate.py PART DIR``.

Copies the last commit to DIR, lets mutmut 3 (``pip install mutmut``) mutate the files of PART there, runs
the part's tests on each mutant, and prints how many were killed, with the survivors. A part that was begun in
DIR goes on where it stopped. ``benchmarks/MUTATION.md`` has the figures, and what the survivors are.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = {
    "savings": (["orpolicy/savings/*.py"], ["tests/savings"]),
    "fuse": (["orpolicy/query/fuse.py", "orpolicy/query/halve.py"], ["tests/query", "tests/test_fetch.py"]),
    "fetch": (
        ["orpolicy/fetch.py"],
        [
            "tests/test_fetch.py",
            "tests/test_fetch_checks.py",
            "tests/test_narrow.py",
            "tests/sources/test_openrouter_heavy.py",
        ],
    ),
    "narrow": (
        ["orpolicy/narrow.py"],
        ["tests/test_narrow.py", "tests/test_narrow_questions.py", "tests/test_fetch.py"],
    ),
    "evaluation": (
        ["orpolicy/evaluation.py", "orpolicy/screening.py"],
        [
            "tests/test_lint_report.py",
            "tests/test_lint_selection.py",
            "tests/test_evaluation_limits.py",
            "tests/test_screening.py",
            "tests/policy_tests",
            "tests/rules/test_rule_cases.py",
        ],
    ),
}
"""Part -> the files that are mutated, and the tests that must notice."""

CONFIG = """[mutmut]
source_paths=orpolicy
only_mutate=
    {files}
also_copy=
    policies
    scripts
pytest_add_cli_args_test_selection=
    {tests}
pytest_add_cli_args=
    -p
    no:cacheprovider
"""
UNNOTICED = {0, 5, 33, None}
"""Exit codes of a mutant that lived: its tests passed, or none of them reaches it."""


def copy(folder: Path) -> None:
    """The last commit's files, without its history."""
    done = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True)  # noqa: S607 - git
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def outcomes(folder: Path) -> dict[str, int | None]:
    """Mutant -> the exit code of its tests."""
    found: dict[str, int | None] = {}
    for file in sorted(folder.glob("mutants/orpolicy/**/*.meta")):
        found |= json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def main(part: str, where: str) -> None:
    folder = Path(where).resolve()
    if not folder.exists():
        copy(folder)
    files, tests = PARTS[part]
    config = CONFIG.format(files="\n    ".join(files), tests="\n    ".join(tests))
    (folder / "setup.cfg").write_text(config, encoding="utf-8")
    subprocess.run(
        [Path(sys.executable).with_name("mutmut"), "run", "--max-children", "2"], cwd=folder, check=True
    )
    found = outcomes(folder)
    files_of = Counter(name.rpartition(".")[0] for name in found)
    survivors = sorted(name for name, code in found.items() if code in UNNOTICED)
    alive = Counter(name.rpartition(".")[0] for name in survivors)
    for file, count in files_of.items():
        print(f"{file}: {count - alive[file]} of {count} killed ({1 - alive[file] / count:.1%})")
    print(f"{part}: {len(found) - len(survivors)} of {len(found)} killed")
    print("\n".join(survivors))


if __name__ == "__main__":
    main(*sys.argv[1:])
