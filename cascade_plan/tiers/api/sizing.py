"""API nodes and pods: how many at peak, and between which bounds they scale."""

from __future__ import annotations

from math import ceil

from cascade_plan.clouds.aws.eks import Allocatable
from cascade_plan.errors import InfeasibleError
from cascade_plan.model.brief import Brief
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, NodeGroup, TierFleet
from cascade_plan.model.scenario import NodeBounds
from cascade_plan.model.solution import Solution

AFTER: tuple[str, ...] = ()
RULE = f"{PLAN}, cost calculator"
MODEL = "docs/model.md: closed network of multi-server queues"


def size(brief: Brief) -> TierFleet:
    """Return the API node group with its scaling bounds, the pods that fill it, and the HPA's replica bounds."""
    tier = brief.scenario.tiers.api
    shape = brief.shape("tiers.api.shape", "ec2", "linux")
    node = brief.allocatable(shape)
    pods_per_node = node.pods_of(tier.pod.cpu_cores * 1000, tier.pod.memory_mib)
    if not pods_per_node:
        raise InfeasibleError(
            f"tiers.api.pod: a pod of {tier.pod.cpu_cores:g} cores and {tier.pod.memory_mib} MiB does not fit a "
            f"{shape.name}, which leaves {node.cpu_m / 1000:g} cores and {node.memory_mib} MiB"
        )
    figures = _node_figures(brief)
    base, least, most = (int(figure.value) for figure in figures)
    running = brief.average(lambda users: min(most, max(least, brief.nodes_for(users, tier.users_per_node))))
    group = NodeGroup(
        tier="api",
        name="api nodes",
        shape=shape,
        variant="linux",
        count=Band(least, min(running, base), base, most),
        terms=brief.scenario.purchase.terms("api"),
        disk_gib=brief.scenario.tiers.cluster.disk_gib,
        idle_share=_idle_share(node, pods_per_node, tier.pod.cpu_cores, tier.pod.memory_mib),
    )
    replicas = _replica_figures(brief, shape, node, pods_per_node, least, most)
    return TierFleet(
        groups=(group,),
        figures=(*figures, *replicas),
        findings=(
            *_rounding_findings(figures),
            *_capacity_findings(replicas, most, pods_per_node),
            *_zone_findings(base, brief.scenario.availability.zones),
        ),
    )


def _node_figures(brief: Brief) -> tuple[Derivation, Derivation, Derivation]:
    tier, users = brief.scenario.tiers.api, brief.scenario.users
    if tier.nodes is not None:
        return _pinned(brief, tier.nodes)
    if brief.solution is not None:
        return _solved(brief, brief.solution)
    base = max(tier.minimum_nodes, brief.nodes_for(users.peak, tier.users_per_node))
    least = max(tier.minimum_nodes_scaled_in, brief.nodes_for(users.average, tier.users_per_node))
    least = min(least, base)
    exact = base * tier.headroom_ratio
    most = max(base, ceil(exact - 1e-9))
    per_node = brief.given("tiers.api.users_per_node")
    return (
        Derivation(
            "api.node_count.base",
            base,
            "nodes",
            f"max(minimum_nodes, users.peak / users_per_node rounded {brief.scenario.rounding})",
            (brief.given("tiers.api.minimum_nodes"), brief.given("users.peak"), per_node),
            RULE,
            brief.rounding_note(users.peak, tier.users_per_node, tier.minimum_nodes),
        ),
        Derivation(
            "api.node_count.min",
            least,
            "nodes",
            f"max(minimum_nodes_scaled_in, users.average / users_per_node rounded {brief.scenario.rounding}) <= base",
            (brief.given("tiers.api.minimum_nodes_scaled_in"), brief.given("users.average"), per_node),
            RULE,
            brief.rounding_note(users.average, tier.users_per_node, tier.minimum_nodes_scaled_in),
        ),
        Derivation(
            "api.node_count.max",
            most,
            "nodes",
            "api.node_count.base x headroom_ratio, rounded up",
            (brief.given("tiers.api.headroom_ratio"),),
            RULE,
            "" if exact == most else f"the plan's {exact:g} nodes cannot be bought: rounded up to {most}",
        ),
    )


