"""What a scenario asks for that could be given up: of the whole, and what each tier's kind lists of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cascade_plan import registry
from cascade_plan.model.ask import Site
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.relaxation import Relaxation
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.latencies import is_sudden

LAXER: Final = 10
"""How many times longer the limits are that show what latency costs: no fleet is built for them."""
ANSWERED_S: Final = 3600
"""A load that lasts an hour has been answered by any autoscaler."""
NO_LIMIT: Final = {"<": "< 1000000000", "<=": "<= 1000000000", ">": ">= 0", ">=": ">= 0"}
"""A gate that every figure passes, by the operator of the one in whose place it stands."""
YEARS: Final = (1, 3)


def relaxations(scenario: Scenario, fleet: Fleet) -> tuple[Relaxation, ...]:
    """Return what the scenario asks for that could be given up, each once; `fleet` says which loads are sudden."""
    found: dict[str, Relaxation] = {}
    for each in (*_losses(scenario), *_of_tiers(scenario, fleet), *_promises(scenario, fleet), *_free(scenario)):
        found.setdefault(str((each.overrides, each.frees)), each)
    return tuple(found.values())


def stricter(scenario: Scenario) -> Iterator[Relaxation]:
    """Yield what more of a promise would cost: latency limits half as long."""
    if scenario.loads:
        yield Relaxation(
            "latency limits half as long", "nothing: answers come in half the time", _limits(scenario, 0.5), "stricter"
        )


def _losses(scenario: Scenario) -> Iterator[Relaxation]:
    asked = scenario.availability.asked
    if asked.lost_zone_count and asked.zones > 1:
        words = "a zone may be lost" if asked.lost_zone_count == 1 else f"{asked.lost_zone_count} zones may be lost"
        gives_up = "the limits, and what one zone holds, while it is away"
        yield Relaxation(words, gives_up, {"availability.lost_zone_count": 0}, "loss")
    if asked.lost_node_count:
        words = (
            "a node more may be lost" if asked.lost_node_count == 1 else f"{asked.lost_node_count} nodes may be lost"
        )
        gives_up = "the limits, until a lost node is replaced"
        yield Relaxation(words, gives_up, {"availability.lost_node_count": 0}, "loss")


def _of_tiers(scenario: Scenario, fleet: Fleet) -> Iterator[Relaxation]:
    for name, settings in scenario.tiers.items():
        if registry.has("tiers", settings.KIND, "relaxations"):
            site = Site(name, settings, scenario, fleet.tiers)
            yield from registry.load("tiers", settings.KIND, "relaxations").relaxations(site)


def _promises(scenario: Scenario, fleet: Fleet) -> Iterator[Relaxation]:
    for name, load in scenario.driven.items():
        if is_sudden(scenario, fleet, load):
            gives_up = "its limits, until nodes for it have started"
            path = f"loads.{name}.duration_s"
            yield Relaxation(f"load {name} may come to the scaled-in fleet", gives_up, {path: ANSWERED_S}, "promise")
    if scenario.loads:
        gives_up = f"speed: answers may take {LAXER} times as long"
        yield Relaxation("latency limits", gives_up, _limits(scenario, LAXER), "promise")
    for figure, limits in scenario.gates.items():
        changes = _ungated(figure, limits)
        if changes and not figure.startswith(("cost_", "latency_ms_", "action_latency_ms_")):
            yield Relaxation(f"{figure} {', '.join(limits)}", "what the gate is for", changes, "promise")


def _limits(scenario: Scenario, factor: float) -> dict[str, Any]:
    """Return the latency limits of all loads so many times as long, and the gates that say the same if they are."""
    changes: dict[str, Any] = {}
    for name, load in scenario.loads.items():
        for field in ("latency_ms_p95", "latency_ms_p99"):
            if (limit := getattr(load, field)) is not None:
                changes[f"loads.{name}.{field}"] = limit * factor
    if factor > 1:
        for figure, limits in scenario.gates.items():
            if figure.startswith(("latency_ms_", "action_latency_ms_")):
                changes |= _ungated(figure, limits)
    return changes


def _ungated(figure: str, limits: list[str]) -> Mapping[str, Any]:
    """Return the gate on a figure as one that is always passed; nothing where it asks for one value."""
    operators = [limit.partition(" ")[0] for limit in limits]
    if not all(operator in NO_LIMIT for operator in operators):
        return {}
    return {f'gates."{figure}"': [NO_LIMIT[operators[0]]]}


def _free(scenario: Scenario) -> Iterator[Relaxation]:
    """Yield what the search may not choose, and how it may not pay."""
    free = scenario.optimize
    allowed: tuple[tuple[str, Any, Any], ...] = (
        ("burstable", free.burstable, None),
        ("families", free.families, None),
        ("architecture", free.architecture, "any"),
        ("pools", free.pools, "any"),
    )
    for field, present, any_ in allowed:
        if present != any_:
            said = ", ".join(present) or "none" if isinstance(present, list) else present
            path = f"optimize.{field}"
            yield Relaxation(f"{path}: {said}", "what it is restricted for", {path: any_}, "choice")
    for path in free.keep:
        yield Relaxation(f"{path} is kept", "what it is kept for", {}, "choice", frees=(path,))
    yield from _payments(scenario)


def _payments(scenario: Scenario) -> Iterator[Relaxation]:
    free = scenario.optimize
    for years in YEARS:
        if years > (free.commitment_years_max or 0):
            length = "a year" if years == 1 else f"{years} years"
            gives_up = f"less use for {length}: it is paid all the same"
            path = "optimize.commitment_years_max"
            yield Relaxation(f"nothing is committed for {length}", gives_up, {path: years}, "payment", counts_stay=True)
    if free.upfront_usd_max is not None:
        words, gives_up = f"${free.upfront_usd_max:,.0f} on the first day at most", "cash on the first day"
        yield Relaxation(words, gives_up, {"optimize.upfront_usd_max": None}, "payment", counts_stay=True)
    if free.spot is None:
        gives_up = "half of the nodes, at two minutes' notice"
        yield Relaxation("no node is spot", gives_up, {"optimize.spot": {}}, "payment", counts_stay=True)
