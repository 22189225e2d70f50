"""How far predictions are from exact sums and from simulated requests, by the code they are made with.

Every miss is listed. `--only` prints some of the tables.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import count, product
from typing import NamedTuple

import numpy as np

from cascade_plan.formulas.closed_network import FiniteSourceResponse, finite_source
from cascade_plan.formulas.closed_station import closed_station
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import (
    Station,
    erlang_c,
    erlang_c_array,
    mmc_wait_s_mean,
    request_distribution,
    wait_s_mean,
)
from cascade_plan.formulas.transforms import Path, Response, Service, wait_at, waiting
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.place import Quota
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.chain import Chain, chain
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import predict
from cascade_plan.planning.sizing import places
from cascade_plan.proving.queue import Interval, simulate_open
from cascade_plan.proving.requests import run

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


# ----------------------------------------------------------------------------------------------- the closed station

PODS = (1, 2, 5, 14, 50)
CPU_MS = (1, 2, 5, 10)
LOADS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0, 1.05, 1.1, 1.3)
THINK_S = 2.0
CLOSED_SHARES = (0.5, 0.95, 0.99)


def closed_table() -> None:
    """Print how far one closed station is from the chain of its states (M/M/c//N), and whether p95 ever falls."""
    exactly, errors, falls = 0.0, [], 0
    for pods, cpu_ms in product(PODS, CPU_MS):
        last = 0.0
        one = Station(pods, ServiceTime(cpu_ms / 1000))
        for load in LOADS:
            users = max(2, round(load * pods * (THINK_S * 1000 + cpu_ms) / cpu_ms))
            asked = (users, THINK_S, pods, cpu_ms / 1000)
            requests_per_s, queue = closed_station(*asked)
            states, law = finite_source(*asked), FiniteSourceResponse(*asked)
            wait = waiting(one, queue, one.utilisation(requests_per_s))
            found = Response((Path(1.0, ((wait, 1.0), (Service(one.service), 1.0))),)).percentiles_s(CLOSED_SHARES)
            response_s = one.service.mean_s * (1 + queue.chance * (queue.mean + 1) / pods)
            for got, state in ((requests_per_s, states.requests_per_s), (response_s, states.response_s_mean)):
                exactly = max(exactly, abs(got / state - 1))
            errors.append([got / law.percentile(share) - 1 for got, share in zip(found, CLOSED_SHARES, strict=True)])
            falls += found[1] < last
            last = found[1]
    table = np.array(errors)
    print(
        f"### One closed station, {len(table)} cases: 1 to 50 pods, 1 to 10 ms, 30 to 130 % load, against its states\n"
    )
    print("| figure | mean error | range |\n|---|---|---|")
    for share, column in zip(CLOSED_SHARES, table.T, strict=True):
        print(f"| p{100 * share:g} | {np.abs(column).mean():.2%} | {column.min():+.2%} .. {column.max():+.2%} |")
    print(f"\nRequests/s and mean response: within {exactly:.0e}. Where p95 falls as users rise: {falls} cases.\n")


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


def predicted_s(system: System, shares: Sequence[float]) -> list[float]:
    """Return percentiles as predictions take them: each station's arrivals Poisson, the stations independent."""
    stages = [(law, 1.0) for one in system.stations
              for law in (wait_at(one, system.requests_per_s), Service(one.service))]  # fmt: skip
    return Response((Path(1.0, tuple(stages)),)).percentiles_s(shares)


def request_table(random: np.random.Generator, number: int, noise: float, most: int) -> None:
    """Print the errors of p95 and p99 of the whole request, and the misses.

    By transforms, as predictions are made; and on a grid, which knows of arrivals that are not Poisson.
    """
    errors: dict[tuple[str, str], list[list[float]]] = {}
    misses = []
    figures = [lambda run, share=share: float(np.quantile(run.response_s, share)) for share in SHARES]
    for index, (name, system) in enumerate(request_systems(random, number)):
        law = request_distribution(system.stations, system.requests_per_s, arrival_scv=system.arrival_scv)
        by_path = {"on a grid": [law.percentile(share) for share in SHARES]}
        if system.arrival_scv == 1:
            by_path = {"predictions": predicted_s(system, SHARES)} | by_path
        seen = simulated(system, figures, 5000 + index, noise, 2_000_000, most)
        for path, values in by_path.items():
            found = [estimate.error(value) for estimate, value in zip(seen, values, strict=True)]
            errors.setdefault((name, path), []).append(found)
            if max(abs(error) for error in found) > PERCENTILE_GOAL:
                shown = ", ".join(f"p{100 * share:g} {error:+.1%}" for share, error in zip(SHARES, found, strict=True))
                misses.append(f"- {path}, {name}: {system}: {shown} (p99 simulated to {seen[-1].noise:.1%})")
        progress(index + 1, number)
    print(f"### p95 and p99 of the whole request, {number} random systems, utilisation .3 to .95, SCV 0 to 4\n")
    print(f"Mean error without its sign; the goal is {PERCENTILE_GOAL:.0%}; simulated to {noise:.1%}.\n")
    print("| system | by | count | p95 mean error | p95 range | p99 mean error | p99 range | within 5 % |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, path), rows in sorted(errors.items()):
        table = np.array(rows)
        cells = [f"{np.abs(e).mean():.1%} | {e.min():+.1%} .. {e.max():+.1%}" for e in table.T]
        within = int(np.sum(np.abs(table).max(axis=1) <= PERCENTILE_GOAL))
        print(f"| {name} | {path} | {len(rows)} | {' | '.join(cells)} | {within} |")
    print(f"\nMisses: {len(misses)}\n" + "\n".join(misses) + "\n")


# ------------------------------------------------------------------------------------- the chain, request by request

DISCIPLINES = ("event_loop", "sharing", "fcfs")
FIGURES = ("requests/s", "mean", "p50", "p95", "p99")
LARGE = ("tiers.database.shape=db.r5.24xlarge", "behaviour.actions.list_workrooms.read_ms=0.1")
"""A database that is never the fullest place, and whose reads all find a key."""
MANY = 100_000


class Case(NamedTuple):
    """A fleet of the bundled cascade and its users."""

    group: str
    name: str
    changes: tuple[str, ...]
    pods: int
    load: float
    """Users over those at which the fullest place would be full; above 2 the users themselves."""
    connections: int = MANY
    is_quick: bool = False
    is_pinned: bool = False
    """Whether the simulation keeps a request at the pod that it came to; predictions take all pods as one queue."""


def cases(is_all: bool) -> Iterator[Case]:
    """Yield the fleets; without `is_all` an eighth of them."""
    for each in _cases():
        if is_all or each.is_quick:
            yield each


def _cases() -> Iterator[Case]:
    for discipline in DISCIPLINES:
        own = (f"tiers.api.discipline={discipline}", *LARGE)
        for scv, pods, load in product((0, 0.25, 1), (1, 4, 14), (0.3, 0.6, 0.8, 0.9, 0.95)):
            group = "to 80 % busy" if load <= 0.8 else f"{load:.0%} busy"
            is_quick = (scv, pods) in ((0.25, 1), (1, 4)) and load in (0.6, 0.9)
            name = f"SCV {scv:g}, pods {pods}, load {load:g}"
            yield Case(group, name, (f"tiers.api.service_scv={scv:g}", *own), pods, load, MANY, is_quick)
        for pods, load in product((1, 14), (1.1, 1.5)):
            yield Case("full", f"pods {pods}, load {load:g}", own, pods, load, MANY, (pods, load) == (1, 1.1))
        for (pods, connections), load in product(((1, 3), (1, 15), (14, 30), (14, 60)), (0.6, 0.8, 0.95, 1.1)):
            name = f"pods {pods}, pool {connections}, load {load:g}"
            is_quick = (pods, connections, load) in ((1, 3, 0.6), (1, 15, 0.8), (14, 60, 0.8))
            yield Case("pool", name, own, pods, load, connections, is_quick)
        for limit, load in product((0.25, 0.5, 0.9), (0.3, 0.6, 0.8, 0.95)):
            pod = f"tiers.api.pod={{cpu_cores: {min(limit, 0.5):g}, cpu_limit_cores: {limit:g}}}"
            changes = (pod, *own)
            name = f"limit {limit:g}, pods 8, load {load:g}"
            yield Case(f"CPU limit, {limit:g} cores", name, changes, 8, load, MANY, load == 0.6)
        for load in (0.6, 0.8, 0.9):
            name = f"pods 8, load {load:g}"
            yield Case("pods with a queue each", name, own, 8, load, MANY, load == 0.8, is_pinned=True)
    for users in (1_000, 5_000, 10_000, 12_000, 14_000):
        yield Case("bundled fleet", f"{users:,} users", (), 14, users, 100, users == 10_000)


@cache
def sized(changes: tuple[str, ...]) -> tuple[Scenario, Fleet]:
    """Return the bundled cascade with changes, and its fleet."""
    given = read("cascade", [(f"--set {each}", *each.split("=", 1)) for each in changes])
    return given.scenario, plan(given.scenario, given.book, predicted=False).fleet


def fleet_of(case: Case) -> tuple[Chain, int]:
    """Return the chain of a case and its users."""
    scenario, fleet = sized(case.changes)
    counts = {"api.replica_count": case.pods, "pool.connection_count": case.connections}
    fixed = {"api.node_count": 1_000_000, "database.replica_count": 1, "cache.master_count": 3}
    on = chain(scenario, places(scenario, fleet, fixed | counts))
    if case.load > 2:
        return on, round(case.load)
    return on, max(1, round(case.load * on.capacity_requests_per_s * (on.think_s + 0.015)))


def pinned(on: Chain) -> Chain:
    """Return the chain with a queue for each pod: under a limit of all of its core, which never stops it."""
    return replace(on, places=tuple(replace(each, quota=Quota(1.0)) if each.is_scaled else each for each in on.places))


class Compared(NamedTuple):
    """A case's figures against the simulation."""

    group: str
    discipline: str
    name: str
    errors: tuple[float, ...]
    noise: tuple[float, ...]
    """Half of the 95 % confidence intervals."""

    @property
    def is_off(self) -> bool:
        """Whether p95 or p99 is further off than the goal and the simulation's interval."""
        return any(abs(self.errors[at]) > PERCENTILE_GOAL + self.noise[at] for at in (3, 4))


def compared(case: Case, answers: int) -> Compared:
    """Return a case's figures over all its requests against the simulation's."""
    on, users = fleet_of(case)
    count = answers * (4 if case.load in (0.9, 0.95) else 1)
    found, got = predict(on, users), run(pinned(on) if case.is_pinned else on, users, count, 1)
    discipline = next(place.discipline for place in on.places if place.is_scaled)
    group = case.group
    if group == "pool":
        held = got.utilisation_ratio["pool"]
        group = "small pool, to 85 % held" if held <= 0.85 else "small pool, fuller"
    seen = (got.latency_ms_mean, got.latency_ms_p50, got.latency_ms_p95, got.latency_ms_p99)
    values = (found.latency_ms_mean, found.latency_ms_p50, found.latency_ms_p95, found.latency_ms_p99)
    rate = Interval(got.requests_per_s, 0.0)
    pairs = list(zip((found.requests_per_s, *values), (rate, *seen), strict=True))
    return Compared(
        group,
        discipline,
        case.name,
        tuple(value / each.value - 1 for value, each in pairs),
        tuple(each.half_width / each.value for _, each in pairs),
    )


def discipline_table(is_all: bool, answers: int) -> None:
    """Print how far predictions are from requests simulated one by one, by what is full and by discipline."""
    asked = list(cases(is_all))
    rows = []
    for index, case in enumerate(asked):
        rows.append(compared(case, answers))
        progress(index + 1, len(asked))
    print(f"### Predictions against requests one by one, {len(rows)} fleets of the bundled cascade\n")
    print(f"Simulated for {answers:,} answers each, four times as many at 90 and 95 % busy.")
    print("Mean error without its sign and range; `off`: p95 or p99 by more than 5 % and the simulation's interval.\n")
    print("| fleets | discipline | count | requests/s | mean | p95 | p99 | off |\n|---|---|---|---|---|---|---|---|")
    for (group, discipline), own in _grouped(rows):
        cells = [_cell([row.errors[at] for row in own]) for at in (0, 1, 3, 4)]
        off = sum(row.is_off for row in own)
        print(f"| {group} | {discipline} | {len(own)} | {' | '.join(cells)} | {off} |")
    print(f"\nOff: {sum(row.is_off for row in rows)} of {len(rows)}")
    for row in rows:
        if row.is_off:
            shown = ", ".join(
                f"{name} {error:+.0%} ± {noise:.0%}"
                for name, error, noise in zip(FIGURES[1:], row.errors[1:], row.noise[1:], strict=True)
            )
            print(f"- {row.group}: {row.discipline}, {row.name}: {shown}")
    print()


def _grouped(rows: Iterable[Compared]) -> Iterable[tuple[tuple[str, str], list[Compared]]]:
    found: dict[tuple[str, str], list[Compared]] = {}
    for row in rows:
        found.setdefault((row.group, row.discipline), []).append(row)
    order = list(dict.fromkeys(group for group, _ in found))
    return sorted(found.items(), key=lambda item: (order.index(item[0][0]), DISCIPLINES.index(item[0][1])))


def _cell(errors: Sequence[float]) -> str:
    mean = sum(map(abs, errors)) / len(errors)
    if len(errors) == 1:
        return f"{errors[0]:+.1%}"
    return f"{mean:.1%}, {min(errors):+.1%} .. {max(errors):+.1%}"


def progress(done: int, number: int) -> None:
    """Write how far a table is to a terminal."""
    if sys.stderr.isatty():
        print(f"\r{done}/{number}", end="" if done < number else "\n", file=sys.stderr, flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    tables = ("erlang", "closed", "means", "percentiles", "disciplines")
    parser.add_argument("--only", action="append", choices=tables, help="print this table (may be repeated)")
    parser.add_argument("--means", type=int, default=20, help="stations for the mean wait (default %(default)s)")
    parser.add_argument("--requests", type=int, default=40, help="systems for the percentiles (default %(default)s)")
    parser.add_argument("--noise", type=float, default=0.02, help="simulate until known to this (default %(default)s)")
    parser.add_argument("--most", type=int, default=5_000_000, help="requests per system (default %(default)s)")
    parser.add_argument("--answers", type=int, default=20_000, help="answers per fleet (default %(default)s)")
    parser.add_argument("--all-fleets", action="store_true", help="236 fleets, not the 34 that are quick")
    parser.add_argument("--seed", type=int, default=1, help="of the systems and the requests (default %(default)s)")
    arguments = parser.parse_args()
    random, wanted = np.random.default_rng(arguments.seed), arguments.only or tables
    if "erlang" in wanted:
        erlang_table()
    if "closed" in wanted:
        closed_table()
    if "means" in wanted:
        mean_table(random, arguments.means, arguments.noise, arguments.most)
    if "percentiles" in wanted:
        request_table(random, arguments.requests, arguments.noise, arguments.most)
    if "disciplines" in wanted:
        discipline_table(arguments.all_fleets, arguments.answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
