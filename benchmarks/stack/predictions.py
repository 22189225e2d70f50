"""What cascade-plan predicts of the stack from the demands that were measured of it: its own program is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from stack.levels import QUANTILES, Figures
from stack.scenarios import ACTIONS, share

BUSY: Final = "busy share of api"
"""What the plan calls it among the inputs of a load's figures."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is predicted of a load."""

    overall: Figures
    by_action: Mapping[str, Figures]
    busy: float
    """Share of the API's time."""


def predicted(scenario: Path) -> Mapping[str, Predicted]:
    """Return what the plan of a scenario's file predicts of each of its loads. Raises as `told` does."""
    plan, found = told("size", str(scenario)), {}
    figures = plan["figures"]
    for load in plan["scenario"]["loads"]:
        per_s = figures["requests_per_s"][load]
        inputs = {each["name"]: each["value"] for each in plan["derivations"][f"requests_per_s.{load}"]["inputs"]}
        own = {name: figures[f"action_latency_ms_{name}"][load] for name in QUANTILES}
        by_action = {
            action: Figures(per_s * share(action), *(own[name][action] for name in QUANTILES)) for action in ACTIONS
        }
        overall = Figures(per_s, *(figures[f"latency_ms_{name}"][load] for name in QUANTILES))
        found[load] = Predicted(overall, by_action, inputs[BUSY])
    return found


def told(*arguments: str) -> Any:
    """Return the JSON that a command of cascade-plan prints. Raises ChildProcessError with what it said if it fails."""
    command = [sys.executable, "-m", "cascade_plan", *arguments, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildProcessError(f"cascade-plan {arguments[0]}: {done.stderr}")
    return json.loads(done.stdout)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What is predicted of a load from the calibration by all others."""

    overall: Figures
    latency_ms_p95_min: float
    latency_ms_p95_max: float
    """With the CPU time at either end of what it moves by chance and from run to run."""


def held_out(scenario: Path, runs: Sequence[Path]) -> Mapping[str, HeldOut]:
    """Return load -> what `calibrate` predicts of it from the runs of the others. Raises as `told` does."""
    trials: dict[str, dict[str, Any]] = {}
    for trial in told("calibrate", *map(str, runs), "--scenario", str(scenario))["trials"]:
        if trial["is_held_out"]:
            trials.setdefault(trial["run"], {})[trial["figure"]] = trial
    names = [field.name for field in fields(Figures)]
    return {
        load: HeldOut(
            Figures(*(each[name]["value_predicted"] for name in names)),
            *(each["latency_ms_p95"][end] for end in ("value_min", "value_max")),
        )
        for load, each in trials.items()
    }
