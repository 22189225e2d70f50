"""What cascade-plan predicts of a small real stack on this machine, against what the emitted Locust file measures.

It starts PostgreSQL, PgBouncer, Redis and a FastAPI application on loopback with the emitted settings and SQL, the
application on a core of its own. It measures the service demands with one request at a time, writes them into a
scenario, lets the plan predict each load, and then runs the emitted Locust file with that load, unmodified.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import pytest
from stack import demands as measuring
from stack import levels as loads
from stack import machine, monitoring, predictions, scenarios, serving, tables

MEMORY = Path("/dev/shm")
MEMORY_FREE_GIB = 2
SCENARIO = "scenario.yaml"
MEASURED = "measured.json"
SECONDS_LEAST = 15.0
"""`calibrate` leaves out the first ten, and wants some windows of what is left."""
PREFERRED = """While measured, the stack runs before what asks it, and both before all else
(SCHED_RR), but for the 5% of a full core that the kernel keeps for others."""
ORDINARY = "All of it runs at ordinary priority: neighbours on this machine slow it down."


def percents(text: str) -> list[int]:
    """Return the loads asked for, in per cent of saturation. Raises ArgumentTypeError for anything else."""
    found = text.split(",")
    if not all(each.isdecimal() and 1 <= int(each) <= 200 for each in found) or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{text!r}: different whole numbers from 1 to 200 with commas between them")
    return [*map(int, found)]


def given() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", type=percents, default=percents("20,50,80,95,110"), metavar="P,P",
                        help="loads in per cent of the API's saturation (default 20,50,80,95,110)")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a load is held (default 60)")
    parser.add_argument("--repeats", type=int, default=1, help="how often each is; medians are compared (default 1)")
    parser.add_argument("--requests", type=int, default=400, help="of each kind, for the demands (default 400)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the scenario, results and figures there")
    parser.add_argument("--again", type=Path, metavar="DIR", help="measure nothing: predict anew what was kept there")
    parser.add_argument("--no-priority", dest="priority", action="store_false", help="leave scheduling as it is")
    found = parser.parse_args()
    if found.seconds < SECONDS_LEAST or found.repeats < 1 or found.requests < 20:
        parser.error(f"at least {SECONDS_LEAST:g} seconds, one repeat and 20 requests")
    if found.keep and found.keep.exists() and any(found.keep.iterdir()):
        parser.error(f"--keep {found.keep}: is not empty")
    return found


def users_of(percent: int, cpu_ms: float) -> int:
    """Return the users who keep one core so busy, were there no wait: X = N / Z and U = X D.

    Source: Denning and Buzen, Computing Surveys 10 (1978).
    """
    return round(percent / 100 * 1000 / cpu_ms * scenarios.THINK_S)


def main() -> int:
    """Print predicted, measured and error of every load. Return 0 whatever they are: a benchmark judges nothing."""
    arguments = given()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_FREE_GIB * 2**30:
        tempfile.tempdir = str(MEMORY)
    try:
        if arguments.again:
            judge(arguments.again, kept(arguments.again))
            return 0
        with tempfile.TemporaryDirectory(prefix="real-stack-") as home:
            compare(arguments, Path(home))
    except KeyboardInterrupt:
        print("interrupted: everything is stopped", file=sys.stderr)
        return 130
    except (LookupError, OSError, AssertionError, pytest.skip.Exception, pytest.fail.Exception) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def compare(arguments: argparse.Namespace, home: Path) -> None:
    """Measure demands, predict the loads, measure them, and print."""
    print(*tables.machine(), sep="\n", flush=True)
    own, shared = machine.two_cores()
    os.sched_setaffinity(0, {shared})
    guess = scenarios.document({"first": 1}, arguments.seconds, {name: {"cpu_ms": 1.0} for name in scenarios.ACTIONS})
    with serving.serving(home, guess, own, shared) as stack:
        running = ", ".join(f"{part} {process}" for part, process in stack.processes.items())
        print(f"running: {running}; the API on core {own}, the others on core {shared}", file=sys.stderr, flush=True)
        users = demanded(arguments, home, stack)
        measured: dict[str, list[loads.Seen]] = {load: [] for load in users}
        for load in [*users] * arguments.repeats:
            print(f"{load}: {users[load]} users for {arguments.seconds:g} s", file=sys.stderr, flush=True)
            measured[load].append(held(arguments, home, stack, load, users[load]))
    if arguments.keep:
        keep(arguments.keep, home, measured)
    print()
    judge(home, measured)


def judge(directory: Path, measured: Mapping[str, Sequence[loads.Seen]]) -> None:
    """Print what is predicted of the loads, and of each from a calibration by the others, beside what was measured."""
    told = predictions.predicted(directory / SCENARIO)
    print(tables.HEAD)
    for load, levels in measured.items():
        print(*tables.compared(levels, told[load]), sep="\n")
    print("\nHow quiet the machine was:", *tables.noise(measured), sep="\n", flush=True)
    if len(measured) > 1:
        told_of_others = predictions.held_out(directory / SCENARIO, [directory / "runs" / load for load in measured])
        print("\nEach load predicted by `cascade-plan calibrate` from the runs of the others:")
        print(tables.HEAD, *tables.calibrated(measured, told_of_others), sep="\n")


def demanded(arguments: argparse.Namespace, home: Path, stack: serving.Stack) -> dict[str, int]:
    """Measure what requests ask of the stack, write the scenario and all that is emitted for it; return load -> users.

    Raises LookupError where the stack has not so many users.
    """
    with machine.preferred([*stack.processes.values()], [os.getpid()], arguments.priority) as is_preferred:
        found = measuring.measure(stack, arguments.requests)
    print("", PREFERRED if is_preferred else ORDINARY, sep="\n")
    print("\nService demands, one request at a time (ms):", *tables.demanded(found), sep="\n", flush=True)
    users = {scenarios.load_name(percent): users_of(percent, found.cpu_ms) for percent in arguments.levels}
    if max(users.values()) > serving.USERS_MOST:
        raise LookupError(f"{max(users.values()):,} users are needed, and there are {serving.USERS_MOST:,}")
    document = scenarios.document(users, arguments.seconds, found.actions, **found.tiers)
    serving.emitted(scenarios.planned(scenarios.written(home / SCENARIO, document)), home / "emitted")
    return users


def held(arguments: argparse.Namespace, home: Path, stack: serving.Stack, load: str, users: int) -> loads.Seen:
    """Return what was measured of a load, with the files of Locust and of monitoring kept beside."""
    directory = loads.run_of(home, load)
    monitoring.counters(stack, directory, "before")
    level = loads.run(stack, home, load, users, arguments.seconds, arguments.priority)
    monitoring.counters(stack, directory, "after")
    monitoring.series(level, directory / "series.csv")
    return level.seen()


def keep(directory: Path, home: Path, measured: Mapping[str, Sequence[loads.Seen]]) -> None:
    """Write the scenario, the results of Locust and of monitoring, and what was measured.

    Of a load that was held more than once, the files are of the last time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(home / SCENARIO, directory)
    shutil.copytree(home / "runs", directory / "runs")
    for file in home.glob("*.responses.csv"):
        shutil.copy(file, directory)
    documents = [asdict(level) for levels in measured.values() for level in levels]
    (directory / MEASURED).write_text(json.dumps(documents, indent=1), encoding="utf-8")


def kept(directory: Path) -> dict[str, list[loads.Seen]]:
    """Return load -> what was measured of it in a run that was kept."""
    found: dict[str, list[loads.Seen]] = {}
    for document in json.loads((directory / MEASURED).read_text(encoding="utf-8")):
        found.setdefault(document["load"], []).append(loads.Seen.of(document))
    return found


if __name__ == "__main__":
    sys.exit(main())
