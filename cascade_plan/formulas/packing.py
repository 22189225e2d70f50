"""Bin packing: how many pods of a service nodes hold beside pods that must stand there first.

What must stand there is placed largest first (first-fit decreasing, Johnson 1974), each pod where it takes the fewest
places of the service's pods: into what these leave free of a node as long as there is any. What the service's pods get
is what is left. More nodes never hold fewer: what is placed on some nodes can stand as it does when there are more.
Source: https://doi.org/10.1137/0203025
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Final, NamedTuple

EXACT_TO: Final = 32
"""Up to so many nodes each count is packed by itself; above, one in so many parts of them."""
_DUST: Final = 1e-6
"""Amounts this close are the same: thousandths of a core and MiB of floats."""


class Size(NamedTuple):
    """What a pod requests, or what a node has left for pods."""

    cpu_m: float
    """Thousandths of a core."""
    memory_mib: float
    pods: int = 1

    def less(self, other: Size) -> Size:
        """Return what is left once `other` is taken."""
        return Size(
            round(self.cpu_m - other.cpu_m, 6), round(self.memory_mib - other.memory_mib, 6), self.pods - other.pods
        )

    def holds(self, other: Size) -> bool:
        """Return whether there is room for `other`."""
        return (
            other.cpu_m <= self.cpu_m + _DUST
            and other.memory_mib <= self.memory_mib + _DUST
            and other.pods <= self.pods
        )

    def part_of(self, whole: Size) -> float:
        """Return the largest share of `whole` that it takes of anything."""
        return max(
            self.cpu_m / max(whole.cpu_m, _DUST), self.memory_mib / max(whole.memory_mib, _DUST),
            self.pods / max(whole.pods, _DUST),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """What a node has for the pods of a service, and what stands on the nodes before them."""

    node: Size
    pod: Size
    per_node: int
    """Pods of the service on a node on which nothing stands before them; at least one."""
    before: tuple[tuple[Size, int], ...] = ()
    """What stands on the nodes first, wherever it fits: pods and how many of them."""

    def held(self, nodes: int) -> int:
        """Return how many pods of the service so many nodes hold: one at least, where there is a node.

        >>> room = Room(Size(4000, 8000, 50), Size(500, 700), 8, ((Size(1000, 6000), 2),))
        >>> [room.held(nodes) for nodes in (0, 1, 2, 3)]
        [0, 1, 4, 12]
        """
        return max(min(1, nodes), _held(self, nodes))

    @property
    def node_count_least(self) -> int:
        """The fewest nodes that hold what stands there first and a pod of the service; 0 where nothing does.

        A pod that is larger than a node is left out: no count helps it.
        """
        return _least(self)

    def asks_more(self, than: Room) -> bool:
        """Return whether what stands there first takes more of anything than in another room."""
        return not than.asked.holds(self.asked)

    @property
    def asked(self) -> Size:
        """What stands there first takes together."""
        return Size(
            sum(pod.cpu_m * count for pod, count in self.before),
            sum(pod.memory_mib * count for pod, count in self.before),
            sum(pod.pods * count for pod, count in self.before),
        )

    @property
    def too_large(self) -> tuple[Size, ...]:
        """What of it no node holds."""
        return tuple(pod for pod, count in self.before if count and not self.node.holds(pod))


def _sorted(room: Room) -> list[tuple[Size, int]]:
    """Return what stands there first and fits a node at all, the largest first."""
    fitting = [(pod, count) for pod, count in room.before if count and room.node.holds(pod)]
    return sorted(fitting, key=lambda each: (-each[0].part_of(room.node), each))


@lru_cache(maxsize=65_536)
def _held(room: Room, nodes: int) -> int:
    most = min(nodes, sum(count for _, count in room.before))
    found = 0 if _sorted(room) else nodes * room.per_node
    for count in _counts(most):
        taken = _taken(room, count)
        if taken is not None:
            found = max(found, nodes * room.per_node - taken)
            if not taken:
                break
    return found


@lru_cache(maxsize=16_384)
def _least(room: Room) -> int:
    """Return the least count on which all can be placed: the sum of what they take is a bound to begin at."""
    pods = _sorted(room)
    if not pods:
        return 0
    count = max(1, ceil(Room(room.node, room.pod, room.per_node, tuple(pods)).asked.part_of(room.node) - _DUST))
    while (taken := _taken(room, count)) is None or taken == count * room.per_node:
        count += 1
    return count


def _counts(most: int) -> Iterator[int]:
    count = 1
    while count <= most:
        yield count
        count += max(1, count // EXACT_TO)


@lru_cache(maxsize=65_536)
def _taken(room: Room, nodes: int) -> int | None:
    """Return how many places of the service's pods are taken on so many nodes; None where not all can be placed.

    Where they cannot be while they spare the service, they are placed onto as few nodes as will do.
    """
    taken = _placed(room, nodes, spares=True)
    return _placed(room, nodes, spares=False) if taken is None else taken


def _placed(room: Room, nodes: int, spares: bool) -> int | None:
    """Return the places taken where each pod goes to the node on which it takes the fewest (or to the fullest).

    Nodes with as much left are alike, and are counted together.
    """
    left = {room.node: nodes}
    for pod, count in _sorted(room):
        costs: dict[Size, tuple[int, float, Size]] = {}
        while count:
            for node in left:
                if node not in costs and node.holds(pod):
                    taken = _fits(room, node) - _fits(room, node.less(pod)) if spares else 0
                    costs[node] = (taken, -room.node.less(node).part_of(room.node), node)
            if not costs:
                return None
            taken, _, node = min(costs.values())
            # What costs nothing goes onto all that are alike at once.
            placed = min(count, left[node]) if spares and not taken else 1
            left[node] -= placed
            if not left[node]:
                del left[node], costs[node]
            after = node.less(pod)
            left[after] = left.get(after, 0) + placed
            count -= placed
    return nodes * room.per_node - sum(_fits(room, node) * count for node, count in left.items())


def _fits(room: Room, node: Size) -> int:
    """Return how many pods of the service fit what is left of a node."""
    by = [room.per_node, node.pods]
    if room.pod.cpu_m:
        by.append(int((node.cpu_m + _DUST) // room.pod.cpu_m))
    if room.pod.memory_mib:
        by.append(int((node.memory_mib + _DUST) // room.pod.memory_mib))
    return max(0, min(by))
