"""One load of the emitted Locust file, unmodified: every response, and what each part of the stack used each second."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import redis

from stack import machine
from stack.scenarios import ACTIONS
from stack.serving import HERE, PASSWORD, Stack

QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
NAMES: Final = {str(fields["request"]).split()[1]: name for name, fields in ACTIONS.items()}
"""What the locustfile calls an action -> the action."""
SAMPLE_S: Final = 1.0
START_S: Final = 120.0
"""By when a load must have ended beside the time that it is held."""
STOLEN_MOST: Final = 0.01
TAKEN_MOST: Final = 0.1
"""Share of what the API leaves of its core: a p95 is off by about as much."""
TAKEN_LEAST: Final = 0.005
"""Waits that are only the time it takes to wake up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the machine had done at a moment."""

    at_s: float
    """Since 1970."""
    used: Mapping[str, machine.Used]
    cores: Mapping[int, machine.Core]
    lookups: int
    """Reads that the cache was asked for."""
    misses: int
    """Those that it did not answer."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What users of an action, or of all, saw."""

    requests_per_s: float
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a load that was held for a while."""

    load: str
    users: int
    seconds: float
    failures: int
    overall: Figures
    by_action: Mapping[str, Figures]
    latency_ms_mean: float
    busy: Mapping[str, float]
    """Cores that each part used, and Locust."""
    waited: Mapping[str, float]
    """How long each waited for its core over how long it ran."""
    stolen: float
    """The share of the time that the hypervisor kept from the machine."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Seen:
        """Return what JSON says."""
        by_action = {action: Figures(**each) for action, each in document["by_action"].items()}
        own = {field.name: document[field.name] for field in fields(cls)}
        return cls(**{**own, "overall": Figures(**document["overall"]), "by_action": by_action})

    @property
    def noise(self) -> str:
        """Why the machine was too noisy to judge latencies by; "" where it was not."""
        found = []
        if self.stolen > STOLEN_MOST:
            found.append(f"the hypervisor took {self.stolen:.0%} of the time")
        taken = self.waited["api"] * self.busy["api"]
        # What others take of a core moves its queue as the same part of what it has left does.
        if taken > TAKEN_LEAST and taken > TAKEN_MOST * (left := max(0.0, 1 - self.busy["api"])):
            found.append(f"others had {taken:.1%} of the API's core while it had {left:.0%} left")
        return " and ".join(found)


@dataclass(frozen=True, slots=True)
class Level:
    """A load that was held for a while: every response, and the machine each second."""

    load: str
    users: int
    seconds: float
    at_s: np.ndarray
    """When each response within these seconds came."""
    action: np.ndarray
    """Of which action, as an index into ACTIONS."""
    latency_ms: np.ndarray
    failures: int
    samples: Sequence[Sample]
    """A second apart, from the begin of the load to its end."""

    def seen(self) -> Seen:
        """Return what is known of it."""
        first, last = self.samples[0], self.samples[-1]
        span_s = last.at_s - first.at_s
        ran_s = {part: last.used[part].cpu_s - first.used[part].cpu_s for part in first.used}
        waited_s = {part: last.used[part].waited_s - first.used[part].waited_s for part in first.used}
        stolen_s = sum(last.cores[core].stolen_s - first.cores[core].stolen_s for core in first.cores)
        return Seen(
            self.load,
            self.users,
            self.seconds,
            self.failures,
            self._figures(self.latency_ms),
            {name: self._figures(self.latency_ms[self.action == place]) for place, name in enumerate(ACTIONS)},
            float(self.latency_ms.mean()),
            {part: ran_s[part] / span_s for part in ran_s},
            {part: waited_s[part] / ran_s[part] for part in ran_s},
            stolen_s / span_s / len(first.cores),
        )

    def _figures(self, latency_ms: np.ndarray) -> Figures:
        rate = len(latency_ms) / self.seconds
        return Figures(rate, *(float(np.quantile(latency_ms, share)) for share in QUANTILES.values()))


def run_of(home: Path, load: str) -> Path:
    """Return the directory of what Locust and monitoring leave of a load, as `calibrate` takes it."""
    directory = home / "runs" / load
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def run(stack: Stack, home: Path, load: str, users: int, seconds: float, is_preferred: bool = True) -> Level:
    """Run Locust with a load and return what was measured while it was held.

    Raises ChildProcessError with what Locust said when it fails; that a limit is missed is no failure.
    """
    directory, responses = run_of(home, load), home / f"{load}.responses.csv"
    responses.unlink(missing_ok=True)
    command = [sys.executable, "-m", "locust", "-f", f"locustfile.py,{HERE / 'responses.py'}", "--headless",
               "--only-summary", "--host", stack.url, "--csv", str(directory / load)]  # fmt: skip
    environment = {
        **os.environ, "LOADTEST_LOAD": load, "LOADTEST_PASSWORD": PASSWORD, "RESPONSES": str(responses),
    }  # fmt: skip
    log = home / f"{load}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=home / "emitted" / "loadtest", env=environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            machine.pin(process.pid, stack.shared_core)
            with machine.preferred([*stack.processes.values()], [process.pid], is_preferred):
                samples = _sampled(stack, process, seconds + START_S)
        finally:
            process.kill()
            process.wait()
    if not responses.exists():
        raise ChildProcessError(f"Locust ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
    return _read(responses, stack, load, users, seconds, samples)


def _sampled(stack: Stack, process: subprocess.Popen[bytes], most_s: float) -> list[Sample]:
    """Return a sample a second until Locust ends. Raises ChildProcessError when it does not in time."""
    deadline_s, samples = time.monotonic() + most_s, []
    cache = redis.Redis(port=stack.ports["cache"])
    while process.poll() is None:
        if time.monotonic() > deadline_s:
            raise ChildProcessError(f"Locust has not ended after {most_s:g} s")
        at_s, used, cores = time.time(), dict(stack.used()), machine.cores()
        samples.append(Sample(at_s, used | {"locust": machine.used(process.pid)}, cores, *_commands(cache)))
        time.sleep(SAMPLE_S)
    return samples


def _commands(cache: redis.Redis) -> tuple[int, int]:
    """Return how often the cache was asked, and how often something was put there, as it is after each miss."""
    told: Any = cache.info("commandstats")
    return told["cmdstat_get"]["calls"], told["cmdstat_set"]["calls"]


def _read(responses: Path, stack: Stack, load: str, users: int, seconds: float, samples: Sequence[Sample]) -> Level:
    with responses.open(encoding="utf-8", newline="") as file:
        *rows, last = csv.reader(file)
    ended_at_s = float(last[0])
    kept = [row for row in rows if ended_at_s - seconds <= float(row[0]) < ended_at_s]
    return Level(
        load,
        users,
        seconds,
        np.array([float(row[0]) for row in kept]),
        np.array([list(ACTIONS).index(NAMES[row[1]]) for row in kept]),
        np.array([float(row[2]) for row in kept]),
        sum(int(row[3]) for row in kept),
        [sample for sample in samples if ended_at_s - seconds <= sample.at_s <= ended_at_s],
    )
