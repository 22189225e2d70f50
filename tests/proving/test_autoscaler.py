"""The arrays of the autoscaler's loop against the controller's own algorithm, pod by pod."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from autoscaler_by_pod import Seen, replay
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cascade_plan.formulas.hpa import Autoscaler, Controller
from cascade_plan.formulas.hpa_behavior import Behavior, Policy, Rules
from cascade_plan.formulas.hpa_replicas import Timing
from cascade_plan.proving.autoscaler import (
    BLOCK_TICKS,
    Cluster,
    Demand,
    Grid,
    Kind,
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
            tabulate("pods", 0.003, lambda utilization: 0.005 * utilization, GRID),
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
    high = draw(st.integers(low, 30))
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
def nervous(draw: st.DrawFn) -> Setting:
    """Settings without windows to speak of: what is held back is held back by policies, and events pile up."""
    short = st.sampled_from((0, 0, 15, 30))
    limited = st.builds(
        Rules, st.lists(policies, min_size=1, max_size=2).map(tuple), st.sampled_from(("Max", "Min")), short
    )
    startup_s, reserved = draw(st.sampled_from((0.0, 40.0))), draw(st.sampled_from((0, 3)))
    cluster = Cluster(4, 1, 30, startup_s, 0.0, 0.0, reserved_count=reserved)
    signal = tabulate("pods", 57.0, lambda utilization: 100 * utilization, GRID)
    spec = Autoscaler(60, 1, Behavior(draw(limited), draw(limited)))
    return Setting(spec, (signal,), cluster, draw(st.integers(1, 60)), GRID)


@st.composite
def demands(draw: st.DrawFn, ticks: int, runs: int, level_max: float = 30.0) -> NDArray[np.float32]:
    """Levels of load that last a while, with another noise in every run: an array of shape (ticks, runs), in pods."""
    levels = draw(st.lists(st.tuples(st.floats(0, level_max), st.integers(1, 12)), min_size=2, max_size=12))
    column = np.resize(np.concatenate([np.full(length, level) for level, length in levels]), ticks)
    spread = draw(st.sampled_from((0.0, 0.1, 0.5)))
    noise = np.random.default_rng(draw(st.integers(0, 999))).normal(1.0, spread, (ticks, runs))
    return np.abs(column[:, None] * noise).astype(np.float32)


def of(load: NDArray[np.float32]) -> Callable[[int, int], NDArray[np.float32]]:
    """The demand that an array holds."""
    return lambda first, count: load[first : first + count]


def assert_agrees(setting: Setting, load: NDArray[np.float32], block_ticks: int = BLOCK_TICKS) -> None:
    """Hold every tick of every run against the controller's algorithm, pod by pod."""
    found: list[list[Seen]] = [[] for _ in range(load.shape[1])]
    for block in blocks(setting, of(load), *load.shape, block_ticks=block_ticks):
        columns = np.stack([block.ready, block.replicas, block.scheduled, block.nodes()], axis=2)
        for run, ticks in enumerate(found):
            ticks += [Seen(*map(int, tick)) for tick in columns[:, run]]
    for run, ticks in enumerate(found):
        expected = replay(setting, [float(pods) for pods in load[:, run]])
        differing = [tick for tick, pair in enumerate(zip(ticks, expected, strict=True)) if pair[0] != pair[1]]
        assert not differing, (run, differing[0], ticks[differing[0]], expected[differing[0]])


@settings(max_examples=150)
@given(setting=settings_drawn(), load=demands(90, 3), block_ticks=st.sampled_from((1, 7, 40, 90)))
def test_every_tick_of_every_run_is_the_controllers(
    setting: Setting, load: NDArray[np.float32], block_ticks: int
) -> None:
    assert_agrees(setting, load, block_ticks)


@settings(max_examples=60)
@given(setting=nervous(), load=demands(90, 3, 60.0))
def test_what_the_controller_forgets_is_forgotten(setting: Setting, load: NDArray[np.float32]) -> None:
    assert_agrees(setting, load)


# --------------------------------------------------------------------------------------------- sums, traces and tables

PLAIN = Signal("pods", 16_000, np.arange(GRID.step_count, dtype=np.float64) * 1000)
STEADY = Setting(Autoscaler(20, 2, Behavior()), (PLAIN,), Cluster(4, 1, 5, 30.0, 60.0), 4, GRID)


def constant(pods: float, runs: int = 2) -> Demand:
    """The same load in every tick of every run."""
    return lambda first, count: np.full((count, runs), pods, dtype=np.float32)


def jumping(first: int, count: int) -> NDArray[np.float32]:
    """An hour of two runs: the load of both grows fourfold after ten minutes, that of the second then falls."""
    load = np.full((240, 2), 2.0, dtype=np.float32)
    load[40:] = 8.0
    load[120:, 1] = 0.1
    return load[first : first + count]


def test_sums_are_those_of_the_blocks_however_they_are_cut() -> None:
    totals, trace = simulate(STEADY, jumping, 240, 2, utilization_limit=1.2, traced=(1, 0))
    [block] = blocks(STEADY, jumping, 240, 2, block_ticks=240)
    nodes, hours = block.nodes(), 15 / 3600
    np.testing.assert_allclose(totals.replica_hours, block.replicas.sum(axis=0) * hours)
    np.testing.assert_allclose(totals.ready_hours, block.ready.sum(axis=0) * hours)
    np.testing.assert_allclose(totals.pending_hours, (block.replicas - block.scheduled).sum(axis=0) * hours)
    np.testing.assert_allclose(totals.node_hours, nodes.sum(axis=0) * hours)
    assert (totals.node_count_max == nodes.max(axis=0)).all()
    counts = np.concatenate([np.full((1, 2), 4.0), block.replicas])
    assert (totals.rescale_count == (np.diff(counts, axis=0) != 0).sum(axis=0)).all()
    load, utilization = jumping(0, 240).astype(np.float64), block.utilization()
    np.testing.assert_allclose(utilization, load / block.ready, rtol=1e-6)
    np.testing.assert_allclose(totals.breach_share, (load * (utilization > 1.2)).sum(axis=0) / load.sum(axis=0))
    assert (totals.pending_hours > 0).all()
    assert (totals.breach_share > 0).all()
    assert trace.runs == (1, 0)
    assert (trace.replicas == block.replicas[:, ::-1]).all()
    assert (trace.ready == block.ready[:, ::-1]).all()
    assert (trace.nodes == nodes[:, ::-1]).all()
    np.testing.assert_allclose(trace.utilization, utilization[:, ::-1], rtol=1e-6)
    assert trace.replicas.dtype == trace.ready.dtype == trace.nodes.dtype == np.int32


