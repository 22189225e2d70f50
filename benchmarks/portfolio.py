"""Many systems as one: how long, in how much memory, and whether the same rows come of it wherever they are planned.

    .venv/bin/python benchmarks/portfolio.py [--systems 20000]

Systems are made up: users from 100 to 200,000, four regions, ten teams, days of their own, some with limits and some
broken. Each run is a process of `cascade-plan portfolio --rows`, its rows are compared byte by byte.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
GOAL_SCALING = 1.8
GOAL_MIB = 500
GOAL_GRID = 100_000
"""Plans by rules a second."""
SCENARIO = """\
schema_version: 1
name: system-{number}
region: {region}
tags: {{team: team-{team}, stage: {stage}}}
users:
  peak: {peak}
  average: {average}
  active_share: {active:.3f}
  profile: {profile}
behaviour:
  actions:
    list: {{weight: 3, request: GET /things, cpu_ms: {cpu:.2f}, read_count: 2}}
    write: {{weight: 1, request: POST /things, cpu_ms: 1, write_count: 1, database_bytes: 300}}
loads:
  peak: {{share: 1.0, ramp_s: 100, duration_s: 300, latency_ms_p95: 300}}
budget: {{usd_per_1000_users_month: {budget}}}
"""


def systems(folder: Path, count: int) -> None:
    """Write so many scenarios; one in 500 is broken."""
    chance = random.Random(16)
    for number in range(count):
        peak = int(10 ** chance.uniform(2, 5.3))
        busiest = chance.randrange(24)
        day = [round(0.15 + 0.85 * max(0.0, 1 - abs((hour - busiest + 12) % 24 - 12) / 7), 3) for hour in range(24)]
        text = SCENARIO.format(
            number=number,
            region=chance.choice(REGIONS),
            team=chance.randrange(10),
            stage=chance.choice(("prod", "test")),
            peak=peak,
            average=max(1, int(peak * chance.uniform(0.35, 0.5))),
            active=chance.uniform(0.02, 0.2),
            profile=day,
            cpu=chance.uniform(0.3, 3),
            budget=chance.choice((40, 100, 400)),
        )
        if number % 500 == 7:
            text = text.replace("peak:", "paek:", 1)
        place = folder / f"{number % 100:02}"
        place.mkdir(exist_ok=True)
        (place / f"{number:06}.yaml").write_text(text, encoding="utf-8")


@dataclass
class Run:
    """A process that ran, and what it took."""

    seconds: float
    cpu_s: float
    own_mib: float
    """Most memory of the process that asks."""
    one_mib: float
    """Most memory of any one process of it."""
    all_mib: float
    """Most memory of all its processes together, what they share counted once for each."""
    digest: str
    status: int


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all it has begun."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = thread.read_text(encoding="utf-8").split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


def resident_mib(pid: int) -> float:
    """Return the memory of a process; 0 of one that has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * 4 / 1024
    except (OSError, IndexError):
        return 0.0


