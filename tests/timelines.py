"""Simulated days made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cascade_plan.model.replay import Replay, Simulation, Timeline

HOSTILE = "</title><script>alert('&\"')</script>\x00\x1b[31m\ud800\u202e\n漢字" + "x" * 300


def made_timeline(
    load: Sequence[float],
    latency: Sequence[float],
    capacity: Sequence[float] | None = None,
    nodes: Sequence[int] | None = None,
    tick_s: float = 15,
    slo: float = 200,
) -> Timeline:
    counts = tuple(nodes) if nodes is not None else (3,) * len(load)
    able = tuple(capacity) if capacity is not None else (1000.0,) * len(load)
    return Timeline(tick_s, tuple(load), able, counts, counts, counts, tuple(latency), tuple(latency), slo)


def made_simulation(
    *timelines: Timeline, policy: str = "cpu", scenario: str = "Shop", traffic: str = "a day", services: str = "api"
) -> Simulation:
    """Return a simulation of a service for each timeline, named by the words of `services`."""
    share = 1 / len(timelines)
    replays = tuple(
        Replay(name, share, (), policy, "", ((policy, timeline),))
        for name, timeline in zip(services.split(" "), timelines, strict=True)
    )
    return Simulation(scenario, traffic, 1.0, 3, 7, replays, Decimal(0))


def day(latency: Sequence[float] = (50.0, 80.0, 400.0, 60.0), repeat: int = 1440) -> Timeline:
    size = len(latency) * repeat
    return made_timeline(
        [100.0 + tick % 37 for tick in range(size)],
        [value for value in latency for _ in range(repeat)],
        [200.0 + 100 * (tick > size // 2) for tick in range(size)],
        [2 + (tick > size // 2) for tick in range(size)],
    )
