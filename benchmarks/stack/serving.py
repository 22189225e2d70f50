"""Starts the stack with what cascade-plan emits for it, each part on its core, and stops all of it by its id."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from postgres import Server, pgbouncer, postgres
from servers import free_port, listening, program, running

from cascade_plan.emitters import directory as emitting
from cascade_plan.model.plan import Plan
from stack import machine
from stack.scenarios import HIT_RATIO, planned, written

HERE: Final = Path(__file__).parent
DATABASE: Final = "cascade"
POOLED: Final = "cascade_standard"
"""What the emitted pgbouncer.ini calls the pool of its only class of tenants."""
CONNECTIONS_OF_POD: Final = 15
"""tiers.api.connections_per_pod, as SQLAlchemy's default."""
PASSWORD: Final = "loopback"
TENANTS: Final = 100
PER_TENANT: Final = 20
USERS_MOST: Final = TENANTS * PER_TENANT
WORK: Final = 32
"""JSON documents a request goes through, so that it takes some 3 ms and the API is full before anything else is."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    ports: Mapping[str, int]
    """Where each part listens, on 127.0.0.1: api, database, pool, cache."""
    processes: Mapping[str, int]
    """The root process of each part."""
    own_core: int
    """The API's."""
    shared_core: int
    """That of all others, and of who asks."""

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.ports['api']}"

    def used(self) -> Mapping[str, machine.Used]:
        """Return what each part used of the CPU so far."""
        return {name: machine.used(process) for name, process in self.processes.items()}

    def control(self, hit_ratio: float = HIT_RATIO, is_recording: bool = False) -> list[list[int]]:
        """Set how the application behaves; return the bursts that it recorded of each request since, in ns."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.ports["api"], timeout=30)) as connection:
            connection.request("PUT", f"/control?hit_ratio={hit_ratio}&is_recording={is_recording}")
            found: list[list[int]] = json.load(connection.getresponse())
            return found


@contextmanager
def serving(home: Path, document: Mapping[str, Any], own_core: int, shared_core: int) -> Iterator[Stack]:
    """Run the stack with the files that are emitted for a scenario until the block ends, the API on a core of its own.

    Raises AssertionError with what a program said when it does not start or refuses a file.
    """
    scenario = home / "scenario.yaml"
    settings = emitted(planned(written(scenario, document)), home / "first")["database/postgresql.conf"]
    with postgres(settings) as server, ExitStack() as started:
        database = {**document["tiers"]["database"], "host": "127.0.0.1", "port": server.port}
        tiers = {**document["tiers"], "database": database}
        files = emitted(planned(written(scenario, {**document, "tiers": tiers})), home / "emitted")
        _fill(server, files)
        userlist = f'"pgbouncer_admin" "admin"\n"pgbouncer_stats" "{PASSWORD}"\n"app_user" "{PASSWORD}"\n'
        # The server of the stack has no certificate.
        pooled = pgbouncer(files["database/pgbouncer.ini"], userlist, {"server_tls_sslmode": "disable"})
        ports = {"database": server.port, "pool": started.enter_context(pooled)}
        ports["cache"] = started.enter_context(_redis(home))
        ports["api"], api = started.enter_context(_api(home, ports))
        processes = {"api": api, "database": machine.child("postgres"), "pool": machine.child("pgbouncer"),
                     "cache": machine.child("redis-server")}  # fmt: skip
        for name, process in processes.items():
            machine.pin(process, own_core if name == "api" else shared_core)
        yield Stack(ports, processes, own_core, shared_core)


def emitted(plan: Plan, directory: Path) -> dict[str, str]:
    """Write what `emit-all` writes for a plan; return its texts by path."""
    texts = {each.path: each.text for each in emitting.everything(plan).files}
    for path, text in texts.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")
    return texts


def _fill(server: Server, files: Mapping[str, str]) -> None:
    """Make the tables with their rows, and apply the emitted SQL."""
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    rows = f"\\set TENANTS {TENANTS}\n\\set PER_TENANT {PER_TENANT}\n" + (HERE / "schema.sql").read_text(
        encoding="utf-8"
    )
    server.apply(rows, DATABASE)
    for name in ("tenant_column", "indexes", "tenancy"):
        server.apply(files[f"database/{name}.sql"], DATABASE)
    server.apply("CREATE EXTENSION pg_stat_statements", DATABASE)
    server.apply("VACUUM ANALYZE", DATABASE)


@contextmanager
def _redis(home: Path) -> Iterator[int]:
    """Run Redis in memory only, and yield its port."""
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(command, lambda: listening(port), home / "redis.log", cwd=home):
        yield port


@contextmanager
def _api(home: Path, ports: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Run the application in one process of uvicorn, and yield its port and its process."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "application:app", "--host", "127.0.0.1", "--port", str(port),
               "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
               "--backlog", "4096"]  # fmt: skip
    environment = {
        **os.environ,
        "DATABASE": f"postgresql://app_user:{PASSWORD}@127.0.0.1:{ports['pool']}/{POOLED}",
        "CACHE": f"redis://127.0.0.1:{ports['cache']}",
        "WORK": str(WORK), "HIT_RATIO": str(HIT_RATIO),
        "CONNECTIONS": str(CONNECTIONS_OF_POD),
        "PYTHONPATH": os.pathsep.join((str(HERE), str(home / "emitted" / "monitoring"))),
    }  # fmt: skip
    with running(command, lambda: listening(port), home / "api.log", env=environment, cwd=home) as process:
        yield port, process.pid
