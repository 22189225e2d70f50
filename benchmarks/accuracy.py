"""How far the queueing formulas are from exact sums and from simulated requests; every miss is listed."""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

import numpy as np

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import (
    Station,
    erlang_c,
    erlang_c_array,
    mmc_wait_s_mean,
    request_distribution,
    wait_s_mean,
)
from cascade_plan.proving.queue import simulate_open

MEAN_GOAL = 0.03
PERCENTILE_GOAL = 0.05
SHARES = (0.95, 0.99)
STUDENT_SHARE = 1.96


@dataclass(frozen=True)
class System:
    """Stations in a row, the requests that come, and how bursty they come."""

    stations: tuple[Station, ...]
    requests_per_s: float
    arrival_scv: float = 1.0

    def __str__(self) -> str:
        parts = [
            f"c={each.servers} rho={each.utilisation(self.requests_per_s):.3f} {each.service.family}"
            f" scv={each.service.scv:.2f}"
            for each in self.stations
        ]
        arrivals = f" arrivals scv={self.arrival_scv:.2f}" if self.arrival_scv != 1 else ""
        return " > ".join(parts) + arrivals


@dataclass(frozen=True)
class Estimate:
    """A simulated figure and half of its 95 % confidence interval, relative to it."""

    value: float
    noise: float

    def error(self, formula: float) -> float:
        """Return how far a formula is off, relative to the simulated value."""
        return formula / self.value - 1


def station(random: np.random.Generator, servers: int, rho: float, scv: float, law: str | None = None) -> Station:
    """Return a station that a rate of one request a second loads to rho."""
    return Station(servers, ServiceTime(rho * servers, scv, law))  # type: ignore[arg-type]


