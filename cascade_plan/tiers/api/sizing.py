"""A service's nodes and pods: how many at peak, and between which bounds they scale."""

from __future__ import annotations

from math import ceil

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.catalogue import Allocatable, Shape
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Lever, NodeGroup, Sized, Workload
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place, Scale, Visit
from cascade_plan.model.scenario import Action
from cascade_plan.tiers.api.settings import NodeBounds, Settings

AFTER: tuple[str, ...] = ()
RULE = f"{PLAN}, cost calculator"
MODEL = "docs/model.md: closed network of multi-server queues"
Three = tuple[Derivation, Derivation, Derivation]


def size(ask: Ask[Settings]) -> Sized:
    """Return the node group with its scaling bounds, the pods that fill it, and the HPA's replica bounds."""
    settings = ask.settings
    shape = ask.shape("vm")
    node = ask.allocatable(shape)
    pods_per_node = ask.pods_per_node(shape, settings.pod.cpu_cores, settings.pod.memory_mib)
    figures = _node_figures(ask)
    base, least, most = (int(figure.value) for figure in figures)
    group = NodeGroup(
        tier=ask.name,
        name=f"{ask.name} nodes",
        role="nodes",
        shape=shape,
        offer=Offer("vm", shape.name),
        count=Band(least, min(_running(ask, least, most), base), base, most),
        terms=settings.terms,
        disk_gib=ask.node_disk_gib,
        idle_share=node.idle_share(pods_per_node, settings.pod.cpu_cores * 1000, settings.pod.memory_mib),
        lever=f"{ask.name}.node_count",
    )
    replicas = _replica_figures(ask, shape, node, pods_per_node, least, most)
    workload = _workload(ask, group, replicas, min(1.0, node.cpu_m / 1000 / pods_per_node))
    return Sized(
        ask.name,
        "api",
        groups=(group,),
        figures=(*figures, *replicas),
        findings=(
            *_rounding_findings(figures),
            *_capacity_findings(replicas, most, pods_per_node),
            *_zone_findings(ask, base),
            *_idle_findings(ask),
        ),
        levers=(_lever(ask, group.offer, least, base, most),),
        workloads=(workload,),
    )


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the pods as one queue with a server each: the balancer sends to the least busy."""
    (workload,) = site.fleet[site.name].workloads
    nodes = scale.get(f"{site.name}.node_count", site.fleet[site.name].lever("node_count").base_count)
    pods = min(nodes * workload.pod_count_per_node, scale.get(f"{site.name}.replica_count", workload.replica_count_max))

    def visits(action: Action) -> tuple[Visit, ...]:
        if site.scenario.service(action) != site.name:
            return ()
        busy = ServiceTime(action.cpu_ms / 1000 / workload.cores_per_pod, site.settings.service_scv)
        return (Visit(1, 1.0, busy),)

    return (Place(site.name, site.name, max(1, pods), 1, True, visits, is_scaled=True),)


def _share(ask: Ask[Settings]) -> float:
    """Return the share of the requests that the service answers: its users, by the rules, are so many."""
    return ask.traffic.service_share.get(ask.name, 0.0)


def _running(ask: Ask[Settings], least: int, most: int) -> float:
    share, per_node = _share(ask), ask.settings.users_per_node
    return ask.average(lambda users: min(most, max(least, ask.nodes_for(users * share, per_node))))


def _lever(ask: Ask[Settings], offer: Offer, least: int, base: int, most: int) -> Lever:
    pinned = ask.settings.nodes is not None
    return Lever(
        name=f"{ask.name}.node_count",
        floor_count=least,
        base_count=base,
        most_count=most,
        set_by="pinned" if pinned else "rules" if ask.solution is None else "method",
        is_scaled=True,
        reaction_s=ask.settings.node_provisioning_s + ask.settings.pod_startup_s,
        is_searched=not pinned and _share(ask) > 0,
        spread="nodes",
        least_count=1,
        offer=offer,
    )


def _workload(ask: Ask[Settings], group: NodeGroup, replicas: Three, cores_per_pod: float) -> Workload:
    settings = ask.settings
    fit, low, high = (int(figure.value) for figure in replicas)
    return Workload(
        tier=ask.name,
        kind="api",
        name=ask.workload,
        image=settings.image,
        port=settings.port,
        cpu_cores=settings.pod.cpu_cores,
        memory_mib=settings.pod.memory_mib,
        memory_mib_max=settings.pod.memory_mib,
        replica_count_min=low,
        replica_count_max=high,
        pod_count_per_node=fit,
        cores_per_pod=cores_per_pod,
        group=group.name,
        serves="requests",
        ready_path=settings.ready_path,
        live_path=settings.live_path,
        connection_count_per_pod=settings.connections_per_pod if ask.scenario.of("database") else 0,
    )


def _node_figures(ask: Ask[Settings]) -> Three:
    settings, users, share = ask.settings, ask.scenario.users, _share(ask)
    if settings.nodes is not None:
        return _pinned(ask, settings.nodes)
    asked = ask.scenario.availability.asked.node_count
    least_base, given_base = ask.least("minimum_nodes", asked)
    least_in, given_in = ask.least("minimum_nodes_scaled_in", asked)
    if ask.solution is not None and ask.solved("node_count.base") is not None:
        return _solved(ask, least_base, least_in)
    base = max(least_base, ask.nodes_for(users.peak * share, settings.users_per_node))
    least = min(max(least_in, ask.nodes_for(users.average * share, settings.users_per_node)), base)
    part = (Input("share of the requests", share, "computed"),) if share < 1 else ()
    per_node, rounding, of_all = ask.own("users_per_node"), ask.scenario.rounding, " x share" if part else ""
    return (
        ask.figure(
            "node_count.base",
            base,
            "nodes",
            f"max(minimum_nodes, users.peak{of_all} / users_per_node rounded {rounding})",
            (given_base, ask.given("users.peak"), *part, per_node),
            RULE,
            ask.rounding_note(users.peak * share, settings.users_per_node, least_base),
        ),
        ask.figure(
            "node_count.min",
            least,
            "nodes",
            f"max(minimum_nodes_scaled_in, users.average{of_all} / users_per_node rounded {rounding}) <= base",
            (given_in, ask.given("users.average"), *part, per_node),
            RULE,
            ask.rounding_note(users.average * share, settings.users_per_node, least_in),
        ),
        _most(ask, base),
    )


def _most(ask: Ask[Settings], base: int) -> Derivation:
    exact = base * ask.settings.headroom_ratio
    most = max(base, ceil(exact - 1e-9))
    return ask.figure(
        "node_count.max",
        most,
        "nodes",
        f"{ask.name}.node_count.base x headroom_ratio, rounded up",
        (ask.own("headroom_ratio"),),
        RULE,
        "" if exact == most or ask.solution else f"{exact:g} nodes cannot be bought: rounded up to {most}",
    )


def _solved(ask: Ask[Settings], least_base: int, least_in: int) -> Three:
    settings, users, share = ask.settings, ask.scenario.users, _share(ask)

    def found(leaf: str, count_of_users: int, minimum: int) -> Derivation:
        rule = max(minimum, ask.nodes_for(count_of_users * share, settings.users_per_node))
        why = ask.solution.why(f"{ask.name}.{leaf}") if ask.solution else ""
        return ask.figure(
            leaf,
            ask.solved(leaf) or 0,
            "nodes",
            "least that meets every load with a zone and a node lost",
            (Input("the rule's count", rule, "computed"),),
            MODEL,
            why,
        )

    base = found("node_count.base", users.peak, least_base)
    return base, found("node_count.min", users.average, least_in), _most(ask, int(base.value))


def _pinned(ask: Ask[Settings], nodes: NodeBounds) -> Three:
    def pin(name: str, count: int) -> Derivation:
        origin = ask.own(f"nodes.{name}")
        return ask.figure(f"node_count.{name}", count, "nodes", "pinned in the scenario", (origin,), "scenario")

    return pin("base", nodes.base), pin("min", nodes.min), pin("max", nodes.max)


def _replica_figures(
    ask: Ask[Settings], shape: Shape, node: Allocatable, pods_per_node: int, least: int, most: int
) -> Three:
    reserved = ("daemonset_cpu_cores", "daemonset_memory_mib")
    cluster = ask.scenario.first("cluster")
    fit = ask.figure(
        "pod_count_per_node",
        pods_per_node,
        "pods",
        f"least of allocatable CPU {node.cpu_m} m / pod CPU, memory {node.memory_mib} MiB / pod memory, "
        f"pod limit {node.pods} on {shape.name}",
        (
            ask.own("pod.cpu_cores"),
            ask.own("pod.memory_mib"),
            *(ask.given(f"tiers.{cluster}.{leaf}") for leaf in reserved if cluster),
        ),
        "awslabs/amazon-eks-ami nodeadm/internal/kubelet (kube-reserved, eviction, ENI pod limit)",
    )
    pinned = ask.settings.replicas
    if pinned is not None:
        bounds = [("min", pinned.min, "pinned in the scenario"), ("max", pinned.max, "pinned in the scenario")]
    else:
        bounds = [
            (name, nodes * pods_per_node, f"{ask.name}.node_count.{name} x {ask.name}.pod_count_per_node")
            for name, nodes in (("min", least), ("max", most))
        ]
    low, high = (
        ask.figure(
            f"replica_count.{name}",
            count,
            "pods",
            formula,
            (ask.own(f"replicas.{name}"),) if pinned else (),
            "scenario" if pinned else "the nodes paid for are filled, no pod is left without one",
        )
        for name, count, formula in bounds
    )
    return fit, low, high


def _rounding_findings(figures: Three) -> list[Finding]:
    return [
        Finding("info", "rounding", figure.note, figure.figure)
        for figure in figures
        if figure.note and figure.source == RULE
    ]


def _capacity_findings(replicas: Three, most: int, pods_per_node: int) -> list[Finding]:
    low, high = int(replicas[1].value), int(replicas[2].value)
    held = most * pods_per_node
    findings = []
    if high > held:
        findings.append(
            Finding(
                "warning",
                "hpa-exceeds-nodes",
                f"the autoscaler may ask for {high} pods, {most} nodes hold {held}: {high - held} pods would stay "
                f"Pending (they need {ceil(high / pods_per_node)} nodes)",
                replicas[2].figure,
            )
        )
    if low > held:
        findings.append(
            Finding(
                "warning",
                "hpa-floor-exceeds-nodes",
                f"the autoscaler's minimum of {low} pods does not fit the {most} nodes at the ceiling, which hold "
                f"{held}",
                replicas[1].figure,
            )
        )
    return findings


def _zone_findings(ask: Ask[Settings], base: int) -> list[Finding]:
    asked = ask.scenario.availability.asked
    zones = asked.zones
    if base >= zones or not asked.lost_zone_count:
        return []
    where = f"{ask.name}.node_count.base"
    return [Finding("warning", "zone-without-node", f"{base} nodes leave a zone of {zones} empty", where)]


def _idle_findings(ask: Ask[Settings]) -> list[Finding]:
    """Return that no action is answered by the service: its nodes would be bought for nothing."""
    if _share(ask):
        return []
    message = f"no action is answered by {ask.name}: give one `at: {ask.name}`, or turn the service off"
    return [Finding("warning", "service-unused", message, f"tiers.{ask.name}")]
