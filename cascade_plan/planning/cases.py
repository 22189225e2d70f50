"""What a fleet must keep, and what is left of it to keep it with: each load, after a zone and a node are lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cascade_plan.formulas.losses import after_loss
from cascade_plan.model.fleet import Fleet, Lever
from cascade_plan.model.scenario import USERS_PEAK, Load, Scenario
from cascade_plan.planning.ceilings import broken
from cascade_plan.planning.latencies import is_sudden

Counts = Mapping[str, int]
"""Lever -> its count."""


class Case(NamedTuple):
    """Acting users and the limits that they are promised."""

    name: str
    """The load's, or users.peak, or users.average."""
    users: int
    latency_ms_p95: float
    latency_ms_p99: float | None

    @classmethod
    def of(cls, scenario: Scenario, name: str, load: Load) -> Case:
        """Return the case of a named load, with what the scenario's gates ask of its latency beyond its limits."""
        return cls(name, load.users, *_limits(scenario, name, load.latency_ms_p95, load.latency_ms_p99))


def base_cases(scenario: Scenario) -> list[Case]:
    """Return what the base fleet must keep: every load, and the scenario's peak where no load is as high."""
    cases = [Case.of(scenario, name, load) for name, load in scenario.driven.items()]
    if all(case.users < scenario.users.peak for case in cases):
        cases.append(Case("users.peak", scenario.users.peak, *_limits(scenario, USERS_PEAK, *scenario.strictest)))
    return cases


def floor_cases(scenario: Scenario, fleet: Fleet) -> list[Case]:
    """Return what the scaled-in fleet must keep: the average, and the loads too sudden to scale for."""
    loads = scenario.driven.items()
    sudden = [Case.of(scenario, name, load) for name, load in loads if is_sudden(scenario, fleet, load)]
    return [Case("users.average", scenario.users.average, *scenario.strictest), *sudden]


def held_cases(scenario: Scenario, fleet: Fleet) -> list[Case]:
    """Return the loads that an autoscaler answers with fewer than there are at the peak, once it has answered.

    With nothing lost, what it holds for them must keep their limits: that is how a plan judges them.
    """
    return [
        Case.of(scenario, name, load)
        for name, load in scenario.driven.items()
        if load.users < scenario.users.peak and not is_sudden(scenario, fleet, load)
    ]


def _limits(scenario: Scenario, load: str, p95_ms: float, p99_ms: float | None) -> tuple[float, float | None]:
    """Return the limits of a load's p95 and p99, those that gates set to the figures among them."""

    def gates(percentile: str) -> list[float]:
        listed = (gate.split() for gate in scenario.gates.get(f"latency_ms_{percentile}.{load}", ()))
        return [float(limit) for symbol, limit in listed if symbol in ("<", "<=")]

    every_p99 = [*gates("p99"), *([] if p99_ms is None else [p99_ms])]
    return min([*gates("p95"), p95_ms]), min(every_p99, default=None)


def left(scenario: Scenario, lever: Lever, count: int) -> int:
    """Return what is left of a lever's count when the zones and nodes are lost that the scenario plans for."""
    asked = scenario.availability.asked
    zones_lost = asked.lost_zone_count if lever.spread else 0
    nodes_lost = asked.lost_node_count if lever.spread == "nodes" else 0
    return after_loss(count, asked.zones, zones_lost, nodes_lost)


def all_left(scenario: Scenario, levers: Iterable[Lever], counts: Counts) -> dict[str, int]:
    """Return what is left of the counts of some levers."""
    return {lever.name: left(scenario, lever, counts[lever.name]) for lever in levers}


def unfit(case: Case, scenario: Scenario, fleet: Fleet, average_per_s: float, counts: Counts, kept: Counts) -> str:
    """Return why what is `kept` of some counts cannot carry a case whatever its latency, in words, or "".

    Nothing is left of what an autoscaler moves, or too little for what must stand on it, or a ceiling is broken; what
    counts over a day is held against `average_per_s`, the mean of the day.
    """
    for lever in fleet.levers:
        if lever.is_scaled and lever.name in kept:
            if not kept[lever.name]:
                return f"{counts[lever.name]} nodes leave none when a zone and a node are lost"
            if kept[lever.name] < (least := lever.left_least_count):
                left = f"{counts[lever.name]} nodes leave {kept[lever.name]} when a zone and a node are lost"
                return f"{left}, and what must stand on them fills {least}"
    return broken(fleet, case.users / scenario.behaviour.think_time_s.mean, average_per_s, kept)
