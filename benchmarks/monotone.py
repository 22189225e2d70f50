"""Whether more of anything ever makes an answer worse: random fleets and loads, each with one thing more or faster.

For each kind of change how often the p95 or the p99 of the slower end, which is what a search asks, rises by more than
0.2 %, and by how much at most; and the same by how busy the fullest place is then.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.chain import Chain, chain, percentiles_ms, slower
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import response, slower_end
from cascade_plan.planning.promises import scale
from cascade_plan.planning.sizing import places

NOISE = 0.002
"""A rise below this is that of two percentiles inverted to 1e-4 each."""
ENDLESS = 1000
BANDS = (0.0, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, math.inf)


class Counts(NamedTuple):
    """How many there are of what the queues of a fleet hang on."""

    nodes: int
    replicas: int
    cores: int
    masters: int


class Found(NamedTuple):
    """What one change did."""

    change: str
    rise: float
    """Of the p95 or the p99, whichever rose more, as a share of it."""
    busy: float
    """Of the fullest place after it, at the slower end."""


def drawn(rng: random.Random) -> tuple[Scenario, Fleet]:
    """Return a scenario with services, queries and users of other kinds, and its fleet by the rules."""
    values = {
        "tiers.api.discipline": rng.choice(["event_loop", "sharing", "fcfs"]),
        "tiers.api.service_scv": rng.choice([0.3, 1, 2, 4]),
        "tiers.database.read_ms": log_uniform(rng, 0.05, 5),
        "tiers.database.write_ms": log_uniform(rng, 0.05, 5),
        "tiers.database.commit_ms": rng.choice([0, 1.5, 3]),
        "tiers.database.data_gib": rng.choice([1, 10, 100]),
        "tiers.cache.hit_ratio": rng.choice([0.2, 0.5, 0.9, 0.99]),
        "behaviour.think_time_s": rng.choice(["{min: 1, max: 3}", "{min: 2, max: 2}", "{min: 0.1, max: 0.3}"]),
        "gates": "{}",
    }
    if rng.random() < 0.3:
        values["tiers.pool"] = "off"
    for action in ("list_workrooms", "create_message", "upload_resource"):
        values[f"behaviour.actions.{action}.cpu_ms"] = log_uniform(rng, 0.3, 20)
    changes = [Assignment(f"--set {path}", path, str(value)) for path, value in values.items()]
    given = read("cascade", changes)
    return given.scenario, plan(given.scenario, given.book, predicted=False, with_margins=False).fleet


def log_uniform(rng: random.Random, low: float, high: float) -> float:
    """Return a number whose logarithm is evenly spread."""
    return round(math.exp(rng.uniform(math.log(low), math.log(high))), 3)


def chain_of(scenario: Scenario, fleet: Fleet, counts: Counts) -> Chain:
    """Return the chain of a fleet with these counts, with connections enough not to bind."""
    asked = scale(fleet, {"api.node_count": counts.nodes, "database.replica_count": counts.replicas})
    servers = {"primary": counts.cores, "replicas": counts.replicas * counts.cores, "cache": counts.masters}
    found = places(scenario, fleet, asked)
    return chain(scenario, tuple(replace(each, server_count=servers.get(each.name, each.server_count),
                                         unit_count=counts.masters if each.name == "cache" else each.unit_count)
                                 for each in found))  # fmt: skip


def percentiles(on: Chain, users: int) -> tuple[float, float]:
    """Return the p95 and the p99 in ms of the slower end."""
    p95, p99 = percentiles_ms(response(*slower_end(on, users)), (0.95, 0.99))
    return p95, p99


def changed(counts: Counts) -> Iterator[tuple[str, Counts]]:
    """Yield counts with more of one thing, and with no end of all but one."""
    for name, value in counts._asdict().items():
        if value:
            yield f"more {name}", counts._replace(**{name: value + 1})
        others = {other: count * ENDLESS for other, count in counts._asdict().items() if other != name}
        yield f"endless but for {name}", counts._replace(**others)


def found_of(rng: random.Random) -> Iterator[Found]:
    """Yield what each change of one drawn fleet did."""
    scenario, fleet = drawn(rng)
    counts = Counts(rng.choice([1, 2, 5, 30]), rng.choice([0, 1, 4]), rng.choice([1, 2, 8, 32]), rng.choice([1, 3]))
    on = chain_of(scenario, fleet, counts)
    alone_s = on.think_s + sum(way.share * fixed_s for way, fixed_s in zip(on.ways, on.fixed_s, strict=True))
    load = rng.choice([rng.uniform(0.2, 0.9), rng.uniform(0.8, 1.0), rng.uniform(0.95, 1.15)])
    users = max(1, round(load * on.capacity_requests_per_s * alone_s))
    before = percentiles(on, users)
    others = [(name, chain_of(scenario, fleet, other), users) for name, other in changed(counts)]
    others += [("faster services", slower(on, {name: 0.9}), users) for name in on.stations]
    others.append(("fewer users", on, max(1, users - max(1, users // 20))))
    for name, other, few in others:
        after = percentiles(other, few)
        slow, state = slower_end(other, few)
        busy = max(slow.utilisation_ratio(state.requests_per_s).values())
        yield Found(name, max(a / b for a, b in zip(after, before, strict=True)) - 1, busy)


def show(title: str, found: list[Found]) -> None:
    """Print how often and how far a percentile rose."""
    rises = [each.rise for each in found if each.rise > NOISE]
    print(f"{title:26} {len(found):6} changes, worse in {len(rises):4}, by {max(rises, default=0.0):6.2%} at most")


def main() -> int:
    """Print the rises by kind of change, and by how busy the fullest place is after it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--fleets", type=int, default=60, help="fleets that are drawn (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the draws (default %(default)s)")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    found = [each for _ in range(arguments.fleets) for each in found_of(rng)]
    kinds: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        kinds[each.change].append(each)
    for kind, own in kinds.items():
        show(kind, own)
    for low, high in pairwise(BANDS):
        title = f"{low:.1%} busy and more" if high == math.inf else f"{low:.1%} to {high:.1%} busy"
        show(title, [each for each in found if low <= each.busy < high])
    return 0


if __name__ == "__main__":
    sys.exit(main())
