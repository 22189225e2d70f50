"""Traffic -> Fleet: every instance of a tier sizes itself, in the order its kind's needs allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from cascade_plan import registry
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.fleet import Fleet, Guest, Sized
from cascade_plan.model.place import Place, Scale
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.solution import Solution
from cascade_plan.model.tier import HOST, Housed, Settings
from cascade_plan.model.traffic import Traffic

TIERS = "tiers"
LOOKS_MOST = 20
"""Prometheus and the pods that it watches grow by less each time."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a fleet is sized from."""

    scenario: Scenario
    traffic: Traffic
    cloud: Cloud
    book: Book
    origins: Mapping[str, str]
    """Where a scenario value was given (file:line or a flag), by dotted path; absent for defaults."""
    day: date | None = None
    """By which versions are supported or not; None where nothing says what day it is."""
    passed: Mapping[str, int] = field(default_factory=dict)
    """Tier -> how many of the cheapest shapes that meet its need are passed over, as too small."""
    is_whole: bool = True
    """Whether all is said: findings, and each month of the first year of what accumulates. Where not, what a bill and a
    load need of the month of the bill."""


def size(brief: Brief, solution: Solution | None = None) -> Fleet:
    """Return what the load needs, tier by tier: by the rules, or by the counts that the method slo has found.

    Raises UsageError for an unknown shape and InfeasibleError when no shape meets a need.
    """
    tiers = _all_sized(brief, solution, guests(brief, solution))
    rejections = () if solution is None else solution.rejections
    return Fleet(tiers, brief.scenario.hours_per_month, rejections)


def guests(brief: Brief, solution: Solution | None = None) -> Mapping[str, tuple[Guest, ...]]:
    """Return by service the pods of other kinds that stand on its nodes, known before it is sized.

    Each instance is looked at in turn, beside those before it.
    """
    found: dict[str, tuple[Guest, ...]] = {}
    for name, settings in instances(brief.scenario):
        if isinstance(settings, Housed) and settings.nodes_of is not None and settings.KIND != HOST:
            found[settings.nodes_of] = _joined(brief, solution, found, name, settings, settings.nodes_of)
    return found


def _joined(
    brief: Brief,
    solution: Solution | None,
    found: Mapping[str, tuple[Guest, ...]],
    name: str,
    settings: Settings,
    host: str,
) -> tuple[Guest, ...]:
    """Return what stands on a service's nodes once an instance does too.

    One that reads the service, as Prometheus counts its pods, reads it first as if it had nodes of its own. It may ask
    for more then, as nodes that hold it hold more pods too: it is looked at again as long as it does.
    """
    others = found.get(host, ())
    joined = others
    reads = registry.load(TIERS, settings.KIND, "sizing").AFTER
    for _ in range(LOOKS_MOST if reads else 1):
        before = _all_sized(brief, solution, {**found, host: joined}, until=name, kinds=reads) if reads else {}
        now = (*others, *sized(brief, name, settings, before, solution).guests)
        if len(now) == len(joined) and not any(one.asks_more(other) for one, other in zip(now, joined, strict=True)):
            break
        joined = now
    return joined


def _all_sized(
    brief: Brief,
    solution: Solution | None,
    guests: Mapping[str, tuple[Guest, ...]],
    until: str = "",
    kinds: tuple[str, ...] = registry.READS_ALL,
) -> dict[str, Sized]:
    """Return every instance, or those before one that are of some kinds, sized beside guests."""
    tiers: dict[str, Sized] = {}
    for name, settings in instances(brief.scenario):
        if name == until:
            break
        if kinds == registry.READS_ALL or settings.KIND in kinds:
            tiers[name] = sized(brief, name, settings, tiers, solution, guests.get(name, ()))
    return tiers


def sized(
    brief: Brief,
    name: str,
    settings: Settings,
    before: Mapping[str, Sized],
    solution: Solution | None,
    guests: tuple[Guest, ...] = (),
) -> Sized:
    """Return one instance, sized beside those before it; `guests` are what stands on its nodes."""
    ask = Ask(
        name,
        settings,
        brief.scenario,
        dict(before),
        brief.traffic,
        brief.cloud,
        brief.book,
        brief.origins,
        solution,
        brief.day,
        guests,
        brief.passed.get(name, 0),
        brief.is_whole,
    )
    found: Sized = registry.load(TIERS, settings.KIND, "sizing").size(ask)
    return found


def metered(brief: Brief, fleet: Fleet) -> Fleet:
    """Return a fleet with what is only metered, such as a load balancer, sized for another traffic.

    What holds machines, pods or counts stays as it is: it was sized for what it is asked.
    """
    tiers = dict(fleet.tiers)
    for name, settings in instances(brief.scenario):
        before = tiers[name]
        if before.usages and not (before.groups or before.workloads or before.levers):
            tiers[name] = sized(brief, name, settings, tiers, None)
    return replace(fleet, tiers=tiers)


def places(scenario: Scenario, fleet: Fleet, scale: Scale) -> tuple[Place, ...]:
    """Return where requests are served by a fleet; `scale` overrides its levers' counts by their names."""
    found: tuple[Place, ...] = ()
    for name, settings in instances(scenario):
        declare = getattr(registry.load(TIERS, settings.KIND, "sizing"), "places", None)
        if declare is not None:
            found += declare(Site(name, settings, scenario, fleet.tiers), scale, found)
    return found


def followed(scenario: Scenario, fleet: Fleet, busy: Mapping[str, float]) -> Mapping[str, int]:
    """Return the counts that follow from how many servers are busy at each place, by the figures' names."""
    found: dict[str, int] = {}
    for name, settings in instances(scenario):
        follow = getattr(registry.load(TIERS, settings.KIND, "sizing"), "follow", None)
        if follow is not None:
            found |= follow(Site(name, settings, scenario, fleet.tiers), busy)
    return found


def instances(scenario: Scenario) -> Iterator[tuple[str, Settings]]:
    """Yield (name, settings) of every instance, in an order in which each comes after those it reads."""
    for kind in registry.ordered(TIERS, "sizing", "AFTER"):
        yield from sorted(scenario.of(kind).items(), key=lambda instance: instance[1].leans)
