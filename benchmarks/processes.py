"""Processes run and measured: wall time, CPU time and the most memory they held."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took.

    Attributes:
        wall_seconds: from start to end.
        cpu_seconds: of all its threads, in user and system mode.
        peak_bytes: the most memory that was resident.
        output: standard output.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str = ""


_LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
figures = [time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]
with open(int(sys.argv[1]), "w") as report:
    print(os.waitstatus_to_exitcode(status), *figures, file=report)
"""
"""A process begins with the memory of the one that started it, so that one must be small."""


def run(command: Sequence[str], accepted: Sequence[int] = (0,)) -> Cost:
    """Run a command once.

    Raises:
        RuntimeError: if it ends with an exit code that is not accepted.
    """
    reader, writer = os.pipe()
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(writer)]
    done = subprocess.run(
        [*launcher, *command],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=environment(),
        pass_fds=[writer],
        text=True,
    )
    os.close(writer)
    with os.fdopen(reader) as report:
        code, wall, cpu, peak = report.read().split()
    if int(code) not in accepted:
        raise RuntimeError(f"{command} ended with {code}: {done.stderr}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(float(wall), float(cpu), int(peak) * scale, done.stdout)


def medians(commands: Sequence[Sequence[str]], rounds: int, accepted: Sequence[int] = (0,)) -> list[Cost]:
    """Each command's median cost, of runs that take turns, so that a slow minute slows them all."""
    for command in commands:
        run(command, accepted)
    costs = [[run(command, accepted) for command in commands] for _ in range(rounds)]
    return [
        Cost(
            median(cost.wall_seconds for cost in column),
            median(cost.cpu_seconds for cost in column),
            int(median(cost.peak_bytes for cost in column)),
        )
        for column in zip(*costs, strict=True)
    ]


def environment() -> dict[str, str]:
    """This process's environment, without what keeps Python from reading and writing compiled code."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPROFILEIMPORTTIME"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def compile_all() -> None:
    """Compile orpolicy and the benchmarks to byte code; what pip installed is compiled by its first run."""
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "orpolicy", "benchmarks"],
        check=True,
        cwd=ROOT,
        env=environment(),
    )
