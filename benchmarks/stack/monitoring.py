"""What monitoring would tell of a load, in files that `calibrate` reads: a series a second, and counters around it."""

from __future__ import annotations

import csv
import subprocess
from datetime import UTC, datetime
from math import ceil, floor
from pathlib import Path
from typing import Final

import numpy as np
from servers import program

from stack.levels import Level
from stack.scenarios import ACTIONS
from stack.serving import DATABASE, PASSWORD, Stack

STATEMENTS: Final = """
    SELECT query, calls, rows, total_exec_time, mean_exec_time, stddev_exec_time,
           plans, total_plan_time, mean_plan_time, stddev_plan_time
    FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid WHERE datname = current_database()
"""
PARTS: Final = ("api", "database", "pool", "cache")


def counters(stack: Stack, directory: Path, name: str) -> None:
    """Write what PostgreSQL and PgBouncer have counted so far, as psql prints it."""
    asked = {
        "database": (stack.ports["database"], DATABASE, "postgres", STATEMENTS),
        "pool": (stack.ports["pool"], "pgbouncer", "pgbouncer_stats", "SHOW STATS"),
    }
    for part, (port, database, user, query) in asked.items():
        address = f"host=127.0.0.1 port={port} user={user} dbname={database}"
        command = [program("psql"), "-X", "--csv", "-c", query, address]
        text = subprocess.run(command, capture_output=True, check=True, env={"PGPASSWORD": PASSWORD}).stdout
        (directory / f"{name}.{part}.csv").write_bytes(text)


def series(level: Level, path: Path) -> None:
    """Write the series of a load: whole seconds from its begin, and what is measured in the second that begins then."""
    samples = level.samples
    clock = np.arange(ceil(samples[0].at_s), floor(samples[-1].at_s) + 1)
    at_s = np.array([sample.at_s for sample in samples])

    def rate(totals: list[float]) -> np.ndarray:
        return np.diff(np.interp(clock, at_s, np.array(totals)))

    columns: dict[str, np.ndarray] = {
        f"cores:{part}": rate([sample.used[part].cpu_s for sample in samples]) for part in PARTS
    }
    columns["requests_per_s"] = np.histogram(level.at_s, clock)[0].astype(float)
    for index, action in enumerate(ACTIONS):
        own = level.at_s[level.action == index]
        columns[f"route_requests_per_s:{action}"] = np.histogram(own, clock)[0].astype(float)
    # Each miss is followed by a command that keeps what was read.
    columns["cache_hits_per_s:cache"] = rate([float(sample.lookups - sample.misses) for sample in samples])
    columns["cache_misses_per_s:cache"] = rate([float(sample.misses) for sample in samples])
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time", *columns])
        for index, start_s in enumerate(clock[:-1]):
            time = f"{datetime.fromtimestamp(float(start_s), UTC):%Y-%m-%dT%H:%M:%SZ}"
            rows.writerow([time, *(f"{max(0.0, values[index]):.5f}" for values in columns.values())])
