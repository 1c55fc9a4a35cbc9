"""``python -m benchmarks``: every ratio, its target and what it was measured by."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.accounts import write_answers, write_recorded
from benchmarks.policies import policy_file
from benchmarks.processes import ROOT, Cost, compile_all, medians, run

ROUNDS, HEAVY_ROUNDS = 15, 3
PYTHON = [sys.executable]
ORPOLICY = [str(Path(sys.executable).with_name("orpolicy"))]
GIB, MIB = 2**30, 2**20
ANY_VERDICT = (0, 1, 3)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the results."""

    name: str
    figure: str
    target: str
    is_met: bool
    details: str


def main() -> int:
    compile_all()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [*_start_up(folder), *_planning(folder), *_judging(folder)]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {_processor()}"
    )
    print("\n| what | measured | target | met | details |\n|---|---|---|---|---|")
    for line in lines:
        met = ("yes" if line.is_met else "NO") if line.target else "-"
        print(f"| {line.name} | {line.figure} | {line.target} | {met} | {line.details} |")
    return 0 if all(line.is_met for line in lines) else 1


def _start_up(folder: Path) -> list[Line]:
    fifty = _written(folder, 50)
    recorded, snapshot = folder / "recorded", str(folder / "recorded.orpolicy")
    recorded.mkdir()
    write_recorded(recorded, (ROOT / "orpolicy/data/demo/models.json").read_bytes(), keys=100, models=100)
    run([*PYTHON, "-m", "benchmarks.check_recorded", str(recorded), str(fifty), snapshot])
    check = [*ORPOLICY, "check", str(fifty), "--source", snapshot]
    commands = [
        ("`--version`", [*ORPOLICY, "--version"], 2),
        ("`--help`", [*ORPOLICY, "--help"], 5),
        ("`validate` of 50 policies", [*ORPOLICY, "validate", str(fifty)], 8),
        ("`check` of 50 policies x 10,000 rows of a snapshot", check, 15),
    ]
    costs = medians([[*PYTHON, "-c", "pass"], *(command for _, command, _ in commands)], ROUNDS, ANY_VERDICT)
    floor = costs[0]
    return [
        _ratio(name, cost, floor, target) for (name, _, target), cost in zip(commands, costs[1:], strict=True)
    ]


def _ratio(name: str, cost: Cost, floor: Cost, target: int) -> Line:
    times = cost.wall_seconds / floor.wall_seconds
    details = (
        f"{cost.wall_seconds * 1e3:.0f} ms wall, {cost.cpu_seconds * 1e3:.0f} ms CPU, "
        f"{cost.peak_bytes / MIB:.0f} MiB; bare Python {floor.wall_seconds * 1e3:.0f} ms"
    )
    return Line(name, f"{times:.1f}x", f"at most {target}x", times <= target, details)


def _planning(folder: Path) -> list[Line]:
    command = [*PYTHON, "-m", "benchmarks.plan_many", str(_written(folder, 2_000))]
    runs = [json.loads(run(command).output) for _ in range(HEAVY_ROUNDS)]
    seconds, loading = (median(one[name] for one in runs) for name in ("plan_seconds", "load_seconds"))
    details = f"{runs[0]['queries']} queries; reading and checking the file before that {loading:.2f} s"
    return [Line("planning 2,000 policies", f"{seconds:.2f} s", "below 0.5 s", seconds < 0.5, details)]


def _judging(folder: Path) -> list[Line]:
    answers = folder / "answers"
    answers.mkdir()
    write_answers(answers, 1_000_000)
    policies = _written(folder, 200, growth=False)
    judge, lint = (
        [*PYTHON, "-m", "benchmarks.judge_grouped", str(answers), str(policies), run]
        for run in ("judge", "lint")
    )
    runs = [json.loads(run(judge).output) for _ in range(HEAVY_ROUNDS)]
    one = sorted(runs, key=lambda item: item["run_seconds"] / item["parse_seconds"])[len(runs) // 2]
    whole = json.loads(run(lint).output)
    times = one["run_seconds"] / one["parse_seconds"]
    decoded = one["parse_seconds"] + one["decode_seconds"]
    details = (
        f"{one['run_seconds']:.1f} s of CPU against {one['parse_seconds']:.1f} s of `json.loads` "
        f"({decoded:.1f} s with decoding into columns: {one['run_seconds'] / decoded:.2f}x); "
        f"{one['breaches']} breaches, {one['inconclusive']} inconclusive"
    )
    name = f"judging {one['rows']:,} grouped rows x {one['policies']} policies"
    priced = f"{whole['run_seconds']:.1f} s of CPU with every breach priced, explained and reported"
    peak = max(item["peak_bytes"] for item in (*runs, whole))
    before = f"the decoded rows alone {one['peak_bytes_before'] / GIB:.2f} GiB"
    return [
        Line(name, f"{times:.2f}x", "at most 1.5x", times <= 1.5, details),
        Line(
            "the same to the report",
            f"{whole['run_seconds'] / whole['parse_seconds']:.2f}x",
            "",
            is_met=True,
            details=priced,
        ),
        Line("their peak memory", f"{peak / GIB:.2f} GiB", "below 1.5 GB", peak < 1.5e9, before),
    ]


def _written(folder: Path, count: int, *, growth: bool = True) -> Path:
    path = folder / f"{count}.yaml"
    path.write_text(policy_file(count, growth=growth), encoding="utf-8")
    return path


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


if __name__ == "__main__":
    sys.exit(main())