def is_planning(pid: int) -> bool:
    """Return whether a process is one that plans for another."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def lines(path: Path) -> int:
    """Return how many systems a journal has."""
    try:
        return max(0, path.read_bytes().count(b"\n") - 1)
    except OSError:
        return 0


def run(folder: Path, rows: Path, *flags: str, kill_at: tuple[int, ...] = (), worker_at: int = 0) -> Run:
    """Run the command over a folder; `kill_at` kills it when so many systems are done and begins it again, each time.

    `worker_at` kills one of its workers when so many are.
    """
    command = [
        sys.executable, "-m", "cascade_plan", "-q", "portfolio", str(folder), "--no-price-cache", "--rows", str(rows),
        "-o", str(rows.with_suffix(".txt")), *flags,
    ]  # fmt: skip
    begun, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    seen, journal = [0.0, 0.0, 0.0], Path(f"{rows}.journal")
    for most in (*kill_at, None):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            _look(process.pid, seen)
            done = lines(journal) if most or worker_at else 0
            if most and done >= most:
                process.kill()
                process.wait()
                print(f"killed with {done:,} of the systems done", flush=True)
            elif worker_at and done >= worker_at:
                os.kill([pid for pid in tree(process.pid) if is_planning(pid)][-1], signal.SIGKILL)
                print(f"killed a worker with {done:,} of the systems done", flush=True)
                worker_at = 0
            time.sleep(0.2)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    digest = hashlib.sha256(rows.read_bytes() + rows.with_suffix(".txt").read_bytes()).hexdigest()[:16]
    used = spent.ru_utime + spent.ru_stime - cpu.ru_utime - cpu.ru_stime
    return Run(time.perf_counter() - begun, used, *seen, digest, process.returncode)


def apart(folder: Path, count: int) -> float:
    """Return how long two commands take side by side that know nothing of each other, each with half of the systems.

    What two cores can do at all: they share a cache, memory and a budget of heat.
    """
    halves = [folder.parent / name for name in ("even", "odd")]
    for half in halves:
        half.mkdir()
    for at, path in enumerate(sorted(folder.rglob("*.yaml"))):
        (halves[at % 2] / path.name).symlink_to(path)
    assert sum(len(list(half.iterdir())) for half in halves) == count
    begun = time.perf_counter()
    command = [sys.executable, "-m", "cascade_plan", "-q", "portfolio", "--no-price-cache", "--workers", "1"]
    both = [subprocess.Popen([*command, str(half), "--rows", f"{half}.csv", "-o", f"{half}.txt"]) for half in halves]
    for process in both:
        process.wait()
    return time.perf_counter() - begun


def _look(pid: int, seen: list[float]) -> None:
    """Take the memory of a process and of all that it has begun."""
    each = {one: resident_mib(one) for one in tree(pid)}
    for at, mib in enumerate((each.get(pid, 0.0), max(each.values()), sum(each.values()))):
        seen[at] = max(seen[at], mib)


def grid() -> int:
    """Plan bundled scenarios at 200,000 points of users and how many of them act, and say how many a second."""
    import numpy as np

    from cascade_plan.choosing.portfolio.grid import Grid, followed
    from cascade_plan.inputs.scenarios import read

    for name in ("cascade", "startup-1k", "serverless-500"):
        given = read(name, cached=False)
        sides = np.meshgrid(np.linspace(1000, 100_000, 20_000).round(), np.linspace(0.05, 0.2, 10), indexing="ij")
        values = {"users.peak": sides[0].ravel(), "users.active_share": sides[1].ravel()}
        count = sides[0].size
        begun, cpu = time.perf_counter(), time.process_time()
        found = Grid(given.scenario, given.book, followed(values, given.scenario, count), count).costs()
        seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
        print(
            f"{name:16} {count:,} points, {found.part_count} parts, {found.checked_count} checked, {found.alone_count} "
            f"alone: {seconds:.2f} s, {cpu_s:.2f} s CPU; {count / seconds:,.0f}/s (goal {GOAL_GRID:,})"
        )
    return 0


def main() -> int:
    """Plan the same systems in every way, and say what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=20_000)
    parser.add_argument("--grid", action="store_true", help="Only the grid: users by think time, in arrays.")
    parser.add_argument("--only", nargs="*", help="Names of runs; all if left out.")
    arguments = parser.parse_args()
    if arguments.grid:
        return grid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "systems"
        folder.mkdir()
        systems(folder, arguments.systems)
        part = arguments.systems // 3
        two, dask = ("--workers", "2"), ("--workers", "2", "--scheduler", "local")
        ways: dict[str, tuple[tuple[str, ...], tuple[int, ...], int]] = {
            "one core": (("--workers", "1"), (), 0),
            "two cores": (two, (), 0),
            "two Dask workers": (dask, (), 0),
            "killed twice": (two, (part, 2 * part), 0),
            "a worker killed": (two, (), part),
            "a Dask worker killed": (dask, (), part),
        }
        found: dict[str, Run] = {}
        for way, (flags, kill_at, worker_at) in ways.items():
            if arguments.only and way not in arguments.only:
                continue
            rows = Path(name) / f"{way.replace(' ', '-')}.csv"
            one = found[way] = run(folder, rows, *flags, kill_at=kill_at, worker_at=worker_at)
            print(
                f"{way:22} {one.seconds:7.1f} s  {one.cpu_s:7.1f} s CPU  {arguments.systems / one.seconds:6.0f}/s  "
                f"{one.own_mib:4.0f} MiB it, {one.one_mib:4.0f} MiB the largest, {one.all_mib:4.0f} MiB all  "
                f"{one.digest}  exit {one.status}",
                flush=True,
            )
        if "one core" in found and "apart" in (arguments.only or ["apart"]):
            floor = apart(folder, arguments.systems)
            print(
                f"two commands apart     {floor:7.1f} s: {found['one core'].seconds / floor:.2f} of one core, the most"
            )
        if {"one core", "two cores"} <= found.keys():
            for way in ("two cores", "two Dask workers"):
                if way in found:
                    print(
                        f"{way} / one core: {found['one core'].seconds / found[way].seconds:.2f} (goal {GOAL_SCALING})"
                    )
        same = len({one.digest for one in found.values()}) == 1
        print(
            f"the same bytes from all: {same}; memory under {GOAL_MIB} MiB: "
            f"{all(one.own_mib < GOAL_MIB for one in found.values())}"
        )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
