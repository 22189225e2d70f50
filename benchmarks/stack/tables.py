"""What was measured and predicted, in lines of 80 columns."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import Final

from servers import program

from stack.demands import Demands
from stack.levels import Figures, Seen
from stack.predictions import HeldOut, Predicted

WIDTH: Final = 80
PACKAGES: Final = ("fastapi", "uvicorn", "uvloop", "asyncpg", "redis", "locust")
PROGRAMS: Final = {"postgres": "PostgreSQL", "pgbouncer": "PgBouncer", "redis-server": "Redis"}
HEAD: Final = f"{'':24}{'requests/s':>12}{'p50 ms':>11}{'p95 ms':>11}{'p99 ms':>11}{'API busy':>10}"


def machine() -> Iterator[str]:
    """Yield what it was measured on, and with what."""
    model = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    yield f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} x {model}, Linux {platform.release()}"
    programs = [_program_version(name, title) for name, title in PROGRAMS.items()]
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    yield fill(", ".join([*programs, f"Python {platform.python_version()}", *packages]), WIDTH)


def _program_version(name: str, title: str) -> str:
    text = subprocess.run([program(name), "--version"], capture_output=True, text=True, check=True).stdout
    return f"{title} {next(word.removeprefix('v=') for word in text.split() if word.removeprefix('v=')[0].isdigit())}"


def demanded(demands: Demands) -> Iterator[str]:
    """Yield the demands as fields of a scenario."""
    for action, fields in demands.actions.items():
        yield _fields(f"actions.{action}", fields)
    for tier, fields in demands.tiers.items():
        yield _fields(f"tiers.{tier}", fields)


def _fields(where: str, fields: Mapping[str, float]) -> str:
    words = "  ".join(f"{name}={value:.3g}" for name, value in fields.items())
    return fill(words, WIDTH, initial_indent=f"  {where:24}", subsequent_indent=" " * 26).replace("=", " ")


def compared(levels: Sequence[Seen], told: Predicted) -> Iterator[str]:
    """Yield a load's measured figures, those predicted, and the errors; of all requests and by action.

    Of a load that was held more than once, each measured figure is the median.
    """
    measured = middle([level.overall for level in levels])
    yield _row(f"{levels[0].load}, {levels[0].users} users", measured, median(level.busy["api"] for level in levels))
    yield _row("  predicted", told.overall, told.busy)
    yield _errors(told.overall, measured)
    for action, predicted in told.by_action.items():
        own = middle([level.by_action[action] for level in levels])
        yield _row(f"  {action}", own)
        yield _row("    predicted", predicted)
        yield _errors(predicted, own)


def calibrated(measured: Mapping[str, Sequence[Seen]], told: Mapping[str, HeldOut]) -> Iterator[str]:
    """Yield what is predicted of each load from a calibration by the others, the errors, and the interval of p95."""
    for load, each in told.items():
        found = middle([level.overall for level in measured[load]])
        yield _row(load, each.overall)
        interval = f"   p95 {each.latency_ms_p95_min:.1f} to {each.latency_ms_p95_max:.1f}"
        yield _errors(each.overall, found)
        yield f"{'':36}{interval}, measured {found.latency_ms_p95:.1f}"


def middle(figures: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return Figures(*(median(each) for each in zip(*map(astuple, figures), strict=True)))


def errors(told: Figures, measured: Figures) -> list[float]:
    """Return predicted over measured, less 1, of each figure."""
    return [of / by - 1 for of, by in zip(astuple(told), astuple(measured), strict=True)]


def _row(name: str, figures: Figures, busy: float | None = None) -> str:
    per_s, *latencies = astuple(figures)
    last = "" if busy is None else f"{busy:10.0%}"
    return f"{name:24}{per_s:12.1f}" + "".join(f"{each:11.1f}" for each in latencies) + last


def _errors(told: Figures, measured: Figures) -> str:
    per_s, *latencies = errors(told, measured)
    return f"{'':24}{per_s:+12.1%}" + "".join(f"{each:+11.0%}" for each in latencies)


def noise(measured: Mapping[str, Sequence[Seen]]) -> Iterator[str]:
    """Yield how quiet the machine was while each load was held, and which latencies nobody should judge by it."""
    (first, *_), *_ = measured.values()
    parts = list(first.busy)
    yield f"{'waiting over running of':24}" + "".join(f"{part:>9}" for part in parts) + f"{'steal':>9}"
    for load, levels in measured.items():
        for level in levels:
            waits = "".join(f"{level.waited[part]:9.0%}" for part in parts)
            yield f"  {load:22}{waits}{level.stolen:9.1%}"
            if level.noise:
                words = f"TOO NOISY to judge latencies by: {level.noise}"
                yield fill(words, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)
