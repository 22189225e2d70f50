"""One load of the emitted Locust file, unmodified: every response, and what each part of the stack used each second."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
WAITED_MOST: Final = 0.1


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
class Level:
    """A load that was held for a while."""

    load: str
    users: int
    ended_at_s: float
    seconds: float
    at_s: np.ndarray
    """When each response within these seconds came."""
    action: np.ndarray
    """Of which action, as an index into ACTIONS."""
    latency_ms: np.ndarray
    failures: int
    samples: Sequence[Sample]
    """A second apart, from the begin of the load to its end."""

    def figures(self, action: str = "") -> Figures:
        """Return what users saw of an action, or of all."""
        kept = self.latency_ms[self.action == list(ACTIONS).index(action)] if action else self.latency_ms
        return Figures(len(kept) / self.seconds, *(float(np.quantile(kept, share)) for share in QUANTILES.values()))

    def document(self) -> dict[str, Any]:
        """Return what was measured, as JSON has it."""
        return {
            "load": self.load,
            "users": self.users,
            "seconds": self.seconds,
            "failures": self.failures,
            "measured": asdict(self.figures()),
            "by_action": {action: asdict(self.figures(action)) for action in ACTIONS},
            "latency_ms_mean": float(self.latency_ms.mean()),
            "busy": {part: self.busy(part) for part in self.samples[0].used},
            "noise": self.noise,
        }

    @property
    def sampled_s(self) -> float:
        """How long the sampled windows are together."""
        return self.samples[-1].at_s - self.samples[0].at_s

    def busy(self, part: str) -> float:
        """Return the cores that a part used."""
        return (self.samples[-1].used[part].cpu_s - self.samples[0].used[part].cpu_s) / self.sampled_s

    def waited(self, part: str) -> float:
        """Return how long a part waited for its core over how long it ran."""
        first, last = (each.used[part] for each in (self.samples[0], self.samples[-1]))
        return (last.waited_s - first.waited_s) / (last.cpu_s - first.cpu_s)

    @property
    def stolen(self) -> float:
        """The share of the time that the hypervisor kept from the machine."""
        first, last = (
            sum(core.stolen_s for core in each.cores.values()) for each in (self.samples[0], self.samples[-1])
        )
        return (last - first) / self.sampled_s / len(self.samples[0].cores)

    @property
    def noise(self) -> str:
        """Why the machine was too noisy to judge latencies by; "" where it was not."""
        found = []
        if self.stolen > STOLEN_MOST:
            found.append(f"the hypervisor took {self.stolen:.0%} of the time")
        # Full, it waits for the share of the core that the kernel keeps for others.
        if (waited := self.waited("api")) > WAITED_MOST:
            found.append(f"the API waited for its core {waited:.0%} of the time that it ran")
        return " and ".join(found)


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
            with machine.preferred([process.pid, *stack.processes.values()], is_preferred):
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
        ended_at_s,
        seconds,
        np.array([float(row[0]) for row in kept]),
        np.array([list(ACTIONS).index(NAMES[row[1]]) for row in kept]),
        np.array([float(row[2]) for row in kept]),
        sum(int(row[3]) for row in kept),
        [sample for sample in samples if ended_at_s - seconds <= sample.at_s <= ended_at_s],
    )