def simulated(
    system: System, figures: Sequence[Callable[..., float]], seed: int, noise: float, least: int, most: int
) -> list[Estimate]:
    """Return figures of the runs of a system, with runs until each is known to `noise` or `most` requests are spent."""
    seen: list[list[float]] = []
    each = max(least // 8, 250_000)
    for turn in count():
        run = simulate_open(
            system.stations, system.requests_per_s, requests=each, seed=[seed, turn], arrival_scv=system.arrival_scv
        )
        seen.append([figure(run) for figure in figures])
        if len(seen) < 8:
            continue
        table = np.array(seen)
        half = STUDENT_SHARE * table.std(axis=0, ddof=1) / math.sqrt(len(seen))
        relative = half / np.maximum(table.mean(axis=0), 1e-300)
        if bool(np.all(relative < noise)) or each * len(seen) >= most:
            means = table.mean(axis=0).tolist()
            return [Estimate(value, part) for value, part in zip(means, relative.tolist(), strict=True)]
    raise AssertionError("the loop ends by returning")


# ------------------------------------------------------------------------------------------------------- Erlang's C


def exact_erlang_c(servers: int, offered_load: float) -> Fraction:
    """Return the defining sum in fractions of whole numbers: no rounding at all."""
    load = Fraction(offered_load)
    term = total = Fraction(1)
    for k in range(1, servers):
        term = term * load / k
        total += term
    last = term * load / servers * servers / (servers - load)
    return last / (total + last)


def erlang_table() -> None:
    """Print the largest relative error of both forms of Erlang's C."""
    pairs = [(c, c * rho) for c in (1, 2, 3, 5, 8, 16, 50, 100, 200, 400) for rho in (0.25, 0.5, 0.75, 0.875, 0.9375)]
    exact = [exact_erlang_c(*pair) for pair in pairs]
    scalar = [abs(float(Fraction(erlang_c(*pair)) / value - 1)) for pair, value in zip(pairs, exact, strict=True)]
    table = erlang_c_array([c for c, _ in pairs], [load for _, load in pairs])
    arrays = [abs(float(Fraction(float(got)) / value - 1)) for got, value in zip(table, exact, strict=True)]
    print(f"### Erlang C, {len(pairs)} pairs up to 400 servers, against exact fractions\n")
    print("| form | largest relative error | goal |\n|---|---|---|")
    print(f"| scalar | {max(scalar):.1e} | 1e-12 |\n| array | {max(arrays):.1e} | 1e-12 |\n")


# -------------------------------------------------------------------------------------------------------- mean wait

RULES = ("ours", "Kimura", "Cosmetatos", "Allen-Cunneen")


def mean_rules(one: Station, requests_per_s: float) -> dict[str, float]:
    """Return the mean wait in s by each rule; the last three know nothing but the SCV."""
    c, s, rho = one.servers, one.service.scv, one.utilisation(requests_per_s)
    exponential = mmc_wait_s_mean(c, requests_per_s, one.service.mean_s)
    constant = exponential * (1 + (1 - rho) * (c - 1) * (math.sqrt(4 + 5 * c) - 2) / (16 * rho * c)) / 2
    return {
        "ours": wait_s_mean(one, requests_per_s),
        "Kimura": (1 + s) / (2 * s / exponential + (1 - s) / constant),
        "Cosmetatos": s * exponential + (1 - s) * constant,
        "Allen-Cunneen": (1 + s) / 2 * exponential,
    }


def mean_systems(random: np.random.Generator, number: int) -> Iterator[System]:
    """Yield single stations with Poisson arrivals: SCV in [0, 4], utilisation in [0.5, 0.95], 1 to 64 servers.

    Stations where fewer than one request in a hundred waits are drawn again: nobody plans by their mean wait.
    """
    made = 0
    while made < number:
        servers = round(2 ** random.uniform(0, 6))
        rho = random.uniform(0.5, 0.95)
        scv = (0.0, random.uniform(0.1, 1), random.uniform(1, 4), random.uniform(1, 4), random.uniform(1, 4))[made % 5]
        law = (None, None, "lognormal", "hyperexponential", "gamma")[made % 5]
        if erlang_c(servers, servers * rho) >= 0.01:
            made += 1
            yield System((station(random, servers, rho, scv, law),), 1.0)


def mean_table(random: np.random.Generator, number: int, noise: float, most: int) -> None:
    """Print the errors of the mean wait by rule and family, and the misses."""
    errors: dict[str, dict[str, list[float]]] = {}
    misses = []
    for index, system in enumerate(mean_systems(random, number)):
        one = system.stations[0]
        (wait,) = simulated(system, [lambda run: float(run.wait_s().mean())], 1000 + index, noise, 2_000_000, most)
        found = {rule: wait.error(value) for rule, value in mean_rules(one, 1.0).items()}
        name = "gamma above 1" if one.service.family == "gamma" and one.service.scv > 1 else one.service.family
        for rule, error in found.items():
            errors.setdefault(name, {}).setdefault(rule, []).append(error)
        if abs(found["ours"]) > MEAN_GOAL:
            misses.append(f"- {system}: {found['ours']:+.1%} (simulated to {wait.noise:.1%})")
        progress(index + 1, number)
    print(f"### Mean wait of M/G/c, {number} random stations, utilisation .5 to .95, SCV 0 to 4, 1 to 64 servers\n")
    print(f"Mean and largest error without its sign; the goal is {MEAN_GOAL:.0%}; simulated to {noise:.1%}.\n")
    print("| service | stations | " + " | ".join(RULES) + " |\n|---|---|" + "---|" * len(RULES))
    for name, by_rule in sorted(errors.items()):
        cells = [f"{np.mean(np.abs(by_rule[rule])):.1%} / {np.max(np.abs(by_rule[rule])):.1%}" for rule in RULES]
        print(f"| {name} | {len(by_rule['ours'])} | " + " | ".join(cells) + " |")
    print(f"\nMisses of ours: {len(misses)} of {number}\n" + "\n".join(misses) + "\n")


# ---------------------------------------------------------------------------------------------------- whole requests


def random_station(random: np.random.Generator) -> Station:
    """Return a station of 1 to 64 servers, utilisation .3 to .95 and SCV 0 to 4."""
    scv = (0.0, float(random.uniform(0, 1)), 1.0, float(random.uniform(1, 4)))[int(random.integers(4))]
    law = None if scv <= 1 else (None, "hyperexponential", "gamma")[int(random.integers(3))]
    return station(random, round(2 ** random.uniform(0, 6)), float(random.uniform(0.3, 0.95)), scv, law)


def request_systems(random: np.random.Generator, number: int) -> Iterator[tuple[str, System]]:
    """Yield single stations, two in a row, three in a row, and single ones with other than Poisson arrivals."""
    for index in range(number):
        length = (1, 1, 2, 3, 1)[index % 5]
        scv = 1.0 if index % 5 < 4 else float(random.choice([random.uniform(0.2, 1), random.uniform(1, 4)]))
        name = "arrivals of SCV 0.2 to 4" if index % 5 == 4 else ("one station", "two", "three")[length - 1]
        yield name, System(tuple(random_station(random) for _ in range(length)), 1.0, scv)


def request_table(random: np.random.Generator, number: int, noise: float, most: int) -> None:
    """Print the errors of p95 and p99 of the whole request, and the misses."""
    errors: dict[str, list[list[float]]] = {}
    misses = []
    figures = [lambda run, share=share: float(np.quantile(run.response_s, share)) for share in SHARES]
    for index, (name, system) in enumerate(request_systems(random, number)):
        law = request_distribution(system.stations, system.requests_per_s, arrival_scv=system.arrival_scv)
        seen = simulated(system, figures, 5000 + index, noise, 2_000_000, most)
        found = [estimate.error(law.percentile(share)) for estimate, share in zip(seen, SHARES, strict=True)]
        errors.setdefault(name, []).append(found)
        if max(abs(error) for error in found) > PERCENTILE_GOAL:
            shown = ", ".join(f"p{100 * share:g} {error:+.1%}" for share, error in zip(SHARES, found, strict=True))
            misses.append(f"- {name}: {system}: {shown} (p99 simulated to {seen[-1].noise:.1%})")
        progress(index + 1, number)
    print(f"### p95 and p99 of the whole request, {number} random systems, utilisation .3 to .95, SCV 0 to 4\n")
    print(f"Mean error without its sign; the goal is {PERCENTILE_GOAL:.0%}; simulated to {noise:.1%}.\n")
    print("| system | count | p95 mean error | p95 range | p99 mean error | p99 range | within 5 % |")
    print("|---|---|---|---|---|---|---|")
    for name, rows in errors.items():
        table = np.array(rows)
        cells = [f"{np.abs(e).mean():.1%} | {e.min():+.1%} .. {e.max():+.1%}" for e in table.T]
        within = int(np.sum(np.abs(table).max(axis=1) <= PERCENTILE_GOAL))
        print(f"| {name} | {len(rows)} | {' | '.join(cells)} | {within} |")
    print(f"\nMisses: {len(misses)} of {number}\n" + "\n".join(misses))


def progress(done: int, number: int) -> None:
    """Write how far a table is to a terminal."""
    if sys.stderr.isatty():
        print(f"\r{done}/{number}", end="" if done < number else "\n", file=sys.stderr, flush=True)


def main() -> int:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--means", type=int, default=100, help="stations for the mean wait (default %(default)s)")
    parser.add_argument("--requests", type=int, default=240, help="systems for the percentiles (default %(default)s)")
    parser.add_argument("--noise", type=float, default=0.01, help="simulate until known to this (default %(default)s)")
    parser.add_argument("--most", type=int, default=30_000_000, help="requests per system (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the systems and the requests (default %(default)s)")
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    erlang_table()
    mean_table(random, arguments.means, arguments.noise, arguments.most)
    request_table(random, arguments.requests, arguments.noise, arguments.most)
    return 0


if __name__ == "__main__":
    sys.exit(main())
