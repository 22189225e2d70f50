"""Load tests of the scenario's named loads, for Locust and k6, and a test of the open connections."""

from __future__ import annotations

from cascade_plan.emitters.loadtest import _k6 as k6
from cascade_plan.emitters.loadtest import _locust as locust
from cascade_plan.emitters.loadtest import _run_script as run_script
from cascade_plan.emitters.loadtest import _websocket_test as websocket_test
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "loadtest"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("prometheus",)
"""The emitters whose files are applied before these."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the load tests; without named loads only the test of the open connections."""
    if not plan.scenario.loads:
        return (websocket_test.script(plan),)
    return locust.locustfile(plan), run_script.script(plan), k6.script(plan), websocket_test.script(plan)
