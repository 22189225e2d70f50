"""The system under the load tests: the plan's routes on loopback, a scenario small enough, and its artefacts."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers import free_port, listening, running

from cascade_plan.emitters.loadtest import artefacts as loadtest
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

SETS = (
    ("--set", "users.tenants", "4"),
    ("--set", "behaviour.think_time_s", "{min: 0.05, max: 0.15}"),
    ("--set", "loads", "{small: {users: 20, spawn_rate_per_s: 300, duration_s: 3, latency_ms_p95: 200}}"),
    ("--set", "gates", "{}"),
)
"""The bundled scenario for 20 users without a pause worth the name; few tenants, so that each has a room of several."""


ALONE = (
    ("--set", "tiers.websocket", "off"),
    ("--set", "behaviour.tenant_header", "X-Customer"),
    ("--set", "behaviour.login.request", "POST /sessions"),
    ("--set", "behaviour.login.user_field", "name"),
    ("--set", "behaviour.login.password_field", "secret"),
    ("--set", "behaviour.login.token_field", "access_token"),
)
"""Nobody keeps a connection open, so nobody shares a room; who logs in does so in other words than the case study's."""


def small(*more: tuple[str, str, str]) -> Plan:
    """Return the plan of the small scenario, with more values set."""
    given = read("cascade", (*SETS, *more))
    return plan(given.scenario, given.book, given.origins)


def emitted(directory: Path, made: Plan) -> None:
    """Write the load tests of a plan."""
    for artefact in loadtest.render(made):
        (directory / artefact.path).write_text(artefact.text, encoding="utf-8")


ANONYMOUS = (("--set", "behaviour.login", "none"),)
"""No request carries a token."""


@dataclass(frozen=True)
class System:
    """A running server."""

    http: str
    ws: str

    def seen(self) -> dict[str, dict[str, int]]:
        """Return what was asked so far: counts by route, tenant, account and room."""
        with urllib.request.urlopen(f"{self.http}/seen", timeout=10) as answer:
            seen: dict[str, Any] = json.load(answer)
        return seen


@contextmanager
def system(directory: Path, delay_ms: int = 0) -> Iterator[System]:
    """Run the server until the block ends, each answer later by `delay_ms`."""
    http, ws = free_port(), free_port()
    command = [sys.executable, str(Path(__file__).parent / "loadtest_server.py"), str(http), str(ws), str(delay_ms)]
    with running(command, lambda: listening(http) and listening(ws), directory / "server.log"):
        yield System(f"http://127.0.0.1:{http}", f"ws://127.0.0.1:{ws}/ws")
