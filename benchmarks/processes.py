"""Processes run and measured: wall time, CPU time and the most memory they held."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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


def run(command: Sequence[str], accepted: Sequence[int] = (0,)) -> Cost:
    """Run a command once.

    Raises:
        RuntimeError: if it ends with an exit code that is not accepted.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=ROOT, text=True
    )
    output, errors = (stream.read() if stream else "" for stream in (process.stdout, process.stderr))
    _, status, usage = os.wait4(process.pid, 0)
    wall_seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    if process.returncode not in accepted:
        raise RuntimeError(f"{command} ended with {process.returncode}: {errors}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(wall_seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale, output)


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
