"""What a node with open connections does at most: its one thread, its memory, the connections it was sized for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from cascade_plan.formulas.losses import after_loss
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band
from cascade_plan.model.titles import with_article
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.websocket.settings import Settings

BUSY_MOST: Final = 0.8
"""A thread that is busier answers heartbeats late, and nothing judges how late messages come (assumption)."""
CPU_CORES_LEAST: Final = 0.1
"""What a pod requests at least: it has to start, and to be asked whether it lives (assumption)."""
COMPARED: Final = "with per-message compression in Node.js (227 KiB each, measured) they would not fit 8 GiB"


def _readers(ask: Ask[Settings], connections: float) -> Mapping[str, float]:
    """Return audience -> connections that receive what is posted to it, the sender's own beside those it is sent to."""
    settings = ask.settings
    return {
        "room": (settings.recipients_per_message + 1) * settings.connections_per_user,
        "tenant": connections / ask.scenario.users.tenants,
    }


def _published(ask: Ask[Settings]) -> Mapping[str, float]:
    """Return audience -> messages posted to it by a request of the mix."""
    found = dict.fromkeys(("room", "tenant"), 0.0)
    for share, action in ask.scenario.behaviour.mix:
        if action.publishes:
            found[action.audience] += share
    return found


def deliveries(ask: Ask[Settings], connections: Band) -> Band:
    """Return messages delivered a second: to a room's other members, or to every connection of a tenant."""
    settings, requests, published = ask.settings, ask.traffic.requests_per_s, _published(ask)
    of_a_room = settings.recipients_per_message * settings.connections_per_user
    to_tenants = (
        rate * published["tenant"] * _readers(ask, open_)["tenant"]
        for rate, open_ in zip(requests, connections, strict=True)
    )
    return requests.times(published["room"] * of_a_room).plus(Band(*to_tenants))


def memory_mib(settings: Settings, connections: float) -> float:
    """Return the memory of a process and of the kernel beside it that hold so many connections."""
    each_kib = settings.memory_kib_per_connection + settings.kernel_kib_per_connection
    return settings.idle_memory_mib + connections * each_kib / 1024


def held_in(settings: Settings, memory_mib: float) -> int:
    """Return how many connections so much memory holds: no more than a node, or a pod, is sized for."""
    each_mib = (settings.memory_kib_per_connection + settings.kernel_kib_per_connection) / 1024
    return min(settings.connections_per_node, floor(max(0.0, memory_mib - settings.idle_memory_mib) / each_mib + 1e-9))


def left(ask: Ask[Settings], nodes: int) -> int:
    """Return how many of so many nodes are there when what the availability names is lost."""
    asked = ask.scenario.availability.asked
    return after_loss(nodes, asked.zones, asked.lost_zone_count, asked.lost_node_count)


