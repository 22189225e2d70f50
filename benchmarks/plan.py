"""What a plan costs inside a running process, beside reading the same scenario into its model.

With `--beside DIR`, the root of another version of this project, its benchmark and this one run in turn, and the ratio
of their medians is printed too.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan

GOAL_MS = 2.0
POINTS = 30
CALLS = 20
PLAN = "plan: scenario to verdicts"
TURNS = 10


def milliseconds(call: Callable[[], object], calls: int) -> float:
    """Return the mean milliseconds of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) * 1000 / calls


def plan_ms(root: Path, scenario: str) -> float:
    """Return the median milliseconds of a plan that the benchmark of a version prints."""
    command = [sys.executable, str(root / "benchmarks" / "plan.py"), "--rounds", "5", scenario]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^{PLAN} +median +([\d.]+) ms", told, re.MULTILINE)
    if found is None:
        raise ValueError(f"{command[1]} prints no median of a plan")
    return float(found[1])


def print_ratio(other: Path, scenario: str) -> None:
    """Print how long a plan takes here over how long it takes in another version, both in turn."""
    roots = Path(__file__).resolve().parents[1], other.resolve()
    turns = [[plan_ms(root, scenario) for root in roots] for _ in range(TURNS)]
    here, there = (statistics.median(each) for each in zip(*turns, strict=True))
    print(f"{'plan, here / there':40} {here:.3f} / {there:.3f} ms = {here / there:.2f}")


def main() -> int:
    """Print the medians beside the floor and the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--rounds", type=int, default=50, help=f"rounds of {CALLS} calls (default %(default)s)")
    parser.add_argument("--beside", metavar="DIR", type=Path, help="root of another version to compare with")
    parser.add_argument("scenario", nargs="?", default="cascade", help="a path or a bundled scenario's name")
    arguments = parser.parse_args()
    given = read(arguments.scenario)
    document = given.scenario.model_dump(exclude_unset=True)

    def planned(scenario: Scenario, predicted: bool = False) -> Plan:
        return plan(scenario, given.book, given.origins, predicted=predicted)

    def curve() -> list[Plan]:
        peak, average = given.scenario.users.peak, given.scenario.users.average
        scales = [10 ** (2 * point / (POINTS - 1) - 1) for point in range(POINTS)]
        users = [(max(1, round(peak * scale)), max(1, round(average * scale))) for scale in scales]
        return [planned(given.scenario.with_users(*counts)) for counts in users]

    measured: dict[str, tuple[Callable[[], object], int]] = {
        "floor: scenario into its model": (lambda: Scenario.model_validate(document), CALLS),
        PLAN: (lambda: planned(given.scenario), CALLS),
        "plan with the latency of every load": (lambda: planned(given.scenario, predicted=True), 1),
        f"curve: {POINTS} plans, 0.1 to 10 x the users": (curve, 1),
    }
    for call, _ in measured.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(arguments.rounds):
        for name, (call, calls) in measured.items():
            times[name].append(milliseconds(call, calls))
    floor, one, _, many = (statistics.median(each) for each in times.values())
    for name, each in times.items():
        print(f"{name:40} median {statistics.median(each):7.3f} ms ({min(each):.3f} to {max(each):.3f})")
    print(f"{'plan / floor':40} {one / floor:.1f}")
    print(f"{'plan':40} {one:.3f} ms (goal {GOAL_MS:g})")
    print(f"{'a point of the curve':40} {many / POINTS:.3f} ms (goal {GOAL_MS:g})")
    if arguments.beside:
        print_ratio(arguments.beside, arguments.scenario)
    return 0


if __name__ == "__main__":
    sys.exit(main())