def test_a_jump_is_followed_with_the_delays_given() -> None:
    _, trace = simulate(STEADY, jumping, 240, 2, traced=(1,))
    replicas, ready, nodes = (part[:, 0] for part in (trace.replicas, trace.ready, trace.nodes))
    assert replicas[39:43].tolist() == [4, 8, 16, 16], "100 % of the pods in 15 s"
    assert nodes[39:43].tolist() == [1, 2, 4, 4], "nodes are ordered at once"
    assert ready[40:49].tolist() == [4, 4, 4, 4, 4, 4, 8, 16, 16], "60 s to a node, 30 s to Ready"
    fewer = int(np.argmax(replicas[120:] < replicas[119])) + 120
    assert fewer == 139, "the last high recommendation is 300 s old twenty ticks after tick 119"
    assert replicas[fewer] == 2
    assert nodes[fewer + 39 : fewer + 41].tolist() == [4, 1], "a node goes after 600 s idle"


def test_nothing_happens_under_a_load_on_target() -> None:
    totals, trace = simulate(STEADY, constant(2.05), 50, 2)
    assert (trace.replicas == 4).all()
    assert (trace.utilization == np.float32(2.05) / 4).all()
    assert (totals.rescale_count == 0).all()
    assert (totals.breach_share == 0).all()
    assert (totals.node_hours == 50 * 15 / 3600).all()


def test_no_load_at_all_breaks_no_promise() -> None:
    totals, _ = simulate(STEADY, constant(0.0), 50, 2)
    assert (totals.breach_share == 0).all()


def test_a_load_off_the_grid_is_read_at_its_end() -> None:
    _, trace = simulate(STEADY, constant(1e6), 100, 2)
    assert trace.replicas[-1, 0] == 20


@pytest.mark.parametrize(
    ("kind", "target", "sample", "expected", "values"),
    [
        ("pods", 0.2, lambda load: load / 10, 200, [25, 75, 125, 175]),
        ("pods", 0.0001, lambda load: load / 1e5, 1, [1, 1, 1, 1]),
        ("memory", 70, lambda load: load, 70, [25, 75, 125, 175]),
        ("cpu", 70, lambda load: load / 300, 70, [85 / 1024, 256 / 1024, 427 / 1024, 597 / 1024]),
    ],
)
def test_tables_take_the_middle_of_each_step_in_the_api_s_units(
    kind: Kind, target: float, sample: Callable[[float], float], expected: int, values: list[float]
) -> None:
    signal = tabulate(kind, target, sample, Grid(2.0, 4))
    assert (signal.kind, signal.target, signal.values.tolist()) == (kind, expected, values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replica_count": 1}, "1 <= min <= replicas <= max"),
        ({"replica_count": 21}, "1 <= min <= replicas <= max"),
        ({"autoscaler": Autoscaler(20, 0)}, "1 <= min <= replicas <= max"),
        ({"cluster": Cluster(4, 0, 5, 0, 0)}, "1 <= min <= max"),
        ({"cluster": Cluster(4, 6, 5, 0, 0)}, "1 <= min <= max"),
        ({"cluster": Cluster(0, 1, 5, 0, 0)}, "room for a pod"),
        ({"cluster": Cluster(4, 1, 5, -1, 0)}, "cannot be negative"),
        ({"cluster": Cluster(4, 1, 5, 0, -1)}, "cannot be negative"),
        ({"cluster": Cluster(4, 1, 5, 0, 0, -1)}, "cannot be negative"),
        ({"metric_window_s": -1}, "cannot be negative"),
        ({"signals": ()}, "want a signal"),
        ({"tick_s": 0}, "tick of at least 1 s"),
        ({"controller": Controller(timing=Timing(300, 0))}, "readiness delay above 0"),
        ({"grid": Grid(3.0, 95)}, "each step of the grid"),
        ({"signals": (replace(PLAIN, target=0),)}, "target above 0"),
        ({"signals": (replace(PLAIN, values=PLAIN.values - 1),)}, "from 0 up"),
        ({"signals": (replace(PLAIN, values=PLAIN.values * np.nan),)}, "from 0 up"),
        ({"signals": (replace(PLAIN, values=PLAIN.values * 2.0**40),)}, "summed exactly"),
        ({"signals": (replace(PLAIN, target=2**47),)}, "summed exactly"),
    ],
)
def test_what_cannot_be_simulated_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(STEADY, **changes)


def test_a_load_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"30 ticks of 3 runs has the shape \(30, 2\)"):
        simulate(STEADY, constant(1.0, 2), 100, 3)


@pytest.mark.parametrize(("ticks", "runs"), [(0, 1), (1, 0)])
def test_no_ticks_and_no_runs_are_refused(ticks: int, runs: int) -> None:
    with pytest.raises(ValueError, match="want a tick and a run"):
        simulate(STEADY, constant(1.0, runs), ticks, runs)
