"""What cascade-plan predicts of the stack from the demands that were measured of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cascade_plan.planning.latencies import chain_for
from cascade_plan.planning.predicting import predict
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


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What is predicted of a load from the calibration by all others."""

    overall: Figures
    latency_ms_p95_min: float
    latency_ms_p95_max: float
    """With the CPU time at either end of what it moves by chance and from run to run."""


def held_out(scenario: Path, runs: Sequence[Path]) -> Mapping[str, HeldOut]:
    """Return load -> what `cascade-plan calibrate` predicts of it from the runs of the others.

    Raises ChildProcessError with what it said when it fails.
    """
    command = [sys.executable, "-m", "cascade_plan", "calibrate", *map(str, runs), "--scenario", str(scenario)]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildProcessError(f"cascade-plan calibrate: {done.stderr}")
    told: dict[str, dict[str, Any]] = {}
    for trial in json.loads(done.stdout)["trials"]:
        if trial["is_held_out"]:
            told.setdefault(trial["run"], {})[trial["figure"]] = trial
    names = [field.name for field in fields(Figures)]
    return {
        load: HeldOut(
            Figures(*(each[name]["value_predicted"] for name in names)),
            *(each["latency_ms_p95"][end] for end in ("value_min", "value_max")),
        )
        for load, each in told.items()
    }
