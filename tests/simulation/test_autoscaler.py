"""The arrays of the autoscaler's loop against the controller's own algorithm, pod by pod."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from autoscaler_by_pod import replay
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cascade_plan.formulas.hpa import Autoscaler, Controller
from cascade_plan.formulas.hpa_behavior import Behavior, Policy, Rules
from cascade_plan.formulas.hpa_replicas import Timing
from cascade_plan.simulation.autoscaler import (
    Cluster,
    Grid,
    Setting,
    Signal,
    blocks,
    simulate,
    tabulate,
)

GRID = Grid(3.0, 96)
SECONDS = (0, 1, 15, 20, 30, 45, 60, 90, 100, 150)

seconds = st.sampled_from(SECONDS)
policies = st.builds(
    Policy, st.sampled_from(("Pods", "Percent")), st.sampled_from((1, 2, 5, 10, 50, 100, 300)),
    st.sampled_from(SECONDS[1:]),
)  # fmt: skip
rules = st.builds(
    Rules,
    st.lists(policies, max_size=3).map(tuple),
    st.sampled_from((None, "Max", "Min", "Disabled", "Max")),
    st.none() | seconds,
    st.sampled_from((None, None, 0.0, 0.05, 0.3)),
)
behaviors = st.none() | st.builds(Behavior, st.none() | rules, st.none() | rules)
clusters = st.builds(
    Cluster,
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(3, 8),
    st.sampled_from((0.0, 10.0, 15.0, 40.0, 75.0)),
    st.sampled_from((0.0, 30.0, 100.0)),
    st.sampled_from((0.0, 60.0, 130.0)),
)
controllers = st.builds(
    Controller,
    st.sampled_from((0.1, 0.0, 0.25)),
    st.sampled_from((0, 40, 60, 300)),
    st.builds(Timing, st.sampled_from((30.0, 60.0, 300.0)), st.just(30.0)),
)


def latency(utilization: float) -> float:
    """A p95 in seconds that grows without bound, up to what clients wait for."""
    return min(5.0, 0.06 / (1 - utilization)) if utilization < 1 else 5.0


def memory(utilization: float) -> float:
    """A share of the request that grows slowly."""
    return 0.4 + 0.35 * utilization


signals = st.lists(
    st.sampled_from(
        (
            tabulate("pods", 0.2, latency, GRID),
            tabulate("pods", 57.0, lambda utilization: 100 * utilization, GRID),
            tabulate("memory", 70, memory, GRID),
            tabulate("memory", 130, lambda utilization: 2 * utilization, GRID),
            tabulate("cpu", 63, lambda utilization: utilization, GRID),
        )
    ),
    min_size=1,
    max_size=3,
).map(tuple)


@st.composite
def settings_drawn(draw: st.DrawFn) -> Setting:
    """Any setting the loop takes, small enough to be followed pod by pod."""
    low = draw(st.integers(1, 6))
    high = draw(st.integers(low, 24))
    return Setting(
        Autoscaler(high, low, draw(behaviors)),
        draw(signals),
        draw(clusters),
        draw(st.integers(low, high)),
        GRID,
        draw(controllers),
        metric_window_s=draw(st.sampled_from((0.0, 15.0, 30.0))),
    )


@st.composite
def demands(draw: st.DrawFn, ticks: int, runs: int) -> NDArray[np.float32]:
    """Levels of load that last a while, with noise: an array of shape (ticks, runs), in pods."""
    columns = []
    for _ in range(runs):
        levels = draw(st.lists(st.tuples(st.floats(0, 30, width=32), st.integers(1, 12)), min_size=2, max_size=12))
        column = np.concatenate([np.full(length, level) for level, length in levels])
        columns.append(np.resize(column, ticks))
    noise = np.random.default_rng(draw(st.integers(0, 99))).normal(0, draw(st.sampled_from((0.0, 0.1, 0.4))), runs)
    return np.abs(np.stack(columns, axis=1) * (1 + noise)).astype(np.float32)


def of(load: NDArray[np.float32]) -> Callable[[int, int], NDArray[np.float32]]:
    """The demand that an array holds."""
    return lambda first, count: load[first : first + count]


@settings(max_examples=120, deadline=None)
@given(setting=settings_drawn(), load=demands(90, 3), length=st.sampled_from((1, 7, 40, 90)))
def test_every_tick_of_every_run_is_the_controllers(setting: Setting, load: NDArray[np.float32], length: int) -> None:
    found: list[list[tuple[int, ...]]] = [[] for _ in range(load.shape[1])]
    for block in blocks(setting, of(load), *load.shape, block_ticks=length):
        columns = np.stack([block.ready, block.replicas, block.scheduled, block.nodes()], axis=2)
        for run, ticks in enumerate(found):
            ticks += [tuple(int(count) for count in tick) for tick in columns[:, run]]
    for run, ticks in enumerate(found):
        expected = [(seen.ready, seen.replicas, seen.scheduled, seen.nodes) for seen in replay(setting, load[:, run])]
        assert ticks == expected
