"""Pods and nodes under a HorizontalPodAutoscaler and a cluster autoscaler, tick by tick, for many runs at once.

The control loop of formulas/hpa in arrays of one entry a run (R runs), exact to the replica. What makes it fast and
what it assumes:

- Load is spread evenly: the ready pods of a run all show the same sample, a function of their utilization, read from a
  table. A sum over pods is then a product, and the controller's two passes over doubtful pods come down to
  ceil(floor(ready x sample / replicas) / target x replicas) when growing; see `_Recommender`.
- The newest pod goes first when replicas are removed, and the newest node. A pod is then ready when the count of
  scheduled pods has not been below its own for as long as a pod takes to start: ready(t) is the least count of the
  last start-up time. Nodes ordered are the most needed within the time a node must lie idle, nodes ready the least
  ordered within the time a node takes to come. All are extremes of a sliding window, as is stabilization.
- A pod is placed when a ready node has room, any node will do, and moving pods off a node costs nothing.
- The pods added less the pods removed in a policy's period are the change of the count over it, except for events
  that the controller has overwritten; those are kept track of (pace.Ledger).

A month of ticks is never held: `blocks` yields a few hours at a time and `simulate` keeps sums of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_plan.formulas.hpa import Autoscaler, Controller, tolerance_of
from cascade_plan.formulas.rollouts import held_count
from cascade_plan.proving.pace import follower
from cascade_plan.proving.windows import Floats, Window, row, ticks_within

Counts = NDArray[np.int32]
Demand = Callable[[int, int], "NDArray[np.float32] | Floats"]
"""(first tick, number of ticks) -> array (ticks, runs): pods that the load of each tick would keep fully busy."""
Kind = Literal["pods", "cpu", "memory"]

TICK_S: Final = 15
"""--horizontal-pod-autoscaler-sync-period."""
BLOCK_TICKS: Final = 30
EXACT_MAX: Final = 2.0**50
"""Products of a sample and a count stay below this, where a rounded quotient still has the exact one's floor."""
PERCENT_GRAINS: Final = 1024
"""Resource samples are whole 1024ths of a percent of the request: exact in binary, so that sums of them are."""


# --------------------------------------------------------------------------------------------------------------- given


@dataclass(frozen=True, slots=True)
class Grid:
    """The utilizations at which signals are tabulated, in equal steps from 0; beyond the last step the last applies."""

    utilization_max: float = 4.0
    step_count: int = 4096

    @property
    def steps_per_unit(self) -> float:
        """Steps from utilization 0 to 1."""
        return self.step_count / self.utilization_max


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """A metric the autoscaler reads: of kind `pods` (a custom metric of each ready pod) or a resource's utilization.

    `target` and `values` are thousandths for `pods`, and percent of the request for `cpu` and `memory`. `values` has
    one entry a step of the grid: what each pod shows at that utilization. Starting pods have no custom metric, their
    CPU does not count, and their memory counts as any pod's.
    """

    kind: Kind
    target: int
    values: Floats


def tabulate(kind: Kind, target: float, sample: Callable[[float], float], grid: Grid) -> Signal:
    """Return the signal of a function of utilization, taken at the middle of each step.

    For `pods` both `sample` and `target` are in the metric's own unit (seconds, requests/s), rounded up to thousandths
    as the API does; for resources `sample` is a share of the request (1.0 = all of it), `target` a percentage.
    """
    points = ((step + 0.5) / grid.steps_per_unit for step in range(grid.step_count))
    if kind == "pods":
        values = [_milli(sample(point)) for point in points]
        return Signal(kind, _milli(target), np.array(values, dtype=np.float64))
    shares = [round(sample(point) * 100 * PERCENT_GRAINS) / PERCENT_GRAINS for point in points]
    return Signal(kind, int(target), np.array(shares, dtype=np.float64))


def _milli(amount: float) -> int:
    """Return thousandths, rounded up; a billionth is the noise of a float, not an amount."""
    return ceil(round(amount * 1000, 6))