@dataclass(frozen=True, slots=True)
class Work:
    """What users at the peak make the nodes do, however many these are."""

    settings: Settings
    connections: int
    """Open at the peak."""
    published: Mapping[str, float]
    """Audience -> messages by a request."""
    readers: Mapping[str, float]
    """Audience -> connections that receive a message."""
    delivered: float
    """Messages delivered by a request."""
    busiest_requests_per_s: float
    thread_cores: float
    """What one thread gets: a core, or what its node leaves to pods where that is less."""
    speed: float
    """Of a core, over those that CPU times were measured on."""

    @classmethod
    def of(cls, ask: Ask[Settings], thread_cores: float, connections: Band, speed: float) -> Work:
        """Return what is asked of nodes, or pods, that hold these connections, of this speed."""
        requests = ask.traffic.requests_per_s.peak
        return cls(
            ask.settings,
            ceil(connections.peak),
            _published(ask),
            _readers(ask, connections.peak),
            deliveries(ask, connections).peak / requests if requests else 0.0,
            busiest_requests_per_s(ask.scenario, ask.traffic),
            thread_cores,
            speed,
        )

    @property
    def held(self) -> int:
        """Connections that one node holds at most: no more than it is sized for, or than there are."""
        return min(self.settings.connections_per_node, self.connections)

    def held_by(self, pods: int) -> int:
        """Return the connections that each of so many pods holds where these are all there are."""
        return min(self.settings.connections_per_node, ceil(self.connections / max(1, pods)))

    def listener_count(self, nodes: int) -> float:
        """Return how many of the nodes a message comes to, in the mean: those that hold one of its readers.

        Of n nodes that readers are spread over by chance, k readers are on n (1 - (1 - 1/n)^k).

        >>> round(3 * (1 - (1 - 1 / 3) ** 6), 2)
        2.74
        """
        total = sum(self.published.values())
        found = sum(
            count * nodes * (1 - (1 - 1 / nodes) ** max(1.0, self.readers[audience]))
            for audience, count in self.published.items()
        )
        return found / total if total else 0.0

    def cpu_s(self, nodes: int) -> Demand:
        """Return the cores that each of so many nodes takes: it sends, answers heartbeats, hears the broker."""
        settings, heard = self.settings, sum(self.published.values()) * self.listener_count(nodes)
        beats_ms = self.connections / settings.heartbeat_interval_s * settings.heartbeat_cpu_ms
        messages_ms, each_ms = (
            self.delivered * settings.delivery_cpu_ms + heard * settings.broker_cpu_ms,
            1000 * self.speed,
        )
        return Demand(shared_units_per_request=messages_ms / each_ms, flat_units=beats_ms / each_ms)

    def busy_ratio(self, nodes: int) -> float:
        """Return how busy the thread of each of so many nodes is at the busiest load."""
        return self.cpu_s(nodes).at(self.busiest_requests_per_s, 1 / nodes) / self.thread_cores

    def cpu_cores(self, nodes: int) -> float:
        """Return the CPU that a pod requests where so many are left: what its thread takes, at most all it can have."""
        return max(CPU_CORES_LEAST, ceil(min(1.0, self.busy_ratio(nodes)) * self.thread_cores * 100) / 100)


def what(ask: Ask[Settings]) -> str:
    """Return what holds connections, in a word: a node of its own, or a pod on the nodes of a service."""
    return "pod" if ask.settings.nodes_of else "node"


def figures(ask: Ask[Settings], work: Work, nodes: int) -> Iterator[Derivation]:
    """Yield the memory of a full node and of what it holds, and how busy the thread of each node is; or those of pods.

    A pod on a service's nodes has room for its part of the connections where all is lost that availability names.
    """
    each_kib = (ask.own("memory_kib_per_connection"), ask.own("kernel_kib_per_connection"))
    taken = "x (memory_kib_per_connection + kernel_kib_per_connection) / 1024"
    parts = [
        ("memory_mib_per_node", ask.settings.connections_per_node, "connections_per_node"),
        ("memory_mib_per_pod", work.held, f"the lesser of connections_per_node and {ask.name}.connection_count"),
    ]
    if what(ask) == "pod":
        held, of_left = f"the lesser of connections_per_node and {ask.name}.connection_count", "pods that losses leave"
        parts = [("memory_mib_per_pod", work.held_by(left(ask, nodes)), f"{held} / {of_left}")]
    for leaf, connections, words in parts:
        yield ask.figure(
            leaf,
            memory_mib(ask.settings, connections),
            "MiB",
            f"idle_memory_mib + {words} {taken}",
            (ask.own("idle_memory_mib"), ask.own("connections_per_node"), *each_kib),
            "measured per connection, docs/model.md",
        )
    yield ask.figure(
        "busy_ratio",
        work.busy_ratio(nodes),
        "of one thread",
        f"of each of {nodes} {what(ask)}s: its part of deliveries/s x delivery_cpu_ms, heartbeats/s x "
        "heartbeat_cpu_ms, and messages/s x nodes that hold a reader x broker_cpu_ms",
        (
            Input("requests/s of the busiest load", work.busiest_requests_per_s, "computed"),
            Input("nodes that hold a reader of a message", work.listener_count(nodes), "computed"),
            ask.own("recipients_per_message"),
            ask.own("delivery_cpu_ms"),
            ask.own("heartbeat_cpu_ms"),
            ask.own("broker_cpu_ms"),
        ),
        'docs/model.md, "What a database and a cache can do"',
    )


