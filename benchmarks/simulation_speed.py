"""A million requests through eight servers: this simulation against ciw and simpy, in turn and in one run."""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Callable

import ciw
import simpy

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station, wait_s_mean
from cascade_plan.proving.queue import simulate_open

SERVERS = 8
UTILISATION = 0.8
RATE_PER_S = SERVERS * UTILISATION
GOALS = {"ciw": 100.0, "simpy": 20.0}
LAWS = {"M/M/8": ServiceTime(1.0), "M/G/8, lognormal SCV 4": ServiceTime(1.0, 4.0, "lognormal")}

Run = Callable[[ServiceTime, int, int], float]
"""From a law, a number of requests and a seed to the mean wait in s."""


def lognormal_parameters(law: ServiceTime) -> tuple[float, float]:
    """Return the mean and the standard deviation of the logarithm."""
    sigma = math.sqrt(math.log1p(law.scv))
    return math.log(law.mean_s) - sigma**2 / 2, sigma


def ours(law: ServiceTime, requests: int, seed: int) -> float:
    """Return the mean wait by this project's simulation; its warm-up comes on top of the requests."""
    run = simulate_open([Station(SERVERS, law)], RATE_PER_S, requests=requests, seed=seed)
    return float(run.wait_s().mean())


def by_ciw(law: ServiceTime, requests: int, seed: int) -> float:
    """Return the mean wait by ciw."""
    service = ciw.dists.Exponential(1 / law.mean_s) if law.scv == 1 else ciw.dists.Lognormal(*lognormal_parameters(law))
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(RATE_PER_S)],
        service_distributions=[service],
        number_of_servers=[SERVERS],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests, method="Finish")
    return statistics.fmean(record.waiting_time for record in simulation.get_all_records())


def by_simpy(law: ServiceTime, requests: int, seed: int) -> float:
    """Return the mean wait by simpy: a resource, and a process per request."""
    chance = random.Random(seed)
    mu, sigma = lognormal_parameters(law)
    environment = simpy.Environment()
    servers = simpy.Resource(environment, capacity=SERVERS)
    waits: list[float] = []

    def request():  # type: ignore[no-untyped-def]
        came = environment.now
        with servers.request() as turn:
            yield turn
            waits.append(environment.now - came)
            service_s = chance.expovariate(1 / law.mean_s) if law.scv == 1 else chance.lognormvariate(mu, sigma)
            yield environment.timeout(service_s)

    def source():  # type: ignore[no-untyped-def]
        for _ in range(requests):
            yield environment.timeout(chance.expovariate(RATE_PER_S))
            environment.process(request())

    environment.process(source())
    environment.run()
    return statistics.fmean(waits)


def main() -> int:
    """Print the requests per second of each, and the ratios beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--requests", type=int, default=1_000_000, help="for ours (default %(default)s)")
    parser.add_argument("--peers", type=int, default=50_000, help="requests for ciw and simpy (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, in turn (default %(default)s)")
    arguments = parser.parse_args()
    runs: dict[str, tuple[Run, int]] = {
        "ours": (ours, arguments.requests),
        "ciw": (by_ciw, arguments.peers),
        "simpy": (by_simpy, arguments.peers),
    }
    print(f"ciw {ciw.__version__}, simpy {simpy.__version__}; medians of {arguments.rounds} rounds\n")
    print("| model | engine | requests | requests/s | mean wait (formula) | ours is faster by | goal |")
    print("|---|---|---|---|---|---|---|")
    for name, law in LAWS.items():
        rates: dict[str, list[float]] = {engine: [] for engine in runs}
        waits: dict[str, list[float]] = {engine: [] for engine in runs}
        for seed in range(arguments.rounds):
            for engine, (run, requests) in runs.items():
                start = time.perf_counter()
                waits[engine].append(run(law, requests, seed))
                rates[engine].append(requests / (time.perf_counter() - start))
        expected = wait_s_mean(Station(SERVERS, law), RATE_PER_S)
        for engine, (_, requests) in runs.items():
            rate, wait = statistics.median(rates[engine]), statistics.fmean(waits[engine])
            ratio = "" if engine == "ours" else f"{statistics.median(rates['ours']) / rate:.0f} x"
            goal = "" if engine == "ours" else f"{GOALS[engine]:.0f} x"
            figures = f"{requests:,} | {rate:,.0f} | {wait:.4f} ({expected:.4f}) | {ratio} | {goal}"
            print(f"| {name} | {engine} | {figures} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
