"""A service's nodes and pods: how many at peak, and between which bounds they scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil

from cascade_plan.formulas.draws import largest, smallest, whole
from cascade_plan.formulas.losses import least_count
from cascade_plan.formulas.packing import Room, Size
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model import node_network
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import Demand
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Lever, NodeGroup, Sized, Workload
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place, Quota, Scale, Visit
from cascade_plan.model.scenario import Action
from cascade_plan.tiers.api import credits, scaling, serverless, sharing, workload
from cascade_plan.tiers.api.settings import NodeBounds, Pod, Settings

AFTER: tuple[str, ...] = ()
RULE = f"{PLAN}, cost calculator"
MODEL = "docs/model.md: closed network of multi-server queues"
Three = tuple[Derivation, Derivation, Derivation]


def size(ask: Ask[Settings]) -> Sized:
    """Return the node group with its scaling bounds, the pods that fill it, and the HPA's replica bounds.

    A service on another's nodes has no group: its pods stand on each of those beside the other's.
    Raises InfeasibleError where no pod, or not one of each service, fits a node.
    """
    settings = ask.settings
    if settings.serverless:
        sized = serverless.size(ask)
        return replace(sized, findings=(*sized.findings, *_idle_findings(ask)))
    if settings.nodes_of is not None:
        return _resident(ask, ask.fleet[settings.nodes_of])
    shape = ask.shape("vm")
    pods = _pods_per_node(ask, ask.name, shape)
    room = sharing.room(ask, shape, pods)
    figures = _node_figures(ask, sharing.node_count_least(ask, room))
    base, least, most = (whole(figure.value) for figure in figures)
    lever = _lever(ask, Offer("vm", shape.name), least, base, most, room.node_count_least if ask.guests else 0)
    running = _running(ask, lever)
    count = Band(least, min(sum(running) / len(running), base), base, most)
    node = ask.allocatable(shape)
    free = sharing.unrequested_share(node, _pods(ask, ask.name), pods)
    if ask.guests:
        free = sharing.free_share(room, node, base)
    group = ask.nodes(shape, count, free, hourly_count=running)
    replicas = _replica_figures(ask, group, pods, lever, room)
    run = _workload(ask, group, replicas, pods, lever, room)
    sent, sent_words = _sent(ask), "headers and response_bytes to users, object_bytes to their store if pods move them"
    return Sized(
        ask.name,
        "api",
        groups=(group,),
        usages=(used := tuple(credits.usages(ask, group))),
        not_emitted=tuple(f"{usage.name}: metered as they are spent" for usage in used),
        figures=(*figures, *replicas, node_network.figure(ask, shape, base, sent, sent_words)),
        findings=(
            *_rounding_findings(figures),
            *_capacity_findings(replicas, most, room),
            *_system_findings(ask, least, room),
            *sharing.findings(ask, shape, room, least),
            *_zone_findings(ask, base),
            *ask.pod_limit_findings(shape, settings.pod.cpu_cores, settings.pod.memory_mib),
            *node_network.findings(ask, shape),
            *scaling.findings(ask, run, shape.speed),
            *_idle_findings(ask),
            *credits.findings(ask, group),
            *ask.speed_findings(shape),
        ),
        ceilings=tuple(node_network.ceilings(ask, shape, base, sent)),
        levers=(lever,),
        workloads=(run,),
    )


def _sent(ask: Ask[Settings]) -> Demand:
    """Return the bytes that requests make the nodes of a service send, for all that stands on them."""
    services, header_bytes = sharing.residents(ask.scenario, ask.name), ask.scenario.behaviour.header_bytes
    store = ask.settings_of("objects")
    passed_on = 1 if store is not None and store.moved_by == "pods" else 0
    of_requests = sum(
        share * (header_bytes + action.response_bytes + passed_on * action.object_bytes)
        for share, action in ask.scenario.behaviour.mix
        if ask.scenario.service(action) in services
    )
    return Demand(
        # What few pods send leaves by the nodes that have one: each of these sends so much.
        each_units_per_request=sum(guest.sent.shared_units_per_request / guest.count_max for guest in ask.guests),
        shared_units_per_request=of_requests,
        flat_units=sum(guest.sent.flat_units for guest in ask.guests),
    )


def _resident(ask: Ask[Settings], owner: Sized) -> Sized:
    """Return the pods of a service that run on the nodes of another."""
    group, lever = owner.group("nodes"), owner.lever("node_count")
    pods = _pods_per_node(ask, owner.name, group.shape)
    room = _room_of_resident(ask, group.shape, pods[ask.name])
    replicas = _replica_figures(ask, group, pods, lever, room)
    run = _workload(ask, group, replicas, pods, lever, room)
    return Sized(
        ask.name,
        "api",
        figures=replicas,
        findings=(
            *_capacity_findings(replicas, lever.most_count, room),
            *_port_findings(ask, owner),
            *scaling.findings(ask, run, group.shape.speed),
            *_idle_findings(ask),
        ),
        workloads=(run,),
    )


def _room_of_resident(ask: Ask[Settings], shape: Shape, per_node: int) -> Room:
    """Return the places of a service on another's nodes: what stands there first takes the owner's, and none of its."""
    node, pod = ask.allocatable(shape), ask.settings.pod
    whole = Size(float(node.cpu_m), float(node.memory_mib), node.pods)
    return Room(whole, Size(pod.cpu_cores * 1000, float(pod.memory_mib)), per_node)


def _pods(ask: Ask[Settings], owner: str) -> Mapping[str, Pod]:
    """Return what a pod requests of each service on the nodes of one."""
    return {name: settings.pod for name, settings in sharing.residents(ask.scenario, owner).items()}


def _pods_per_node(ask: Ask[Settings], owner: str, shape: Shape) -> Mapping[str, int]:
    """Return how many pods of each service fill a node of one."""
    pods = _pods(ask, owner)
    if len(pods) == 1:
        return {owner: ask.pods_per_node(shape, pods[owner].cpu_cores, pods[owner].memory_mib)}
    demands = {name: sharing.demand(ask.scenario, name) for name in pods}
    return sharing.apportioned(ask.allocatable(shape), pods, demands)


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the pods as one queue: the balancer sends to the least busy, and a pod that is busy has a core to itself
    as long as its node has one left. There are as many servers as cores that pods can keep busy, or pods if fewer.
    """
    (run,) = site.fleet[site.name].workloads
    lever = site.fleet[sharing.host(site.scenario, site.name)].lever(
        "replica_count" if site.settings.serverless else "node_count"
    )
    nodes = scale.get(lever.name, lever.base_count)
    pods = min(run.held(nodes), scale.get(f"{site.name}.replica_count", run.replica_count_max))
    pods, limit = max(1, pods), run.cpu_cores_max
    # A node's pods together get what it leaves them; one of them alone at most a core, and at most its limit.
    speed = site.fleet[sharing.host(site.scenario, site.name)].groups[0].shape.speed
    cores = pods * min(1.0, limit or 1.0, _cores_each(run, pods, nodes))
    servers = max(1, round(cores))

    def visits(action: Action) -> tuple[Visit, ...]:
        if site.scenario.service(action) != site.name:
            return ()
        return (Visit(1, 1.0, ServiceTime(action.cpu_ms / 1000 / speed, site.settings.service_scv)),)

    return (
        Place(
            site.name,
            site.name,
            pods,
            servers,
            visits=visits,
            is_scaled=True,
            discipline=site.settings.discipline,
            await_s=site.settings.await_cpu_ms / 1000 / speed,
            speed_ratio=cores / servers,
            quota=Quota(limit) if limit and limit < 1 else None,
        ),
    )


