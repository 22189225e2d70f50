"""A rolling update on nodes that are full: how many pods it adds, and how many it must do without.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
"""

from __future__ import annotations

from math import ceil
from typing import Final

SURGE_PERCENT: Final = 25
"""Pods that a rollout adds before it removes any, of those there are: Kubernetes' own default."""
UNAVAILABLE_PERCENT: Final = 10
"""Pods that a rollout without room does without, as a drained node may (the emitted PodDisruptionBudget)."""


def surge_count(pod_count: int) -> int:
    """Return how many pods a rollout adds. Kubernetes rounds up.

    >>> surge_count(35)
    9
    """
    return ceil(pod_count * SURGE_PERCENT / 100)


def unavailable_percent(pod_count_most: int, slot_count: int) -> int:
    """Return the maxUnavailable, in percent, with which the most pods can be replaced on nodes that hold `slot_count`.

    None where the surge fits beside them. Else a pod at least must make room for the next: Kubernetes rounds down, so
    that of fewer pods, which leave nodes room, none is given up where one is all there is.

    >>> unavailable_percent(35, 49), unavailable_percent(35, 35), unavailable_percent(4, 4)
    (0, 10, 25)
    """
    if pod_count_most + surge_count(pod_count_most) <= slot_count:
        return 0
    return max(UNAVAILABLE_PERCENT, ceil(100 / min(pod_count_most, slot_count)))


def held_count(node_count: int, pod_count_per_node: int, reserved_count: int) -> int:
    """Return how many pods nodes hold of which others take the places of `reserved_count`; one at least, on any node.

    >>> held_count(5, 7, 0), held_count(5, 7, 2), held_count(1, 2, 2), held_count(0, 7, 2)
    (35, 33, 1, 0)
    """
    return max(min(1, node_count), node_count * pod_count_per_node - reserved_count)


def running_count_most(pod_count_most: int, slot_count: int) -> int:
    """Return how many pods run at once at most: those of a rollout's surge that the nodes have room for among them.

    >>> running_count_most(35, 49), running_count_most(35, 35), running_count_most(100, 35)
    (44, 35, 35)
    """
    return min(pod_count_most + surge_count(pod_count_most), slot_count)
