"""Load tests of the scenario's named loads, for Locust and k6, and a test of the open connections."""

from __future__ import annotations

from cascade_plan.emitters.loadtest import _k6 as k6
from cascade_plan.emitters.loadtest import _locust as locust
from cascade_plan.emitters.loadtest import _run_script as run_script
from cascade_plan.emitters.loadtest import _websocket_test as websocket_test
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.websocket.settings import Settings as WebSocketSettings

COMMAND = "loadtest"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("prometheus",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("plan",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ()
"""The only clouds it writes for; empty for any."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the load tests of the named loads, and a test of the open connections; none of what is not there."""
    tests = (locust.locustfile(plan), run_script.script(plan), k6.script(plan)) if plan.scenario.loads else ()
    return (*tests, *(websocket_test.script(plan, sockets) for sockets in plan.of(WebSocketSettings)))
