"""How far a fleet is from breaking its promises: up to what service times every load keeps its limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple

from cascade_plan.formulas.roots import root
from cascade_plan.model.derivation import Derivation, Input
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.margin import CPU, CPU_MS, DATABASE, DATABASE_MS, MOST
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.chain import Chain, slower
from cascade_plan.planning.latencies import SOURCE, chain_for
from cascade_plan.planning.predicting import Question, shortfall

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
    loads = [
        (name, load, Question.of(on, load.users))
        for name, load in scenario.driven.items()
        if (on := chain_for(scenario, fleet, load)).places
    ]
    for kind, ratio, leaf, what in (
        ("api", CPU, CPU_MS, "CPU time of a request"),
        ("database", DATABASE, DATABASE_MS, "database time of a request"),
    ):
        bounds = tuple(
            _Bound(name, load.latency_ms_p95, load.latency_ms_p99, _of_kind(scenario, question.on, kind), question)
            for name, load, question in loads
        )
        if any(bound.places for bound in bounds):
            factor, binding = _most(bounds)
            yield from _figures(ratio, leaf, what, factor, binding, _mean_ms(bounds[0]))


class _Bound(NamedTuple):
    """A load with its limits, and the places whose services are in question."""

    load: str
    latency_ms_p95: float
    latency_ms_p99: float | None
    places: frozenset[str]
    question: Question


def _of_kind(scenario: Scenario, on: Chain, kind: str) -> frozenset[str]:
    """Return the places of a chain that belong to tiers of a kind and whose servers are kept busy."""
    tiers = scenario.of(kind)
    return frozenset(place.name for place in on.places if place.tier in tiers and place.name in on.stations)


@lru_cache(maxsize=64)
def _most(bounds: tuple[_Bound, ...]) -> tuple[float, str]:
    """Return the largest factor with which all loads keep their limits, and the load that breaks one above it.

    A load breaks its limits about where it fills the places: that is where a search begins, the fullest load first.
    """
    factor, binding = MOST, ""
    for guess, bound in sorted(((_filling(bound), bound) for bound in bounds), key=lambda each: each[0]):
        over = _over(bound)
        low, high = (min(factor, guess * step) for step in (0.9, 1.04))
        while high < factor and over(high) <= 0:
            low, high = high, min(factor, high * 1.5)
        if high == factor and over(high) <= 0:
            continue
        while low > LEAST and over(low) > 0:
            low, high = max(LEAST, low / 1.5), low
        found = root(lambda log: over(math.exp(log)), math.log(low), math.log(high), NEAR / 3, NEAR)  # noqa: B023
        factor, binding = math.exp(found), bound.load
    return factor, binding


def _filling(bound: _Bound) -> float:
    """Return the factor at which a load about fills the fullest of its places."""
    on, users = bound.question.on, bound.question.users
    busy = on.utilisation_ratio(users / on.think_s)
    fullest = max((busy[name] for name in bound.places), default=0.0)
    return min(MOST, max(LEAST, 1 / fullest)) if fullest else MOST


def _over(bound: _Bound) -> Callable[[float], float]:
    """Return how far a load is over its limits, by the factor on the services at its places; 0 at the limit."""

    @cache
    def over(factor: float) -> float:
        changed = slower(bound.question.on, dict.fromkeys(bound.places, factor))
        found = shortfall(changed, bound.question.users, bound.latency_ms_p95, bound.latency_ms_p99)
        return min(FAR, max(-FAR, found))

    return over


def _mean_ms(bound: _Bound) -> float:
    """Return what a request asks of the places on average, in ms."""
    ways, places = bound.question.on.ways, bound.places
    steps = sum(way.share * step.times * step.service.mean_s for way in ways for step in way.steps
                if step.place in places)  # fmt: skip
    own = sum(way.share * way.cpu.mean_s for way in ways if way.cpu and way.service in places)
    return (steps + own) * 1000


def _figures(ratio: str, leaf: str, what: str, factor: float, load: str, today_ms: float) -> Iterator[Derivation]:
    inputs = (Input(f"{what} today", today_ms, "computed: mean of the mix"),)
    breaks = f"above it load {load} breaks its limit" if load else f"no load breaks its limit at {MOST:g} times"
    formula = f"largest factor on the {what} with which every load keeps its limits, all else unchanged"
    yield Derivation(ratio, factor, "of today's", formula, inputs, SOURCE, breaks)
    yield Derivation(leaf, factor * today_ms, "ms", f"{ratio} x the {what} today", inputs, SOURCE, breaks)
