"""What cascade-plan predicts of the stack from the demands that were measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cascade_plan.planning.chain import predict
from cascade_plan.planning.latencies import chain_for
from stack.levels import Figures
from stack.scenarios import planned


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is predicted of a load."""

    overall: Figures
    by_action: Mapping[str, Figures]
    busy: Mapping[str, float]
    """Busy share of each place."""


def predicted(path: Path) -> Mapping[str, Predicted]:
    """Return what the plan of a scenario's file predicts of each of its loads."""
    plan, found = planned(path), {}
    for name, load in plan.scenario.driven.items():
        told = predict(chain_for(plan.scenario, plan.fleet, load), load.users)
        overall = Figures(told.requests_per_s, told.latency_ms_p50, told.latency_ms_p95, told.latency_ms_p99)
        found[name] = Predicted(overall, {}, told.utilisation_ratio)
    return found
