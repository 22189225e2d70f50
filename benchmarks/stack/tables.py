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
from typing import Final

from servers import program

from stack.demands import Demands
from stack.levels import Figures, Level
from stack.predictions import Predicted
from stack.scenarios import ACTIONS

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
    said = [_program_version(name, title) for name, title in PROGRAMS.items()]
    yield f"{', '.join(said)}, Python {platform.python_version()},"
    yield ", ".join(f"{name} {version(name)}" for name in PACKAGES)


def _program_version(name: str, title: str) -> str:
    text = subprocess.run([program(name), "--version"], capture_output=True, text=True, check=True).stdout
    return f"{title} {next(word.removeprefix('v=') for word in text.split() if word.removeprefix('v=')[0].isdigit())}"


def demanded(demands: Demands) -> Iterator[str]:
    """Yield the demands as fields of a scenario."""
    for action, fields in demands.actions.items():
        yield f"  actions.{action:16}" + "  ".join(f"{name} {value:.2f}" for name, value in fields.items())
    for tier, fields in demands.tiers.items():
        yield f"  tiers.{tier:18}" + "  ".join(f"{name} {value:.3g}" for name, value in fields.items())


def compared(percent: int, levels: Sequence[Level], told: Mapping[str, Predicted]) -> Iterator[str]:
    """Yield a load's predicted figures (by what they are predicted from), those measured, and the errors.

    Of a load that was held more than once, each measured figure is the median.
    """
    measured = middle([level.figures() for level in levels])
    busy = median(level.busy("api") for level in levels)
    yield _row(f"{percent}% {levels[0].users:5} users measured", measured, busy)
    for name, each in told.items():
        yield _row(name, each.overall, each.busy["api"])
        yield _errors(each.overall, measured)
    for action in ACTIONS:
        own = middle([level.figures(action) for level in levels])
        yield _row(f"  {action}", own)
        for name, each in told.items():
            if action in each.by_action:
                yield _row(f"    {name}", each.by_action[action])
                yield _errors(each.by_action[action], own)


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


def noise(percent: int, level: Level) -> str:
    """Return how quiet the machine was while a load was held."""
    said = f"{percent}%: steal {level.stolen:.1%}; waiting over running: " + ", ".join(
        f"{part} {level.waited(part):.0%}" for part in level.samples[0].used
    )
    return said + (f"\n  TOO NOISY to judge latencies by: {level.noise}" if level.noise else "")