@dataclass(frozen=True, slots=True)
class Cluster:
    """The nodes under the pods, and how long things take."""

    pods_per_node: int
    node_count_min: int
    node_count_max: int
    pod_startup_s: float
    """From being placed on a node to Ready."""
    node_startup_s: float
    """From the first pod that does not fit to a node that takes pods."""
    node_idle_s: float = 600.0
    """How long a node must be unneeded before it goes (cluster-autoscaler --scale-down-unneeded-time)."""
    reserved_count: int = 0
    """Places for pods, on all nodes together, that others take."""

    def held(self, node_count: int) -> int:
        """Return how many pods so many nodes hold."""
        return held_count(node_count, self.pods_per_node, self.reserved_count)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is simulated: the autoscaler's object, its signals, the cluster and the replicas at the start, all ready.

    Raises: ValueError for what the loop cannot start from or would not compute exactly.
    """

    autoscaler: Autoscaler
    signals: tuple[Signal, ...]
    cluster: Cluster
    replica_count: int
    grid: Grid = field(default_factory=Grid)
    controller: Controller = field(default_factory=Controller)
    tick_s: int = TICK_S
    metric_window_s: float = 15.0
    """What metrics-server averages a CPU sample over; the sample is taken as measured at the tick."""

    def __post_init__(self) -> None:
        low, high, cluster = self.autoscaler.replica_count_min, self.autoscaler.replica_count_max, self.cluster
        if not 1 <= low <= self.replica_count <= high:
            raise ValueError(f"want 1 <= min <= replicas <= max, not {low}, {self.replica_count}, {high}")
        if not 1 <= cluster.node_count_min <= cluster.node_count_max or cluster.pods_per_node < 1:
            raise ValueError("nodes: want 1 <= min <= max and room for a pod on each")
        if min(cluster.pod_startup_s, cluster.node_startup_s, cluster.node_idle_s, self.metric_window_s) < 0:
            raise ValueError("a delay cannot be negative")
        if not self.signals or self.tick_s < 1 or self.controller.timing.initial_readiness_delay_s <= 0:
            raise ValueError("want a signal, a tick of at least 1 s and a readiness delay above 0")
        for signal in self.signals:
            if signal.values.shape != (self.grid.step_count,) or signal.target < 1:
                raise ValueError("a signal needs a value for each step of the grid and a target above 0")
            if not (signal.values.min() >= 0 and max(signal.values.max(), signal.target) * high < EXACT_MAX):
                raise ValueError("a signal's values must be from 0 up and small enough to be summed exactly")


# ---------------------------------------------------------------------------------------------------------- what comes


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some ticks of all runs; arrays of shape (ticks, runs). They are the loop's own: use them before the next block.

    `ready` and `utilization` are what the tick found, the rest is what it left: replicas asked for, those of them on
    nodes, and nodes that run or are coming (which is when they begin to cost).
    """

    first_tick: int
    demand: Floats
    """In steps of the grid."""
    position: Floats
    """Utilization of the ready pods, in steps of the grid."""
    ready: Floats
    replicas: Floats
    before: Floats
    """The replicas that each tick found: `replicas` one tick earlier."""
    scheduled: Floats
    needed: Floats
    """Replicas that the nodes are kept for."""
    setting: Setting

    def nodes(self, out: Floats | None = None) -> Floats:
        """Return the nodes ordered, whole and within their bounds, in `out` where it is given."""
        cluster, runs = self.setting.cluster, self.needed.shape[1]
        count = np.add(self.needed, row(cluster.reserved_count, runs), out=out)
        np.divide(count, row(cluster.pods_per_node, runs), out=count)
        np.ceil(count, out=count)
        np.maximum(count, row(cluster.node_count_min, runs), out=count)
        return np.minimum(count, row(cluster.node_count_max, runs), out=count)

    def utilization(self) -> Floats:
        """Return the utilization of the ready pods; above 1 they cannot keep up."""
        return self.position / self.setting.grid.steps_per_unit


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Sums over all ticks, arrays of one entry a run."""

    replica_hours: Floats
    """Replicas asked for."""
    ready_hours: Floats
    """Pods that took load."""
    pending_hours: Floats
    """Replicas that waited for a node."""
    node_hours: Floats
    node_count_max: Floats
    rescale_count: Floats
    breach_share: Floats
    """Share of the demand that came while utilization was above the limit given."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Every tick of the runs asked for; arrays of shape (ticks, runs asked for)."""

    runs: tuple[int, ...]
    replicas: Counts
    ready: Counts
    nodes: Counts
    utilization: NDArray[np.float32]


# ----------------------------------------------------------------------------------------------------- recommendations


class _Rows(NamedTuple):
    """One signal in rows, and where its results are written before they are gathered."""

    signal: Signal
    target: Floats
    shrink: Floats
    """b for every step of the grid where no pod is missing; infinite where it does not shrink."""
    up: Floats | None
    """None for a signal whose largest value is within tolerance: it never asks for more."""
    down: Floats