def _solved(brief: Brief, solution: Solution) -> tuple[Derivation, Derivation, Derivation]:
    tier, users = brief.scenario.tiers.api, brief.scenario.users
    formula = "least that meets every load with a zone and a node lost"
    base, least = solution.api_node_count_base, solution.api_node_count_min

    def found(name: str, count: int, count_of_users: int, minimum: int) -> Derivation:
        figure = f"api.node_count.{name}"
        rule = Input("the rule's count", max(minimum, brief.nodes_for(count_of_users, tier.users_per_node)), "computed")
        return Derivation(figure, count, "nodes", formula, (rule,), MODEL, solution.why(figure))

    return (
        found("base", base, users.peak, tier.minimum_nodes),
        found("min", least, users.average, tier.minimum_nodes_scaled_in),
        Derivation(
            "api.node_count.max",
            max(base, ceil(base * tier.headroom_ratio - 1e-9)),
            "nodes",
            "api.node_count.base x headroom_ratio, rounded up",
            (brief.given("tiers.api.headroom_ratio"),),
            RULE,
        ),
    )


def _pinned(brief: Brief, nodes: NodeBounds) -> tuple[Derivation, Derivation, Derivation]:
    def pin(name: str, count: int) -> Derivation:
        origin = brief.given(f"tiers.api.nodes.{name}")
        return Derivation(f"api.node_count.{name}", count, "nodes", "pinned in the scenario", (origin,), "scenario")

    return pin("base", nodes.base), pin("min", nodes.min), pin("max", nodes.max)


def _idle_share(node: Allocatable, pods: int, cpu_cores: float, memory_mib: int) -> float:
    return 1 - max(pods * cpu_cores * 1000 / node.cpu_m, pods * memory_mib / node.memory_mib)


def _replica_figures(
    brief: Brief, shape: Shape, node: Allocatable, pods_per_node: int, least: int, most: int
) -> tuple[Derivation, Derivation, Derivation]:
    tier = brief.scenario.tiers.api
    fit = Derivation(
        "api.pod_count_per_node",
        pods_per_node,
        "pods",
        f"least of allocatable CPU {node.cpu_m} m / pod CPU, memory {node.memory_mib} MiB / pod memory, "
        f"pod limit {node.pods} on {shape.name}",
        (
            brief.given("tiers.api.pod.cpu_cores"),
            brief.given("tiers.api.pod.memory_mib"),
            brief.given("tiers.cluster.daemonset_cpu_cores"),
            brief.given("tiers.cluster.daemonset_memory_mib"),
        ),
        "awslabs/amazon-eks-ami nodeadm/internal/kubelet (kube-reserved, eviction, ENI pod limit)",
    )
    if (pinned := tier.replicas) is not None:
        bounds = [("min", pinned.min, "pinned in the scenario"), ("max", pinned.max, "pinned in the scenario")]
    else:
        bounds = [
            ("min", least * pods_per_node, "api.node_count.min x api.pod_count_per_node"),
            ("max", most * pods_per_node, "api.node_count.max x api.pod_count_per_node"),
        ]
    low, high = (
        Derivation(
            f"api.replica_count.{name}",
            count,
            "pods",
            formula,
            (brief.given(f"tiers.api.replicas.{name}"),) if pinned else (),
            "scenario" if pinned else "the nodes paid for are filled, no pod is left without one",
        )
        for name, count, formula in bounds
    )
    return fit, low, high


def _rounding_findings(figures: tuple[Derivation, ...]) -> list[Finding]:
    return [
        Finding("info", "rounding", figure.note, figure.figure)
        for figure in figures
        if figure.note and figure.source == RULE
    ]


def _capacity_findings(replicas: tuple[Derivation, ...], most: int, pods_per_node: int) -> list[Finding]:
    low, high = int(replicas[1].value), int(replicas[2].value)
    held = most * pods_per_node
    findings = []
    if high > held:
        findings.append(
            Finding(
                "warning",
                "hpa-exceeds-nodes",
                f"the HPA may ask for {high} pods, {most} nodes hold {held}: {high - held} pods would stay Pending "
                f"(they need {ceil(high / pods_per_node)} nodes)",
                "api.replica_count.max",
            )
        )
    if low > held:
        findings.append(
            Finding(
                "warning",
                "hpa-floor-exceeds-nodes",
                f"the HPA's minimum of {low} pods does not fit the {most} nodes at the ceiling, which hold {held}",
                "api.replica_count.min",
            )
        )
    return findings


def _zone_findings(base: int, zones: int) -> list[Finding]:
    if base >= zones:
        return []
    return [
        Finding("warning", "zone-without-node", f"{base} nodes leave a zone of {zones} empty", "api.node_count.base")
    ]
