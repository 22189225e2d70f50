"""What a plan costs inside a running process, beside reading the same scenario into its model."""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan

GOAL_MS = 2.0
POINTS = 30
CALLS = 20


def milliseconds(call: Callable[[], object], calls: int) -> float:
    """Return the mean milliseconds of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) * 1000 / calls


def main() -> int:
    """Print the medians beside the floor and the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--rounds", type=int, default=50, help=f"rounds of {CALLS} calls (default %(default)s)")
    parser.add_argument("scenario", nargs="?", default="cascade", help="a path or a bundled scenario's name")
    arguments = parser.parse_args()
    given = read(arguments.scenario)
    document = given.scenario.model_dump(exclude_unset=True)

    def planned(scenario: Scenario, predicted: bool = False) -> Plan:
        return plan(scenario, given.catalogue, given.book, given.origins, predicted=predicted)

    def curve() -> list[Plan]:
        peak, average = given.scenario.users.peak, given.scenario.users.average
        scales = [10 ** (2 * point / (POINTS - 1) - 1) for point in range(POINTS)]
        users = [(max(1, round(peak * scale)), max(1, round(average * scale))) for scale in scales]
        return [planned(given.scenario.with_users(*counts)) for counts in users]

    measured: dict[str, tuple[Callable[[], object], int]] = {
        "floor: scenario into its model": (lambda: Scenario.model_validate(document), CALLS),
        "plan: scenario to verdicts": (lambda: planned(given.scenario), CALLS),
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
