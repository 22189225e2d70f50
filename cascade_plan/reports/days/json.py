"""The simulation for programs."""

from __future__ import annotations

from cascade_plan.model.replay import Replay
from cascade_plan.reports._document import written
from cascade_plan.reports.days._outcomes import COLUMNS, values

FORMAT: str = "JSON: every outcome unrounded, money as text, null for a latency without an end"


def render(replay: Replay) -> str:
    """Return the simulation as JSON."""
    return written(
        {
            "schema_version": 1,
            "scenario": replay.scenario,
            "traffic": replay.traffic,
            "day_count": replay.day_count,
            "run_count": replay.run_count,
            "seed": replay.seed,
            "outcomes": [dict(zip(COLUMNS, values(replay, outcome), strict=True)) for outcome in replay.outcomes],
            "recommended": replay.recommended,
            "reason": replay.reason,
        }
    )
