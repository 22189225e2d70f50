"""Services on one group of nodes: whose it is, and how many pods of each stand on a node."""

from __future__ import annotations

from collections.abc import Mapping

from cascade_plan.errors import InfeasibleError
from cascade_plan.model.catalogue import Allocatable
from cascade_plan.model.scenario import Scenario
from cascade_plan.tiers.api.settings import Pod, Settings


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
    Raises InfeasibleError where one pod of each does not fit.
    """
    counts = dict.fromkeys(pods, 1)
    if not _fits(node, pods, counts):
        raise InfeasibleError(
            f"tiers.{next(iter(pods))}.shape: a node leaves {node.cpu_m / 1000:g} cores and {node.memory_mib} MiB, too "
            f"little for a pod of each of {', '.join(pods)}"
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