class _Recommender:
    """What the signals ask for, the largest of them, before windows and policies.

    With c pods counted, all showing v, of D replicas and a target T, the controller's count (formulas/hpa_replicas) is
    growing:   ceil(a x D), a = floor(c v / D) / T, where a > 1 + tolerance: pods not counted use nothing;
    shrinking: ceil(b x n), b = floor((c v + m T) / n) / T, where b < 1 - tolerance, with m pods missing (running
               without a sample: taken to be on target) and n = c + m pods in the sum;
    and else D. Both cannot hold at once, for a <= b, and b > 1 where v > T. Only `pods` signals have missing pods;
    for the others b depends on v alone and comes from a table.
    """

    def __init__(self, setting: Setting, runs: int) -> None:
        tolerance = tolerance_of(setting.autoscaler, setting.controller)
        self.low, self.high = row(1.0 - tolerance.scale_down, runs), row(1.0 + tolerance.scale_up, runs)
        self.never, self.flags = row(inf, runs), np.empty(runs, dtype=bool)
        self.value, self.used, self.share = np.empty(runs), np.empty(runs), np.empty(runs)
        self.up, self.down = np.zeros(runs), np.zeros(runs)
        self.signals: list[_Rows] = []
        for signal in setting.signals:
            ratio = np.floor(signal.values) / signal.target
            grows = bool(ratio.max() > self.high[0])
            ratio[ratio >= self.low[0]] = inf
            first_up = grows and not any(other.up is self.up for other in self.signals)
            up = (self.up if first_up else self.share) if grows else None
            down = self.share if self.signals else self.down
            self.signals.append(_Rows(signal, row(signal.target, runs), ratio, up, down))

    def recommend(self, index: NDArray[np.intp], replicas: Floats, counted: dict[Kind, Floats], out: Floats) -> None:
        """Write the recommended count to `out`, from each run's step of the grid and pods counted by kind of signal."""
        for signal, target, shrink, up, down in self.signals:
            pods = counted[signal.kind]
            if up is not None or signal.kind == "pods":
                signal.values.take(index, out=self.value, mode="clip")
                np.multiply(self.value, pods, out=self.used)
            if up is not None:
                np.divide(self.used, replicas, out=up)
                np.floor(up, out=up)
                np.divide(up, target, out=up)
                if up is self.share:
                    np.maximum(self.up, up, out=self.up)
            if signal.kind == "pods":
                self._with_missing(target, pods, counted["memory"], down)
            else:
                shrink.take(index, out=down, mode="clip")
                np.multiply(down, pods, out=down)
            if down is self.share:
                np.maximum(self.down, down, out=self.down)
        np.ceil(self.down, out=out)
        np.minimum(out, replicas, out=out)
        np.greater(self.up, self.high, out=self.flags)
        np.multiply(self.up, replicas, out=self.value)
        np.ceil(self.value, out=self.value)
        np.putmask(out, self.flags, self.value)

    def _with_missing(self, target: Floats, pods: Floats, scheduled: Floats, share: Floats) -> None:
        """Write b x n to `share`, from the sum of samples in `used`: placed pods without a sample are on target."""
        np.subtract(scheduled, pods, out=share)
        np.multiply(share, target, out=share)
        np.add(share, self.used, out=share)
        np.divide(share, scheduled, out=share)
        np.floor(share, out=share)
        np.divide(share, target, out=share)
        np.greater_equal(share, self.low, out=self.flags)
        np.putmask(share, self.flags, self.never)
        np.multiply(share, scheduled, out=share)


# ------------------------------------------------------------------------------------------------------------ the loop


class _Placement:
    """Which pods have a node: nodes are ordered, come and go by windows of what is asked for."""

    def __init__(self, setting: Setting, runs: int) -> None:
        cluster, tick_s = setting.cluster, setting.tick_s
        start = float(setting.replica_count)
        self.kept = Window(ticks_within(cluster.node_idle_s, tick_s) + 1, runs, start, np.maximum)
        self.come = Window(ticks_within(cluster.node_startup_s, tick_s) + 1, runs, start, np.minimum)
        self.per_node = row(cluster.pods_per_node, runs)
        self.reserved = row(cluster.reserved_count, runs) if cluster.reserved_count else None
        least, most = cluster.held(cluster.node_count_min), cluster.held(cluster.node_count_max)
        # Bounds that the replicas' own bounds keep are no work.
        self.room_min = row(least, runs) if setting.autoscaler.replica_count_min <= least else None
        self.room_max = row(most, runs) if setting.autoscaler.replica_count_max > most else None

    def place(self, replicas: Floats, needed: Floats, scheduled: Floats) -> None:
        """Write the replicas that nodes are ordered for to `needed`, and how many have a node now to `scheduled`."""
        self.kept.push(replicas, needed)
        self.come.push(needed, scheduled)
        self.fit(scheduled, replicas)

    def fit(self, room: Floats, replicas: Floats) -> None:
        """Turn the replicas that nodes are ready for, in place, into the replicas that fit."""
        if self.reserved is not None:
            np.add(room, self.reserved, out=room)
        np.divide(room, self.per_node, out=room)
        np.ceil(room, out=room)
        np.multiply(room, self.per_node, out=room)
        if self.reserved is not None:
            np.subtract(room, self.reserved, out=room)
        if self.room_min is not None:
            np.maximum(room, self.room_min, out=room)
        if self.room_max is not None:
            np.minimum(room, self.room_max, out=room)
        np.minimum(room, replicas, out=room)


