"""The simulation for programs."""

from __future__ import annotations

from typing import Any

from cascade_plan.model.replay import Replay, Simulation
from cascade_plan.reports._document import written
from cascade_plan.reports.days._outcomes import COLUMNS, values

FORMAT: str = "JSON: every outcome of every service unrounded, money as text, null for a latency without an end"


def render(simulation: Simulation) -> str:
    """Return the simulation as JSON."""
    return written(
        {
            "schema_version": 1,
            "scenario": simulation.scenario,
            "traffic": simulation.traffic,
            "trace": simulation.trace or None,
            "limits": list(simulation.limits),
            "day_count": simulation.day_count,
            "run_count": simulation.run_count,
            "seed": simulation.seed,
            "cost_usd_per_month": simulation.cost_usd_per_month,
            "services": [_service(replay) for replay in simulation.replays],
        }
    )


def _service(replay: Replay) -> dict[str, Any]:
    return {
        "service": replay.service,
        "request_share": replay.request_share,
        "outcomes": [dict(zip(COLUMNS, values(replay, outcome), strict=True)) for outcome in replay.outcomes],
        "recommended": replay.recommended,
        "reason": replay.reason,
    }
