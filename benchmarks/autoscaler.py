"""What replaying a month under the autoscaler costs: many runs at once in arrays, beside one run pod by pod.

The pod-by-pod run is the controller's algorithm as formulas/hpa states it, over the same first ticks of run 0; the two
must agree on every tick, or this exits 1.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import math
import resource
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cascade_plan.formulas.hpa import Autoscaler
from cascade_plan.formulas.hpa_behavior import Behavior, Policy, Rules
from cascade_plan.proving.autoscaler import BLOCK_TICKS, TICK_S, Cluster, Grid, Setting, simulate, tabulate

GOAL_S = 10.0
GOAL_MIB = 500
TICKS_A_DAY = 86_400 // TICK_S
TICKS_A_MINUTE = 60 // TICK_S
PEAK_PODS = 40.0
NOISE = 0.03
"""Standard deviation of a minute's load: five times what the NASA log of July 1995 would have at 2,000 requests/s."""


def setting() -> Setting:
    """Return the performance plan's autoscaler (10 to 100 pods, p95 and memory) on nodes of 12 pods."""
    grid = Grid()
    up, down = Rules((Policy("Percent", 100, 60),), window_s=60), Rules(window_s=300)
    signals = (
        tabulate("pods", 0.2, lambda load: min(10.0, 0.05 / (1 - load)) if load < 1 else 10.0, grid),
        tabulate("memory", 70, lambda load: 0.4 + 0.3 * min(load, 1.0), grid),
    )
    cluster = Cluster(12, 2, 9, pod_startup_s=45, node_startup_s=90)
    return Setting(Autoscaler(100, 10, Behavior(up, down)), signals, cluster, 20, grid)


class Traffic:
    """A day's curve with noise of a minute's correlation, another in every run."""

    def __init__(self, runs: int, seed: int) -> None:
        self.runs, self.random, self.seconds = runs, np.random.default_rng(seed), 0.0

    def demand(self, first: int, count: int) -> NDArray[np.float32]:
        """Return the load of the next ticks, in pods: shape (count, runs)."""
        start = time.perf_counter()
        minutes = -(-count // TICKS_A_MINUTE)
        noise = self.random.standard_normal((minutes, self.runs), dtype=np.float32)
        np.exp(np.multiply(noise, np.float32(NOISE), out=noise), out=noise)
        hour = (first + TICKS_A_MINUTE * np.arange(minutes)) / TICKS_A_DAY * 2 * math.pi
        noise *= (PEAK_PODS * (0.55 - 0.45 * np.cos(hour))).astype(np.float32)[:, None]
        load = np.repeat(noise, TICKS_A_MINUTE, axis=0)[:count]
        self.seconds += time.perf_counter() - start
        return load


def main() -> int:
    """Print times, memory and the ratio, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30, help="days simulated (default %(default)s)")
    parser.add_argument("--runs", type=int, default=1000, help="runs at once (default %(default)s)")
    parser.add_argument("--checked", type=int, default=1000, help="ticks repeated pod by pod (default %(default)s)")
    arguments = parser.parse_args()
    ticks = int(arguments.days * TICKS_A_DAY)
    traffic = Traffic(arguments.runs, seed=1)
    start = time.perf_counter()
    totals, trace = simulate(setting(), traffic.demand, ticks, arguments.runs)
    seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from autoscaler_by_pod import replay

    checked = min(arguments.checked, ticks)
    again = Traffic(arguments.runs, seed=1)
    firsts = range(0, checked, BLOCK_TICKS)
    load = np.concatenate([again.demand(first, min(BLOCK_TICKS, ticks - first))[:, 0] for first in firsts])[:checked]
    start = time.perf_counter()
    one = replay(setting(), [float(pods) for pods in load])
    per_tick_s = (time.perf_counter() - start) / checked
    agrees = [tick.replicas for tick in one] == trace.replicas[:checked, 0].tolist()

    print(f"{ticks:,} ticks of {arguments.runs:,} runs{'':14} {seconds:8.2f} s (goal {GOAL_S:g} for 30 days x 1,000)")
    print(f"{'  of which making the traffic':40} {traffic.seconds:8.2f} s")
    print(f"{'  a tick of all runs':40} {(seconds - traffic.seconds) / ticks * 1e6:8.1f} us")
    print(f"{'peak memory':40} {peak_mib:8.0f} MiB (goal {GOAL_MIB})")
    print(f"{'floor: a tick of one run, pod by pod':40} {per_tick_s * 1e6:8.1f} us")
    print(f"{'pod by pod / arrays, a tick of a run':40} {per_tick_s * ticks * arguments.runs / seconds:8.0f}")
    print(f"{'agreement of the first ticks of run 0':40} {'all' if agrees else 'NO'} {checked}")
    print(f"mean: {totals.replica_hours.mean() / ticks * 3600 / TICK_S:.1f} replicas, "
          f"{totals.node_hours.mean() / ticks * 3600 / TICK_S:.2f} nodes, "
          f"{totals.rescale_count.mean() / arguments.days:.0f} changes a day, "
          f"{totals.breach_share.mean():.2%} of the load over capacity")  # fmt: skip
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