def ceilings(ask: Ask[Settings], shape: Shape | None, work: Work, nodes: int) -> Iterator[Ceiling]:
    """Yield the most that each node, or pod, does: CPU of its thread, memory of what it holds, connections.

    The memory of pods on a service's nodes, which have no shape of their own, is requested: what holds them is said
    of that service.
    """
    name, lever, each = ask.name, f"{ask.name}.{what(ask)}_count", ask.settings.connections_per_node
    more, asked = f"more {what(ask)}s share it, set tiers.{ask.name}.nodes", work.cpu_s(nodes)
    opened = f"tiers.{name}.connections_per_user"
    thread = Demand(
        shared_units_per_request=asked.shared_units_per_request / work.thread_cores,
        flat_units=asked.flat_units / work.thread_cores,
    )
    yield Ceiling(
        f"{name}.busy_ratio", "websocket-cpu", f"the thread of each {what(ask)} of {name} is busy", "it is late beyond",
        "of the time", thread, BUSY_MOST, more, lever, nodes,
        rests_on=ask.assumed(f"tiers.{name}.recipients_per_message", opened),
    )  # fmt: skip
    if shape is not None:
        yield Ceiling(
            f"{name}.memory_mib_per_pod", "websocket-memory", f"{work.held:,} connections take",
            f"{with_article(shape.name)} leaves", "MiB", Demand(flat_units=memory_mib(ask.settings, work.held)),
            max(1, ask.allocatable(shape).memory_mib),
            f"admit fewer, set tiers.{name}.connections_per_node, or take a larger one, set tiers.{name}.shape",
            rests_on=ask.assumed(opened),
        )  # fmt: skip
    yield Ceiling(
        f"{name}.connection_count", "websocket-full", f"each {what(ask)} of {name} is to hold", "it was sized for",
        "connections", Demand(flat_units=work.connections), each, more, lever, nodes, rests_on=ask.assumed(opened),
    )  # fmt: skip


def findings(ask: Ask[Settings], shape: Shape, work: Work, nodes: int) -> Iterator[Finding]:
    """Yield whether a node's memory holds all that it was sized for, and that the nodes which are left hold too few."""
    each, node_mib, where = ask.settings.connections_per_node, ask.allocatable(shape).memory_mib, "memory_mib_per_node"
    full = memory_mib(ask.settings, each)
    if full <= node_mib:
        message = (
            f"{each:,} connections take {full:,.0f} of the {node_mib:,} MiB {with_article(shape.name)} leaves "
            f"({full / node_mib:.0%}); {COMPARED}"
        )
        yield Finding("info", "websocket-memory", message, f"{ask.name}.{where}")
    elif memory_mib(ask.settings, work.held) <= node_mib:
        message = (
            f"{each:,} connections take {full:,.0f} MiB, {with_article(shape.name)} leaves {node_mib:,} MiB: it holds "
            f"{floor(each * node_mib / full):,}, of the {work.connections:,} that there are"
        )
        yield Finding("warning", "websocket-memory", message, f"{ask.name}.{where}")
    yield from lost(ask, work, nodes)


def lost(ask: Ask[Settings], work: Work, nodes: int) -> Iterator[Finding]:
    """Yield that what is left after the losses that availability names cannot carry all.

    Where it names none, of one node lost; where all nodes together cannot, ceilings say so.
    """
    each, open_, kept = ask.settings.connections_per_node, work.connections, left(ask, nodes)
    where = f"{ask.name}.{what(ask)}_count"
    if open_ > nodes * each or not open_:
        return
    if kept < nodes:
        words = f"with what availability says is lost {kept} of {nodes} {what(ask)}s are left"
        if kept * each < open_:
            message = f"{words}: they cannot hold {open_:,} connections"
            yield Finding("warning", "websocket-node-loss", message, where, is_broken=True)
        elif (busy := work.busy_ratio(kept)) > BUSY_MOST >= work.busy_ratio(nodes):
            message = f"{words}: their threads would be {busy:.0%} busy"
            yield Finding("warning", "websocket-node-loss", message, where, is_broken=True)
    elif nodes > 1 and (nodes - 1) * each < open_:
        message = f"with one of {nodes} {what(ask)}s lost the others cannot hold {open_:,} connections"
        yield Finding("warning", "websocket-node-loss", message, where)