def _cores_each(run: Workload, pods: int, nodes: int) -> float:
    """Return the cores that nodes leave each pod when all are busy, spread evenly; what it requests at least."""
    left = max(1, nodes) * run.cores_per_node - run.beside_cpu_cores
    return max(left / max(pods, nodes, 1), min(run.cpu_cores, run.cores_per_node))


def _share(ask: Ask[Settings]) -> float:
    """Return the share of the requests that the service answers: its users, by the rules, are so many."""
    return ask.traffic.service_share.get(ask.name, 0.0)


def _rule(ask: Ask[Settings]) -> Callable[[float], int]:
    """Return the rule that says how many nodes so many users need, of all services on them together."""
    shares, services = ask.traffic.service_share, sharing.residents(ask.scenario, ask.name)
    parts = [(shares.get(name, 0.0), each.users_per_node) for name, each in services.items()]

    def needed(users: float) -> int:
        return ask.nodes_for(sum(users * share / per_node for share, per_node in parts), 1)

    return needed


def _running(ask: Ask[Settings], lever: Lever) -> tuple[float, ...]:
    """Return the nodes that run in each hour of the average day: as the autoscaler holds them, or as the rules say.

    No rule knows of nodes that are pinned, or that the method slo found.
    """
    if lever.set_by != "rules":
        return ask.hourly(lambda users: lever.at(users, ask.scenario.users.peak))
    needed = _rule(ask)
    return ask.hourly(lambda users: smallest(lever.most_count, largest(lever.floor_count, needed(users))))


