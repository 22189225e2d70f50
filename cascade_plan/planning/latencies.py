"""Fleet -> the latencies it gives each named load."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.brief import Brief
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Fleet, NodeGroup
from cascade_plan.model.scenario import LoadLevel, Scenario
from cascade_plan.planning.chain import Deployed, Prediction, chain, predict

SYNC_S: Final = 15
"""Period of the HPA controller (kube-controller-manager --horizontal-pod-autoscaler-sync-period)."""
SOURCE: Final = "docs/model.md: closed network of multi-server queues, transform inversion"


def reaction_s(scenario: Scenario) -> float:
    """Return the seconds from a rise of load to the pods that answer it: one sync, the window, a node and a pod."""
    rules, timing = scenario.autoscaling, scenario.timing
    return SYNC_S + rules.scale_up_window_s + timing.node_provisioning_s + timing.pod_startup_s


def is_sudden(scenario: Scenario, load: LoadLevel) -> bool:
    """Return whether a load is over before the autoscaler has answered it: the scaled-in fleet must bear it."""
    return load.duration_s < reaction_s(scenario)


def cores_per_pod(brief: Brief, api: NodeGroup, pods_per_node: int) -> float:
    """Return the cores one single-threaded pod gets when all pods of a node are busy; at most 1."""
    return min(1.0, brief.allocatable(api.shape).cpu_m / 1000 / pods_per_node)


def latencies(brief: Brief, fleet: Fleet) -> tuple[tuple[Derivation, ...], tuple[Finding, ...]]:
    """Return the latency figures of every named load on the fleet, and what is to be said of them.

    A load is answered by the nodes the autoscaler holds for its users, once it has answered; a sudden one by the
    scaled-in fleet. Every user of a load acts, whatever users.active_share says of a working day.
    """
    figures: list[Derivation] = []
    findings: list[Finding] = []
    for name, load in brief.scenario.loads.items():
        nodes = nodes_for(brief, fleet, load)
        deployed = deployed_on(brief, fleet, nodes)
        prediction = predict(chain(brief.scenario, deployed), load.users)
        figures += _figures(name, load, prediction, deployed, nodes)
        findings += _findings(name, prediction)
    return tuple(figures), tuple(findings)


def nodes_for(brief: Brief, fleet: Fleet, load: LoadLevel) -> int:
    """Return the API nodes that answer a load: those the autoscaler holds for its users, or the floor's if sudden."""
    count = next(group.count for group in fleet.groups if group.tier == "api")
    least, base, most = int(count.floor), int(count.peak), int(count.ceiling)
    if is_sudden(brief.scenario, load):
        return least
    # Between the bounds the nodes follow the users as the base follows the peak.
    wanted = -(-base * load.users // brief.scenario.users.peak)
    return min(most, max(least, wanted))


def deployed_on(brief: Brief, fleet: Fleet, nodes: int) -> Deployed:
    """Return what a fleet deploys when its API has `nodes` nodes."""
    figures = {figure.figure: int(figure.value) for figure in fleet.figures}
    groups = {group.name: group for group in fleet.groups}
    per_node = figures["api.pod_count_per_node"]
    pods = min(nodes * per_node, figures["api.replica_count.max"])
    return Deployed(
        pod_count=max(1, pods),
        cores_per_pod=cores_per_pod(brief, groups["api nodes"], per_node),
        database_vcpu=groups["database primary"].shape.vcpu,
        replica_count=figures["database.replica_count"],
        connection_count=figures["pool.connection_count"],
        master_count=max(1, figures["cache.master_count"]),
    )


def _figures(name: str, load: LoadLevel, prediction: Prediction, deployed: Deployed, nodes: int) -> list[Derivation]:
    busy = prediction.utilisation_ratio
    inputs = (
        Input(f"loads.{name}.users", load.users, "scenario"),
        Input("requests/s", prediction.requests_per_s, "computed: users / (think time + response time)"),
        Input("api nodes", nodes, "computed: what the autoscaler holds for these users"),
        Input("pods", deployed.pod_count, "computed"),
        *(Input(f"busy share of {station}", share, "computed") for station, share in sorted(busy.items())),
    )
    values = (
        ("p50", prediction.latency_ms_p50),
        ("p95", prediction.latency_ms_p95),
        ("p99", prediction.latency_ms_p99),
    )
    return [
        Derivation(
            f"requests_per_s.{name}",
            prediction.requests_per_s,
            "requests/s",
            "users / (think time + response time)",
            inputs,
            SOURCE,
            "the rate of a load generator that waits for each answer; it falls when the system is slow",
        ),
    ] + [
        Derivation(
            f"latency_ms_{percentile}.{name}",
            value,
            "ms",
            "percentile of the sum over API, cache, pool and database at the closed system's throughput",
            inputs,
            SOURCE,
            f"the fullest station is {prediction.bottleneck}",
        )
        for percentile, value in values
    ]


def _findings(name: str, prediction: Prediction) -> list[Finding]:
    if not prediction.saturated:
        return []
    share = prediction.utilisation_ratio[prediction.bottleneck]
    return [
        Finding(
            "warning",
            "saturated",
            f"load {name} keeps {prediction.bottleneck} {share:.0%} busy: {prediction.users:,} users wait for each "
            f"other at {prediction.requests_per_s:,.0f} requests/s",
            f"latency_ms_p95.{name}",
        )
    ]
