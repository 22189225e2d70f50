"""The autoscaled cluster of one run, pod by pod and node by node: what the arrays of simulation/autoscaler stand for.

Pods and nodes are objects with ages, and every decision is formulas/hpa's. Slow, and nothing in it is clever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from cascade_plan.formulas import hpa
from cascade_plan.formulas.hpa_replicas import (
    AverageValue,
    Container,
    Metric,
    Pod,
    PodsMetric,
    PodUsage,
    ResourceMetric,
    Sample,
    Utilization,
    Workload,
)
from cascade_plan.proving.autoscaler import PERCENT_GRAINS, Setting, Signal

REQUEST_MILLI = 100 * PERCENT_GRAINS
LONG_AGO_S = -1e9


@dataclass(slots=True)
class Placed:
    """A pod: its name, and when it got a node (None while it waits)."""

    name: str
    placed_s: float | None = None


@dataclass(slots=True)
class Node:
    """A node: when it was ordered, and since when the cluster does not need it."""

    ordered_s: float
    idle_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One tick: what it found ready, and what it left."""

    ready: int
    replicas: int
    scheduled: int
    nodes: int


@dataclass(slots=True)
class ByPod:
    """One run's cluster between ticks."""

    setting: Setting
    state: hpa.State = field(default_factory=hpa.State)
    pods: list[Placed] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    born: int = 0

    def __post_init__(self) -> None:
        self.resize(self.setting.replica_count)
        self.nodes = [Node(LONG_AGO_S) for _ in range(self.needed())]
        self.place(LONG_AGO_S)

    def needed(self) -> int:
        """Return the nodes the pods need, within the bounds."""
        cluster = self.setting.cluster
        count = ceil((len(self.pods) + cluster.reserved_count) / cluster.pods_per_node)
        return min(max(count, cluster.node_count_min), cluster.node_count_max)

    def resize(self, replicas: int) -> None:
        """Create pods, or remove the newest: those that wait before those that start before those that run."""
        del self.pods[replicas:]
        while len(self.pods) < replicas:
            self.pods.append(Placed(f"pod-{self.born}"))
            self.born += 1

    def order(self, now_s: float) -> None:
        """Order nodes that are needed, and drop the newest of those that were idle long enough."""
        needed = self.needed()
        while len(self.nodes) < needed:
            self.nodes.append(Node(now_s))
        for rank, node in enumerate(self.nodes, start=1):
            if rank <= needed:
                node.idle_since_s = None
            elif node.idle_since_s is None:
                node.idle_since_s = now_s
        while (since := self.nodes[-1].idle_since_s) is not None and now_s - since >= self.setting.cluster.node_idle_s:
            self.nodes.pop()

    def place(self, now_s: float) -> None:
        """Give pods a node, in order, while ready nodes have room."""
        cluster = self.setting.cluster
        ready = sum(now_s - node.ordered_s >= cluster.node_startup_s or node.ordered_s <= now_s == LONG_AGO_S
                    for node in self.nodes)  # fmt: skip
        for pod in self.pods[: cluster.held(ready)]:
            if pod.placed_s is None:
                pod.placed_s = now_s

    def is_ready(self, pod: Placed, now_s: float) -> bool:
        """Return whether a pod takes load."""
        return pod.placed_s is not None and now_s - pod.placed_s >= self.setting.cluster.pod_startup_s

    def shown(self, pod: Placed, now_s: float) -> Pod:
        """Return a pod as the controller sees it."""
        request = (Container("api", REQUEST_MILLI),)
        if pod.placed_s is None:
            return Pod(pod.name, "Pending", None, None, containers=request)
        ready, startup_s = self.is_ready(pod, now_s), self.setting.cluster.pod_startup_s
        changed_s = pod.placed_s + startup_s if ready else pod.placed_s
        return Pod(pod.name, "Running", "True" if ready else "False", pod.placed_s, changed_s, containers=request)

    def metric(self, signal: Signal, step: int, now_s: float) -> Metric:
        """Return a signal as the controller reads it."""
        value, window_s = float(signal.values[step]), self.setting.metric_window_s
        if signal.kind == "pods":
            ready = [pod for pod in self.pods if self.is_ready(pod, now_s)]
            samples = tuple(Sample(pod.name, int(value), now_s, window_s) for pod in ready)
            return PodsMetric("signal", AverageValue(signal.target), samples)
        usage = (("api", int(value * PERCENT_GRAINS)),)
        placed = [pod for pod in self.pods if pod.placed_s is not None]
        usages = tuple(PodUsage(pod.name, usage, now_s, window_s) for pod in placed)
        return ResourceMetric(signal.kind, Utilization(signal.target), usages)

    def tick(self, now_s: float, demand: float) -> Seen:
        """Observe, decide, create, order, place."""
        setting = self.setting
        ready = sum(self.is_ready(pod, now_s) for pod in self.pods)
        step = min(int(demand * setting.grid.steps_per_unit / ready), setting.grid.step_count - 1)
        metrics = [self.metric(signal, step, now_s) for signal in setting.signals]
        shown = tuple(self.shown(pod, now_s) for pod in self.pods)
        workload = Workload(now_s, len(shown), len(shown), shown)
        result = hpa.reconcile(setting.autoscaler, workload, metrics, self.state, setting.controller)
        assert not result.message
        self.state = result.state
        self.resize(result.replica_count)
        self.order(now_s)
        self.place(now_s)
        placed = sum(pod.placed_s is not None for pod in self.pods)
        return Seen(ready, len(self.pods), placed, len(self.nodes))


def replay(setting: Setting, demand: Sequence[float]) -> list[Seen]:
    """Return every tick of one run under a load given in pods."""
    run = ByPod(setting)
    return [run.tick(float(tick * setting.tick_s), load) for tick, load in enumerate(demand)]