def _lever(ask: Ask[Settings], offer: Offer, least: int, base: int, most: int, left_least: int) -> Lever:
    pinned = ask.settings.nodes is not None
    served = any(ask.traffic.service_share.get(name) for name in sharing.residents(ask.scenario, ask.name))
    return Lever(
        name=f"{ask.name}.node_count",
        floor_count=least,
        base_count=base,
        most_count=most,
        set_by="pinned" if pinned else "rules" if ask.solution is None else "method",
        is_scaled=True,
        reaction_s=ask.settings.node_provisioning_s + ask.settings.pod_startup_s,
        is_searched=not pinned and served,
        spread="nodes",
        least_count=1,
        left_least_count=left_least,
        offer=offer,
    )


def _workload(
    ask: Ask[Settings], group: NodeGroup, replicas: Three, pods: Mapping[str, int], lever: Lever, room: Room
) -> Workload:
    """Return the pods as they stand on nodes: a busy one has a core, or its part of them when all are busy."""
    pod, node = ask.settings.pod, ask.allocatable(group.shape)
    fit, low, high = (whole(figure.value) for figure in replicas)
    cores_each = node.cpu_m / 1000 / sum(pods.values())
    cores_per_pod = min(1.0, pod.cpu_limit_cores or 1.0, cores_each)
    return replace(
        workload.of(ask, group, pod, (low, high), fit, room.held(lever.most_count), cores_per_pod),
        room=room,
        reserved_pod_count=lever.floor_count * fit - room.held(lever.floor_count),
        cores_per_node=cores_each * fit,
        beside_cpu_cores=sharing.cores(ask.guests),
    )


def _node_figures(ask: Ask[Settings], beside: int) -> Three:
    """Return the nodes at the peak, the fewest and the most; never fewer than `beside`, for what stands there first."""
    settings, users, share = ask.settings, ask.scenario.users, _share(ask)
    if settings.nodes is not None:
        return _pinned(ask, settings.nodes)
    least_base, given_base = _least(ask, "minimum_nodes", beside)
    least_in, given_in = _least(ask, "minimum_nodes_scaled_in", beside)
    if ask.solution is not None and ask.solved("node_count.base") is not None:
        return _solved(ask, least_base, least_in)
    needed = _rule(ask)
    base = max(least_base, needed(users.peak))
    least = min(max(least_in, needed(users.average)), base)
    others = [name for name in sharing.residents(ask.scenario, ask.name) if name != ask.name]
    if others:
        return _shared(ask, base, least, (given_base, given_in), others)
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


def _least(ask: Ask[Settings], leaf: str, beside: int) -> tuple[int, Input]:
    """Return a least count: the scenario's, or more where what stands on the nodes first needs more."""
    least, given = ask.least(leaf, ask.scenario.availability.asked.node_count)
    if beside <= least:
        return least, given
    tiers = ", ".join(dict.fromkeys(guest.tier for guest in ask.guests))
    return beside, Input(f"tiers.{ask.name}.{leaf}", beside, f"what holds {tiers} with a zone and a node lost")


