"""What of a cache is watched: how many look-ups it answers, and how full its nodes are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.languages.promql import NEGATED, number, rate, ratio
from cascade_plan.model.ask import Site
from cascade_plan.model.observation import CACHE_HITS_PER_S, CACHE_MISSES_PER_S, CORES, ENGINE_SHARE, Measure
from cascade_plan.model.series import (
    CACHE_LOOKUPS,
    NEAR,
    SHORTEST_S,
    Scope,
    exporter,
    headed,
    is_alone,
    is_watched,
    observed_window_s,
    scope_of_exporter,
    spoken,
)
from cascade_plan.model.watch import Alarm, Chart, Limit, Line, Observed, Watch, limits
from cascade_plan.tiers.cache.settings import Settings

PROGRAM: Final = "redis"
"""What its exporter is called: that of Redis speaks to Valkey too."""
MEMORY: Final = "pod:redis_memory:ratio"


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the hit ratio with the memory, and for each gate on the ratio whether it holds."""
    if not is_watched(site):
        return ()
    # The application counts look-ups, by cache where it has several; the exporter knows the memory.
    lookups = Scope(site.scenario, {} if is_alone(site) else {"cache": site.name})
    own = (
        _answered(site, lookups) if site.settings.serverless else _room(site, lookups, scope_of_exporter(site, PROGRAM))
    )
    return (own, *_gates(site, lookups))


def _answered(site: Site[Settings], lookups: Scope) -> Watch:
    """Return the hit ratio alone: a cache without nodes has no memory that is full, and none that a program reads."""
    return Watch(
        site.name,
        sign="cache misses",
        recorded=(lookups.recorded(_hits(lookups), _hit_ratio(lookups)),),
        observed=tuple(_looked_up(site, lookups)),
        charts=(Chart(headed(site, "Cache hits"), "percentunit", (Line(lookups.select(_hits(lookups)), "hits"),)),),
    )


def _hit_ratio(lookups: Scope) -> str:
    hits, all_ = (
        lookups.total(rate(lookups.select(f"{lookups.own(CACHE_LOOKUPS)}_total", **labels), SHORTEST_S))
        for labels in ({"result": "hit"}, {})
    )
    return ratio(hits, all_)


def _room(site: Site[Settings], lookups: Scope, nodes: Scope) -> Watch:
    memory, limit = (
        nodes.most(nodes.select(metric), "pod") for metric in ("redis_memory_used_bytes", "redis_memory_max_bytes")
    )
    nearly = Alarm(
        "CacheMemoryNearlyFull",
        f"{nodes.select(MEMORY)} > {number(NEAR)}",
        900,
        "ticket",
        f"a node of {spoken(site, 'the cache')} is near maxmemory",
        "{pod} sees {value} of maxmemory used: keys are evicted, or writes refused.",
        "Look at evictions and the hit ratio: if both are bad, add a node; if neither, the cache just works.",
        unit="humanizePercentage",
    )
    down = Alarm(
        "CacheNodeDown",
        f"{nodes.select('redis_up')} == 0",
        60,
        "page",
        f"a node of {spoken(site, 'the cache')} does not answer",
        "{pod} cannot connect to it: without a replica that takes over, its part of the keys is out of reach.",
        "Ask whether a replica became its master (CLUSTER NODES, or the cloud's console for events). When the node is "
        "well, look at the exporter's user and at who may reach the node.",
    )
    return Watch(
        site.name,
        exporter=exporter(site, PROGRAM),
        sign="cache misses",
        recorded=(
            lookups.recorded(_hits(lookups), _hit_ratio(lookups)),
            nodes.recorded(MEMORY, f"{memory} / ({limit} > 0)"),
        ),
        observed=tuple(_observed(site, lookups, nodes)),
        alarms=(nearly, down),
        charts=(
            Chart(
                headed(site, "Cache hits and memory"),
                "percentunit",
                (Line(lookups.select(_hits(lookups)), "hits"), Line(nodes.select(MEMORY), "{{pod}}: of maxmemory")),
            ),
        ),
    )


def _observed(site: Site[Settings], lookups: Scope, nodes: Scope) -> Iterator[Observed]:
    """Yield what a calibration asks: look-ups by their result, and the CPU of the nodes and of the engine's thread."""
    yield from _looked_up(site, lookups)
    for what, operation, thread in ((CORES, "sum", ""), (ENGINE_SHARE, "avg", "_main_thread")):
        system, user = (
            rate(nodes.select(f"redis_cpu_{mode}{thread}_seconds_total"), observed_window_s(site))
            for mode in ("sys", "user")
        )
        yield Observed(Measure(what, site.name), f"{operation}({system} + {user})")


def _looked_up(site: Site[Settings], lookups: Scope) -> Iterator[Observed]:
    for what, result in ((CACHE_HITS_PER_S, "hit"), (CACHE_MISSES_PER_S, "miss")):
        counted = rate(lookups.select(f"{lookups.own(CACHE_LOOKUPS)}_total", result=result), observed_window_s(site))
        yield Observed(Measure(what, site.name), f"sum({counted})")


def _hits(lookups: Scope) -> str:
    return f"namespace:{lookups.own('cache_hits')}:ratio_rate5m"


def _gates(site: Site[Settings], lookups: Scope) -> Iterator[Watch]:
    figure = f"{site.name}.hit_ratio"
    for limit in limits(site.scenario.gates, figure):
        number_of = Chart(
            f"{figure} {limit.operator} {number(limit.value)}",
            "percentunit",
            (Line(lookups.select(_hits(lookups)), "hits"),),
            limit.operator,
            float(limit.value),
            is_number=True,
        )
        yield Watch(site.name, figure, alarms=(_missed(site, lookups, figure, limit),), charts=(number_of,))


def _missed(site: Site[Settings], lookups: Scope, figure: str, limit: Limit) -> Alarm:
    asked = number(limit.value)
    costs = "; each miss is a database query" if site.scenario.of("database") else ""
    return Alarm(
        "CacheHitRatioMissed",
        f"{lookups.select(_hits(lookups))} {NEGATED[limit.operator]} {asked}",
        900,
        "ticket",
        f"the {spoken(site, 'cache')} hit ratio is not {limit.operator} {asked}",
        f"The cache answers {{value}} of the lookups, {asked} are planned{costs}.",
        "Look for evictions and memory near its limit (then enlarge the nodes or shorten what is kept), for a "
        "deployment that changed keys or times to live, and for a node that was replaced and is still cold.",
        unit="humanizePercentage",
        labels={"figure": figure, "limit": f"{limit.operator} {asked}"},
    )
