"""How far a fleet is from breaking its promises: up to what service times every load keeps its limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final

from cascade_plan.formulas.roots import root
from cascade_plan.model.derivation import Derivation, Input
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.margin import CPU, CPU_MS, DATABASE, DATABASE_MS, MOST
from cascade_plan.model.scenario import Load, Scenario
from cascade_plan.planning.chain import Chain, slower
from cascade_plan.planning.latencies import SOURCE, Asked, chain_for
from cascade_plan.planning.predicting import shortfall

LEAST: Final = 0.01
FAR: Final = 2.0
"""A shortfall beyond which the root is looked for as if it were this."""
NEAR: Final = 0.005
"""Relative precision of a factor."""
FIGURES: Final = (CPU, CPU_MS, DATABASE, DATABASE_MS)
"""Names of the figures, which a plan has where a load has limits and a service, or a database, is asked."""


def break_even(scenario: Scenario, fleet: Fleet) -> Iterator[Derivation]:
    """Yield up to what CPU time a request, and what database time, every load keeps its limits; with the factors.

    The others stay as they are. None where no load has limits, or requests visit no service, or no database.
    """
    chains = {name: (load, chain_for(scenario, fleet, load)) for name, load in scenario.driven.items()}
    chains = {name: (load, on) for name, (load, on) in chains.items() if on.places}
    for kind, ratio, leaf, what in (
        ("api", CPU, CPU_MS, "CPU time of a request"),
        ("database", DATABASE, DATABASE_MS, "database time of a request"),
    ):
        asked = {name: of_kind(scenario, on, kind) for name, (_, on) in chains.items()}
        if not any(asked.values()):
            continue
        factor, load = _known(_Asked.of(chains, asked))
        today_ms = _mean_ms(next(iter(chains.values()))[1], next(iter(asked.values())))
        yield from _figures(ratio, leaf, what, factor, load, today_ms)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Loads, all that they ask of each place, their limits and the places in question: alike, it is answered alike."""

    what: tuple[object, ...]
    chains: Mapping[str, tuple[Load, Chain]] = field(compare=False)
    places: Mapping[str, frozenset[str]] = field(compare=False)

    @classmethod
    def of(cls, chains: Mapping[str, tuple[Load, Chain]], places: Mapping[str, frozenset[str]]) -> _Asked:
        what = tuple(
            (name, load.latency_ms_p95, load.latency_ms_p99, places[name], Asked.of(on, load.users))
            for name, (load, on) in chains.items()
        )
        return cls(what, chains, places)


@lru_cache(maxsize=64)
def _known(asked: _Asked) -> tuple[float, str]:
    return _most(asked.chains, asked.places)


def of_kind(scenario: Scenario, on: Chain, kind: str) -> frozenset[str]:
    """Return the places of a chain that belong to tiers of a kind and whose servers are kept busy."""
    tiers = scenario.of(kind)
    return frozenset(place.name for place in on.places if place.tier in tiers and place.name in on.stations)


def _most(chains: Mapping[str, tuple[Load, Chain]], asked: Mapping[str, frozenset[str]]) -> tuple[float, str]:
    """Return the largest factor with which all loads keep their limits, and the load that breaks one above it.

    A load breaks its limits about where it fills the places: that is where a search begins, the fullest load first.
    """
    guesses = {name: _filling(on, load, asked[name]) for name, (load, on) in chains.items()}
    factor, binding = MOST, ""
    for name in sorted(chains, key=lambda name: guesses[name]):
        load, on = chains[name]
        over = _over(on, asked[name], load)
        low, high = (min(factor, guesses[name] * step) for step in (0.9, 1.04))
        while high < factor and over(high) <= 0:
            low, high = high, min(factor, high * 1.5)
        if high == factor and over(high) <= 0:
            continue
        while low > LEAST and over(low) > 0:
            low, high = max(LEAST, low / 1.5), low
        found = root(lambda log: over(math.exp(log)), math.log(low), math.log(high), NEAR / 3, NEAR)  # noqa: B023
        factor, binding = math.exp(found), name
    return factor, binding


def _filling(on: Chain, load: Load, places: frozenset[str]) -> float:
    """Return the factor at which a load about fills the fullest of some places."""
    busy = on.utilisation_ratio(load.users / on.think_s)
    fullest = max((busy[name] for name in places), default=0.0)
    return min(MOST, max(LEAST, 1 / fullest)) if fullest else MOST


def _over(on: Chain, places: frozenset[str], load: Load) -> Callable[[float], float]:
    """Return how far a load is over its limits, by the factor on the services at some places; 0 at the limit."""

    @cache
    def over(factor: float) -> float:
        changed = slower(on, dict.fromkeys(places, factor))
        found = shortfall(changed, load.users, load.latency_ms_p95, load.latency_ms_p99)
        return min(FAR, max(-FAR, found))

    return over


def _mean_ms(on: Chain, places: frozenset[str]) -> float:
    """Return what a request asks of some places on average, in ms."""
    steps = sum(way.share * step.times * step.service.mean_s for way in on.ways for step in way.steps
                if step.place in places)  # fmt: skip
    own = sum(way.share * way.cpu.mean_s for way in on.ways if way.cpu and way.service in places)
    return (steps + own) * 1000


def _figures(ratio: str, leaf: str, what: str, factor: float, load: str, today_ms: float) -> Iterator[Derivation]:
    inputs = (Input(f"{what} today", today_ms, "computed: mean of the mix"),)
    breaks = f"above it load {load} breaks its limit" if load else f"no load breaks its limit at {MOST:g} times"
    formula = f"largest factor on the {what} with which every load keeps its limits, all else unchanged"
    yield Derivation(ratio, factor, "of today's", formula, inputs, SOURCE, breaks)
    yield Derivation(leaf, factor * today_ms, "ms", f"{ratio} x the {what} today", inputs, SOURCE, breaks)