def _shared(ask: Ask[Settings], base: int, least: int, given: tuple[Input, Input], others: Sequence[str]) -> Three:
    """Return the nodes of several services: those that each needs, added before they are rounded."""
    shares, residents = ask.traffic.service_share, (ask.name, *others)
    inputs = [
        given
        for name in residents
        for given in (
            Input(f"share of the requests to {name}", shares.get(name, 0.0), "computed"),
            ask.given(f"tiers.{name}.users_per_node"),
        )
    ]
    needed = f"sum of users.{{0}} x share / users_per_node over {', '.join(residents)}, rounded {ask.scenario.rounding}"
    return (
        ask.figure(
            "node_count.base",
            base,
            "nodes",
            f"max(minimum_nodes, {needed.format('peak')})",
            (given[0], ask.given("users.peak"), *inputs),
            RULE,
        ),
        ask.figure(
            "node_count.min",
            least,
            "nodes",
            f"max(minimum_nodes_scaled_in, {needed.format('average')}) <= base",
            (given[1], ask.given("users.average"), *inputs),
            RULE,
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
    users, needed = ask.scenario.users, _rule(ask)

    def found(leaf: str, count_of_users: int, minimum: int) -> Derivation:
        rule = max(minimum, needed(count_of_users))
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
    return base, found("node_count.min", users.average, least_in), _most(ask, whole(base.value))


def _pinned(ask: Ask[Settings], nodes: NodeBounds) -> Three:
    def pin(name: str, count: int) -> Derivation:
        origin = ask.own(f"nodes.{name}")
        return ask.figure(f"node_count.{name}", count, "nodes", "pinned in the scenario", (origin,), "scenario")

    return pin("base", nodes.base), pin("min", nodes.min), pin("max", nodes.max)


def _replica_figures(ask: Ask[Settings], group: NodeGroup, pods: Mapping[str, int], lever: Lever, room: Room) -> Three:
    shape, node, pods_per_node = group.shape, ask.allocatable(group.shape), pods[ask.name]
    tiers = [*dict.fromkeys(guest.tier for guest in ask.guests), *(["the cluster"] if room.before else [])]
    less = f", less places that pods of {' and '.join(tiers)} take" if room.before else ""
    beside = [name for name in pods if name != ask.name]
    reserved = ("daemonset_cpu_cores", "daemonset_memory_mib")
    cluster = ask.scenario.first("cluster")
    fit = ask.figure(
        "pod_count_per_node",
        pods_per_node,
        "pods",
        f"least of allocatable CPU {node.cpu_m} m / pod CPU, memory {node.memory_mib} MiB / pod memory, "
        f"pod limit {node.pods} on {shape.name}"
        + (f"; shared with {', '.join(beside)} by the CPU time that requests ask of each" if beside else ""),
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
            (name, room.held(nodes), f"{lever.name}.{name} x {ask.name}.pod_count_per_node{less}")
            for name, nodes in (("min", lever.floor_count), ("max", lever.most_count))
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


def _capacity_findings(replicas: Three, most: int, room: Room) -> list[Finding]:
    low, high = whole(replicas[1].value), whole(replicas[2].value)
    held = room.held(most)
    findings = []
    if high > held:
        needed = least_count(lambda nodes: room.held(nodes) >= high, high + most, most)
        findings.append(
            Finding(
                "warning",
                "hpa-exceeds-nodes",
                f"the autoscaler may ask for {high} pods, {most} nodes hold {held}: {high - held} pods would stay "
                f"Pending (they need {needed} nodes), and a rollout would wait for them",
                replicas[2].figure,
                is_broken=True,
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
                is_broken=True,
            )
        )
    return findings


def _system_findings(ask: Ask[Settings], least: int, room: Room) -> list[Finding]:
    """Return that the fewest nodes are too few for the cluster's own pods and one of the service."""
    if least >= room.node_count_least or ask.guests:
        return []
    words = (
        f"{least} nodes at the floor do not hold the cluster's own pods and one of {ask.name}: an autoscaler adds one"
    )
    return [Finding("warning", "system-pods", words, f"{ask.name}.node_count.min", is_broken=True)]


def _zone_findings(ask: Ask[Settings], base: int) -> list[Finding]:
    asked = ask.scenario.availability.asked
    zones = asked.zones
    if base >= zones or not asked.lost_zone_count:
        return []
    where = f"{ask.name}.node_count.base"
    return [
        Finding("warning", "zone-without-node", f"{base} nodes leave a zone of {zones} empty", where, is_broken=True)
    ]


def _port_findings(ask: Ask[Settings], owner: Sized) -> list[Finding]:
    """Return that a port is taken: pods have addresses of their own, programs on one machine have not."""
    services = sharing.residents(ask.scenario, owner.name)
    taken = [name for name, each in services.items() if name != ask.name and each.port == ask.settings.port]
    if ask.scenario.of("cluster") or not taken:
        return []
    message = f"without a cluster {taken[0]} listens on port {ask.settings.port} of the same machines"
    return [Finding("warning", "port-taken", message, f"tiers.{ask.name}.port", is_broken=True)]


def _idle_findings(ask: Ask[Settings]) -> list[Finding]:
    """Return that no action is answered by the service: its nodes would be bought for nothing."""
    if _share(ask):
        return []
    message = f"no action is answered by {ask.name}: give one `at: {ask.name}`, or turn the service off"
    return [Finding("warning", "service-unused", message, f"tiers.{ask.name}")]
