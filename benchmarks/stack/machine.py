"""Processes of this machine: the CPU time they took and waited for, the core they run on, and what else runs there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
PRIORITY: Final = 2
"""Of SCHED_RR: above everything of the ordinary scheduler; the kernel keeps 5 % of a full core for that."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a group of processes had of the CPU since it began, seconds."""

    cpu_s: float
    waited_s: float
    """Runnable, and not running."""


@dataclass(frozen=True, slots=True)
class Core:
    """What a core did since the machine started, seconds."""

    busy_s: float
    stolen_s: float
    """Taken by the hypervisor."""


def _children() -> Mapping[int, list[int]]:
    """Return the processes' children, by process."""
    found: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                found.setdefault(parent, []).append(int(entry.name))
    return found


def family(root: int) -> list[int]:
    """Return a process and all below it."""
    children, found, left = _children(), [], [root]
    while left:
        each = left.pop()
        found.append(each)
        left += children.get(each, [])
    return found


def child(name: str) -> int:
    """Return the child of this process that runs a program. Raises LookupError where none does."""
    for each in _children().get(os.getpid(), []):
        if (PROC / str(each) / "comm").read_text().strip() == name:
            return each
    raise LookupError(f"no child runs {name}")


def _threads(root: int) -> Iterator[int]:
    for process in family(root):
        with suppress(OSError):
            yield from (int(each.name) for each in (PROC / str(process) / "task").iterdir())


def used(root: int) -> Used:
    """Return what a process and all below it used. Source: /proc/PID/task/TID/schedstat, in ns."""
    cpu_ns = waited_ns = 0
    for thread in _threads(root):
        with suppress(OSError):
            cpu, waited, _ = (PROC / str(thread) / "schedstat").read_text().split()
            cpu_ns, waited_ns = cpu_ns + int(cpu), waited_ns + int(waited)
    return Used(cpu_ns / 1e9, waited_ns / 1e9)


def cores() -> Mapping[int, Core]:
    """Return what each core did. Source: /proc/stat."""
    tick_s, found = 1 / os.sysconf("SC_CLK_TCK"), {}
    for line in (PROC / "stat").read_text().splitlines():
        name, *ticks = line.split()
        if name[:3] == "cpu" and name[3:]:
            user, nice, system, _, _, interrupts, soft, stolen = (int(each) * tick_s for each in ticks[:8])
            found[int(name[3:])] = Core(user + nice + system + interrupts + soft, stolen)
    return found


def pin(root: int, core: int) -> None:
    """Let a process and all below it run on one core only; what they start later inherits it."""
    for thread in _threads(root):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(thread, {core})


@contextmanager
def preferred(first: Sequence[int], then: Sequence[int], is_wanted: bool = True) -> Iterator[bool]:
    """Run some processes and then others before all else (SCHED_RR) until the block ends.

    Yields whether that was wanted and permitted.
    """
    try:
        # This process may be among the later ones, and the first are below it.
        yield is_wanted and _schedule(then, os.SCHED_RR, PRIORITY) and _schedule(first, os.SCHED_RR, PRIORITY + 1)
    finally:
        if is_wanted:
            _schedule([*first, *then], os.SCHED_OTHER, 0)


def _schedule(roots: Sequence[int], policy: int, priority: int) -> bool:
    """Schedule processes and all below them; return whether that was permitted."""
    is_permitted = True
    for root in roots:
        for thread in _threads(root):
            try:
                os.sched_setscheduler(thread, policy, os.sched_param(priority))
            except ProcessLookupError:
                pass
            except PermissionError:
                is_permitted = False
    return is_permitted


def two_cores() -> tuple[int, int]:
    """Return the core for the API and the one for all others: the last and the first that this process may use.

    Raises LookupError where there is one only.
    """
    first, *more = sorted(os.sched_getaffinity(0))
    if not more:
        raise LookupError("one core only: the API needs one of its own, apart from what asks it")
    return more[-1], first
