"""What a first plan costs: `cascade-plan size` as a process, beside an interpreter that only imports its libraries.

A third process shows the floor that importing does not: a typer command that reads one YAML value into one pydantic
model. All run in turn, so that a busy machine slows all. Exits 1 when a start-up loads a package it must not.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

SIZE = ("size", "--peak", "10000", "--avg", "3000")
FLOOR = (sys.executable, "-c", "import typer, pydantic, yaml")
LEAST = (
    sys.executable,
    "-c",
    "import typer, yaml\nfrom pydantic import BaseModel\n"
    "class Model(BaseModel):\n    peak: int\n"
    "def command(peak: str = 'peak: 1'):\n    print(Model.model_validate(yaml.safe_load(peak)))\n"
    "typer.run(command)",
)
GOAL_RATIO = 1.5
GOAL_MIB = 60
MUST_NOT_LOAD = {"numpy", "scipy", "boto3"}


def script() -> str:
    """Return the path of the installed console script, this interpreter's own before another on the path."""
    beside = Path(sys.executable).with_name("cascade-plan")
    found = str(beside) if beside.exists() else shutil.which("cascade-plan")
    if found is None:
        sys.exit("cascade-plan is not installed: run `make plan`, then this with .venv/bin/python")
    return found


def run(command: tuple[str, ...]) -> tuple[float, float]:
    """Return the seconds and the peak MiB of a command whose output goes to a pipe. Exits when the command fails."""
    start = time.perf_counter()
    # A child's peak counts its parent's size at the fork: this process must import no more than it does.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{output.decode()}")
    return seconds, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def loaded(command: tuple[str, ...]) -> set[str]:
    """Return the packages that a Python script imports while it runs."""
    trace = (sys.executable, "-X", "importtime", *command)
    lines = subprocess.run(trace, capture_output=True, text=True, check=True).stderr.splitlines()
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines if line.startswith("import time:")}


def main() -> int:
    """Print medians, ratio and memory beside their goals, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--pairs", type=int, default=15, help="runs of each (default %(default)s)")
    pairs = parser.parse_args().pairs
    size = (script(), *SIZE)
    commands = {"cascade-plan " + " ".join(SIZE): size, "imports alone": FLOOR, "least typer command": LEAST}
    for command in commands.values():
        run(command)  # the first run of each writes bytecode and warms the disk cache
    measured = [[run(command) for command in commands.values()] for _ in range(pairs)]
    for name, runs in zip(commands, zip(*measured, strict=True), strict=True):
        seconds = sorted(second for second, _ in runs)
        spread = f"{seconds[0] * 1000:.0f} to {seconds[-1] * 1000:.0f}"
        peak_mib = max(mib for _, mib in runs)
        print(f"{name:46} median {statistics.median(seconds) * 1000:5.0f} ms ({spread}), peak {peak_mib:.1f} MiB")
    for index, (name, goal) in enumerate((("imports alone", f"; goal {GOAL_RATIO}"), ("least typer command", "")), 1):
        paired = statistics.median(runs[0][0] / runs[index][0] for runs in measured)
        print(f"{'ratio to ' + name:46} {paired:.2f} (median of {pairs} paired runs{goal})")
    print(f"{'peak memory':46} {max(runs[0][1] for runs in measured):.1f} MiB (goal {GOAL_MIB})")
    unwanted = loaded(size) & MUST_NOT_LOAD
    print(f"{'must not be loaded: ' + ', '.join(sorted(MUST_NOT_LOAD)):46} {', '.join(sorted(unwanted)) or 'none is'}")
    return 1 if unwanted else 0


if __name__ == "__main__":
    sys.exit(main())
