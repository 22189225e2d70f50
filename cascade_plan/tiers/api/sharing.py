"""What stands on one group of nodes: whose it is, how many pods of each service fill a node, and what is before them.

Pods that must not be cut (open connections, Prometheus), workers and the cluster's own pods have their places first, as
many as there ever are; the pods of the service whose nodes they are get what these leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from cascade_plan.errors import TooSmallError
from cascade_plan.formulas.draws import whole
from cascade_plan.formulas.losses import after_loss, least_count
from cascade_plan.formulas.packing import Room, Size
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Allocatable, Shape
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Guest
from cascade_plan.model.scenario import Scenario
from cascade_plan.tiers.api.settings import Pod, Settings

NODES_MOST: Final = 100_000
"""No search for a count goes beyond this."""


def host(scenario: Scenario, name: str) -> str:
    """Return the service whose nodes the pods of a service run on: itself, or the one that it names."""
    return scenario.all_of(Settings)[name].nodes_of or name


def residents(scenario: Scenario, owner: str) -> Mapping[str, Settings]:
    """Return the services whose pods run on the nodes of one, this one among them, by name."""
    services = scenario.all_of(Settings)
    return {name: settings for name, settings in services.items() if (settings.nodes_of or name) == owner}


def demand(scenario: Scenario, name: str) -> float:
    """Return the CPU time in ms that a request of the mix asks of a service, in the mean."""
    return sum(share * action.cpu_ms for share, action in scenario.behaviour.mix if scenario.service(action) == name)


def apportioned(node: Allocatable, pods: Mapping[str, Pod], demands: Mapping[str, float]) -> Mapping[str, int]:
    """Return how many pods of each service fill a node: one of each, then in proportion to the CPU time asked of them.

    The next pod is of the service with the most CPU time for each of its pods, if it fits (D'Hondt's method).
    Raises TooSmallError where one pod of each does not fit.
    """
    counts = dict.fromkeys(pods, 1)
    if not _fits(node, pods, counts):
        raise TooSmallError(
            (owner := next(iter(pods))),
            f"tiers.{owner}.shape: a node leaves {node.cpu_m / 1000:g} cores and {node.memory_mib} MiB, too "
            f"little for a pod of each of {', '.join(pods)}",
        )
    while True:
        larger = {name: {**counts, name: counts[name] + 1} for name in pods if demands[name] > 0}
        fitting = [name for name, grown in larger.items() if _fits(node, pods, grown)]
        if not fitting:
            return counts
        counts = larger[max(fitting, key=lambda name: demands[name] / (counts[name] + 1))]


def unrequested_share(node: Allocatable, pods: Mapping[str, Pod], counts: Mapping[str, int]) -> float:
    """Return the share that pods leave free of a node, of CPU or memory, whichever is fuller."""
    cpu_m, memory_mib = _asked(pods, counts)
    return 1 - max(cpu_m / node.cpu_m, memory_mib / node.memory_mib)


def _fits(node: Allocatable, pods: Mapping[str, Pod], counts: Mapping[str, int]) -> bool:
    cpu_m, memory_mib = _asked(pods, counts)
    return cpu_m <= node.cpu_m and memory_mib <= node.memory_mib and sum(counts.values()) <= node.pods


def _asked(pods: Mapping[str, Pod], counts: Mapping[str, int]) -> tuple[float, float]:
    """Return the thousandths of a core and the MiB that pods request."""
    return (
        sum(count * (pods[name].cpu_cores * 1000) for name, count in counts.items()),
        sum(count * float(pods[name].memory_mib) for name, count in counts.items()),
    )


# ----------------------------------------------------------------------------------------------- what else stands there


def room(ask: Ask[Settings], shape: Shape, pods: Mapping[str, int]) -> Room:
    """Return what nodes of a shape have for the pods of a service beside all that stands on them first.

    Pods of other services stay as they are: what comes first takes the places of the owner's.
    """
    node, others = ask.allocatable(shape), [name for name in pods if name != ask.name]
    asked = residents(ask.scenario, ask.name)
    cpu_m = sum(pods[name] * asked[name].pod.cpu_cores * 1000 for name in others)
    memory_mib = sum(pods[name] * asked[name].pod.memory_mib for name in others)
    left = Size(float(node.cpu_m), float(node.memory_mib), node.pods).less(
        Size(cpu_m, memory_mib, sum(pods[name] for name in others))
    )
    own = asked[ask.name].pod
    before = (*(_size(guest) for guest in ask.guests), *_system(ask))
    return Room(left, Size(own.cpu_cores * 1000, float(own.memory_mib)), pods[ask.name], before)


def _size(guest: Guest) -> tuple[Size, int]:
    return Size(guest.cpu_cores * 1000, float(guest.memory_mib)), guest.count_max


def _system(ask: Ask[Settings]) -> Iterator[tuple[Size, int]]:
    """Yield the cluster's own pods, all alike, where this is the first service with nodes: there they stand."""
    cluster, services = ask.settings_of("cluster"), ask.scenario.all_of(Settings)
    first = next((name for name, each in services.items() if each.has_nodes), "")
    if cluster is None or ask.name != first:
        return
    if cluster.system_cpu_cores or cluster.system_memory_mib or cluster.system_pods:
        count = max(1, cluster.system_pods)
        yield Size(cluster.system_cpu_cores * 1000 / count, cluster.system_memory_mib / count), count