class _Loop:
    """The state of all runs between blocks, and the rows of the block at hand."""

    def __init__(self, setting: Setting, runs: int, block_ticks: int) -> None:
        self.setting, self.runs = setting, runs
        self.recommender = _Recommender(setting, runs)
        self.follower = follower(setting.autoscaler, setting.controller.downscale_window_s, setting.tick_s, runs)
        self.placement = _Placement(setting, runs)
        self.lag = self.follower.lag
        self.length = max(block_ticks, self.lag)
        start = float(setting.replica_count)
        self.replicas = np.full((self.lag + self.length, runs), start)
        self.scheduled = np.full((1 + self.length, runs), start)
        self.placement.fit(self.scheduled, self.replicas[:1])
        self.demand, self.position, self.ready, self.needed = (np.empty((self.length, runs)) for _ in range(4))
        placed = float(self.scheduled[0, 0])
        self.started = Window(self._age(setting.cluster.pod_startup_s), runs, placed, np.minimum)
        self.counting = Window(self._age(self._cpu_age_s()), runs, placed, np.minimum)
        self.has_cpu = any(signal.kind == "cpu" for signal in setting.signals)
        self.cpu, self.wanted = np.empty(runs), np.empty(runs)
        self.index = np.empty(runs, dtype=np.intp)
        names = ("replicas", "scheduled", "demand", "position", "ready", "needed")
        self.rows = {name: list(getattr(self, name)) for name in names}
        self.counted: list[dict[Kind, Floats]] = [
            {"pods": ready, "cpu": self.cpu, "memory": scheduled}
            for ready, scheduled in zip(self.ready, self.scheduled, strict=False)
        ]

    def _age(self, seconds: float) -> int:
        """Return the least age in ticks at which a tick sees that a pod was placed `seconds` ago."""
        return max(1, ticks_within(seconds, self.setting.tick_s))

    def _cpu_age_s(self) -> float:
        """Return how long after its placing a pod's CPU counts: Ready, and measured since or past its first period."""
        startup_s = self.setting.cluster.pod_startup_s
        measured_s = startup_s + self.setting.metric_window_s
        return max(startup_s, min(measured_s, self.setting.controller.timing.cpu_initialization_s))

    def advance(self, first: int, demand: NDArray[np.float32] | Floats) -> Block:
        """Return the block of ticks from `first` on, one for each row of `demand`."""
        count = len(demand)
        if first:
            self.replicas[: self.lag] = self.replicas[-self.lag :]
            self.scheduled[0] = self.scheduled[-1]
        np.multiply(demand, self.setting.grid.steps_per_unit, out=self.demand[:count])
        for place in range(count):
            self._tick(first + place, place)
        replicas = self.replicas[self.lag : self.lag + count]
        return Block(
            first, self.demand[:count], self.position[:count], self.ready[:count], replicas,
            self.replicas[self.lag - 1 : self.lag - 1 + count], self.scheduled[1 : 1 + count], self.needed[:count],
            self.setting,
        )  # fmt: skip

    def _tick(self, tick: int, place: int) -> None:
        """Observe, decide, place: fill row `place` of every array."""
        rows, now = self.rows, self.lag + place
        replicas, scheduled = rows["replicas"], rows["scheduled"]
        ready, position = rows["ready"][place], rows["position"][place]
        self.started.push(scheduled[place], ready)
        if self.has_cpu:
            self.counting.push(scheduled[place], self.cpu)
        np.divide(rows["demand"][place], ready, out=position)
        self.index[:] = position
        self.recommender.recommend(self.index, replicas[now - 1], self.counted[place], self.wanted)
        self.follower.follow(tick, replicas, now, self.wanted)
        self.placement.place(replicas[now], rows["needed"][place], scheduled[place + 1])


