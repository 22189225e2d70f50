"""CPU credits of burstable nodes: what requests take beyond what the nodes earn, on the bill and in words."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.formulas import credits
from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Band, NodeGroup, Usage
from cascade_plan.tiers.api import sharing
from cascade_plan.tiers.api.settings import Settings


def surplus(ask: Ask[Settings], group: NodeGroup) -> Band | None:
    """Return the vCPU-hours a month beyond what the nodes of a group earn credits for; None where nothing bursts.

    Of what runs on them the CPU time of requests is known, and that of pods of other tiers; not of the cluster's own.
    """
    shape = group.shape
    if shape.cpu_baseline_ratio is None or ask.cloud.burst(shape) is None:
        return None
    earned = shape.cpu_baseline_ratio * shape.vcpu
    cores_per_request = sum(sharing.demand(ask.scenario, name) for name in sharing.residents(ask.scenario, ask.name))
    busy = ask.traffic.requests_per_s.times(cores_per_request / 1000 / shape.speed)
    busy = sum((guest.busy_cores for guest in ask.guests), start=busy)
    return Band(
        *(
            count
            * credits.surplus_vcpu_hours(
                min(1.0, cores / (count * shape.vcpu)), earned / shape.vcpu, shape.vcpu, ask.hours
            )
            if count
            else 0.0
            for cores, count in zip(busy, group.count, strict=True)
        )
    )


def usages(ask: Ask[Settings], group: NodeGroup) -> Iterator[Usage]:
    """Yield what of it is billed."""
    hours, burst = surplus(ask, group), ask.cloud.burst(group.shape)
    if hours is not None and any(hours) and burst is not None and burst.offer is not None:
        yield Usage(ask.name, f"{group.name} CPU credits", burst.offer, hours, "vcpu_hour", group=group.name)


def findings(ask: Ask[Settings], group: NodeGroup) -> Iterator[Finding]:
    """Yield that the nodes are busier on average than their credits are for."""
    hours, burst, shape = surplus(ask, group), ask.cloud.burst(group.shape), group.shape
    if hours is None or burst is None or not hours.average:
        return
    busy = hours.average / (group.count.average * shape.vcpu * ask.hours) + (shape.cpu_baseline_ratio or 0.0)
    usd = None if burst.offer is None else ask.usd(burst.offer)
    words = (
        f"{shape.name} earns credits for {shape.cpu_baseline_ratio:.0%} of its {shape.vcpu} vCPU, and requests keep "
        f"the {group.name} {busy:.0%} busy on average: {burst.words(hours.average, usd)}"
    )
    yield Finding("warning", "cpu-credits", words, f"tiers.{group.tier}.shape", is_broken=burst.offer is None)