def cores(guests: Iterable[Guest]) -> float:
    """Return the cores that guests request together."""
    return sum(guest.cpu_cores * guest.count_max for guest in guests)


def node_count_least(ask: Ask[Settings], room: Room) -> int:
    """Return the fewest nodes of which, with zones and nodes lost, enough are left for what must stand on them.

    The cluster's own pods alone ask for none: an autoscaler adds what they lack.
    """
    return _kept(ask, room.node_count_least) if ask.guests else 0


def _kept(ask: Ask[Settings], needed: int) -> int:
    asked = ask.scenario.availability.asked
    return _least_before_loss(needed, asked.zones, asked.lost_zone_count, asked.lost_node_count)


@lru_cache(maxsize=4096)
def _least_before_loss(needed: int, zones: int, zones_lost: int, nodes_lost: int) -> int:
    return least_count(lambda nodes: after_loss(nodes, zones, zones_lost, nodes_lost) >= needed, NODES_MOST, needed)


def findings(ask: Ask[Settings], shape: Shape, room: Room, floor: int) -> Iterator[Finding]:
    """Yield which pods no node holds, however many there are, and that too few nodes are left at the floor for all."""
    for guest in ask.guests:
        if _size(guest)[0] in room.too_large:
            words = (
                f"each of the {guest.name} of {guest.tier} requests {guest.cpu_cores:g} cores and "
                f"{guest.memory_mib / 1024:.3g} GiB of memory, {shape.name} leaves {room.node.cpu_m / 1000:g} cores "
                f"and {room.node.memory_mib / 1024:.3g} GiB: set a larger tiers.{ask.name}.shape"
            )
            yield Finding("warning", "pods-beside", words, f"tiers.{guest.tier}.nodes_of", is_broken=True)
    asked, where = ask.scenario.availability.asked, f"{ask.name}.node_count.min"
    left = after_loss(floor, asked.zones, asked.lost_zone_count, asked.lost_node_count)
    if ask.guests and left < room.node_count_least:
        words = (
            f"of {floor} nodes at the floor {left} are left when a zone and a node are lost: the pods of "
            f"{_names(ask.guests)} and the cluster's own fill {room.node_count_least}"
        )
        yield Finding("warning", "pods-beside", words, where, is_broken=True)
    yield from _spot_findings(ask, room, floor)


def _spot_findings(ask: Ask[Settings], room: Room, floor: int) -> Iterator[Finding]:
    """Yield that the nodes which nobody takes back hold too little, or that there are none: what must stay is moved."""
    share = sum(float(part.share) for part in ask.settings.terms if part.term == "spot")
    kept = floor - whole(share * floor + 1e-9)
    if not share or not ask.guests or kept >= room.node_count_least:
        return
    words = f"of {floor} nodes at the floor {kept} are not on spot: the pods of {_names(ask.guests)} "
    words += (
        "are moved when the cloud takes back a node"
        if not kept
        else f"stand on these, and fill {room.node_count_least}"
    )
    yield Finding("warning", "pods-on-spot", words, f"tiers.{ask.name}.purchase", is_broken=bool(kept))


def _names(guests: Iterable[Guest]) -> str:
    return ", ".join(dict.fromkeys(guest.tier for guest in guests))


def free_share(room: Room, node: Allocatable, nodes: int) -> float:
    """Return the share that nothing requests of so many nodes, of CPU or memory, whichever is fuller."""
    held, own, first = room.held(nodes), room.pod, room.asked
    cpu_m = nodes * (node.cpu_m - room.node.cpu_m) + held * own.cpu_m + first.cpu_m
    memory_mib = nodes * (node.memory_mib - room.node.memory_mib) + held * own.memory_mib + first.memory_mib
    return max(0.0, 1 - max(cpu_m / node.cpu_m, memory_mib / node.memory_mib) / nodes)
