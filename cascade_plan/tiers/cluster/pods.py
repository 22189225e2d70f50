"""The cluster's own pods, where it has no node to run them on."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import Band, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.cluster.settings import Settings

OWN_PODS = 4
"""Two of CoreDNS, two of metrics-server: what their add-ons of EKS run (assumption)."""
OWN_POD_CORES, OWN_POD_MIB = 0.1, 200
"""What the larger of them requests, https://github.com/kubernetes-sigs/metrics-server"""


def own(ask: Ask[Settings]) -> Iterator[Usage]:
    """Yield what the cluster's own pods are charged where it has no node to run them on."""
    sizes = ask.cloud.pod_sizes()
    if sizes is None or any(settings.has_nodes for settings in ask.scenario.tiers.values()):
        return
    if (shape := sizes.of(OWN_POD_CORES, OWN_POD_MIB)) is None:
        return
    options = (shape.architecture,)
    for name, what, each, unit in (
        ("CPU", "pod_cpu", shape.vcpu, "vcpu_hour"),
        ("memory", "pod_memory", shape.memory_gib, "gib_hour"),
    ):
        amount = Band.constant(OWN_PODS * each * ask.hours)
        yield Usage(ask.name, f"cluster pods {name}", Offer(what, "", options), amount, unit)