def blocks(
    setting: Setting, demand: Demand, tick_count: int, run_count: int, block_ticks: int = BLOCK_TICKS
) -> Iterator[Block]:
    """Yield the ticks of all runs, a block at a time; `demand` is asked for the load of each block in turn.

    Raises: ValueError when `demand` returns an array of another shape than (ticks, runs).
    """
    loop = _Loop(setting, run_count, block_ticks)
    for first in range(0, tick_count, loop.length):
        count = min(loop.length, tick_count - first)
        load = demand(first, count)
        if load.shape != (count, run_count):
            raise ValueError(f"demand for {count} ticks of {run_count} runs has the shape {load.shape}")
        yield loop.advance(first, load)


class _Account:
    """Sums of blocks, and the ticks of the runs that are traced."""

    def __init__(self, runs: int, traced: tuple[int, ...]) -> None:
        self.replicas, self.ready, self.scheduled, self.nodes = (np.zeros(runs) for _ in range(4))
        self.changes, self.demand, self.breach, self.nodes_max = (np.zeros(runs) for _ in range(4))
        self.traced, self.columns = traced, list(traced)
        self.traces: list[Trace] = []
        # Blocks come one after another: memory that is asked for anew each time costs more than the sums.
        self.nodes_scratch, self.scratch, self.flags = (
            np.empty((0, runs)),
            np.empty((0, runs)),
            np.empty((0, runs), bool),
        )

    def add(self, block: Block, limit: float) -> None:
        """Add a block; `limit` is the utilization above which demand counts as a breach, in steps of the grid."""
        ticks = len(block.needed)
        if len(self.scratch) < ticks:
            self.nodes_scratch, self.scratch = np.empty_like(block.needed), np.empty_like(block.needed)
            self.flags = np.empty(block.needed.shape, bool)
        nodes, scratch, flags = self.nodes_scratch[:ticks], self.scratch[:ticks], self.flags[:ticks]
        block.nodes(out=nodes)
        self.replicas += block.replicas.sum(axis=0)
        self.ready += block.ready.sum(axis=0)
        self.scheduled += block.scheduled.sum(axis=0)
        self.nodes += nodes.sum(axis=0)
        np.maximum(self.nodes_max, nodes.max(axis=0), out=self.nodes_max)
        np.not_equal(block.replicas, block.before, out=flags)
        self.changes += flags.sum(axis=0, dtype=np.float32)
        np.greater(block.position, limit, out=flags)
        np.multiply(block.demand, flags, out=scratch)
        self.breach += scratch.sum(axis=0)
        self.demand += block.demand.sum(axis=0)
        replicas, ready, count = (
            part[:, self.columns].astype(np.int32) for part in (block.replicas, block.ready, nodes)
        )
        utilization = block.position[:, self.columns] / block.setting.grid.steps_per_unit
        self.traces.append(Trace(self.traced, replicas, ready, count, utilization.astype(np.float32)))

    def totals(self, tick_s: int) -> Totals:
        """Return the sums in hours."""
        hours = tick_s / 3600
        return Totals(
            replica_hours=self.replicas * hours,
            ready_hours=self.ready * hours,
            pending_hours=(self.replicas - self.scheduled) * hours,
            node_hours=self.nodes * hours,
            node_count_max=self.nodes_max,
            rescale_count=self.changes,
            breach_share=self.breach / np.maximum(self.demand, np.finfo(np.float64).tiny),
        )

    def trace(self) -> Trace:
        """Return the traces of all blocks in one."""
        joined = (
            np.concatenate([getattr(part, name) for part in self.traces])
            for name in ("replicas", "ready", "nodes", "utilization")
        )
        return Trace(self.traced, *joined)


def simulate(
    setting: Setting, demand: Demand, tick_count: int, run_count: int, utilization_limit: float = 1.0,
    traced: tuple[int, ...] = (0,),
) -> tuple[Totals, Trace]:  # fmt: skip
    """Return the sums of every run, and all ticks of the runs in `traced`.

    `utilization_limit` is where a promise is broken, such as the utilization at which latency meets its target.
    Raises: ValueError without a tick or a run, and as `blocks`.
    """
    if tick_count < 1 or run_count < 1:
        raise ValueError(f"want a tick and a run, not {tick_count} and {run_count}")
    account = _Account(run_count, traced)
    for block in blocks(setting, demand, tick_count, run_count):
        account.add(block, utilization_limit * setting.grid.steps_per_unit)
    return account.totals(setting.tick_s), account.trace()
