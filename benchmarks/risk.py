"""What one world of a fleet costs in arrays, beside asking the same worlds one by one.

Where the package service-capacity-modeling is installed (Netflix; each of its draws is a plan of its own, without
tails), its time per draw is printed too.
"""

# ruff: noqa: T201, E402

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # one core, before numpy is imported

from cascade_plan.choosing.drawn.asked import one_world
from cascade_plan.choosing.drawn.fleet import Standing, world_of
from cascade_plan.choosing.pinning import pinned
from cascade_plan.choosing.risk import risk_of
from cascade_plan.choosing.worlds import Worlds, _Asking
from cascade_plan.inputs.scenarios import read
from cascade_plan.planning.billing import bill_of
from cascade_plan.planning.chain import chain
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import shortfall
from cascade_plan.planning.resizing import resized
from cascade_plan.planning.sizing import places

GOAL_S = 1.0
GOAL_TIMES = 100


def seconds(call: Callable[[], object], rounds: int) -> float:
    """Return the least CPU seconds of a call: other work on the machine can only add to it."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


def one_by_one(asking: _Asking, worlds: int) -> float:
    """Return the mean CPU seconds of a world that is asked alone: its sizes, its bill and each promise's tail."""
    asked, base = asking.asked, asking.standing
    start = time.process_time()
    for world in range(worlds):
        values = {path: float(each[world]) for path, each in asking.worlds.values.items()}
        scenario, fleet = world_of(base.scenario, values), one_world(asked.fleet, world)
        bill_of(resized(scenario, base.book, base.fleet), base.book)
        for level in asking._levels():
            on = chain(scenario, places(scenario, fleet, level.scale))
            for case in level.cases:
                shortfall(on, int(asking._users(case)[world]), case.latency_ms_p95, case.latency_ms_p99)
    return (time.process_time() - start) / worlds


def netflix(draws: int) -> str:
    """Return what a draw of Netflix's planner takes, of a service and of a database alone, in words."""
    try:
        from service_capacity_modeling.capacity_planner import planner
        from service_capacity_modeling.interface import CapacityDesires, Interval, QueryPattern, certain_int
    except ImportError:
        return "service-capacity-modeling is not installed"
    pattern = QueryPattern(
        estimated_read_per_second=Interval(low=2000, mid=5000, high=8000, confidence=0.98),
        estimated_write_per_second=certain_int(100),
        estimated_mean_read_latency_ms=Interval(low=0.8, mid=1.5, high=3, confidence=0.98),
    )
    desires, found = CapacityDesires(service_tier=1, query_pattern=pattern), []
    for model in ("org.netflix.stateless-java", "org.netflix.rds"):
        planner.plan(model_name=model, region="us-east-1", desires=desires, simulations=16)
        start = time.process_time()
        planner.plan(model_name=model, region="us-east-1", desires=desires, simulations=draws)
        found.append(f"{model} {(time.process_time() - start) / draws * 1e3:.2f} ms a draw")
    return f"Netflix service-capacity-modeling: {', '.join(found)}"


def main() -> None:
    """Print the time of worlds in arrays, of the same one by one, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default="cascade")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", type=int, default=50, help="worlds that are asked one by one")
    chosen = parser.parse_args()
    given = read(chosen.scenario)
    scenario = given.scenario.model_copy(update={"method": "slo"})
    made = plan(scenario, given.book, given.origins, predicted=False)
    worlds = Worlds.of(scenario, given.book, given.origins, chosen.draws)
    worlds.first(64).outcome(made.fleet)
    whole = seconds(lambda: worlds.outcome(made.fleet), chosen.rounds)
    few = seconds(lambda: worlds.first().outcome(made.fleet), chosen.rounds)
    asking = _Asking(worlds, Standing(pinned(scenario, made.fleet), made.fleet, given.book))
    alone = statistics.median(one_by_one(asking, chosen.alone) for _ in range(3))
    each = whole / chosen.draws
    print(f"{chosen.draws:,} worlds of {chosen.scenario}: {whole:.2f} s of one core (goal {GOAL_S:g})")
    print(f"each of them: {each * 1e6:.0f} µs")
    print(f"a first look, 2,048 worlds: {few:.2f} s")
    print(f"one by one: {alone * 1e3:.2f} ms a world, {alone / each:.0f} times as long (goal {GOAL_TIMES})")
    for words, with_totals in (("risk", False), ("risk --sobol", True)):
        start = time.process_time()
        risk_of(made, given.book, given.origins, chosen.draws, 1, with_totals)
        print(f"`{words}` in all: {time.process_time() - start:.1f} s")
    print(netflix(128))


if __name__ == "__main__":
    main()
