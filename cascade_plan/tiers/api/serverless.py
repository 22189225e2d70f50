"""A service whose pods run on no node of ours: each is a machine of its own, charged by its size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.formulas import rollouts
from cascade_plan.formulas.draws import whole
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Lever, NodeGroup, Portion, Sized
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.api import scaling, workload
from cascade_plan.tiers.api.settings import Settings

MODEL = "docs/model.md: closed network of multi-server queues"


def size(ask: Ask[Settings]) -> Sized:
    """Return the pods between their bounds, each rounded up to a size that is sold.

    Raises UsageError where the cloud runs no pods so, or there is no cluster; InfeasibleError for a pod too large.
    """
    shape = _shape(ask)
    base, least, most = _counts(ask)
    cpu = Offer("pod_cpu", "", (shape.architecture,))
    lever = _lever(ask, cpu, least, base, most)
    needed = ask.average(lambda users: _running(ask, lever, users))
    group = NodeGroup(
        tier=ask.name,
        name=f"{ask.name} pods",
        role="nodes",
        shape=shape,
        offer=cpu,
        count=Band(least, min(needed, base), base, most),
        lever=f"{ask.name}.replica_count",
        portions=(
            Portion("CPU", cpu, Band.constant(shape.vcpu), "vcpu_hour"),
            Portion(
                "memory",
                Offer("pod_memory", "", (shape.architecture,)),
                Band.constant(shape.memory_gib),
                "gib_hour",
            ),
        ),
    )
    # What is paid for is requested, and nobody else's CPU can be used: a pod's limit is its request.
    pod = ask.settings.pod.model_copy(update={"cpu_cores": shape.vcpu, "cpu_limit_cores": shape.vcpu})
    held = most + rollouts.surge_count(most)
    run = replace(workload.of(ask, group, pod, (least, most), 1, held, min(1.0, shape.vcpu)), cores_per_node=shape.vcpu)
    return Sized(
        ask.name,
        "api",
        groups=(group,),
        figures=tuple(_figures(ask, shape, base, least, most)),
        findings=(*scaling.findings(ask, run, shape.speed), *_findings(ask, shape)),
        levers=(lever,),
        workloads=(run,),
    )


def _running(ask: Ask[Settings], lever: Lever, users: float) -> int:
    """Return the pods for so many users: as the autoscaler holds them, or as the rule says."""
    if lever.set_by != "rules":
        return lever.at(users, ask.scenario.users.peak)
    return min(lever.most_count, max(lever.floor_count, _rule(ask, users)))


def _shape(ask: Ask[Settings]) -> Shape:
    pod, place, sizes = ask.settings.pod, ask.own("serverless"), ask.cloud.pod_sizes()
    where = f"{place.origin}: {place.name}"
    if sizes is None:
        raise UsageError(f"{where}: {ask.scenario.cloud} runs no pods without nodes")
    if not ask.scenario.of("cluster"):
        raise UsageError(f"{where}: its pods run in a Kubernetes cluster, and this scenario has none (cluster: {{}})")
    asked = max(pod.cpu_cores, pod.cpu_limit_cores or 0.0)
    if (shape := sizes.of(asked, pod.memory_mib)) is None:
        vcpu, gib = sizes.largest
        raise InfeasibleError(
            f"tiers.{ask.name}.pod: a pod of {asked:g} cores and {pod.memory_mib} MiB, with {sizes.taken_mib} MiB that "
            f"are not its own, is larger than the largest that runs without nodes: {vcpu:g} vCPU, {gib:g} GiB"
        )
    return shape


def _least(ask: Ask[Settings]) -> Input:
    word = ask.given("availability.level")
    return Input("pods at least", ask.scenario.availability.asked.node_count, f"availability {word.value}")


def _rule(ask: Ask[Settings], users: float) -> int:
    share = ask.traffic.service_share.get(ask.name, 0.0)
    return ask.nodes_for(users * share, ask.settings.users_per_pod)


def _counts(ask: Ask[Settings]) -> tuple[int, int, int]:
    """Return the pods at the peak, at any time, and at most."""
    users, least = ask.scenario.users, whole(_least(ask).value)
    base = ask.solved("replica_count.base") or max(least, _rule(ask, users.peak))
    low = ask.solved("replica_count.min") or min(base, max(least, _rule(ask, users.average)))
    if (pinned := ask.settings.replicas) is not None:
        return pinned.base or min(pinned.max, max(pinned.min, base)), pinned.min, pinned.max
    return base, low, max(base, ceil(base * ask.settings.headroom_ratio - 1e-9))


def _lever(ask: Ask[Settings], offer: Offer, least: int, base: int, most: int) -> Lever:
    pinned = ask.settings.replicas is not None
    return Lever(
        name=f"{ask.name}.replica_count",
        floor_count=least,
        base_count=base,
        most_count=most,
        set_by="pinned" if pinned else "rules" if ask.solution is None else "method",
        is_scaled=True,
        reaction_s=ask.settings.node_provisioning_s + ask.settings.pod_startup_s,
        is_searched=not pinned and bool(ask.traffic.service_share.get(ask.name)),
        spread="nodes",
        least_count=1,
        offer=offer,
    )


def _figures(ask: Ask[Settings], shape: Shape, base: int, least: int, most: int) -> Iterator[Derivation]:
    share = ask.traffic.service_share.get(ask.name, 0.0)
    part = (Input("share of the requests", share, "computed"),) if share < 1 else ()
    of_all, rounding = " x share" if part else "", ask.scenario.rounding
    pinned, solved = ask.settings.replicas is not None, ask.solution is not None
    for level, count, users in (("base", base, "peak"), ("min", least, "average")):
        formula = f"max(pods at least, users.{users}{of_all} / users_per_pod rounded {rounding})"
        inputs = (_least(ask), ask.given(f"users.{users}"), *part, ask.own("users_per_pod"))
        if pinned:
            formula, inputs = "pinned in the scenario, base within the bounds", (ask.own("replicas.min"), *inputs)
        elif solved:
            formula = "least that meets every load with a zone and a node lost"
        leaf = f"replica_count.{level}"
        why = ask.solution.why(f"{ask.name}.{leaf}") if ask.solution is not None and not pinned else ""
        yield ask.figure(leaf, count, "pods", formula, inputs, MODEL if solved else "", why)
    yield ask.figure(
        "replica_count.max",
        most,
        "pods",
        "pinned in the scenario" if pinned else f"{ask.name}.replica_count.base x headroom_ratio, rounded up",
        (ask.own("replicas.max" if pinned else "headroom_ratio"),),
    )
    sizes = ask.cloud.pod_sizes()
    assert sizes is not None
    for leaf, value, unit in (("pod_vcpu", shape.vcpu, "vCPU"), ("pod_memory_gib", shape.memory_gib, "GiB")):
        yield ask.figure(
            leaf,
            value,
            unit,
            f"the smallest size with the pod's CPU, and its memory + {sizes.taken_mib} MiB",
            (ask.own("pod.cpu_cores"), ask.own("pod.memory_mib")),
            sizes.source,
        )


def _findings(ask: Ask[Settings], shape: Shape) -> Iterator[Finding]:
    pod, where = ask.settings.pod, f"tiers.{ask.name}.pod"
    network = ask.settings_of("network")
    if network is not None and network.nat == "off":
        words = (
            f"the pods of {ask.name} stand in private subnets, and NAT is off: they reach no registry and no service "
            "but by endpoints of the network"
        )
        yield Finding("warning", "pods-without-nat", words, f"tiers.{ask.scenario.first('network')}.nat")
    if shape.vcpu >= 2 * pod.cpu_cores or shape.memory_gib * 1024 >= 2 * pod.memory_mib + 1024:
        words = (
            f"a pod of {pod.cpu_cores:g} cores and {pod.memory_mib} MiB is charged as {shape.name}: ask for what is "
            "paid for, or for a little less"
        )
        yield Finding("info", "pod-rounded-up", words, where)
